//! Lines of ssh_config taken apart: words, quotes, tokens.

/// Replaces each `%x`.
pub(super) fn replace(text: &str, tokens: &[(char, &str)]) -> Result<String, String> {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            replaced.push(c);
            continue;
        }
        let token = rest.next();
        let Some((_, value)) = tokens.iter().find(|&&(name, _)| Some(name) == token) else {
            let token = token.map(String::from).unwrap_or_default();
            return Err(format!("`{text}`: the token %{token} is not known here"));
        };
        replaced.push_str(value);
    }
    Ok(replaced)
}

/// The words of a line: keyword, then values. The first may be followed by
/// `=`; a word may be in quotes; `#` begins a comment.
pub(super) fn words_of(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = if words.is_empty() {
            let end = rest.find(|c: char| c == '=' || c.is_ascii_whitespace());
            let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
            let after = after.trim_start();
            (word.to_owned(), after.strip_prefix('=').unwrap_or(after))
        } else {
            value_of(rest)?
        };
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

/// The value at the beginning of a text, and what comes after it.
fn value_of(text: &str) -> Result<(String, &str), &'static str> {
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|&(_, c)| c);
        match (c, quote) {
            ('\\', _) if matches!(next, Some('"' | '\'' | '\\')) => {
                word.extend(next);
                chars.next();
            }
            ('\\', None) if next == Some(' ') => {
                word.push(' ');
                chars.next();
            }
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (c, None) if c.is_ascii_whitespace() => return Ok((word, &text[at..])),
            (c, _) => word.push(c),
        }
    }
    if quote.is_some() {
        Err("a quote is not closed")
    } else {
        Ok((word, ""))
    }
}
