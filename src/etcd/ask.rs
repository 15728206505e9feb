//! Asking a member over its JSON gateway in shell, for scripts that act on
//! what it says: a host need not have etcdctl.
//!
//! Facts: etcd 3.5 answers a refusal as `{"error","code","message"}`, 3.6 and
//! 3.7 as `{"code","message"}`, and their encoder puts blanks between fields
//! in some builds and not in others. Only the HTTP status tells a refusal from
//! an answer in all of them.

use super::Client;
use crate::shell::{Script, sh};

/// Defines `kdiy_ask`, `kdiy_members`, `kdiy_field`, `kdiy_lives` and
/// `kdiy_remove` for a client; whoever uses them sets `kdiy_url`.
#[must_use]
pub fn functions(client: &Client) -> Script {
    client.functions().with(sh!("etcd/ask.sh"))
}

/// Removes the member with a name, asked through the member of `client`.
/// Wants a private folder as `kdiy_tmp`.
#[must_use]
pub fn forget(client: &Client, name: &str) -> Script {
    functions(client)
        .with(sh!("etcd/forget.sh"))
        .set("kdiy_url", &client.url)
        .call("kdiy_forget", [name])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Topology;
    use crate::shell::OwnExit;
    use std::path::Path;

    /// As etcd 3.6.8 and 3.7.0 answered; blanks are as they came.
    const LIST_36: &str = r#"{"header":{"cluster_id":"12521319786038175563", "member_id":"149099725883030476", "raft_term":"2"}, "members":[{"ID":"149099725883030476", "name":"e1", "peerURLs":["https://127.0.0.1:18101"], "clientURLs":["https://127.0.0.1:18100"]}, {"ID":"7206029275751187854", "name":"e2", "peerURLs":["https://127.0.0.1:18201"], "clientURLs":["https://127.0.0.1:18200"]}]}"#;
    const LIST_37: &str = r#"{"header":{"cluster_id":"7797801124135783237","member_id":"17663474746117404156","raft_term":"2"},"members":[{"ID":"4433102505813165043","name":"e2","peerURLs":["https://127.0.0.1:17201"],"clientURLs":["https://127.0.0.1:17200"]},{"ID":"6419250490114079386","peerURLs":["https://127.0.0.1:17901"],"isLearner":true}]}"#;
    const REMOVED_36: &str = r#"{"header":{"cluster_id":"12521319786038175563", "member_id":"149099725883030476", "raft_term":"2"}, "members":[]}"#;
    const REFUSED_35: &str = r#"{"error":"etcdserver: unhealthy cluster","code":14,"message":"etcdserver: unhealthy cluster"}"#;
    const REFUSED_36: &str = r#"{"code":14, "message":"etcdserver: unhealthy cluster"}"#;
    const REFUSED_37: &str = r#"{"code":14,"message":"etcdserver: unhealthy cluster"}"#;

    /// What forgetting e2 comes to where curl gives these answers, with their
    /// statuses: exit code, what was asked to be removed, standard error.
    fn forgetting(list: (&str, u16), remove: (&str, u16)) -> (Option<i32>, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let client = Client::of(&Topology::Stacked, [192, 0, 2, 1].into());
        let script = Script::of("set -eu\nkdiy_tmp=")
            .arg(folder.path().display().to_string())
            .lit("\n")
            .lit(CURL)
            .then(&forget(&client, "e2"))
            .lit("echo forgotten\n");
        let answer = |(text, status): (&str, u16)| format!("{text}\n{status}");
        let out = std::process::Command::new("sh")
            .args(["-c", script.as_str()])
            .env("LIST", answer(list))
            .env("REMOVE", answer(remove))
            .output()
            .unwrap();
        let asked = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        let said = String::from_utf8(out.stdout).unwrap();
        assert_eq!(said == "forgotten\n", out.status.success());
        (
            out.status.code(),
            asked(&folder.path().join("removed")),
            String::from_utf8(out.stderr).unwrap(),
        )
    }

    /// Stands for curl: nothing comes where the status is 0. What is waited for
    /// is tried twice.
    const CURL: &str = r#"kdiy_poll() {
shift 2
"$@" >/dev/null 2>&1 || "$@" >&2
}
curl() {
for kdiy_arg; do kdiy_last=$kdiy_url_arg; kdiy_url_arg=$kdiy_arg; done
case $kdiy_url_arg in
*/maintenance/status) kdiy_answer=${LIVES-}; [ -n "$kdiy_answer" ] || return 7 ;;
*/member/list) kdiy_answer=$LIST ;;
*/member/remove) printf %s "$kdiy_last" > "$kdiy_tmp/removed"; kdiy_answer=$REMOVE ;;
*) return 3 ;;
esac
case $kdiy_answer in *'
0') echo 'curl: (7) refused' >&2; return 7 ;; esac
printf %s "$kdiy_answer"
}
kdiy_url_arg=
"#;

    #[test]
    fn a_member_is_forgotten_whatever_etcd_writes_between_fields() {
        for (list, id) in [
            (LIST_36, "7206029275751187854"),
            (LIST_37, "4433102505813165043"),
        ] {
            let (code, removed, said) = forgetting((list, 200), (REMOVED_36, 200));
            assert_eq!((code, said.as_str()), (Some(0), ""));
            assert_eq!(removed, format!("{{\"ID\":\"{id}\"}}"));
        }
        let without = LIST_37.replace("\"e2\"", "\"e22\"");
        let (code, removed, _) = forgetting((&without, 200), (REMOVED_36, 200));
        assert_eq!((code, removed.as_str()), (Some(0), ""));
    }

    #[test]
    fn a_refusal_is_none_of_it_done() {
        for refused in [REFUSED_35, REFUSED_36, REFUSED_37] {
            let (code, removed, said) = forgetting((LIST_36, 200), (refused, 503));
            assert_eq!(code, Some(1), "{refused}");
            assert!(!removed.is_empty());
            assert!(said.contains("unhealthy cluster"), "{said}");
            let (code, removed, _) = forgetting((refused, 503), (REMOVED_36, 200));
            assert_eq!((code, removed.as_str()), (Some(1), ""), "{refused}");
        }
    }

    #[test]
    fn who_is_gone_already_is_removed() {
        let gone = r#"{"code":5,"message":"etcdserver: member not found"}"#;
        let (code, _, said) = forgetting((LIST_37, 200), (gone, 404));
        assert_eq!((code, said.as_str()), (Some(0), ""));
    }

    /// The same, where the member e2 itself gives this status.
    fn forgetting_one_that_says(status: &str, list: &str) -> (Option<i32>, String) {
        let folder = tempfile::tempdir().unwrap();
        let client = Client::of(&Topology::Stacked, [192, 0, 2, 1].into());
        let script = Script::of("set -eu\nkdiy_tmp=")
            .arg(folder.path().display().to_string())
            .lit("\n")
            .lit(CURL)
            .then(&forget(&client, "e2"));
        let out = std::process::Command::new("sh")
            .args(["-c", script.as_str()])
            .env("LIST", format!("{list}\n200"))
            .env("REMOVE", format!("{REMOVED_36}\n200"))
            .env("LIVES", status)
            .output()
            .unwrap();
        let removed = std::fs::read_to_string(folder.path().join("removed"));
        assert_eq!(removed.is_ok(), out.status.success());
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    }

    #[test]
    fn defect_1_a_voter_that_answers_is_not_removed() {
        let status = |id: &str| {
            format!(r#"{{"header":{{"cluster_id":"1", "member_id":"{id}"}}, "leader":"1"}}"#)
        };
        let own = status("4433102505813165043");
        let (code, said) = forgetting_one_that_says(&own, LIST_37);
        assert_eq!(code, i32::try_from(OwnExit::Refused.code()).ok());
        assert!(
            said.contains("answers at https://127.0.0.1:17200"),
            "{said}"
        );
        // Another member at its address does not make it live.
        let (code, said) = forgetting_one_that_says(&status("1"), LIST_37);
        assert_eq!((code, said.as_str()), (Some(0), ""));
        let learner = LIST_37.replace(r#""name":"e2","#, r#""name":"e2","isLearner":true,"#);
        let (code, _) = forgetting_one_that_says(&own, &learner);
        assert_eq!(code, Some(0), "a learner has no vote to lose");
    }

    #[test]
    fn silence_is_no_answer() {
        for (list, remove) in [(0, 200), (200, 0)] {
            let (code, _, said) = forgetting((LIST_36, list), (REMOVED_36, remove));
            assert_eq!(code, Some(1));
            assert!(said.contains("refused"), "{said}");
        }
    }
}
