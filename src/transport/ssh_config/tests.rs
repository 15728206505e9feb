use super::*;
use proptest::prelude::*;
use std::process::Command;

struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join(".ssh/d")).unwrap();
        for (name, text) in files {
            let text = text.replace("HOME", &folder.path().display().to_string());
            std::fs::write(folder.path().join(".ssh").join(name), text).unwrap();
        }
        Self(folder)
    }

    fn load(&self) -> Result<SshConfig, Error> {
        SshConfig::load(&[self.0.path().join(".ssh/config")], self.0.path())
    }

    /// What OpenSSH makes of it, in the order of [`answers`].
    fn openssh(&self, host: &str) -> Vec<String> {
        let out = Command::new("ssh")
            .arg("-G")
            .arg("-F")
            .arg(self.0.path().join(".ssh/config"))
            .args(["-o", "User=unset", "-o", "IdentityFile=default"])
            .arg("--")
            .arg(host)
            .output()
            .expect("this test needs ssh: install openssh-client");
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        let text = String::from_utf8(out.stdout).unwrap();
        let all = |keyword: &str| -> Vec<String> {
            let values = text.lines().filter_map(|line| line.split_once(' '));
            values
                .filter(|(k, _)| *k == keyword)
                .map(|(_, v)| v.to_owned())
                .collect()
        };
        let mut answers: Vec<String> = ["hostname", "port", "identitiesonly", "proxyjump"]
            .iter()
            .map(|keyword| all(keyword).concat())
            .collect();
        let files = all("identityfile")
            .into_iter()
            .filter(|file| file != "default");
        answers.extend(files);
        answers
    }
}

/// What this module makes of a configuration, as `ssh -G` would print it.
fn answers(config: &SshConfig, host: &str) -> Vec<String> {
    let found = config.of(host).unwrap();
    let jumps: Vec<String> = found
        .jumps
        .iter()
        .flatten()
        .map(|jump| {
            let user = jump
                .user
                .as_ref()
                .map(|user| format!("{user}@"))
                .unwrap_or_default();
            let port = jump.port.map(|port| format!(":{port}")).unwrap_or_default();
            match jump.host.contains(':') {
                true => format!("{user}[{}]{port}", jump.host),
                false => format!("{user}{}{port}", jump.host),
            }
        })
        .collect();
    let mut answers = vec![
        found.host_name.unwrap_or_else(|| host.to_owned()),
        found.port.unwrap_or(22).to_string(),
        if found.identities_only == Some(true) {
            "yes"
        } else {
            "no"
        }
        .to_owned(),
        jumps.join(","),
    ];
    answers.extend(found.identity_files.into_iter().map(|file| file.value));
    answers
}

const MAIN: &str = r#"
# The first value wins.
IdentityFile ~/.ssh/every
Host web* !web9
    HostName %h.example.com
    Port=2201
    IdentityFile "~/.ssh/with blank"
    IdentityFile = ~/.ssh/every   # again
