//! What one sign-in counts for the limiter: each answer is an attempt of its own, or a module that asks again and again
//! would be a way round the limit (SEC-042).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::auth::{Attempt, Limiter, Wait};

/// The attempts of one sign-in so far. They have failed unless something else is said: one that is broken off before it
/// is decided proves nothing, and may have been a guess.
#[derive(Debug)]
pub(super) struct Attempts {
    limiter: Arc<Limiter>,
    open: Vec<Attempt>,
}

impl Attempts {
    /// Begins with the first one.
    pub(super) fn begin(limiter: &Arc<Limiter>, account: &str, address: IpAddr) -> Result<Self, Wait> {
        let first = limiter.begin(account, address, Instant::now())?;
        Ok(Self { limiter: Arc::clone(limiter), open: vec![first] })
    }

    /// One more.
    pub(super) fn again(&mut self, account: &str, address: IpAddr) -> Result<(), Wait> {
        self.open.push(self.limiter.begin(account, address, Instant::now())?);
        Ok(())
    }

    /// All were right.
    pub(super) fn succeeded(mut self) {
        let last = self.open.pop();
        self.open.drain(..).for_each(|attempt| self.limiter.undecided(&attempt));
        if let Some(last) = last {
            self.limiter.succeeded(&last, Instant::now());
        }
    }

    /// Nobody can say whether they were right.
    pub(super) fn undecided(mut self) {
        self.open.drain(..).for_each(|attempt| self.limiter.undecided(&attempt));
    }
}

impl Drop for Attempts {
    fn drop(&mut self) {
        let now = Instant::now();
        self.open.drain(..).for_each(|attempt| self.limiter.failed(&attempt, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::auth::RateLimitConfig;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn limiter() -> Arc<Limiter> {
        Arc::new(Limiter::new(&RateLimitConfig {
            per_account: 3,
            per_address: 4,
            ..RateLimitConfig::default()
        }))
    }

    #[test]
    fn sec_042_every_answer_of_a_sign_in_that_fails_counts() {
        let limiter = limiter();
        let mut attempts = Attempts::begin(&limiter, "ada", HOME).unwrap();
        attempts.again("ada", HOME).unwrap();
        attempts.again("ada", HOME).unwrap();
        assert!(attempts.again("ada", HOME).is_err(), "the fourth has to wait");
        drop(attempts);
        assert!(Attempts::begin(&limiter, "ada", HOME).is_err());
        drop(Attempts::begin(&limiter, "bob", HOME).unwrap());
        assert!(Attempts::begin(&limiter, "eve", HOME).is_err(), "the address failed four times");
    }

    #[test]
    fn a_sign_in_of_many_answers_that_succeeds_counts_nothing() {
        let limiter = limiter();
        for _ in 0..20 {
            let mut attempts = Attempts::begin(&limiter, "ada", HOME).unwrap();
            attempts.again("ada", HOME).unwrap();
            attempts.again("ada", HOME).unwrap();
            attempts.succeeded();
        }
        let mut attempts = Attempts::begin(&limiter, "ada", HOME).unwrap();
        attempts.again("ada", HOME).unwrap();
        attempts.undecided();
        assert!(Attempts::begin(&limiter, "ada", HOME).is_ok());
    }
}
