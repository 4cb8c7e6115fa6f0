//! Lets somebody sign in: one PAM transaction, and at its end a ticket for whoever PAM says it was.

use std::net::IpAddr;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use orrery_wire::{Account as Told, Denial, Login, Policy, Refusal, Reply};
use pam_client::ErrorCode;

use crate::account::Account;
use crate::channel::Channel;
use crate::conversation::{Ended, Talk};
use crate::deadline::Deadline;
use crate::denial::Denied;
use crate::pam::{Failure, Pam, Subject};
use crate::{log, sys, ticket};

/// After the deadline, a module that hangs is given no more than this.
const GRACE: Duration = Duration::from_secs(1);
/// A no comes at a multiple of this after the last answer, unless modules ask for longer.
const SHORTEST_DELAY: Duration = Duration::from_secs(1);

/// Lets somebody sign in.
pub(crate) fn run(channel: &mut Channel, policy: &Policy, login: &Login) -> Result<ExitCode, Refusal> {
    if !policy.admits_service(&login.service) {
        return Err(Refusal::Service);
    }
    if !login.check_account && !policy.skip_account_check {
        return Err(Refusal::AccountCheck);
    }
    let time = Duration::from_secs(u64::from(policy.login_timeout));
    let _kill = Deadline::after(time.saturating_add(GRACE)).map_err(|_| Refusal::System)?;
    channel.end_by(Instant::now().checked_add(time).ok_or(Refusal::System)?);

    let outcome = sign_in(channel, policy, login).and_then(|account| accept(policy, &account));
    let reply = match outcome {
        Ok(told) => {
            log::info(&format!("Accepted login for {}: uid {}", of_whom(&told.name, login), told.uid));
            Reply::Accepted(told)
        }
        Err(denied) => {
            log_denied(login, &denied);
            Reply::Denied { reason: denied.reason, text: denied.text }
        }
    };
    let accepted = matches!(reply, Reply::Accepted(_));
    // A hub that is gone cannot be told; its ticket dies with this process.
    let sent = channel.send(&reply).is_ok();
    Ok(if accepted && sent { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn accept(policy: &Policy, account: &Account) -> Result<Told, Denied> {
    let groups =
        account.groups().map_err(|error| Denied::system(format!("groups cannot be found: {error}")))?;
    let ticket = ticket::mint(account.uid, policy.ticket_lifetime)
        .map_err(|error| Denied::system(format!("no ticket can be made: {error}")))?;
    Ok(Told { name: account.name.clone(), uid: account.uid, gid: account.gid, groups, ticket })
}

/// The whole transaction; it has ended when this returns.
fn sign_in(channel: &mut Channel, policy: &Policy, login: &Login) -> Result<Account, Denied> {
    let address = login.remote_host.parse::<IpAddr>().ok().map(|address| address.to_string());
    let subject = Subject {
        user: Some(login.username.as_str()).filter(|name| !name.is_empty()),
        remote_host: address.as_deref(),
        ..Subject::default()
    };
    let begun = Pam::begin(&login.service, &subject, Talk::new(channel));
    let mut pam = begun.map_err(|failure| Denied::system(failure.text))?;
    pam.take_fail_delay().map_err(|failure| Denied::system(failure.text))?;
    let account = match authenticate(&mut pam, policy) {
        Err(denied) => {
            if denied.reason == Denial::Credentials {
                pam.conversation().ask_in_vain();
            }
            delay(&mut pam, policy, &denied);
            return Err(denied);
        }
        Ok(account) => account,
    };
    if login.check_account {
        manage_account(&mut pam, &account)?;
        // What account management was asked about and whom the ticket is for must not differ.
        if canonical(&pam)? != account {
            return Err(Denied::system("a module changed the user during account management"));
        }
    }
    // As the reference does: some modules finish their work here. The result says nothing about the person.
    let _ = pam.reinitialize_credentials();
    Ok(account)
}

/// Who it is: the user that PAM ended with, whatever was typed (SEC-041), if the policy serves their uid.
fn authenticate(pam: &mut Pam<Talk<'_>>, policy: &Policy) -> Result<Account, Denied> {
    pam.authenticate()
        .map_err(|failure| because_ended(pam).unwrap_or_else(|| Denied::by_authentication(&failure)))?;
    let account = canonical(pam)?;
    if account.uid == 0 {
        // Not even that the password was right.
        return Err(Denied::credentials("root does not sign in here"));
    }
    if !policy.admits_uid(account.uid) {
        let text = "This account may not sign in here (launch.policy: uids)";
        let cause = format!("uid {} is not one of the policy's (uids)", account.uid);
        return Err(Denied { reason: Denial::Uid, text: text.to_owned(), cause });
    }
    Ok(account)
}

/// The account of `PAM_USER` as it is now.
fn canonical(pam: &Pam<Talk<'_>>) -> Result<Account, Denied> {
    let name = pam.user().ok_or_else(|| Denied::system("PAM names no user"))?;
    Account::by_name(&name).map_err(|error| Denied {
        reason: Denial::NoAccount,
        text: error.to_string(),
        cause: format!("{error}: {}", log::word(&name)),
    })
}

/// Account management (SEC-040). An expired password is changed and everything asked again: a stack may have left out
/// the modules behind the one that found it expired.
fn manage_account(pam: &mut Pam<Talk<'_>>, account: &Account) -> Result<(), Denied> {
    let today = i64::try_from(ticket::now().unwrap_or(0) / (24 * 3600)).unwrap_or(0);
    let by_account = |failure| Denied::by_account(&failure, account.expired(today));
    match pam.account() {
        Err(Failure { code: ErrorCode::NEW_AUTHTOK_REQD, .. }) => {}
        other => return other.map_err(|failure| refused(pam, by_account(failure))),
    }
    pam.change_expired().map_err(|failure| refused(pam, Denied::by_change(&failure)))?;
    pam.account().map_err(|failure| refused(pam, by_account(failure)))
}

fn refused(pam: &mut Pam<Talk<'_>>, denied: Denied) -> Denied {
    because_ended(pam).unwrap_or(denied)
}

/// A conversation that ended is the reason of whatever a module said next.
fn because_ended(pam: &mut Pam<Talk<'_>>) -> Option<Denied> {
    pam.conversation().ended().map(Denied::conversation)
}

/// Lets a no wait, so that neither guessing is quick nor the time tells whether a password was hashed at all (SEC-043).
fn delay(pam: &mut Pam<Talk<'_>>, policy: &Policy, denied: &Denied) {
    let talk = pam.conversation();
    if denied.reason == Denial::System || talk.ended().is_some_and(|ended| ended != Ended::TooLong) {
        return;
    }
    let period = SHORTEST_DELAY.max(Duration::from_micros(sys::fail_delay()));
    let longest = Duration::from_secs(u64::from(policy.login_timeout)) / 2;
    thread::sleep(until_next(period, talk.since_last_answer()).min(longest));
}

/// The time from `elapsed` to the next multiple of `period`.
fn until_next(period: Duration, elapsed: Duration) -> Duration {
    let over = elapsed.as_nanos().checked_rem(period.as_nanos()).unwrap_or(0);
    period.saturating_sub(Duration::from_nanos(u64::try_from(over).unwrap_or(0)))
}

fn of_whom(name: &str, login: &Login) -> String {
    format!("{} from {}", log::word(name), log::word(&login.remote_host))
}

/// As sshd's lines are: the first words tell failures from logins that were given up.
fn log_denied(login: &Login, denied: &Denied) {
    let whom = of_whom(&login.username, login);
    let cause = &denied.cause;
    match denied.reason {
        Denial::Conversation => log::info(&format!("Unfinished login for {whom}: {cause}")),
        Denial::System => log::warning(&format!("Impossible login for {whom}: {cause}")),
        _ => log::info(&format!("Failed login for {whom}: {cause}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_043_a_no_comes_at_a_multiple_of_the_delay() {
        let until = |period, elapsed| {
            let left = until_next(Duration::from_millis(period), Duration::from_millis(elapsed));
            (left + Duration::from_millis(elapsed)).as_millis()
        };
        assert_eq!(until(1000, 3), 1000);
        assert_eq!(until(1000, 250), 1000);
        assert_eq!(until(1000, 1001), 2000);
        assert_eq!(until(2300, 5000), 6900);
    }
}
