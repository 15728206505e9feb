use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::process::{Child, Command, Stdio};

use super::*;

/// The command, run by a shell as sshd would.
fn run(shell: &str, to: SocketAddr) -> Child {
    Command::new(shell)
        .args(["-c", &command(to)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn the_command_is_the_same_to_every_login_shell() {
    let command = command("[::1]:6443".parse().unwrap());
    insta::assert_snapshot!(command, @r#"exec env LC_ALL=C PATH=/usr/local/bin:/usr/bin:/bin bash -c 'exec 3<>/dev/tcp/$0/$1 || exit 9; echo "kdiy: connected"; exec 4>&1 >/dev/null 2>&1; cat <&3 >&4 3>&- 4>&- & exec 4>&-; cat >&3 3>&- && kill $(jobs -p); wait' ::1 6443"#);
    assert_eq!(command.matches('\'').count(), 2);
    assert!(!command.contains(['!', '\\', '\n']));
}

#[test]
fn both_directions_are_copied_and_the_end_of_input_ends_all() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for shell in ["sh", "bash"] {
        let mut child = run(shell, listener.local_addr().unwrap());
        let (mut target, _) = listener.accept().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"question").unwrap();
        let mut asked = [0; 8];
        target.read_exact(&mut asked).unwrap();
        assert_eq!(&asked, b"question");
        target.write_all(b"answer").unwrap();
        let mut said = vec![0; CONNECTED.len() + 6];
        let mut output = child.stdout.take().unwrap();
        output.read_exact(&mut said).unwrap();
        assert_eq!(said, [CONNECTED, b"answer"].concat());
        drop(input);
        child.wait().unwrap();
        assert_eq!(target.read(&mut asked).unwrap(), 0, "the target's end");
    }
}

#[test]
fn the_end_of_the_target_shows_and_what_is_written_still_arrives() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut child = run("sh", listener.local_addr().unwrap());
    let (mut target, _) = listener.accept().unwrap();
    target.write_all(b"bye").unwrap();
    target.shutdown(Shutdown::Write).unwrap();
    let mut said = Vec::new();
    let mut output = child.stdout.take().unwrap();
    output.read_to_end(&mut said).unwrap();
    assert_eq!(said, [CONNECTED, b"bye"].concat());
    child.stdin.take().unwrap().write_all(b"still").unwrap();
    let mut heard = Vec::new();
    target.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"still");
    child.wait().unwrap();
}

#[test]
fn a_refusal_is_told_apart_from_an_end() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let out = run("sh", address).wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(9));
    assert_eq!(out.stdout, b"");
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(why_not_connected(&said), Unreachable::Refused, "{said}");
}

#[test]
fn what_bash_says_is_understood() {
    let line = |why: &str| format!("10.0.0.9: connect: {why}\n10.0.0.9: line 1: x: {why}\n");
    for (said, expected) in [
        (line("Connection refused"), "connection refused"),
        (line("No route to host"), "no route to the host"),
        (line("Network is unreachable"), "no route to its network"),
        (line("Odd"), "10.0.0.9: line 1: x: Odd"),
        (String::new(), "it said nothing"),
    ] {
        assert_eq!(why_not_connected(&said).to_string(), expected);
    }
}

#[test]
fn a_word_is_found_at_any_place() {
    assert_eq!(
        after(b"hello kdiy: connected\nx", CONNECTED),
        Some(&b"x"[..])
    );
    assert_eq!(after(b"kdiy: connecte", CONNECTED), None);
}
