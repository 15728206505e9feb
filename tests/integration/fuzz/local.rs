//! Files of this machine: inventories, ssh's, other tools', kdiy's own.

use std::collections::HashMap;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use kdiy::cluster::Name;
use kdiy::draft::ansible::{self, File, Kind};
use kdiy::draft::imported::Imported;
use kdiy::draft::terraform::{self, Wanted};
use kdiy::draft::{Base, hosts, vagrant};
use kdiy::inventory::{Style, load, names, render, rows};
use kdiy::pki::kubeconfig;
use kdiy::pki::{ClusterCas, SecretboxKey};
use kdiy::plan::Actor;
use kdiy::state::{State, log};
use kdiy::transport::known_hosts::KnownHosts;
use kdiy::transport::ssh_config::SshConfig;

use super::fuzz;
use super::mutate::nearly;

/// The texts of files of a folder of the repository.
pub fn texts(folder: &str, extension: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == extension))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

/// A file that an inventory names.
fn file(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("inventories")
            .join(path),
    )
}

fn draw(findings: &[kdiy::inventory::Finding], text: &str) {
    for (color, width) in [(true, 30), (false, 200)] {
        let _ = render(findings, "kdiy.yaml", text, Style { color, width });
    }
    let _ = rows(findings, "kdiy.yaml", text);
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn inventories() {
    let seeds = [
        texts("inventories", "yaml"),
        texts("tests/fixtures/broken", "yaml"),
    ]
    .concat();
    fuzz(700, &nearly(seeds), |text| {
        let loaded = load(&text, &file);
        draw(&loaded.findings, &text);
        let _ = names(&text);
        if let Err(findings) = Base::parse(&text) {
            draw(&findings, &text);
        }
    });
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn files_that_inventories_name() {
    let seeds = ["audit.yaml", "kubelet.yaml"].map(str::to_owned).to_vec();
    let reference = texts("inventories", "yaml")
        .into_iter()
        .find(|text| text.contains("audit"));
    let reference = reference.expect("an inventory with an audit policy");
    let seeds = [
        texts("tests/fixtures/broken/files", "yaml"),
        texts("tests/fixtures/broken/files", "asc"),
        seeds,
    ];
    fuzz(300, &nearly(seeds.concat()), |text| {
        let loaded = load(&reference, &|_| Ok(text.clone()));
        draw(&loaded.findings, &reference);
    });
}

const SSH_CONFIG: &str = "Include conf.d/*\nHost cp-? !cp-9 \"a b\"\n  HostName %h.example.com\n  \
    Port 2222\n\tUser = ada\nIdentityFile ~/.ssh/%r@%h\nIdentityAgent \"${HOME}/agent\"\n\
    ProxyJump ada@jump:22,[::1]:2\nUserKnownHostsFile a \"b c\" %d/x\nHashKnownHosts yes\n\
    HostKeyAlias x\nMatch all\n GlobalKnownHostsFile none\nMatch exec \"true\"\nPort 1\n";

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn ssh_config() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(".ssh/config");
    let vagrant =
        "Host a\n HostName 127.0.0.1\n User vagrant\n Port 2222\n IdentityFile \"/x y\"\n";
    let seeds = vec![SSH_CONFIG.to_owned(), vagrant.repeat(3)];
    let here = vagrant::machines::Here {
        source: &path,
        home: home.path(),
        user: "ada",
    };
    fuzz(2000, &(nearly(seeds), "[a-c.-]{0,8}"), |(text, host)| {
        let _ = vagrant::machines::parse(&text, here);
        if let Ok(config) = SshConfig::parse(&text, &path, home.path()) {
            let _ = config.of(&host);
            let _ = config.of("cp-1");
        }
    });
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn known_hosts() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    let seed = format!(
        "# x\nhost,10.0.0.? {key} me\n[*.example.com]:2222,!bad {key}\n@revoked * {key}\n\
         @cert-authority * {key}\n|1|4XfBhZ2cDqRV0oqKCCUM9UqK6P4=|iUDyGrmGqkKmsxYcKTbHUTBYyGA= {key}\n"
    );
    fuzz(3000, &(nearly(vec![seed]), "\\PC{0,10}"), |(text, host)| {
        let known = KnownHosts::parse(&text);
        for name in ["host", "[a.example.com]:2222", host.as_str()] {
            for entry in known.of(name) {
                let _ = entry.fingerprint();
            }
        }
        let _ = known.has_line(&text);
    });
}

fn finish(imported: Imported) {
    for source in &imported.sources {
        draw(&source.findings, &source.text);
    }
    if let Some(draft) = imported.draft {
        let text = draft.text();
        draw(&load(&text, &file).findings, &text);
    }
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn terraform_outputs() {
    let seeds = texts("tests/fixtures/imports/terraform", "json");
    let mapped = [
        "control-plane=kubeone_hosts",
        "worker=nodes",
        "endpoint=kubeone_api",
    ];
    let mappings = mapped.iter().filter_map(|text| text.parse().ok()).collect();
    let wanted = [
        Wanted::default(),
        Wanted {
            output: None,
            mappings,
        },
    ];
    fuzz(300, &nearly(seeds), |text| {
        for wanted in &wanted {
            finish(terraform::import("outputs.json", &text, wanted));
        }
    });
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn ansible_inventories() {
    let ini = texts("tests/fixtures/imports/ansible-ini", "ini");
    let yaml = texts("tests/fixtures/imports/ansible-yaml", "yaml");
    let seeds = [ini, yaml].concat();
    let variables =
        "ansible_user: ada\nkube_version: v1.34.1\nmetallb_enabled: true\nx: &a [1, *a]\n";
    let text = || nearly(seeds.clone());
    fuzz(
        250,
        &(text(), nearly(vec![variables.to_owned()])),
        |(text, variables)| {
            let file = |kind: Kind, text: &str| File {
                name: "file".to_owned(),
                text: text.to_owned(),
                kind,
            };
            for kind in [Kind::Ini, Kind::Yaml] {
                let all = Kind::GroupVars("all".to_owned());
                let files = [file(kind, &text), file(all, &variables)];
                finish(ansible::import(&files, &[]));
            }
        },
    );
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn lists_of_hosts() {
    let seed = "ada@192.0.2.1:2222 cp-1 control-plane\n[fd00::1]\n10.0.0.2,10.0.0.3\n# x\n";
    fuzz(400, &nearly(vec![seed.to_owned()]), |text| {
        if let Err(findings) = hosts::list(&text) {
            draw(&findings, &text);
        }
    });
}

/// A state whose files others have written into, as the user.
struct Spoilt {
    _folder: tempfile::TempDir,
    state: State,
    run: kdiy::state::Run,
}

impl Spoilt {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = |text: &str| Name::try_from(text.to_owned()).unwrap();
        let state = State::open(folder.path(), &name("demo")).unwrap();
        let run = state.create_run(&name("20260504t030201z")).unwrap();
        let pki = state.root().join("pki");
        std::fs::DirBuilder::new().mode(0o700).create(&pki).unwrap();
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(pki.join("etcd"))
            .unwrap();
        Self {
            _folder: folder,
            state,
            run,
        }
    }

    fn write(path: &Path, text: &str) {
        use std::io::Write as _;
        let mut options = std::fs::OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn runs_and_logs() {
    let spoilt = Spoilt::new();
    let record = r#"{"command":"apply","began":"2026-05-04T03:02:01Z","ended":"2026-05-04T03:05:01.5Z",
        "exitCode":6,"counts":{"done":3,"failed":1,"left":2}}"#;
    let said = "    0.500 == kernel\n    0.510 -- file /etc/x\n    0.600    hello\n    1.000 == done: kernel\n\
        1.500 == packages\n    2.000 == failed: packages: exit code 100\n";
    let cases = (
        nearly(vec![record.to_owned()]),
        nearly(vec![said.to_owned()]),
    );
    let host = Actor::try_from("cp-1".to_owned()).unwrap();
    fuzz(1000, &cases, |(record, said)| {
        Spoilt::write(&spoilt.run.directory().join("run.json"), &record);
        Spoilt::write(&spoilt.run.path(&host, None), &said);
        for run in spoilt.state.runs().unwrap() {
            let _ = run.record().unwrap();
            assert_eq!(run.actors().unwrap(), [host.clone()].into());
            let steps = log::read(&run.read_log(&host).unwrap().unwrap());
            let shown = steps
                .iter()
                .map(|step| step.title.len() + step.events.len());
            assert!(shown.sum::<usize>() <= said.len() * 2 + 1);
        }
    });
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn keys_and_kubeconfigs() {
    let spoilt = Spoilt::new();
    let now = time::OffsetDateTime::now_utc();
    let cas = ClusterCas::generate(now).unwrap();
    let files: HashMap<String, String> = cas
        .files()
        .into_iter()
        .map(|file| {
            use secrecy::ExposeSecret as _;
            (
                file.path.to_owned(),
                file.content.expose_secret().to_owned(),
            )
        })
        .collect();
    let mut paths: Vec<String> = files.keys().cloned().collect();
    paths.sort();
    let seeds: Vec<String> = paths.iter().map(|path| files[path].clone()).collect();
    let pki = spoilt.state.root().join("pki");
    let cases = (0..paths.len(), nearly(seeds));
    fuzz(200, &cases, |(which, text)| {
        for (place, path) in paths.iter().enumerate() {
            let text = if place == which { &text } else { &files[path] };
            Spoilt::write(&pki.join(path), text);
        }
        let _ = spoilt.state.cas(now);
        let _ = SecretboxKey::from_base64("x", &text);
        let _ = kubeconfig::Kubeconfig::parse(&text);
    });
    let kubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters:\n- name: a\n  cluster: \
        {server: \"https://a\", certificate-authority-data: QQ==}\ncontexts:\n- name: a\n  context: \
        {cluster: a, user: a}\nusers:\n- name: a\n  user: {client-certificate-data: QQ==, client-key-data: QQ==}\n";
    fuzz(1000, &nearly(vec![kubeconfig.to_owned()]), |text| {
        let _ = kubeconfig::Kubeconfig::parse(&text);
    });
}
