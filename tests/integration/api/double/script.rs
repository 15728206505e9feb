//! What a double expects, and what it has seen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use serde_json::Value;

use super::answer::{Answer, status};

/// What is expected, in any order. Clones share it. When the last is dropped,
/// everything must have been asked for, and nothing else.
#[derive(Clone, Default)]
pub struct Script(Arc<Inner>);

#[derive(Default)]
struct Inner(Mutex<State>);

#[derive(Default)]
struct State {
    expected: Vec<(String, Answer)>,
    always: Vec<(String, Answer)>,
    seen: Vec<Seen>,
    unscripted: Vec<String>,
    connections: usize,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `METHOD /path?query`.
    pub line: String,
    pub kind: String,
    pub body: Value,
}

impl Seen {
    pub fn of(parts: &Parts, body: &Bytes) -> Self {
        let uri = parts.uri.path_and_query().map_or("/", |uri| uri.as_str());
        let kind = parts.headers.get("content-type");
        Self {
            line: format!("{} {uri}", parts.method),
            kind: kind.map_or("", |kind| kind.to_str().unwrap()).to_owned(),
            body: serde_json::from_slice(body).unwrap_or_default(),
        }
    }

    /// Whether it is `METHOD /path WORD …`, with each word in its query.
    fn is(&self, expected: &str) -> bool {
        let (path, query) = self.line.split_once('?').unwrap_or((&self.line, ""));
        let mut words = expected.split(' ');
        let wanted = format!("{} {}", words.next().unwrap(), words.next().unwrap());
        path == wanted && words.all(|word| query.split('&').any(|pair| pair == word))
    }
}

impl Script {
    /// The next request like this is answered so: `GET /api/v1/nodes` or,
    /// with what must be in the query, `GET /api/v1/nodes limit=500`.
    pub fn expect(&self, request: &str, answer: Answer) {
        self.state().expected.push((request.to_owned(), answer));
    }

    /// All requests like this are answered so, and none has to come.
    pub fn always(&self, request: &str, answer: Answer) {
        self.state().always.push((request.to_owned(), answer));
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// What came, but for whether the server is ready.
    pub fn lines(&self) -> Vec<String> {
        let seen = self.seen().into_iter().map(|seen| seen.line);
        seen.filter(|line| line != "GET /readyz").collect()
    }

    /// The body of the last request.
    pub fn last(&self) -> Value {
        self.state().seen.last().expect("no request").body.clone()
    }

    pub fn connections(&self) -> usize {
        self.state().connections
    }

    pub fn connected(&self) {
        self.state().connections += 1;
    }

    pub fn answer(&self, seen: Seen) -> Answer {
        let mut state = self.state();
        state.seen.push(seen.clone());
        if let Some(at) = state.expected.iter().position(|(line, _)| seen.is(line)) {
            return state.expected.remove(at).1;
        }
        if let Some((_, answer)) = state.always.iter().find(|(line, _)| seen.is(line)) {
            return answer.clone();
        }
        if seen.line == "GET /readyz" {
            return Answer::text(200, "ok");
        }
        state.unscripted.push(seen.line);
        Answer::Json(501, status(501, "Unscripted", "nobody scripted this"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let state = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        assert!(
            state.unscripted.is_empty(),
            "unscripted: {:#?}",
            state.unscripted
        );
        let missing: Vec<_> = state.expected.iter().map(|(line, _)| line).collect();
        assert!(missing.is_empty(), "not asked for: {missing:#?}");
    }
}
