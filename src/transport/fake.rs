//! A transport without hosts, for tests. It fails on a script that nobody
//! scripted an answer for, and on a byte stream likewise.

mod streams;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::output::Lines;
use super::{ByteStream, Error, Exit, Output, Request, Stream, User};
use crate::cluster::{Login, Name};
use streams::{Opens, Streams};

/// Connects to hosts that a test made up. Clones share what they know.
#[derive(Debug, Clone, Default)]
pub struct Fake {
    hosts: Arc<Mutex<BTreeMap<Name, Host>>>,
}

/// A connection to a host that a test made up.
#[derive(Debug)]
pub struct Link {
    fake: Fake,
    host: Name,
}

/// What a host does when a script comes.
#[derive(Debug, Clone)]
pub struct Answer {
    /// How long it takes.
    pub after: Duration,
    /// What comes of it.
    pub result: Result<Output, Error>,
}

/// A script that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its text.
    pub script: String,
    /// As whom.
    pub user: User,
}

#[derive(Debug, Default)]
struct Host {
    rejects: Option<Error>,
    answers: Vec<Scripted>,
    runs: Vec<Run>,
    streams: Streams,
}

#[derive(Debug)]
struct Scripted {
    part: String,
    answer: Answer,
    once: bool,
}

impl Answer {
    /// A success with this standard output.
    #[must_use]
    pub fn output(stdout: &str) -> Self {
        Self::exits(0, stdout, "")
    }

    /// An end with this code, standard output and standard error.
    #[must_use]
    pub fn exits(code: u32, stdout: &str, stderr: &str) -> Self {
        Self {
            after: Duration::ZERO,
            result: Ok(Output {
                exit: Exit::Code(code),
                stdout: stdout.into(),
                stderr: stderr.into(),
            }),
        }
    }

    /// A script that does not come to its end.
    #[must_use]
    pub fn fails(error: Error) -> Self {
        Self {
            after: Duration::ZERO,
            result: Err(error),
        }
    }

    /// The same, after a while.
    #[must_use]
    pub fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

impl Fake {
    /// Every script of a host that contains this part is answered so, unless
    /// an answer given earlier fits too.
    pub fn always(&self, host: &Name, part: &str, answer: Answer) {
        self.script(host, part, answer, false);
    }

    /// The next script of a host that contains this part is answered so.
    pub fn once(&self, host: &Name, part: &str, answer: Answer) {
        self.script(host, part, answer, true);
    }

    /// A host refuses connections from now on.
    pub fn reject(&self, host: &Name, error: Error) {
        self.lock().entry(host.clone()).or_default().rejects = Some(error);
    }

    /// Byte streams from a host to an address are opened so from now on.
    pub fn serve(
        &self,
        host: &Name,
        to: SocketAddr,
        open: impl FnMut() -> Result<ByteStream, Error> + Send + 'static,
    ) {
        let mut hosts = self.lock();
        let streams = &mut hosts.entry(host.clone()).or_default().streams;
        streams.0.insert(to, Opens(Box::new(open)));
    }

    /// The scripts that were run on a host, in order.
    #[must_use]
    pub fn runs(&self, host: &Name) -> Vec<Run> {
        self.lock()
            .get(host)
            .map(|host| host.runs.clone())
            .unwrap_or_default()
    }

    fn script(&self, host: &Name, part: &str, answer: Answer, once: bool) {
        let scripted = Scripted {
            part: part.to_owned(),
            answer,
            once,
        };
        self.lock()
            .entry(host.clone())
            .or_default()
            .answers
            .push(scripted);
    }

