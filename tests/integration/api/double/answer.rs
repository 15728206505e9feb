//! Answers of a double.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use http::Response;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::Notify;

pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status and a document.
    Json(u16, Value),
    /// A status and text.
    Text(u16, String),
    /// A status, a document, and how long to wait in seconds.
    Wait(u16, Value, u64),
    /// Events of a watch, and what comes after.
    Events(Vec<Value>, After),
    /// The connection ends before the answer.
    Cut,
    /// It ends in the middle of the answer.
    CutMidway,
    /// Nothing comes.
    Silence,
}

/// What comes after the events of a watch.
#[derive(Debug, Clone, Copy)]
pub enum After {
    /// Its end.
    End,
    /// Nothing, for long.
    Silence,
    /// The end of the connection.
    Cut,
}

impl Answer {
    pub fn json(value: Value) -> Self {
        Self::Json(200, value)
    }

    pub fn text(code: u16, text: &str) -> Self {
        Self::Text(code, text.to_owned())
    }

    /// A list with its version, and the token of its next page.
    pub fn list(items: &[Value], version: &str, next: Option<&str>) -> Self {
        Self::json(json!({
            "kind": "List", "apiVersion": "v1", "items": items,
            "metadata": {"resourceVersion": version, "continue": next.unwrap_or_default()},
        }))
    }

    pub fn status(code: u16, reason: &str, message: &str) -> Self {
        Self::Json(code, status(code, reason, message))
    }

    pub async fn into_response(self, cut: Arc<Notify>) -> Response<Body> {
        let whole = |code: u16, text: String| {
            let body = http_body_util::Full::from(text).map_err(|never| match never {});
            let response = Response::builder().status(code);
            response.body(body.boxed_unsync()).unwrap()
        };
        match self {
            Self::Json(code, value) => whole(code, value.to_string()),
            Self::Text(code, text) => whole(code, text),
            Self::Wait(code, value, seconds) => {
                let mut response = whole(code, value.to_string());
                response.headers_mut().insert("retry-after", seconds.into());
                response
            }
            Self::Silence => std::future::pending().await,
            Self::Cut => {
                cut.notify_one();
                std::future::pending().await
            }
            Self::CutMidway => streamed(vec!["{\"kind\":".to_owned()], After::Cut, cut),
            Self::Events(events, after) => {
                let lines = events.iter().map(|event| format!("{event}\n"));
                streamed(lines.collect(), after, cut)
            }
        }
    }
}

fn streamed(parts: Vec<String>, after: After, cut: Arc<Notify>) -> Response<Body> {
    let parts = stream::iter(parts).map(|part| Ok(Frame::data(Bytes::from(part))));
    let rest = stream::once(async move {
        match after {
            After::End => None,
            After::Silence => std::future::pending().await,
            After::Cut => {
                // What was sent has arrived by then.
                tokio::time::sleep(Duration::from_millis(100)).await;
                cut.notify_one();
                std::future::pending::<Option<_>>().await
            }
        }
    });
    let body = StreamBody::new(parts.chain(rest.filter_map(std::future::ready)));
    Response::new(body.boxed_unsync())
}

/// A `Status` that says no.
pub fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": message,
    })
}

/// The same with a cause.
pub fn caused(mut status: Value, reason: &str, message: &str, field: &str) -> Value {
    let cause = json!({"reason": reason, "message": message, "field": field});
    match status["details"]["causes"].as_array_mut() {
        Some(causes) => causes.push(cause),
        None => status["details"] = json!({"causes": [cause]}),
    }
    status
}
