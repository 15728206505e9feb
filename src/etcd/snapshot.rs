//! A snapshot of etcd's data: the script that takes one on a member's host
//! and sends it, and the receiving end, which believes nothing unchecked.

use std::io::{self, Write};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::gateway::{client, url};
use super::member::folder;
use crate::cluster::{AddressSpec, EtcdSource, Topology};
use crate::resource::hex;
use crate::shell::{Script, sh};

/// What is left free on the host's disk, in bytes: etcd may be on the same.
const SPARE: u64 = 128 << 20;

/// Begins the line before the data.
const MARK: &str = "kdiy-snapshot ";

/// The longest line before the data, in bytes.
const LONGEST_HEAD: usize = 4096;

/// etcd ends a snapshot with the SHA-256 of all before it.
const OWN_SUM: usize = 32;

/// Everything is in a folder that only root may enter, and that goes away
/// with the script, however it ends. A control plane's host has no etcdctl:
/// the one beside the etcd that runs is used, straight out of its container.
const TAKE: &str = sh!("etcd/snapshot.sh");

/// The script that takes a snapshot of the member on a host, whose database
/// has so many bytes, and sends it on standard output.
#[must_use]
pub fn script(topology: &Topology, address: &AddressSpec, size: u64) -> Script {
    let client = client(topology, address);
    let programs = match topology {
        Topology::External(EtcdSource::Archive(archive)) => folder(archive),
        Topology::External(EtcdSource::Distribution) => "/usr/bin".to_owned(),
        Topology::Stacked => String::new(),
    };
    let need = (size.saturating_add(SPARE) / 1024).to_string();
    client
        .functions()
        .then(&url(&client, address))
        .set("kdiy_need", need)
        .set("kdiy_programs", programs)
        .with(TAKE)
}

/// What a snapshot is, as the host says before it sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// Its bytes.
    pub size: u64,
    /// SHA-256 of them all.
    pub sha256: String,
    /// What is in it.
    #[serde(flatten)]
    pub contents: Contents,
}

/// What etcd's own tool found in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Hash of its keys.
    pub hash: u32,
    /// The newest revision in it.
    pub revision: u64,
    /// How many keys it has, old revisions of them too.
    #[serde(rename(deserialize = "totalKey", serialize = "totalKeys"))]
    pub keys: u64,
}

/// Why a snapshot is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityError {
    /// The host sent something else.
    #[error("the host did not say what it sends")]
    Head,
    /// There is less or more than was announced.
    #[error("{got} bytes came of {size}")]
    Length {
        /// How many came.
        got: u64,
        /// How many were announced.
        size: u64,
    },
    /// It was changed on the way.
    #[error("its SHA-256 is not the one that the host has")]
    Sum,
    /// It was spoiled on the host already.
    #[error("etcd's own checksum at its end does not fit")]
    OwnSum,
}

/// Writes a snapshot down as it comes, and checks it.
pub struct Receiver<'a, W> {
    out: &'a mut W,
    progress: &'a mut (dyn FnMut(u64, u64) + Send),
    line: Vec<u8>,
    head: Option<Head>,
    got: u64,
    sum: Context,
    /// Of all but the last bytes, which are held back.
    own: Context,
    held: Vec<u8>,
}

impl<'a, W: Write> Receiver<'a, W> {
    /// A receiver that tells how many bytes of how many have come.
    pub fn new(out: &'a mut W, progress: &'a mut (dyn FnMut(u64, u64) + Send)) -> Self {
        Self {
            out,
            progress,
            line: Vec::new(),
            head: None,
            got: 0,
            sum: Context::new(&SHA256),
            own: Context::new(&SHA256),
            held: Vec::new(),
        }
    }

    /// What was received, if it is whole.
    ///
    /// # Errors
    /// When it is not.
    pub fn finish(self) -> Result<Head, IntegrityError> {
        let head = self.head.ok_or(IntegrityError::Head)?;
        let (got, size) = (self.got, head.size);
        if got != size {
            return Err(IntegrityError::Length { got, size });
        }
        if hex(self.sum.finish().as_ref()) != head.sha256 {
            return Err(IntegrityError::Sum);
        }
        if self.own.finish().as_ref() != self.held {
            return Err(IntegrityError::OwnSum);
        }
        Ok(head)
    }

    /// The length that the host said.
    fn size(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.size)
    }

    /// Takes bytes of the data.
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A host that goes on and on must not fill the disk here.
        let (got, size) = (self.got + bytes.len() as u64, self.size());
        if got > size {
            return Err(io::Error::other(IntegrityError::Length { got, size }));
        }
        self.out.write_all(bytes)?;
        self.sum.update(bytes);
        self.held.extend_from_slice(bytes);
        let over = self.held.len().saturating_sub(OWN_SUM);
        self.own.update(&self.held[..over]);
        self.held.drain(..over);
        self.got += bytes.len() as u64;
        (self.progress)(self.got, size);
        Ok(())
    }
}