Host web1
    Port 9
    ProxyJump ops@bastion:2222,[::1]:24
    Include HOME/.ssh/d/*.conf
Host web2 "db 1"
    ProxyJump none
    identitiesonly YES
Match host web1 user nobody
    Port 7
Match all
    ProxyJump last
    Port 22222
"#;

#[test]
fn values_are_found_as_openssh_finds_them() {
    let files = Files::new(&[
        ("config", MAIN),
        (
            "d/a.conf",
            "IdentityFile included\nHost web2\nIdentityFile never\n",
        ),
        ("d/b.conf", "Host *\nIdentityFile second\n"),
        ("d/c.not", "IdentityFile never\n"),
    ]);
    let config = files.load().unwrap();
    for host in ["web1", "web2", "web9", "other"] {
        let mut expected = files.openssh(host);
        // -G spells `none` out.
        if expected[3] == "none" {
            expected[3].clear();
        }
        assert_eq!(answers(&config, host), expected, "{host}");
    }
    assert_eq!(config.passed_over().len(), 1);
    assert_eq!(config.passed_over()[0].number, 16);
}

#[test]
fn paths_are_spelled_out() {
    let tokens = Tokens {
        home: Path::new("/home/me"),
        local_user: "me",
        host: "10.0.0.1",
        name: "web",
        port: 22,
        user: "ops",
    };
    let path = |value: &str| {
        let at = Line {
            path: "config".into(),
            number: 3,
        };
        tokens
            .path(&Located {
                value: value.to_owned(),
                at,
            })
            .map(|path| path.display().to_string())
    };
    assert_eq!(
        path("~/.ssh/%u-%r@%h:%p%%").unwrap(),
        "/home/me/.ssh/me-ops@10.0.0.1:22%"
    );
    assert_eq!(path("%d/%n").unwrap(), "/home/me/web");
    assert_eq!(path("${HOME}/x").unwrap(), "/home/me/x");
    insta::assert_snapshot!(path("%C").unwrap_err(), @"config:3: `%C`: the token %C is not known here");
    insta::assert_snapshot!(path("${X}").unwrap_err(), @"config:3: `${X}`: of environment variables only HOME is known");
}

#[test]
fn what_makes_no_sense_is_an_error_with_its_line() {
    let problem = |text: &str| {
        let files = Files::new(&[("config", text)]);
        let error = files
            .load()
            .and_then(|config| config.of("host"))
            .unwrap_err();
        let home = files.0.path().display().to_string();
        error.to_string().replace(&home, "~")
    };
    insta::assert_snapshot!(problem("\nPort many"), @"~/.ssh/config:2: port: not a port");
    insta::assert_snapshot!(problem("Port"), @"~/.ssh/config:1: `Port` has no value");
    insta::assert_snapshot!(problem("User \"a"), @"~/.ssh/config:1: a quote is not closed");
    insta::assert_snapshot!(problem("IdentitiesOnly maybe"), @"~/.ssh/config:1: identitiesonly: must be yes or no");
    insta::assert_snapshot!(problem("ProxyJump a:0"), @"~/.ssh/config:1: proxyjump: `a:0` is not of the form [user@]host[:port]");
    insta::assert_snapshot!(problem("ProxyCommand nc %h %p"), @"~/.ssh/config:1: proxycommand: host is reached by a ProxyCommand, which kdiy does not run; use ProxyJump");
    insta::assert_snapshot!(problem("Include HOME/.ssh/config"), @"~/.ssh/config:1: too many files that include files");
    // Of other hosts it does not matter.
    let files = Files::new(&[("config", "Host other\nPort many\nProxyCommand x\n")]);
    assert_eq!(
        files.load().unwrap().of("host").unwrap(),
        HostConfig::default()
    );
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::collection::vec("!?[ab*?]{1,3}", 1..3)
            .prop_map(|patterns| format!("Host {}", patterns.join(" "))),
        1 => Just("Match all".to_owned()),
        1 => "[ab]{1,3}".prop_map(|name| format!("HostName {name}.%h")),
        1 => (1..99_u16).prop_map(|port| format!("  port = {port}")),
        2 => "[a-c]{1,2}".prop_map(|file| format!("\tIdentityFile \"{file}\" # x")),
        1 => prop_oneof!["yes", "no"].prop_map(|value| format!("IdentitiesOnly={value}")),
        1 => "[a-c]@[a-c](,[a-c]:[1-9])?".prop_map(|jump| format!("ProxyJump {jump}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_configuration_reads_as_in_openssh(
        lines in prop::collection::vec(line(), 0..14),
        host in "[ab]{1,3}",
    ) {
        let files = Files::new(&[("config", &lines.join("\n"))]);
        prop_assert_eq!(answers(&files.load().unwrap(), &host), files.openssh(&host));
    }

    #[test]
    fn any_line_is_split_without_panic(line in "(\\PC|[\"'\\\\=# ]){0,60}") {
        words_of(&line).ok();
        replace(&line, &[('h', "x")]).ok();
        JumpHost::chain(&line).ok();
    }
}
