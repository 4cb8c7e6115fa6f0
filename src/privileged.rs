//! The one client of `orrery-launch`: lets somebody sign in, starts servers as their users, makes tickets void, and
//! speaks to the keepers of running servers.
//!
//! Everything that needs root is over there, and nothing here is trusted by it. What the hub must do is end what takes too
//! long, keep the tickets where no other account can read them, and say in words what was refused and by which line of
//! the policy.

mod channel;
pub mod control;
mod conversation;
mod error;
pub mod policy;
pub mod tickets;

#[cfg(test)]
mod manual;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use orrery_wire::{Login, Refusal, Reply, Request, Start, Started};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::channel::Channel;
use self::tickets::Tickets;

pub use self::conversation::{Conversation, Step};
pub use self::error::LaunchError;

/// How long something may wait for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// What the programs may need besides the time that the policy gives them.
const MARGIN: Duration = Duration::from_secs(15);

/// How `orrery-launch` comes to run.
#[derive(Debug, Clone)]
pub enum LaunchWay {
    /// The hub runs this setuid program (`hub.launch_program`).
    Program(PathBuf),
    /// systemd does, for each connection to this socket (`hub.launch_socket`).
    Socket(PathBuf),
}

/// What the configuration says of the privileged programs.
#[derive(Debug, Clone)]
pub struct LaunchSettings {
    /// How they are reached.
    pub way: LaunchWay,
    /// `hub.ticket_dir`.
    pub tickets: PathBuf,
    /// `auth.pam.threads`: PAM transactions at work at the same time.
    pub logins: usize,
}

/// Asks the privileged program. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Launcher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    way: LaunchWay,
    tickets: Tickets,
    logins: Arc<Semaphore>,
}

impl Launcher {
    /// A client of the program that the settings name. Nothing is started, connected to or read yet.
    #[must_use]
    pub fn new(settings: LaunchSettings) -> Self {
        Self(Arc::new(Inner {
            way: settings.way,
            tickets: Tickets::new(settings.tickets),
            logins: Arc::new(Semaphore::new(settings.logins.clamp(1, Semaphore::MAX_PERMITS))),
        }))
    }

    /// One whose program does not exist, for tests of what needs none.
    #[cfg(test)]
    pub(crate) fn nowhere() -> Self {
        let way = LaunchWay::Program("/nowhere".into());
        Self::new(LaunchSettings { way, tickets: "/nowhere".into(), logins: 1 })
    }

    /// Where tickets are kept.
    #[must_use]
    pub fn tickets(&self) -> &Tickets {
        &self.0.tickets
    }

    /// Begins a PAM transaction, when it is its turn. Its prompts are steps of the conversation; dropping that ends it.
    ///
    /// # Errors
    /// [`LaunchError`] if the program cannot be reached, or if too many wait.
    pub async fn login(&self, login: Login) -> Result<Conversation, LaunchError> {
        let longest = Duration::from_secs(policy::read().await.login_timeout().into());
        let turns = Arc::clone(&self.0.logins);
        let turn = timeout(LONGEST_WAIT, turns.acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or(LaunchError::Busy)?;
        let channel = self.ask(&Request::Login(login)).await?;
        Ok(Conversation::new(channel, Arc::clone(&self.0.logins), turn, longest + MARGIN))
    }

    /// Starts a server as its user, with the ticket of that user's last login if `start` brings none. One that is void is
    /// forgotten, and the start tried without: the policy may permit that.
    ///
    /// # Errors
    /// [`LaunchError::Refused`] names the line of the policy, [`LaunchError::NotStarted`] says what went wrong.
    pub async fn start(&self, mut start: Start) -> Result<Started, LaunchError> {
        let uid = start.uid;
        if start.ticket.is_empty() {
            start.ticket = self.0.tickets.read(uid).await?.unwrap_or_default();
        }
        let had_ticket = !start.ticket.is_empty();
        let first = self.start_once(start.clone()).await;
        let Err(LaunchError::Refused(refusal)) = &first else { return first };
        if !had_ticket || !is_of_ticket(*refusal) {
            return first;
        }
        self.0.tickets.delete(uid).await?;
        start.ticket = Vec::new();
        match self.start_once(start).await {
            // what was wrong with the ticket says more than that there is none
            Err(LaunchError::Refused(Refusal::Unattended)) => first,
            second => second,
        }
    }

    async fn start_once(&self, start: Start) -> Result<Started, LaunchError> {
        let session = Duration::from_secs(policy::read().await.session_timeout().into());
        let answer = async {
            let mut channel = self.ask(&Request::Start(Box::new(start))).await?;
            match channel.receive().await? {
                Reply::Started(started) => Ok(started),
                Reply::NotStarted { reason, text } => Err(LaunchError::NotStarted { reason, text }),
                Reply::Refused(refusal) => Err(LaunchError::Refused(refusal)),
                _ => Err(LaunchError::Malformed),
            }
        };
        timeout(session * 2 + MARGIN, answer)
            .await
            .map_err(|_| LaunchError::TimedOut("the start of a server"))?
    }

    /// Makes every ticket of a user void that was issued up to now, and forgets the one that is kept here. Servers run on.
    ///
    /// # Errors
    /// [`LaunchError`]; the ticket that was kept here is gone all the same.
    pub async fn revoke(&self, uid: u32) -> Result<(), LaunchError> {
        let deleted = self.0.tickets.delete(uid).await;
        let answer = async {
            match self.ask(&Request::Revoke { uid }).await?.receive().await? {
                Reply::Revoked => Ok(()),
                Reply::Refused(refusal) => Err(LaunchError::Refused(refusal)),
                _ => Err(LaunchError::Malformed),
            }
        };
        timeout(LONGEST_WAIT, answer).await.map_err(|_| LaunchError::TimedOut("the revocation"))??;
        Ok(deleted?)
    }

    async fn ask(&self, request: &Request) -> Result<Channel, LaunchError> {
        let mut channel = Channel::open(&self.0.way).await?;
        channel.send(&request.encode()).await?;
        Ok(channel)
    }
}

/// Whether the ticket is at fault, and nothing but a new login makes it good.
fn is_of_ticket(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::TicketForged
            | Refusal::TicketExpired
            | Refusal::TicketOfEarlierBoot
            | Refusal::TicketRevoked
    )
}
