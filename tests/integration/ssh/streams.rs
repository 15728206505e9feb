//! Standard output that is written down as it comes.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use kdiy::transport::Exit;

use super::*;

async fn linked() -> (Sshd, Home, Link) {
    let sshd = Sshd::start();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let link = connect(home.settings(), &login_to(&sshd)).await.unwrap();
    (sshd, home, link)
}

async fn stream(link: &Link, script: &str, out: &mut (dyn Write + Send)) -> Result<Output, Error> {
    let script = Zeroizing::new(script.to_owned());
    let request = Request {
        script: &script,
        user: User::Login,
        limit: Duration::from_secs(60),
        keep: 1000,
    };
    link.stream(request, out).await
}

/// As `sha256sum` counts it, and how long it is.
struct Sum {
    child: std::process::Child,
    length: usize,
}

impl Sum {
    fn start() -> Self {
        let child = Command::new("sha256sum")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, length: 0 }
    }

    fn end(mut self) -> String {
        drop(self.child.stdin.take());
        let out = self.child.wait_with_output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    }
}

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length += bytes.len();
        self.child.stdin.as_mut().unwrap().write_all(bytes)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes so many bytes and no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.checked_sub(bytes.len()) {
            Some(room) => {
                self.0 = room;
                Ok(bytes.len())
            }
            None => Err(io::ErrorKind::StorageFull.into()),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn any_bytes_arrive_as_they_were_sent() {
    let (sshd, _home, link) = linked().await;
    let file = sshd.path("file").display().to_string();
    let script =
        format!("head -c 67108864 /dev/urandom >{file}; sha256sum <{file} >&2; cat {file}; exit 3");
    let mut sum = Sum::start();
    let output = stream(&link, &script, &mut sum).await.unwrap();
    assert_eq!(output.exit, Exit::Code(3));
    assert_eq!(output.stdout, b"");
    assert_eq!(sum.length, 67_108_864);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), sum.end());
}

#[tokio::test]
async fn line_ends_zeros_and_what_is_no_text_stay() {
    let (_sshd, _home, link) = linked().await;
    let mut out = Vec::new();
    let script = r"printf '\r\n\000\377\n\n'; echo err >&2";
    let output = stream(&link, script, &mut out).await.unwrap();
    assert_eq!(out, b"\r\n\0\xff\n\n");
    assert_eq!(output.stderr, b"err\n");
}

#[tokio::test]
async fn a_full_disk_ends_the_script_and_keeps_the_connection() {
    let (sshd, _home, link) = linked().await;
    let mark = sshd.path("pid");
    let script = format!("echo $$ >{}; cat /dev/zero", mark.display());
    let error = stream(&link, &script, &mut Full(1_000_000))
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::NotKept { .. }), "{error:?}");
    assert!(error.to_string().contains("no storage space"), "{error}");
    assert_ends(&mark).await;
    assert_eq!(says(&link, "echo next").await, "next\n");
    assert_eq!(sshd.logins(), 1);
}

#[tokio::test]
async fn a_cut_stream_is_a_loss() {
    let (sshd, _home, link) = linked().await;
    let mut out = Vec::new();
    let (lost, ()) = tokio::join!(stream(&link, "echo begun; sleep 30", &mut out), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        sshd.cut();
    });
    assert!(matches!(lost, Err(Error::Lost { .. })), "{lost:?}");
    assert_eq!(out, b"begun\n");
}
