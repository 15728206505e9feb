//! A command of the operator's own, on hosts side by side. What it does there
//! is the operator's to know: this is beside [`super::run()`] the only way by
//! which a host may be changed.

use std::time::Duration;

use futures::StreamExt;
use tokio::time::Instant;

use crate::cluster::{Name, Node};
use crate::shell::{Script, sh};
use crate::transport::{Connection, Connector, Error, Output, Request, Stream};

/// A command as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A line for sh.
    Line(String),
    /// A program and its arguments, handed over exactly.
    Words(Vec<String>),
}

/// What is on_event of the hosts, as it comes.
#[derive(Debug)]
pub enum OutputEvent<'a> {
    /// The connection stands and the command is sent.
    Begun,
    /// A line of output.
    Line(Stream, &'a str),
    /// It is over.
    Ended(&'a Ended),
}

/// How a command ended on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What came of it.
    pub result: Result<Output, Error>,
    /// From the start of the connection.
    pub took: Duration,
}

impl Command {
    /// One word is a line for sh, as it is with ssh; several are a program and
    /// its arguments.
    #[must_use]
    pub fn of(words: &[String]) -> Self {
        match words {
            [line] => Self::Line(line.clone()),
            words => Self::Words(words.to_vec()),
        }
    }

    /// The script that runs it in the home directory; `input` becomes its
    /// standard input, which is empty otherwise.
    #[must_use]
    pub fn script(&self, input: Option<&str>) -> Script {
        let functions = Script::of(sh!("step/operator.sh"));
        let (function, words) = match self {
            Self::Line(line) => ("kdiy_line", std::slice::from_ref(line)),
            Self::Words(words) => ("kdiy_words", words.as_slice()),
        };
        match input {
            None => functions.call(function, words),
            Some(base64) => functions.set("kdiy_input", base64).call(
                "kdiy_with_input",
                [function]
                    .into_iter()
                    .chain(words.iter().map(String::as_str)),
            ),
        }
    }
}

/// Connects to all nodes, so many at a time, and runs a script on each as
/// soon as it is connected to. Their output is for `on_event` alone.
pub async fn everywhere<C: Connector>(
    connector: &C,
    nodes: &[&Node],
    width: usize,
    request: Request<'_>,
    on_event: &(dyn Fn(&Name, OutputEvent<'_>) + Sync),
) -> Vec<(Name, Ended)> {
    futures::stream::iter(nodes)
        .map(|node| async move {
            let began = Instant::now();
            let result = on(connector, node, request, on_event).await;
            let took = began.elapsed();
            let mut ended = Ended { result, took };
            on_event(&node.name, OutputEvent::Ended(&ended));
            // It was on_event; of hundreds of hosts it would be too much to
            // keep.
            if let Ok(output) = &mut ended.result {
                (output.stdout, output.stderr) = (Vec::new(), Vec::new());
            }
            (node.name.clone(), ended)
        })
        .buffered(width.max(1))
        .collect()
        .await
}

async fn on<C: Connector>(
    connector: &C,
    node: &Node,
    request: Request<'_>,
    on_event: &(dyn Fn(&Name, OutputEvent<'_>) + Sync),
) -> Result<Output, Error> {
    let connection = connector.connect(&node.name, &node.login).await?;
    on_event(&node.name, OutputEvent::Begun);
    let mut lines = |stream, line: &str| on_event(&node.name, OutputEvent::Line(stream, line));
    connection.run(request, &mut lines).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    fn sh(script: &Script) -> std::process::Output {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script.as_str()]).env("HOME", "/tmp");
        command.stdin(std::process::Stdio::null());
        command.output().unwrap()
    }

    fn words(words: &[&str]) -> Command {
        Command::of(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn one_word_is_a_line_for_sh_and_several_are_exact() {
        let out = |command: Command| String::from_utf8(sh(&command.script(None)).stdout).unwrap();
        assert_eq!(out(words(&["echo a b | tr a c; pwd"])), "c b\n/tmp\n");
        assert_eq!(
            out(words(&["echo", "a | b", "$HOME", "-n"])),
            "a | b $HOME -n\n"
        );
        assert_eq!(out(words(&["echo", ""])), "\n");
    }

    #[test]
    fn the_exit_is_the_commands_own() {
        for input in [None, Some("YWJj")] {
            let code = |command: Command| sh(&command.script(input)).status.code();
            assert_eq!(code(words(&["exit 7"])), Some(7));
            assert_eq!(code(words(&["sh", "-c", "exit 9"])), Some(9));
            assert_eq!(code(words(&["no-such-program", "x"])), Some(127));
            assert_eq!(code(words(&["if", "x"])), Some(127));
            assert_eq!(code(words(&["A=b", "env"])), Some(127));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn arguments_arrive_exactly(
            arguments in prop::collection::vec("[^\0]{0,20}|[ '\"\\\\\n\t$`*~;&|<>(){}!#-]{0,8}", 1..5),
        ) {
            let mut all = vec!["printf".to_owned(), "%s\\0".to_owned()];
            all.extend(arguments.iter().cloned());
            let output = sh(&Command::of(&all).script(None));
            let wanted: String = arguments.iter().map(|word| format!("{word}\0")).collect();
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), wanted);
        }

        #[test]
        fn standard_input_arrives_exactly(input in prop::collection::vec(any::<u8>(), 0..200)) {
            let script = words(&["cat", "-"]).script(Some(&STANDARD.encode(&input)));
            prop_assert_eq!(sh(&script).stdout, input);
        }
    }
}