    fn answer(&self, name: &Name, run: Run) -> Answer {
        let mut hosts = self.lock();
        let host = hosts.entry(name.clone()).or_default();
        let found = host
            .answers
            .iter()
            .position(|scripted| run.script.contains(&scripted.part));
        host.runs.push(run.clone());
        match found {
            Some(place) if host.answers[place].once => host.answers.remove(place).answer,
            Some(place) => host.answers[place].answer.clone(),
            None => Answer::fails(Error::Unscripted {
                host: name.to_string(),
                script: run.script,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl super::Connector for Fake {
    type Connection = Link;

    async fn connect(&self, host: &Name, _login: &Login) -> Result<Link, Error> {
        match self.lock().get(host).and_then(|host| host.rejects.clone()) {
            Some(error) => Err(error),
            None => Ok(Link {
                fake: self.clone(),
                host: host.clone(),
            }),
        }
    }
}

#[async_trait]
impl super::Connection for Link {
    async fn run(
        &self,
        request: Request<'_>,
        lines: &mut (dyn for<'l> FnMut(Stream, &'l str) + Send),
    ) -> Result<Output, Error> {
        let output = self.answer(request).await?;
        for (stream, bytes) in [(Stream::Out, &output.stdout), (Stream::Err, &output.stderr)] {
            let mut cut = Lines::default();
            cut.feed(bytes, |line| lines(stream, line));
            cut.end(|line| lines(stream, line));
        }
        Ok(output)
    }

    async fn stream(
        &self,
        request: Request<'_>,
        out: &mut (dyn Write + Send),
    ) -> Result<Output, Error> {
        let output = self.answer(request).await?;
        let written = out.write_all(&output.stdout);
        written.map_err(|error| Error::NotKept {
            address: self.host.to_string(),
            why: error.to_string(),
        })?;
        Ok(Output {
            stdout: Vec::new(),
            ..output
        })
    }

    async fn open_stream(&self, to: SocketAddr) -> Result<ByteStream, Error> {
        let mut hosts = self.fake.lock();
        let host = hosts.entry(self.host.clone()).or_default();
        host.streams.open(&self.host, to)
    }
}

impl Link {
    async fn answer(&self, request: Request<'_>) -> Result<Output, Error> {
        let run = Run {
            script: request.script.to_string(),
            user: request.user,
        };
        let answer = self.fake.answer(&self.host, run);
        tokio::time::sleep(answer.after).await;
        answer.result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Connection as _, Connector as _};
    use zeroize::Zeroizing;

    fn name() -> Name {
        Name::try_from("cp1".to_owned()).unwrap()
    }

    fn login() -> Login {
        Login::to("cp1")
    }

    async fn run(fake: &Fake, script: &str) -> Result<Output, Error> {
        let script = Zeroizing::new(script.to_owned());
        let request = Request {
            script: &script,
            user: User::Root,
            limit: Duration::MAX,
            keep: 1000,
        };
        fake.connect(&name(), &login())
            .await?
            .run(request, &mut |_, _| {})
            .await
    }

    #[tokio::test]
    async fn it_answers_what_was_scripted_and_fails_on_the_rest() {
        let fake = Fake::default();
        fake.once(&name(), "uname", Answer::exits(1, "", "no"));
        fake.always(&name(), "uname", Answer::output("Linux\n"));
        assert_eq!(run(&fake, "uname -s").await.unwrap().exit, Exit::Code(1));
        assert_eq!(run(&fake, "uname -s").await.unwrap().stdout, b"Linux\n");
        assert_eq!(run(&fake, "uname -s").await.unwrap().exit, Exit::Code(0));
        let error = run(&fake, "rm -r /").await.unwrap_err();
        assert!(matches!(&error, Error::Unscripted { script, .. } if script == "rm -r /"));
        assert!(!error.is_transient());
        assert_eq!(fake.runs(&name()).len(), 4);
    }

    #[tokio::test]
    async fn a_host_can_refuse() {
        let fake = Fake::default();
        let error = Error::Lost {
            address: "cp1:22".to_owned(),
            why: "test".to_owned(),
        };
        fake.reject(&name(), error.clone());
        assert_eq!(run(&fake, "true").await, Err(error));
    }
}
