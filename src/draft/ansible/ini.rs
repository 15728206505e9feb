//! Hosts and groups in Ansible's dialect of INI.

use super::inventory::{Inventory, Value, Var};
use super::{Notes, Place, range, shown, yaml};
use crate::inventory::finding::Span;

/// What the lines of a section are.
enum Section {
    Hosts(String),
    Children(String),
    Vars(String),
    /// A section that is wrong; its lines are left out.
    Broken,
}

const SECTION: &str = "write [group], [group:children] or [group:vars]";

/// Reads a file.
pub fn read(file: usize, text: &str, inventory: &mut Inventory, notes: &mut Notes) {
    let mut section = Section::Hosts("ungrouped".to_owned());
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let line = raw.trim();
        let begin = start + (raw.len() - raw.trim_start().len());
        start += raw.len();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let span = Span {
            start: begin,
            end: begin + line.len(),
        };
        let at = Place::new(file, span);
        if line.starts_with('[') && !line.contains("]:") && is_header(line) {
            section = header(line, at, inventory, notes);
            continue;
        }
        match &section {
            Section::Hosts(group) => host(line, at, group, inventory, notes),
            Section::Children(group) => child(line, at, group, inventory, notes),
            Section::Vars(group) => {
                if let Some((name, var)) = variable(line, at, notes) {
                    inventory.group(group, None).vars.insert(name, var);
                }
            }
            Section::Broken => {}
        }
    }
}

/// A header ends with its bracket; `[a:c].example.org` is a host.
fn is_header(line: &str) -> bool {
    let rest = line
        .split_once(']')
        .map_or("", |(_, rest)| rest.trim_start());
    rest.is_empty() || rest.starts_with(['#', ';'])
}

fn header(line: &str, at: Place, inventory: &mut Inventory, notes: &mut Notes) -> Section {
    let Some((inner, _)) = line[1..].split_once(']') else {
        notes.error("ini-syntax", at, "the bracket is not closed", SECTION);
        return Section::Broken;
    };
    let (name, kind) = match inner.split_once(':') {
        Some((name, kind)) => (name.trim(), kind.trim()),
        None => (inner.trim(), "hosts"),
    };
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '[') {
        let message = format!("{} is no name of a group", shown(name));
        notes.error("ini-syntax", at, message, SECTION);
        return Section::Broken;
    }
    let section = match kind {
        "hosts" => Section::Hosts(name.to_owned()),
        "children" => Section::Children(name.to_owned()),
        "vars" => Section::Vars(name.to_owned()),
        kind => {
            let message = format!("{} is no kind of section", shown(kind));
            notes.error("ini-syntax", at, message, SECTION);
            return Section::Broken;
        }
    };
    inventory.group(name, Some(at));
    section
}

fn host(line: &str, at: Place, group: &str, inventory: &mut Inventory, notes: &mut Notes) {
    let Some(words) = shlex::split(line) else {
        notes.error(
            "ini-syntax",
            at,
            "a quote is not closed in this line",
            "close it, or put quotes around the whole value: key='a b'",
        );
        return;
    };
    let Some((pattern, assignments)) = words.split_first() else {
        return;
    };
    let (pattern, port) = port_of(pattern);
    if pattern.contains('=') {
        let message = format!("{} stands where a host is wanted", shown(pattern));
        notes.error(
            "ini-syntax",
            at,
            message,
            "variables stand behind a host, or under [group:vars]",
        );
        return;
    }
    let names = match range::expand(pattern) {
        Ok(names) => names,
        Err(why) => {
            notes.error(
                "ini-syntax",
                at,
                format!("{}: {why}", shown(pattern)),
                "fix the range",
            );
            return;
        }
    };
    if !inventory.has_room(names.len(), at, notes) {
        return;
    }
    let mut vars = Vec::new();
    for word in assignments {
        let Some((name, value)) = word.split_once('=') else {
            let message = format!("{} is no variable", shown(word));
            notes.error("ini-syntax", at, message, "write key=value behind the host");
            return;
        };
        vars.push((name.to_owned(), literal(value, at)));
    }
    vars.extend(port.map(|port| ("ansible_port".to_owned(), literal(port, at))));
    for name in names {
        let known = inventory.groups.get(group);
        if known.is_some_and(|group| group.hosts.contains(&name)) {
            let first = inventory.hosts.get(&name).and_then(|host| host.place);
            let message = format!("{} is in {} twice", shown(&name), shown(group));
            notes.twice(at, first.unwrap_or(at), message, "keep one of the two");
        }
        let vars = vars.iter().map(|(key, var)| (key, var));
        inventory.place(group, &name, at, vars, notes);
    }
}

/// Splits `host:22` and `[fd00::1]:22`.
fn port_of(word: &str) -> (&str, Option<&str>) {
    let port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match word.rsplit_once(':') {
        Some((host, number)) if port(number) && !host.contains(':') => (host, Some(number)),
        Some((host, number)) if port(number) && host.ends_with(']') && !host.starts_with('[') => {
            (host, Some(number))
        }
        _ => (word, None),
    }
}

fn child(line: &str, at: Place, group: &str, inventory: &mut Inventory, notes: &mut Notes) {
    let name = line.split(['#', ';']).next().unwrap_or_default().trim();
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '=') {
        let message = format!("{} is no name of a group", shown(line));
        notes.error(
            "ini-syntax",
            at,
            message,
            "write one group a line under :children",
        );
        return;
    }
    if name == group {
        let message = format!("{} is a child of itself", shown(name));
        notes.error("ini-syntax", at, message, "take this line out");
        return;
    }
    let children = &mut inventory.group(group, None).children;
    children.push((name.to_owned(), at));
}

fn variable(line: &str, at: Place, notes: &mut Notes) -> Option<(String, Var)> {
    let Some((name, value)) = line.split_once('=') else {
        let message = format!("{} sets no variable", shown(line));
        notes.error("ini-syntax", at, message, "write key=value under :vars");
        return None;
    };
    Some((name.trim().to_owned(), literal(value.trim(), at)))
}

/// A value as Python reads it: a quoted text, a list or mapping in brackets,
/// or the text as it stands.
fn literal(text: &str, place: Place) -> Var {
    let quoted = ['"', '\''].into_iter().find_map(|quote| {
        let inner = text.strip_prefix(quote)?;
        let (inner, rest) = inner.split_once(quote)?;
        let rest = rest.trim_start();
        (rest.is_empty() || rest.starts_with('#')).then(|| inner.to_owned())
    });
    let nested = text.starts_with(['{', '[']) && !text.starts_with("{{");
    let value = match quoted {
        Some(inner) => Value::Text(inner),
        None if nested => yaml::flow(text).unwrap_or_else(|| Value::Text(text.to_owned())),
        None => {
            let number = text.split('#').next().unwrap_or_default().trim();
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            Value::Text(if is_number { number } else { text }.to_owned())
        }
    };
    Var { value, place }
}