impl<W: Write> Write for Receiver<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.head.is_some() {
            self.take(bytes)?;
            return Ok(bytes.len());
        }
        self.line.extend_from_slice(bytes);
        if let Some(end) = self.line.iter().position(|&byte| byte == b'\n') {
            let data = self.line.split_off(end + 1);
            self.head = Some(head(&self.line[..end]).ok_or_else(not_a_snapshot)?);
            self.take(&data)?;
        } else if self.line.len() > LONGEST_HEAD {
            return Err(not_a_snapshot());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn not_a_snapshot() -> io::Error {
    io::Error::other(IntegrityError::Head)
}

fn head(line: &[u8]) -> Option<Head> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix(MARK)?;
    let mut words = line.splitn(3, ' ');
    Some(Head {
        size: words.next()?.parse().ok()?,
        sha256: words.next()?.to_owned(),
        contents: serde_json::from_str(words.next()?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{EtcdArchive, Version};
    use crate::resource::sha256_hex;
    use proptest::prelude::*;

    /// Data with etcd's checksum at its end, and the line before it.
    fn sent(data: &[u8]) -> (String, Vec<u8>) {
        let own = ring::digest::digest(&SHA256, data);
        let whole = [data, own.as_ref()].concat();
        let head = format!(
            "kdiy-snapshot {} {} {{\"hash\":7,\"revision\":725,\"totalKey\":400,\"totalSize\":9}}\n",
            whole.len(),
            sha256_hex(&whole)
        );
        (head, whole)
    }

    fn receive(chunks: &[&[u8]]) -> (Vec<u8>, io::Result<Result<Head, IntegrityError>>) {
        let (mut out, mut seen) = (Vec::new(), 0);
        let mut progress = |got: u64, _: u64| seen = got;
        let mut receiver = Receiver::new(&mut out, &mut progress);
        let written = chunks
            .iter()
            .try_for_each(|chunk| receiver.write_all(chunk));
        let ended = written.map(|()| receiver.finish());
        assert_eq!(seen, out.len() as u64);
        (out, ended)
    }

    #[test]
    fn what_is_broken_is_reported() {
        let (head, mut whole) = sent(b"data");
        let ended = |head: &str, data: &[u8]| receive(&[head.as_bytes(), data]).1;
        assert_eq!(
            ended(&head, &whole).unwrap().unwrap().contents.revision,
            725
        );
        let length = IntegrityError::Length { got: 35, size: 36 };
        assert_eq!(ended(&head, &whole[1..]).unwrap(), Err(length));
        let more = [&whole[..], b"x"].concat();
        assert!(
            ended(&head, &more).is_err(),
            "no more is written down than was said"
        );
        whole[0] ^= 1;
        assert_eq!(ended(&head, &whole).unwrap(), Err(IntegrityError::Sum));
        let own = head.replace(&sha256_hex(&sent(b"data").1), &sha256_hex(&whole));
        assert_eq!(ended(&own, &whole).unwrap(), Err(IntegrityError::OwnSum));
        assert_eq!(
            receive(&[b"kdiy-snap"]).1.unwrap(),
            Err(IntegrityError::Head)
        );
        assert!(ended("no snapshot\n", &whole).is_err());
        assert!(receive(&[&[b'x'; LONGEST_HEAD + 1]]).1.is_err());
    }

    /// A host with an etcdctl and an etcdutl of the test's own; its folder for
    /// temporary files is the test's.
    fn run(
        topology: &Topology,
        need: u64,
        etcdctl: &str,
        etcdutl: &str,
    ) -> (std::process::Output, usize) {
        let folder = match topology {
            Topology::Stacked => "bin",
            Topology::External(_) => "usr/local/lib/kdiy/etcd-3.6.8",
        };
        let programs = [("etcdctl", etcdctl), ("etcdutl", etcdutl)];
        let programs = programs.map(|(name, text)| (format!("{folder}/{name}"), text));
        let programs: Vec<_> = programs
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        run_on(topology, need, &programs)
    }

    /// On a host with these programs.
    fn run_on(
        topology: &Topology,
        need: u64,
        programs: &[(&str, &str)],
    ) -> (std::process::Output, usize) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::create_dir(path("tmp")).unwrap();
        for (program, text) in programs {
            let program = folder.path().join(program);
            std::fs::create_dir_all(program.parent().unwrap()).unwrap();
            std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(program, mode).unwrap();
        }
        let address = AddressSpec::Fixed("192.0.2.1".parse().unwrap());
        let script = script(topology, &address, need)
            .to_string()
            .replace("/var/tmp", &path("tmp"))
            .replace("/usr/local/lib", &path("usr/local/lib"))
            // Labs may run an etcd on this machine.
            .replace("/proc/", &path("proc/"));
        let out = std::process::Command::new("sh")
            .args(["-c", &script])
            .env("PATH", format!("{}:/usr/bin:/bin", path("bin")))
            .env("ETCDCTL_ENDPOINTS", "https://192.0.2.9:2379")
            .output()
            .unwrap();
        let left = std::fs::read_dir(path("tmp")).unwrap().count();
        (out, left)
    }

    #[test]
    fn a_real_shell_sends_a_snapshot_and_leaves_nothing() {
        let (_, whole) = sent(b"data\n\0");
        let octal: String = whole.iter().map(|byte| format!("\\0{byte:o}")).collect();
        let etcdctl = format!(
            "[ -z \"${{ETCDCTL_ENDPOINTS-}}\" ] || exit 9\ncase \"$*\" in\n\
             *'snapshot save'*) for f; do :; done; printf %b '{octal}' >\"$f\"; echo saved;;\n\
             *) exit 8;;\nesac"
        );
        // As 3.7.0 says it.
        let etcdutl = "case \"$*\" in 'snapshot status '*' -w json') echo \
             '{\"hash\":7,\"revision\":1,\"totalKey\":2,\"totalSize\":3,\"version\":\"3.7.0\"}';; \
             *) exit 8;; esac";
        let archive = EtcdArchive {
            version: Version::new(3, 6, 8),
            url: "https://example.com/etcd.tar.gz".to_owned(),
            sha256: None,
        };
        for topology in [
            Topology::Stacked,
            Topology::External(EtcdSource::Archive(archive)),
        ] {
            let (out, left) = run(&topology, 1, &etcdctl, etcdutl);
            let said = String::from_utf8_lossy(&out.stderr);
            assert!(out.status.success(), "{said}");
            assert_eq!(left, 0);
            let (data, ended) = receive(&[&out.stdout]);
            assert_eq!(data, whole);
            assert_eq!(ended.unwrap().unwrap().contents.keys, 2);
        }
    }

    #[test]
    fn what_only_calls_itself_etcd_is_not_run_as_root() {
        // A pod can take this name and these arguments; the port is etcd's.
        let (pod, etcd) = ("proc/66", "proc/77");
        let beside = |process: &str| format!("{process}/root/usr/local/bin/etcdctl");
        let programs = [
            (
                "bin/ss".to_owned(),
                "echo 'LISTEN 0 4096 192.0.2.9:2379 0.0.0.0:* users:((\"etcd\",pid=66,fd=7))'\n\
                 echo 'LISTEN 0 4096 192.0.2.1:2379 0.0.0.0:* users:((\"etcd\",pid=77,fd=7))'",
            ),
            (beside(pod), "echo hostile >&2; exit 8"),
            (beside(etcd), "echo etcd >&2; exit 7"),
            (format!("{etcd}/root/usr/local/bin/etcdutl"), "exit 6"),
        ];
        let programs: Vec<_> = programs
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        let (out, left) = run_on(&Topology::Stacked, 1, &programs);
        assert_eq!(String::from_utf8_lossy(&out.stderr), "etcd\n");
        assert_eq!((out.status.code(), left), (Some(7), 0));
    }

    #[test]
    fn failures_say_why_and_leave_nothing() {
        let (out, left) = run(&Topology::Stacked, 1, "echo no space >&2; exit 7", "exit 6");
        assert_eq!((out.status.code(), left), (Some(7), 0));
        assert_eq!(String::from_utf8_lossy(&out.stderr), "no space\n");
        assert_eq!(out.stdout, b"");
        let (out, left) = run(&Topology::Stacked, u64::MAX / 4, "exit 7", "exit 6");
        assert_eq!((out.status.code(), left), (Some(1), 0));
        assert!(String::from_utf8_lossy(&out.stderr).contains("KiB free"));
        // etcdctl of 3.6 and later does not know what is in a snapshot.
        let (out, left) = run_on(&Topology::Stacked, 1, &[("bin/etcdctl", "exit 7")]);
        assert_eq!((out.status.code(), left), (Some(1), 0));
        assert!(String::from_utf8_lossy(&out.stderr).contains("no etcdutl"));
    }

    proptest! {
        #[test]
        fn any_snapshot_arrives_whole_however_it_is_cut(data in prop::collection::vec(any::<u8>(), 0..200), size in 1_usize..90) {
            let (head, whole) = sent(&data);
            let all = [head.as_bytes(), &whole].concat();
            let chunks: Vec<_> = all.chunks(size).collect();
            let (out, ended) = receive(&chunks);
            prop_assert_eq!(out, whole);
            prop_assert!(ended.unwrap().is_ok());
        }
    }
}
