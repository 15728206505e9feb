//! Byte streams to addresses as a host sees them: those that sshd connects,
//! and those of a sshd that forbids that.

use std::net::SocketAddr;

use kdiy::transport::ByteStream;
use kdiy::transport::error::Unreachable;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use super::*;

/// How sshd is told to let streams through, or not to.
const WAYS: [&str; 2] = ["", "DisableForwarding yes\n"];

async fn linked(more: &str) -> (Sshd, Home, Link) {
    let sshd = Sshd::start_with(&["ed25519"], more);
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let mut settings = home.settings();
    settings.connect_limit = Duration::from_secs(3);
    let link = connect(settings, &login_to(&sshd)).await.unwrap();
    (sshd, home, link)
}

async fn target() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A stream and its other end.
async fn opened(link: &Link) -> (ByteStream, TcpStream) {
    let (listener, address) = target().await;
    let (stream, accepted) = tokio::join!(link.open_stream(address), listener.accept());
    (stream.unwrap(), accepted.unwrap().0)
}

/// The other end is closed soon: no process or channel holds it any more.
async fn assert_closes(mut target: TcpStream) {
    let mut rest = Vec::new();
    let read = timeout(Duration::from_secs(5), target.read_to_end(&mut rest)).await;
    // A reset is an end too.
    read.expect("the target is still connected").ok();
}

async fn asks_and_is_answered(stream: &mut ByteStream, target: &mut TcpStream) {
    let mut text = [0; 8];
    stream.write_all(b"question").await.unwrap();
    target.read_exact(&mut text).await.unwrap();
    assert_eq!(&text, b"question");
    target.write_all(b"answered").await.unwrap();
    stream.read_exact(&mut text).await.unwrap();
    assert_eq!(&text, b"answered");
}

/// What somebody else's connection would be told, not a pattern that repeats.
fn noise(length: usize, mut state: u32) -> Vec<u8> {
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(next).collect()
}

#[tokio::test]
async fn a_stream_goes_both_ways_and_ends_with_either_side() {
    for way in WAYS {
        let (_sshd, _home, link) = linked(way).await;
        let (mut stream, mut target) = opened(&link).await;
        asks_and_is_answered(&mut stream, &mut target).await;
        drop(target);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");

        let (mut stream, mut target) = opened(&link).await;
        asks_and_is_answered(&mut stream, &mut target).await;
        drop(stream);
        assert_closes(target).await;
    }
}

#[tokio::test]
async fn every_way_of_forbidding_is_understood_and_learnt_once() {
    for forbids in [
        "DisableForwarding yes\n",
        "AllowTcpForwarding no\n",
        "AllowTcpForwarding remote\n",
        "PermitOpen none\n",
        "PermitOpen 127.0.0.1:1\n",
    ] {
        let (sshd, _home, link) = linked(forbids).await;
        for _ in 0..3 {
            let (mut stream, mut target) = opened(&link).await;
            asks_and_is_answered(&mut stream, &mut target).await;
        }
        let asked = sshd.log().matches("ctype direct-tcpip").count();
        assert_eq!(asked, 1, "{forbids}: {}", sshd.log());
    }
}

#[tokio::test]
async fn a_key_that_may_not_forward_has_streams_too() {
    let sshd = Sshd::start();
    let keys = std::fs::read_to_string(sshd.path("authorized_keys")).unwrap();
    std::fs::write(sshd.path("authorized_keys"), format!("restrict {keys}")).unwrap();
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let link = connect(home.settings(), &login_to(&sshd)).await.unwrap();
    let (mut stream, mut target) = opened(&link).await;
    asks_and_is_answered(&mut stream, &mut target).await;
}

#[tokio::test]
async fn a_target_that_refuses_is_no_broken_host() {
    for way in WAYS {
        let (sshd, _home, link) = linked(way).await;
        let (listener, free) = target().await;
        drop(listener);
        let error = link.open_stream(free).await.err().expect("nothing there");
        let Error::Target { target, why, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(*target, free);
        let forwarded = Unreachable::Other("connection failed".to_owned());
        let expected = if way.is_empty() {
            forwarded
        } else {
            Unreachable::Refused
        };
        assert_eq!(*why, expected);
        assert_eq!(says(&link, "echo well").await, "well\n");
        assert_eq!(sshd.logins(), 1);
    }
}

/// A target whose queue is full: it answers nothing, as behind a firewall.
async fn dead() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    let short = Duration::from_millis(300);
    while let Ok(connected) = timeout(short, TcpStream::connect(address)).await {
        queued.push(connected.unwrap());
        assert!(queued.len() < 100, "its queue has no end");
    }
    (listener, queued, address)
}

#[tokio::test]
async fn a_target_that_does_not_answer_is_given_up() {
    for way in WAYS {
        let (_sshd, _home, link) = linked(way).await;
        let (listener, queued, address) = dead().await;
        let begun = std::time::Instant::now();
        let error = link.open_stream(address).await.err().expect("no answer");
        assert!(
            matches!(
                error,
                Error::Target { why: Unreachable::Timeout(limit), .. } if limit.as_secs() == 3
            ),
            "{error}"
        );
        assert!(begun.elapsed() < Duration::from_secs(6));
        assert_eq!(says(&link, "echo well").await, "well\n");
        // What comes about after all is closed again.
        drop(queued);
        let late = async {
            loop {
                let Ok(accepted) = timeout(Duration::from_secs(5), listener.accept()).await else {
                    return;
                };
                assert_closes(accepted.unwrap().0).await;
            }
        };
        late.await;
    }
}

