//! Where results, remarks and errors go.

use super::*;

fn ui(out: &Sink, err: &Sink, verbosity: Verbosity) -> Ui {
    let choice = (Color::Auto, verbosity, Output::Text);
    Ui::with(out.clone(), err.clone(), Terminal::default(), choice)
}

#[test]
fn results_and_errors_go_their_own_ways() {
    let ((out, out_text), (err, err_text)) = (Sink::memory(), Sink::memory());
    let ui = ui(&out, &err, Verbosity::Quiet);
    ui.print("result\n").unwrap();
    ui.note("not when quiet");
    ui.warn("the disk of cp-1 is nearly full");
    let long = "cannot connect to cp-1 (10.0.0.11:22): no route to host while connecting, \
                and the rest of a long story";
    ui.error(long, Some("check the address in the inventory"));
    ui.error(
        "cp-1: no route to host\n  check the address\ncp-2: refused",
        None,
    );
    assert_eq!(out_text(), "result\n");
    insta::assert_snapshot!(err_text());
}

#[test]
fn without_a_terminal_nothing_is_asked() {
    let ((out, _), (err, err_text)) = (Sink::memory(), Sink::memory());
    let ui = ui(&out, &err, Verbosity::Normal);
    let error = ui.confirm("Go ahead?").unwrap_err();
    assert!(error.to_string().contains("--yes"), "{error}");
    assert!(matches!(
        ui.secret("sudo password", "x"),
        Err(PromptError::NoTerminal { .. })
    ));
    assert_eq!(err_text(), "");
}

#[test]
fn bars_need_a_terminal_with_colours() {
    let terminal = Terminal {
        stderr: true,
        ..Terminal::default()
    };
    let moves = |terminal, color, verbosity| {
        let (sink, _) = Sink::memory();
        Ui::with(
            sink.clone(),
            sink,
            terminal,
            (color, verbosity, Output::Text),
        )
        .moves()
    };
    assert!(moves(terminal, Color::Auto, Verbosity::Normal));
    assert!(!moves(terminal, Color::Never, Verbosity::Normal));
    assert!(!moves(terminal, Color::Auto, Verbosity::Quiet));
    assert!(!moves(terminal, Color::Auto, Verbosity::Verbose));
    let none = Terminal {
        no_color: true,
        ..terminal
    };
    assert!(!moves(none, Color::Auto, Verbosity::Normal));
    assert!(!moves(
        Terminal::default(),
        Color::Always,
        Verbosity::Normal
    ));
}
