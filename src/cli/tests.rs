//! The command line: its help, its defaults.

use super::*;
use clap::CommandFactory;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn the_tree_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn help_is_as_written_and_80_columns_wide() {
    let lines = [
        "kdiy --help",
        "kdiy validate --help",
        "kdiy plan --help",
        "kdiy apply --help",
        "kdiy topology --help",
        "kdiy status --help",
        "kdiy kubeconfig --help",
        "kdiy etcd --help",
        "kdiy etcd status --help",
        "kdiy etcd snapshot --help",
        "kdiy etcd snapshot save --help",
        "kdiy etcd keys --help",
        "kdiy facts --help",
        "kdiy exec --help",
        "kdiy ssh --help",
        "kdiy logs --help",
        "kdiy explain --help",
        "kdiy schema --help",
        "kdiy completions --help",
        "kdiy man --help",
        "kdiy init --help",
        "kdiy inventory import terraform --help",
        "kdiy inventory import ansible --help",
        "kdiy inventory import vagrant --help",
        "kdiy version --help",
    ];
    for line in lines {
        let args = line.split(' ');
        // The environment must not show in the snapshot.
        let command = Cli::command()
            .term_width(80)
            .mut_arg("inventory", |arg| arg.hide_env_values(true));
        let error = command.try_get_matches_from(args).unwrap_err();
        assert_eq!(Exit::of_clap(&error), Exit::Ok);
        let help = error.to_string();
        let name = line.replace(" --", "-").replace(' ', "-");
        insta::assert_snapshot!(name, help);
        let widest = help.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{line}: {widest:?} columns");
    }
}

#[test]
fn wrong_usage_is_not_mistaken_for_changes() {
    for line in [
        "kdiy",
        "kdiy nonsense",
        "kdiy plan --no-such-option",
        "kdiy plan --width 0",
        "kdiy plan --limit CP_1",
        "kdiy plan -q -v",
        "kdiy plan --connect-timeout 0",
        "kdiy apply saved.plan --limit cp-1",
        "kdiy topology --force",
        "kdiy topology --ascii --svg a.svg",
        "kdiy kubeconfig --set-current",
        "kdiy status --watch 0",
        "kdiy etcd",
        "kdiy etcd snapshot save",
        "kdiy init --shape round",
        "kdiy init --control-plane 1.2.3",
        "kdiy init --vip 127.0.0.1",
        "kdiy init --kubernetes 2",
        "kdiy inventory import",
        "kdiy inventory import ansible",
        "kdiy inventory import ansible x --group a=b",
        "kdiy inventory import terraform --map x",
        "kdiy inventory import terraform --map worker=a[",
        "kdiy inventory import terraform --map worker=a --from-output b",
        "kdiy etcd keys --limit 0",
        "kdiy etcd keys --limit 5 --count-only",
        "kdiy facts --on",
        "kdiy facts --on cp-1,,cp-2",
        "kdiy exec",
        "kdiy exec uptime",
        "kdiy exec --",
        "kdiy exec --timeout 0 -- uptime",
        "kdiy exec --raw --group -- uptime",
        "kdiy ssh",
        "kdiy ssh cp-1 uptime",
        "kdiy logs last cp-1 cp-2",
        "kdiy completions",
        "kdiy completions tcsh",
        "kdiy explain nodes network",
        "kdiy man plan --dir x",
        "kdiy inventory",
        "kdiy inventory import",
        "kdiy inventory import vagrant - --dir .",
        "kdiy inventory import vagrant --role cp-1",
        "kdiy inventory import vagrant --interface eth1 --network 10.0.0.0/8",
    ] {
        let error = parse(line).expect_err(line);
        assert_eq!(Exit::of_clap(&error), Exit::Usage, "{line}");
    }
}

#[test]
fn options_are_read() {
    let cli = parse("kdiy apply -i a.yaml --limit cp-1,w-2 --yes --width 4 -v").unwrap();
    assert_eq!(cli.global.inventory, PathBuf::from("a.yaml"));
    assert_eq!(cli.global.verbosity(), Verbosity::Verbose);
    let Command::Apply(apply) = cli.command else {
        panic!("apply became another command");
    };
    assert!(apply.yes);
    assert_eq!(apply.connection_args.width(), 4);
    let Command::Plan(plan) = parse("kdiy plan").unwrap().command else {
        panic!("plan became another command");
    };
    assert!(plan.connection_args.width() >= 32);
    let limit: Vec<_> = apply.limit.iter().map(Name::as_str).collect();
    assert_eq!(limit, ["cp-1", "w-2"]);
}
