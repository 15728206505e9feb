//! Running scripts.

use std::time::Instant;

use kdiy::transport::Exit;

use super::*;

async fn linked() -> (Sshd, Home, Link) {
    linked_to(Sshd::start()).await
}

async fn linked_to(sshd: Sshd) -> (Sshd, Home, Link) {
    let home = Home::knowing(&[sshd.entry("ed25519")]);
    let link = connect(home.settings(), &login_to(&sshd)).await.unwrap();
    (sshd, home, link)
}

#[tokio::test]
async fn a_script_hands_back_its_exit_and_both_streams() {
    let (_sshd, _home, link) = linked().await;
    let output = run(&link, "echo out; echo err >&2; exit 3\n")
        .await
        .unwrap();
    assert_eq!(output.exit, Exit::Code(3));
    assert_eq!(output.stdout, b"out\n");
    assert_eq!(output.stderr, b"err\n");
}

#[tokio::test]
async fn a_script_starts_in_a_known_surrounding() {
    let (_sshd, _home, link) = linked().await;
    let said = says(
        &link,
        "echo $LC_ALL; echo $PATH; umask; pwd; cat; echo end; tty",
    )
    .await;
    insta::assert_snapshot!(said, @r"
    C
    /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    0022
    /
    end
    not a tty
    ");
}

#[tokio::test]
async fn a_script_that_is_killed_says_by_what() {
    let (_sshd, _home, link) = linked().await;
    let output = run(&link, "kill -TERM $$").await.unwrap();
    assert!(
        matches!(output.exit, Exit::Signal(_) | Exit::Code(143)),
        "{:?}",
        output.exit
    );
}

#[tokio::test]
async fn a_syntax_error_at_the_end_runs_nothing() {
    let (sshd, _home, link) = linked().await;
    let mark = sshd.path("mark");
    let output = run(&link, &format!("{{ touch {}\n", mark.display()))
        .await
        .unwrap();
    assert_eq!(output.exit, Exit::Code(2));
    assert!(!mark.exists());
}

#[tokio::test]
async fn a_slow_script_is_ended_on_the_host() {
    let (sshd, _home, link) = linked().await;
    let mark = sshd.path("pid");
    let begun = Instant::now();
    let script = format!("echo $$ >{}; sleep 77", mark.display());
    let error = run_within(&link, &script, Duration::from_secs(1))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TimeLimit { .. }), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert_ends(&mark).await;
    assert_eq!(says(&link, "echo again").await, "again\n");
}

#[tokio::test]
async fn a_daemon_that_keeps_the_streams_does_not_keep_the_run() {
    let (_sshd, _home, link) = linked().await;
    let begun = Instant::now();
    let daemon = says(&link, "sleep 30 & echo $!").await;
    assert!(begun.elapsed() < Duration::from_secs(15));
    says(&link, &format!("kill {daemon}")).await;
}

#[tokio::test]
async fn much_output_is_kept_within_bounds_and_seen_whole() {
    let (_sshd, _home, link) = linked().await;
    let script = Zeroizing::new("seq 1 400000; printf end".to_owned());
    let request = Request {
        script: &script,
        user: User::Login,
        limit: Duration::from_secs(20),
        keep: 1000,
    };
    let mut seen = 0_u32;
    let mut last = String::new();
    let output = link
        .run(request, &mut |stream, line| {
            assert_eq!(stream, Stream::Out);
            seen += 1;
            line.clone_into(&mut last);
        })
        .await
        .unwrap();
    assert_eq!((seen, last.as_str()), (400_001, "end"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("1\n2\n") && text.ends_with("400000\nend"),
        "{text}"
    );
    assert!(
        text.contains("bytes left out]") && text.len() < 1100,
        "{text}"
    );
}

#[tokio::test]
async fn a_large_script_arrives_whole() {
    let (_sshd, _home, link) = linked().await;
    let body = "x".repeat(5_000_000);
    assert_eq!(
        says(&link, &format!("cat <<'E' | wc -c\n{body}\nE\n"))
            .await
            .trim(),
        "5000001"
    );
}

#[tokio::test]
async fn scripts_run_side_by_side_more_than_sshd_has_sessions() {
    let (_sshd, _home, link) = linked().await;
    let runs = (0..20).map(|n| {
        let link = &link;
        async move { says(link, &format!("sleep 0.1; echo {n}")).await }
    });
    let said = futures::future::join_all(runs).await;
    let expected: Vec<_> = (0..20).map(|n| format!("{n}\n")).collect();
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_host_that_allows_few_sessions_is_waited_for() {
    let (_sshd, _home, link) = linked_to(Sshd::start_with(&["ed25519"], "MaxSessions 2")).await;
    let runs = (0..6).map(|_| says(&link, "sleep 0.1; echo done"));
    assert_eq!(futures::future::join_all(runs).await, vec!["done\n"; 6]);
    let (_sshd, _home, link) = linked_to(Sshd::start_with(&["ed25519"], "MaxSessions 0")).await;
    let error = run(&link, "true").await.unwrap_err();
    assert!(matches!(&error, Error::Shell { said, .. } if said.contains("MaxSessions")));
}

#[tokio::test]
async fn a_cut_during_a_run_is_a_loss_and_the_next_run_connects_anew() {
    let (sshd, _home, link) = linked().await;
    let (lost, ()) = tokio::join!(run(&link, "echo begun; sleep 30"), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        sshd.cut();
    });
    let lost = lost.unwrap_err();
    assert!(matches!(lost, Error::Lost { .. }), "{lost:?}");
    assert!(lost.is_transient());
    assert_eq!(says(&link, "echo again").await, "again\n");
    assert_eq!(sshd.logins(), 2);
}

#[tokio::test]
async fn a_connection_cut_between_runs_is_made_anew() {
    let (sshd, _home, link) = linked().await;
    assert_eq!(says(&link, "echo one").await, "one\n");
    sshd.cut();
    assert_eq!(says(&link, "echo two").await, "two\n");
    assert_eq!(sshd.logins(), 2);
}

#[tokio::test]
async fn a_run_that_is_given_up_leaves_the_connection_usable() {
    let (sshd, _home, link) = linked().await;
    let mark = sshd.path("pid");
    let script = format!(
        "echo $$ >{}; while echo on; do sleep 0.1; done",
        mark.display()
    );
    tokio::select! {
        ended = run(&link, &script) => panic!("{ended:?}"),
        () = async {
            while std::fs::read(&mark).unwrap_or_default().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        } => {}
    }
    assert_eq!(says(&link, "echo next").await, "next\n");
    assert_eq!(sshd.logins(), 1);
    // Nobody reads its output any more.
    assert_ends(&mark).await;
}

#[tokio::test]
async fn a_connection_ends_when_it_is_dropped() {
    let (sshd, _home, link) = linked().await;
    says(&link, "true").await;
    drop(link);
    for _ in 0..40 {
        if sshd.log().contains("Disconnected from") || sshd.log().contains("Connection closed by") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still connected: {}", sshd.log());
}

#[tokio::test]
async fn hosts_are_connected_side_by_side() {
    let (sshd, home, _link) = linked().await;
    let ssh = ssh(home.settings());
    let login = login_to(&sshd);
    let links = (0..30).map(|_| {
        let (ssh, login) = (ssh.clone(), login.clone());
        tokio::spawn(async move { ssh.connect(&name(), &login).await })
    });
    let links = futures::future::join_all(links).await;
    assert!(links.into_iter().all(|link| link.unwrap().is_ok()));
}
