//! API servers as a balancer sees them.

use serde::Serialize;

/// An API server behind a balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backend {
    /// The control plane.
    pub name: String,
    /// Whether requests are sent there.
    pub up: bool,
    /// Why not, in the balancer's words.
    pub why: Option<String>,
}

/// More servers than any balancer has.
const MOST: usize = 1000;

/// Reads haproxy's `show stat`: CSV with a line of names.
pub(super) fn of_haproxy(text: &str) -> Result<Vec<Backend>, String> {
    let mut lines = text.lines();
    let said = || {
        let last = text.lines().rfind(|line| !line.trim().is_empty());
        let last = last.unwrap_or("haproxy said nothing");
        last.chars().take(200).collect::<String>()
    };
    let head = lines.find_map(|line| line.strip_prefix("# "));
    let head: Vec<_> = head.ok_or_else(said)?.split(',').collect();
    let column = |name: &str| {
        head.iter()
            .position(|column| *column == name)
            .ok_or_else(said)
    };
    let (proxy, server, status) = (column("pxname")?, column("svname")?, column("status")?);
    let why = [
        column("check_status")?,
        column("last_chk").unwrap_or(usize::MAX),
    ];
    let servers = lines.filter_map(|line| {
        let cells: Vec<_> = line.split(',').collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        let named = !matches!(cell(server), "" | "FRONTEND" | "BACKEND");
        if cell(proxy) != "control-planes" || !named {
            return None;
        }
        // `UP 1/2` is on its way down, `DOWN 1/2` on its way up.
        let up = cell(status).starts_with("UP") || cell(status) == "no check";
        let why = why.map(cell);
        let why = why.iter().rev().find(|why| !why.is_empty());
        Some(Backend {
            name: cell(server).to_owned(),
            up,
            why: (!up).then(|| match why {
                Some(why) => format!("{}: {why}", cell(status)),
                None => cell(status).to_owned(),
            }),
        })
    });
    Ok(servers.take(MOST).collect())
}

/// Reads what the script found out for nginx: `NAME up` or `NAME down WHY`.
pub(super) fn of_nginx(text: &str) -> Result<Vec<Backend>, String> {
    let mut servers: Vec<_> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.splitn(3, ' ');
            let (name, state) = (words.next()?, words.next()?);
            let up = state == "up";
            (up || state == "down").then(|| Backend {
                name: name.to_owned(),
                up,
                why: words
                    .next()
                    .filter(|_| !up)
                    .map(|why| why.chars().take(200).collect()),
            })
        })
        .take(MOST)
        .collect();
    servers.sort_by(|a, b| a.name.cmp(&b.name));
    match servers.is_empty() {
        true => Err(text
            .lines()
            .last()
            .unwrap_or("nginx.conf names no servers")
            .chars()
            .take(200)
            .collect()),
        false => Ok(servers),
    }
}
