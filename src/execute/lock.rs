//! One apply at a time on a host. Who holds it is written on the host itself,
//! in a file that goes away with a reboot, and says again and again that it is
//! still there.
//!
//! Age is counted by the host's own uptime: no clock has to be right. All
//! hosts are taken after the one that is first by name, so of two applies that
//! begin together one gets all hosts and the other none.

mod holder;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use holder::Answer;
pub use holder::{Holder, Owner, Process};

use super::script;
use super::survey::{Connections, HostError, HostErrors, ask, ask_within};
use crate::cluster::Name;
use crate::resource::hex;
use crate::shell::Script;
use crate::transport::{Connection, User};

/// An owner that was silent for so long is taken for dead.
pub const EXPIRY: Duration = Duration::from_secs(90);
/// How often an owner says that it is there.
const RENEW_INTERVAL: Duration = Duration::from_secs(20);

/// Puts down an owner, unless another is there that was not silent for long
/// enough. The words: file, own number, number that may be replaced, seconds
/// after which any may be, owner.
const TAKE: &str = r#"kdiy_take() {
umask 077
mkdir -p "${1%/*}"
exec 8>"$1.guard"
flock -w 10 8 || { echo 'the lock itself is locked' >&2; return 1; }
kdiy_now=$(cut -d. -f1 /proc/uptime)
kdiy_old= kdiy_beat= kdiy_owner=
if [ -f "$1" ]; then
{ IFS= read -r kdiy_old && IFS= read -r kdiy_beat && IFS= read -r kdiy_owner; } <"$1" || :
fi
case $kdiy_beat in ''|*[!0-9]*) kdiy_beat=0 ;; esac
case $kdiy_old in
''|"$2"|"$3") ;;
*) if [ "$((kdiy_now - kdiy_beat))" -lt "$4" ]; then
printf 'held %s %s %s\n' "$kdiy_old" "$((kdiy_now - kdiy_beat))" "$kdiy_owner"
return
fi ;;
esac
printf '%s\n%s\n%s\n' "$2" "$kdiy_now" "$5" >"$1.new"
mv -f "$1.new" "$1"
kdiy_busy=
[ ! -e "${1%/*}/at-work" ] || { exec 7<"${1%/*}/at-work"; flock -n 7 || kdiy_busy=1; exec 7<&-; }
echo "taken${kdiy_busy:+ busy}"
}
"#;

/// Takes away what is ours: file, own number.
const RELEASE: &str = r#"kdiy_release() {
[ -d "${1%/*}" ] || return 0
exec 8>"$1.guard"
flock -w 10 8 || return 1
[ -f "$1" ] || return 0
IFS= read -r kdiy_old <"$1"
[ "$kdiy_old" != "$2" ] || rm -f "$1"
}
"#;

/// Stops a step of an owner that was taken for dead meanwhile: file, own
/// number.
const GUARD: &str = r#"kdiy_guard() {
[ -f "$1" ] || return 0
IFS= read -r kdiy_old <"$1"
[ "$kdiy_old" = "$2" ] && return 0
echo 'another kdiy has taken this host over' >&2
exit 76
}
"#;

const FILE: &str = "/run/kdiy/owner";

/// The number of one apply. Nobody else has it by chance; it is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(String);

impl Number {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hex(&bytes)))
    }

    /// What a step begins with: it goes no further where another owner is.
    #[must_use]
    pub fn guard(&self) -> Script {
        Script::of(GUARD)
            .lit("kdiy_guard ")
            .lit(FILE)
            .lit(" ")
            .arg(&self.0)
            .lit("\n")
    }
}

/// Why hosts could not be taken. Nothing is held then.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another apply has them.
    #[error("another kdiy is at work on {host}: {holder}")]
    Locked {
        /// The first of them.
        host: Name,
        /// Who has the lock.
        holder: Box<Holder>,
    },
    /// Hosts could not be asked.
    #[error("hosts could not be asked")]
    HostErrors(HostErrors),
}

/// Hosts that are held, until [`Lock::release`] or the owner's end.
pub struct Lock<C> {
    number: Number,
    connections: Connections<C>,
    renewal: JoinHandle<()>,
    /// Ends the renewal, after the beat that is under way.
    end: watch::Sender<bool>,
    lost: watch::Receiver<Option<(Name, Holder)>>,
    busy: Vec<Name>,
}

/// Takes all these hosts. `dead` says of an owner that is in the way whether
/// it is known to have ended, or may be pushed aside; it is then.
///
/// # Errors
/// When another has one of them, or one cannot be asked.
pub async fn take<C: Connection + 'static>(
    connections: &Connections<C>,
    number: Number,
    owner: &Owner,
    dead: impl Fn(&Holder) -> bool,
) -> Result<Lock<C>, LockError> {
    let owner = owner.line();
    let mut held = Connections::new();
    let one = async |name: &Name, connection: &Arc<C>| {
        let taken = take_one(connection.as_ref(), &number, &owner, &dead).await;
        (name.clone(), Arc::clone(connection), taken)
    };
    let mut hosts = connections.iter();
    let mut results = Vec::new();
    if let Some((name, connection)) = hosts.next() {
        results.push(one(name, connection).await);
    }
    let is_ours = |taken: &Result<Answer, HostError>| matches!(taken, Ok(Answer::Taken { .. }));
    if results.iter().all(|(_, _, taken)| is_ours(taken)) {
        let rest = hosts.map(|(name, connection)| one(name, connection));
        results.extend(join_all(rest).await);
    }
    let (mut in_the_way, mut host_errors, mut at_work) = (None, HostErrors::new(), Vec::new());
    for (name, connection, taken) in results {
        match taken {
            Ok(Answer::Taken { busy }) => {
                at_work.extend(busy.then(|| name.clone()));
                held.insert(name, connection);
            }
            Ok(Answer::Locked(holder)) => in_the_way = in_the_way.or(Some((name, holder))),
            Err(host_error) => _ = host_errors.insert(name, host_error),
        }
    }
    let failed = match in_the_way {
        Some((host, holder)) => LockError::Locked {
            host,
            holder: Box::new(holder),
        },
        None if !host_errors.is_empty() => LockError::HostErrors(host_errors),
        None => return Ok(Lock::new(number, owner, held, at_work)),
    };
    give_back(&held, &number).await;
    Err(failed)
}

