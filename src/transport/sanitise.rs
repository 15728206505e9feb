//! Text from hosts, made harmless for the terminal that shows it.

/// Characters of a host's words in a message, at most.
const SHORT: usize = 400;

/// Text of one line with everything visible that a terminal would obey or
/// hide: control characters, escapes, marks that change the direction of
/// writing. Nothing is lost; a tab becomes four blanks.
#[must_use]
pub fn sanitise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            // Unicode has a picture for each of these.
            '\0'..='\x1f' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('?')),
            '\x7f' => out.push('␡'),
            _ if c.is_control() || hides(c) => out.extend(c.escape_unicode()),
            _ => out.push(c),
        }
    }
    out
}

/// A line of a program's output: as [`sanitise`], but without the colours and
/// the overwritten progress that a program makes for terminals.
#[must_use]
pub fn sanitise_output(line: &str) -> String {
    let line = line.trim_end_matches(['\r', '\n']);
    let shown = line.rsplit('\r').next().unwrap_or(line);
    sanitise(&without_colors(shown))
}

/// Direction marks and invisible characters, by which text can look like
/// other text.
fn hides(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A JSON document that says the same, with escapes for all that a terminal
/// would obey or hide. Such characters can only be within its strings.
#[must_use]
pub fn sanitise_json(document: &str) -> String {
    let harmless = |c: char| c == '\n' || !(c.is_control() || hides(c));
    let mut out = String::with_capacity(document.len());
    for c in document.chars() {
        if harmless(c) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// The beginning of what a host said, as one harmless line of a message.
#[must_use]
pub fn sanitise_short(text: &str) -> String {
    let mut short: String = text.chars().take(SHORT).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    sanitise(&short)
}

/// Drops whole `ESC [ … letter` sequences; a cut one stays.
fn without_colors(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        out.push_str(before);
        // Parameters and intermediates are 0x20 to 0x3f, the final byte is
        // 0x40 to 0x7e (ECMA-48, 5.4).
        let end = after.find(|c: char| !('\x20'..='\x3f').contains(&c));
        match end.filter(|&at| after[at..].starts_with(|c| ('\x40'..='\x7e').contains(&c))) {
            Some(at) => rest = &after[at + 1..],
            None => {
                out.push_str("\x1b[");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_obeys_becomes_visible() {
        assert_eq!(sanitise("\x1b]0;owned\x07 a\tb\r"), "␛]0;owned␇ a    b␍");
        assert_eq!(sanitise("\u{9b}2J"), "\\u{9b}2J");
        assert_eq!(sanitise("abc\u{202e}cba"), "abc\\u{202e}cba");
        assert_eq!(sanitise("naïve 日本"), "naïve 日本");
    }

    #[test]
    fn output_loses_colours_and_overwritten_progress() {
        assert_eq!(
            sanitise_output("\x1b[1;31mE:\x1b[0m no such package"),
            "E: no such package"
        );
        assert_eq!(sanitise_output("10%\r50%\r100%\r\n"), "100%");
        assert_eq!(sanitise_output("cut \x1b["), "cut ␛[");
    }

    #[test]
    fn json_says_the_same_and_is_harmless() {
        let said = "a\u{9b}2J \x1b]8;;x\x07 \u{202e}b \u{e0041} \u{e4} \"q\" \n end";
        let document = serde_json::to_string_pretty(&serde_json::json!({ "said": said })).unwrap();
        let shown = sanitise_json(&document);
        let back: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(back["said"], said);
        assert!(
            shown.contains("\\u009b2J") && shown.contains("\\udb40\\udc41"),
            "{shown}"
        );
        assert!(!shown.contains(|c: char| c != '\n' && (c.is_control() || hides(c))));
    }

    #[test]
    fn messages_have_the_beginning_of_what_was_said() {
        assert_eq!(sanitise_short("a\x07"), "a␇");
        let long = sanitise_short(&"\u{e4}".repeat(1_000_000));
        assert_eq!(long.chars().count(), SHORT + 1);
    }

    proptest! {
        #[test]
        fn nothing_shown_is_obeyed(text in "\\PC{0,20}[\x00-\x1f\x7f-\u{9f}\u{202e}]{0,10}\\PC{0,20}") {
            for shown in [sanitise(&text), sanitise_output(&text)] {
                prop_assert!(!shown.chars().any(|c| c.is_control() || hides(c)), "{shown:?}");
            }
        }
    }
}