#[tokio::test]
async fn ten_megabytes_arrive_in_both_directions_at_once() {
    for way in WAYS {
        let (_sshd, _home, link) = linked(way).await;
        let (stream, target) = opened(&link).await;
        let (there, back) = (noise(10 << 20, 1), noise(10 << 20, 2));
        let send = async |mut to: Box<dyn tokio::io::AsyncWrite + Send + Unpin>, what: &[u8]| {
            to.write_all(what).await.unwrap();
            to.flush().await.unwrap();
            to
        };
        let receive = async |from: &mut (dyn tokio::io::AsyncRead + Send + Unpin)| {
            let mut bytes = vec![0; 10 << 20];
            from.read_exact(&mut bytes).await.unwrap();
            bytes
        };
        let (mut near_out, near_in) = tokio::io::split(stream);
        let (mut far_out, far_in) = target.into_split();
        let (_near, _far, came_back, arrived) = tokio::join!(
            send(Box::new(near_in), &there),
            send(Box::new(far_in), &back),
            receive(&mut near_out),
            receive(&mut far_out),
        );
        assert!(arrived == there, "{way}: it was changed on the way there");
        assert!(came_back == back, "{way}: it was changed on the way back");
    }
}

#[tokio::test]
async fn many_streams_and_scripts_share_a_connection() {
    for way in WAYS {
        let (sshd, _home, link) = linked(way).await;
        let one = async |number: usize| {
            let (mut stream, mut target) = opened(&link).await;
            asks_and_is_answered(&mut stream, &mut target).await;
            assert_eq!(
                says(&link, &format!("echo {number}")).await,
                format!("{number}\n")
            );
            asks_and_is_answered(&mut stream, &mut target).await;
        };
        futures::future::join_all((0..24).map(one)).await;
        assert_eq!(sshd.logins(), 1);
    }
}

#[tokio::test]
async fn a_host_with_few_sessions_says_so() {
    let (_sshd, _home, link) = linked("DisableForwarding yes\nMaxSessions 1\n").await;
    let (_stream, _target) = opened(&link).await;
    let (_listener, address) = target().await;
    let error = link.open_stream(address).await.err().expect("it is taken");
    assert_eq!(error.code(), "no-shell", "{error}");
    assert!(error.to_string().contains("session"), "{error}");
}

#[tokio::test]
async fn a_half_close_reaches_the_target_where_sshd_forwards() {
    let (_sshd, _home, link) = linked("").await;
    let (mut stream, mut target) = opened(&link).await;
    stream.write_all(b"all").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut heard = Vec::new();
    target.read_to_end(&mut heard).await.unwrap();
    target.write_all(b"heard").await.unwrap();
    drop(target);
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    assert_eq!((heard, said), (b"all".to_vec(), b"heard".to_vec()));
}

#[tokio::test]
async fn elsewhere_a_half_close_waits_for_the_end_and_loses_nothing() {
    let (_sshd, _home, link) = linked("DisableForwarding yes\n").await;
    let (mut stream, mut target) = opened(&link).await;
    stream.write_all(b"question").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut heard = [0; 8];
    target.read_exact(&mut heard).await.unwrap();
    target.write_all(b"answer").await.unwrap();
    let mut said = [0; 6];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"answer");
    let big = noise(1 << 20, 3);
    let mut arrived = Vec::new();
    let write = async {
        stream.write_all(&big).await.unwrap();
        drop(stream);
    };
    let (read, ()) = tokio::join!(target.read_to_end(&mut arrived), write);
    read.unwrap();
    assert!(arrived == big, "{} bytes of {}", arrived.len(), big.len());
}

#[tokio::test]
async fn a_lost_connection_is_no_end_and_the_next_stream_has_a_new_one() {
    for way in WAYS {
        let (sshd, _home, link) = linked(way).await;
        let (mut stream, _target) = opened(&link).await;
        sshd.cut();
        let mut byte = [0];
        let read = timeout(Duration::from_secs(5), stream.read(&mut byte)).await;
        match read.expect("an end") {
            Ok(0) | Err(_) => {}
            Ok(_) => panic!("it was read from nowhere"),
        }
        let (mut stream, mut target) = opened(&link).await;
        asks_and_is_answered(&mut stream, &mut target).await;
        assert_eq!(sshd.logins(), 2);
    }
}

/// kdiy is killed: nobody closes anything, the connection is just gone.
#[tokio::test]
async fn nothing_stays_behind_when_kdiy_goes_away() {
    for way in WAYS {
        let (listener, address) = target().await;
        let sshd = Sshd::start_with(&["ed25519"], way);
        let home = Home::knowing(&[sshd.entry("ed25519")]);
        let (settings, login) = (home.settings(), login_to(&sshd));
        let other = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            let held = runtime.block_on(async {
                let link = connect(settings, &login).await.unwrap();
                let stream = link.open_stream(address).await.unwrap();
                (link, stream)
            });
            // Its tasks stop where they are; nothing is run to an end.
            runtime.shutdown_background();
            drop(held);
        });
        let (target, _) = listener.accept().await.unwrap();
        tokio::task::spawn_blocking(|| other.join().unwrap())
            .await
            .unwrap();
        assert_closes(target).await;
    }
}

#[tokio::test]
async fn a_host_without_bash_and_forwarding_says_what_it_lacks() {
    let (_sshd, _home, link) =
        linked("DisableForwarding yes\nForceCommand echo only this >&2; exit 127\n").await;
    let (_listener, address) = target().await;
    let error = link.open_stream(address).await.err().expect("no bash");
    assert_eq!(
        error.to_string().split_once(": ").unwrap().1,
        "it forbids forwarding, and bash did not start there: only this"
    );
}
