//! Certificates that come and renew themselves (RFC 8555, ACME).
//!
//! [`Acme`] is a [`ServerTls`] whose certificate is ordered from an authority
//! such as Let's Encrypt. It proves that the names are ours in one of two ways:
//! by a special handshake on the public port itself (TLS-ALPN-01, RFC 8737), or
//! by a file over plain HTTP on port 80 (HTTP-01), which whoever listens there
//! gets from [`Acme::http01_answer`].
//!
//! An order that fails never takes a working certificate away: it is tried
//! again later, and later still. Until the first certificate has come,
//! handshakes fail. Names with a wildcard need a proof by DNS, which this does
//! not do, and neither does it revoke anything.

mod cache;
mod error;
mod http;
mod options;
mod order;
mod schedule;
mod shown;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;

pub use error::AcmeError;
pub use options::{AcmeOptions, Challenge, Directory, ExternalAccount};

use super::peer::ClientAuth;
use super::server::{ServerTls, ServerTlsOptions};
use super::validity::unix_now;
use cache::Cache;
use order::Orders;
use shown::{Certificate, Shown};

/// What a certificate authority offers inside TLS when it looks whether a name
/// is ours. Such a connection has done its duty with the handshake: close it.
pub const ACME_PROTOCOL: &[u8] = b"acme-tls/1";

/// The clock may be set and the machine may sleep: look at it this often.
const LOOK: Duration = Duration::from_secs(3600);

/// A certificate that renews itself.
pub struct Acme {
    options: AcmeOptions,
    server: Arc<ServerTls>,
    shown: Arc<Shown>,
    cache: Cache,
    orders: Orders,
}

impl Acme {
    /// Checks the options and takes the certificate of an earlier run from the
    /// cache. Orders nothing yet: [`start`](Self::start) or [`run`](Self::run) do.
    ///
    /// # Errors
    /// What is wrong with the options or the cache.
    pub fn load(options: AcmeOptions, server: ServerTlsOptions) -> Result<Arc<Self>, AcmeError> {
        options.check()?;
        if server.cert.is_some() || server.key.is_some() {
            return Err(AcmeError::Files);
        }
        if server.client_auth == ClientAuth::Require && options.challenges.contains(&Challenge::TlsAlpn01) {
            return Err(AcmeError::ClientAuth);
        }
        let cache = Cache::open(&options)?;
        let orders = Orders::new(&options)?;
        let shown = Arc::new(Shown::default());
        let resolver = Arc::<Shown>::clone(&shown);
        let server = ServerTls::with_resolver(server, resolver, ACME_PROTOCOL)?;
        let acme = Self { options, server, shown, cache, orders };
        acme.take_from_cache();
        Ok(Arc::new(acme))
    }

    /// The port's TLS.
    #[must_use]
    pub fn server(&self) -> Arc<ServerTls> {
        Arc::clone(&self.server)
    }

    /// What to answer to a plain HTTP request for this path: a text, with
    /// status 200. `None` for paths that have nothing to do with it.
    #[must_use]
    pub fn http01_answer(&self, path: &str) -> Option<String> {
        self.shown.http01_answer(path)
    }

    /// Until when the certificate is good that is shown now, if there is one.
    #[must_use]
    pub fn valid_until(&self) -> Option<SystemTime> {
        let certificate = self.shown.certificate()?;
        UNIX_EPOCH.checked_add(Duration::from_secs(certificate.validity.not_after))
    }

    /// Orders and renews on a thread of its own, until the runner is dropped.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(self: &Arc<Self>) -> io::Result<AcmeRunner> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let acme = Arc::clone(self);
        thread::Builder::new().name("acme".to_owned()).spawn(move || {
            runtime.spawn(async move { acme.run().await });
            // Ends with an error when the sender is dropped, which is the sign.
            runtime.block_on(stopped).ok();
        })?;
        Ok(AcmeRunner { _stop: stop })
    }

    /// Orders and renews for ever, inside a tokio runtime of the caller's.
    pub async fn run(&self) {
        let mut failures = 0_u32;
        loop {
            let due = self.shown.certificate().map_or(0, |certificate| certificate.renew_at());
            let left = due.saturating_sub(unix_now());
            if left > 0 {
                tokio::time::sleep(Duration::from_secs(left).min(LOOK)).await;
                continue;
            }
            match Box::pin(self.renew(failures)).await {
                Ok(()) => failures = 0,
                Err(error) => {
                    failures = failures.saturating_add(1);
                    let wait = schedule::back_off(self.options.retry, failures, error.is_rate_limit());
                    self.report(&error, wait);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    async fn renew(&self, failures: u32) -> Result<(), AcmeError> {
        if self.take_from_cache() {
            return Ok(()); // another process of ours has renewed it
        }
        if failures == 0 && self.shown.certificate().is_none() {
            let names = self.options.domains.join(" ");
            log::info!(names:%; "there is no certificate yet: ordering one; HTTPS works when it is here");
        }
        let challenge = self.options.challenge(failures);
        let pem = self.orders.obtain(challenge, &self.shown, &self.cache).await?;
        let certificate = Certificate::from_pem(&self.cache.certificate_path(), &pem)?;
        let (renew_at, days) = (certificate.renew_at(), certificate.validity.span() / 86400);
        self.shown.show(certificate);
        log::info!(names:% = self.options.domains.join(" "), days; "a new certificate is in use");
        if let Err(error) = self.cache.save_certificate(&pem) {
            log::error!(error:%; "the new certificate cannot be kept; a restart would order another");
        }
        // Without this, a wrong clock would order one after the other.
        if renew_at > unix_now() { Ok(()) } else { Err(AcmeError::AlreadyDue) }
    }

    /// Shows the cached certificate if it is better than the present one.
    fn take_from_cache(&self) -> bool {
        let cached = match self.cache.certificate() {
            Ok(Some(cached)) => cached,
            Ok(None) => return false,
            Err(error) => {
                log::warn!(error:%; "the cached certificate is not used");
                return false;
            }
        };
        let present = self.shown.certificate().map_or(0, |present| present.validity.not_after);
        let better = cached.validity.not_after > present;
        if better {
            self.shown.show(cached);
        }
        better
    }

    fn report(&self, error: &AcmeError, wait: Duration) {
        let (names, retry_in) = (self.options.domains.join(" "), wait.as_secs());
        let now = unix_now();
        if self.shown.certificate().is_some_and(|certificate| certificate.validity.contains(now)) {
            log::warn!(names:%, error:%, retry_in; "the certificate is not renewed yet; the present one stays");
        } else {
            log::error!(names:%, error:%, retry_in; "no valid certificate: HTTPS does not work");
        }
    }
}

impl fmt::Debug for Acme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acme").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Orders and renews until it is dropped.
#[derive(Debug)]
pub struct AcmeRunner {
    _stop: oneshot::Sender<()>,
}