async fn take_one<C: Connection>(
    connection: &C,
    number: &Number,
    owner: &str,
    dead: &impl Fn(&Holder) -> bool,
) -> Result<Answer, HostError> {
    let script = taking(number, None, EXPIRY.as_secs(), owner);
    let answer = Answer::parse(&ask(connection, &script, User::Root).await?)?;
    let holder = match answer {
        Answer::Locked(holder) if dead(&holder) => holder,
        answer => return Ok(answer),
    };
    // Only this one is pushed aside, not one that came meanwhile.
    let script = taking(number, Some(&holder.number), EXPIRY.as_secs(), owner);
    let answer = ask(connection, &script, User::Root).await?;
    Ok(Answer::parse(&answer)?)
}

impl<C: Connection + 'static> Lock<C> {
    fn new(number: Number, owner: String, connections: Connections<C>, busy: Vec<Name>) -> Self {
        let (tell, lost) = watch::channel(None);
        let (end, mut ended) = watch::channel(false);
        let (own, hosts) = (number.clone(), connections.clone());
        let renewal = tokio::spawn(async move {
            let mut clock = tokio::time::interval(RENEW_INTERVAL);
            clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
            clock.tick().await;
            loop {
                tokio::select! {
                    biased;
                    _ = ended.wait_for(|ended| *ended) => return,
                    _ = clock.tick() => {}
                }
                let beats = hosts.iter().map(|(name, connection)| {
                    let script = taking(&own, None, u64::from(u32::MAX), &owner);
                    async move {
                        let answer = ask(connection.as_ref(), &script, User::Root).await;
                        (name, answer.map(|answer| Answer::parse(&answer)))
                    }
                });
                for (name, answer) in join_all(beats).await {
                    match answer {
                        Ok(Ok(Answer::Locked(holder))) => {
                            let _ = tell.send(Some((name.clone(), holder)));
                            return;
                        }
                        Ok(Ok(Answer::Taken { .. })) => {}
                        // It is there again at the next beat, or it is down.
                        other => tracing::debug!(%name, ?other, "no beat"),
                    }
                }
            }
        });
        Self {
            number,
            connections,
            renewal,
            end,
            lost,
            busy,
        }
    }

    /// Hosts on which a step of an earlier run is still at work: its kdiy or
    /// its connection is gone, and it goes on to its end all the same.
    #[must_use]
    pub fn busy(&self) -> &[Name] {
        &self.busy
    }

    /// Waits until no step of an earlier run is at work any more: what is seen
    /// of a host before that would not last.
    ///
    /// # Errors
    /// Hosts on which one still is after `script::HOST_LOCK_TIMEOUT`.
    pub async fn wait_until_idle(&self) -> Result<(), HostErrors> {
        let script = Script::of("exec 9>>/run/kdiy/at-work\nflock -w ")
            .arg(script::HOST_LOCK_TIMEOUT.as_secs().to_string())
            .lit(
                " 9 || { echo 'a step of an earlier run does not come to its end' >&2; exit 1; }\n",
            );
        let limit = script::HOST_LOCK_TIMEOUT + Duration::from_secs(30);
        let all = self.busy.iter().map(|name| {
            let (connection, script) = (self.connections[name].as_ref(), &script);
            async move {
                let ended = ask_within(connection, script, User::Root, limit).await;
                ended.err().map(|host_error| (name.clone(), host_error))
            }
        });
        let host_errors: HostErrors = join_all(all).await.into_iter().flatten().collect();
        if host_errors.is_empty() {
            Ok(())
        } else {
            Err(host_errors)
        }
    }

    /// The number that steps are guarded by.
    #[must_use]
    pub fn number(&self) -> &Number {
        &self.number
    }

    /// Becomes somebody when a host was taken over.
    #[must_use]
    pub fn lost(&self) -> watch::Receiver<Option<(Name, Holder)>> {
        self.lost.clone()
    }

    /// Gives all hosts back. One that cannot be reached is free after
    /// [`EXPIRY`].
    pub async fn release(self) {
        // A beat that came after this would take the host anew.
        let _ = self.end.send(true);
        let _ = self.renewal.await;
        give_back(&self.connections, &self.number).await;
    }
}

async fn give_back<C: Connection>(connections: &BTreeMap<Name, Arc<C>>, number: &Number) {
    let script = Script::of(RELEASE)
        .lit("kdiy_release ")
        .lit(FILE)
        .lit(" ")
        .arg(&number.0)
        .lit("\n");
    let all = connections.values().map(|connection| {
        let script = &script;
        async move { ask(connection.as_ref(), script, User::Root).await }
    });
    for left in join_all(all).await {
        if let Err(host_error) = left {
            tracing::debug!(%host_error, "a host was not given back");
        }
    }
}

fn taking(number: &Number, replaces: Option<&str>, expiry: u64, owner: &str) -> Script {
    Script::of(TAKE)
        .lit("kdiy_take ")
        .lit(FILE)
        .lit(" ")
        .args([
            number.0.as_str(),
            replaces.unwrap_or("-"),
            &expiry.to_string(),
            owner,
        ])
        .lit("\n")
}

#[cfg(test)]
mod tests;
