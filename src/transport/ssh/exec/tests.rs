use super::*;
use proptest::prelude::*;

/// What a host gets that says this on standard error, in such pieces: `p`
/// for its password, `s` for the script, `-` for the end of its input.
fn given(entry: Entry, said: &str, size: usize) -> String {
    let (next_input, mut next_inputs) = mpsc::unbounded_channel();
    let mut channel = ChannelReader {
        entry,
        next_input,
        out: StreamBuffer::new(0),
        err: StreamBuffer::new(0),
        asked: 0,
        listener: Listener::Lines(&mut |_, _| {}),
    };
    for bytes in said.as_bytes().chunks(size) {
        channel.read(Stream::Err, bytes).unwrap();
    }
    let mut given = String::new();
    while let Ok(next_input) = next_inputs.try_recv() {
        given.push(match next_input {
            NextInput::Password => 'p',
            NextInput::Script => 's',
            NextInput::Nothing => '-',
        });
    }
    given
}

fn with_password() -> Entry {
    Entry::Password(sudo::Password::of("secret"))
}

#[test]
fn a_host_gets_its_password_once_whatever_it_asks() {
    let prompt = sudo::PROMPT;
    let ready = sudo::READY_LINE;
    let filler = "x".repeat(3 * PREAMBLE);
    for (said, wanted) in [
        (format!("{prompt}{ready}"), "ps"),
        (format!("{prompt}Sorry\n{prompt}"), "p-"),
        (format!("{prompt}{filler}{prompt}{filler}{prompt}"), "p--"),
        (format!("{ready}{prompt}{prompt}{ready}"), "s"),
        (format!("{ready}{ready}"), "s"),
        (filler.clone(), ""),
    ] {
        // A chunk may hold several prompts; they count as one refusal.
        let got = given(with_password(), &said, 1);
        assert_eq!(got, wanted);
        for entry in [Entry::Direct, Entry::Sudo] {
            let got = given(entry, &said, 1);
            assert!(!got.contains(['p', '-']), "{got}");
        }
    }
}

proptest! {
    #[test]
    fn no_words_get_a_password_twice(
        said in prop::collection::vec(prop_oneof![
            Just(sudo::PROMPT), Just(sudo::READY_LINE), Just("kdiy: "), Just("\n"), Just("ready")
        ], 0..12),
        size in 1_usize..60,
    ) {
        let got = given(with_password(), &said.concat(), size);
        prop_assert!(got.matches('p').count() <= 1, "{got}");
        prop_assert!(got.matches('s').count() <= 1, "{got}");
        prop_assert!(!got.contains("sp"), "{got}");
    }
}
