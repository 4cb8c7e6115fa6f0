//! A reverse proxy has signed people in, and says who they are in a header.
//!
//! Whoever can reach a port of the hub or of its proxy (on one machine: every local user) can send any header, and the
//! address that a request comes from says nothing: our own proxy passes strangers' requests on from the same one. So the
//! header counts only beside a secret that the reverse proxy adds. A header that came twice counts as not sent: a
//! proxy that appends instead of replacing must not make the stranger's value count.

use super::{Identity, Origin, same};
use crate::config::auth::RemoteUserConfig;
use crate::secret::Secret;

/// Which headers count.
#[derive(Debug)]
pub(super) struct RemoteUser {
    header: String,
    secret: Secret,
    /// Shown to no hook: the secret's header.
    hidden: [String; 1],
}

impl RemoteUser {
    pub(super) fn new(config: &RemoteUserConfig) -> Self {
        Self {
            header: config.header.clone(),
            secret: config.secret.clone(),
            hidden: [config.secret_header.clone()],
        }
    }

    pub(super) fn hidden(&self) -> &[String] {
        &self.hidden
    }

    pub(super) fn decide(&self, origin: &Origin) -> Option<Identity> {
        let [secret_header] = &self.hidden;
        let given = Secret::new(origin.only_header(secret_header)?);
        if self.secret.is_empty() || !same(&self.secret, &given) {
            return None;
        }
        let name = origin.only_header(&self.header)?.trim();
        (!name.is_empty()).then(|| Identity::named(name))
    }
}
