//! One order, from the account to the certificate.

use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationHandle, AuthorizationStatus, ChallengeType, ExternalAccountKey,
    Identifier, NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::super::client::{ClientTls, ClientTlsOptions};
use super::cache::Cache;
use super::error::AcmeError;
use super::http::Http;
use super::options::{AcmeOptions, Challenge};
use super::shown::{Proof, Shown};

const ORDER_TIMEOUT: Duration = Duration::from_secs(300);
const POLL: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(250)).backoff(1.5).timeout(ORDER_TIMEOUT);

/// Places orders with one authority.
pub(super) struct Orders {
    directory: String,
    contacts: Vec<String>,
    domains: Vec<String>,
    external: Option<ExternalAccountKey>,
    trust: Arc<ClientTls>,
}

impl Orders {
    pub(super) fn new(options: &AcmeOptions) -> Result<Self, AcmeError> {
        let external = options.external_account.as_ref().map(|account| {
            let key = from_base64url(account.key.as_bytes()).ok_or(AcmeError::ExternalKey)?;
            Ok::<_, AcmeError>(ExternalAccountKey::new(account.id.clone(), &key))
        });
        let contact = |address: &String| match address.contains(':') {
            true => address.clone(),
            false => format!("mailto:{address}"),
        };
        Ok(Self {
            directory: options.directory.to_string(),
            contacts: options.contacts.iter().map(contact).collect(),
            domains: options.domains.clone(),
            external: external.transpose()?,
            trust: ClientTls::load(ClientTlsOptions { ca: options.ca.clone(), ..Default::default() })?,
        })
    }

    /// A new key and a chain for it, in one PEM text.
    pub(super) async fn obtain(
        &self,
        challenge: Challenge,
        shown: &Arc<Shown>,
        cache: &Cache,
    ) -> Result<Zeroizing<String>, AcmeError> {
        let obtained = timeout(ORDER_TIMEOUT, async {
            let mut order = self.order(cache).await?;
            self.complete(&mut order, challenge, shown).await
        });
        obtained.await.unwrap_or(Err(AcmeError::Late))
    }

    /// A new order, with a new account if the authority has forgotten ours.
    async fn order(&self, cache: &Cache) -> Result<Order, AcmeError> {
        let names: Vec<Identifier> = self.domains.iter().cloned().map(Identifier::Dns).collect();
        let order = NewOrder::new(&names);
        if let Some(account) = self.known_account(cache).await? {
            match account.new_order(&order).await.map_err(AcmeError::from) {
                Err(error) if error.is_unknown_account() => {
                    log::warn!("the authority does not know our account any more; making a new one");
                }
                result => return result,
            }
        }
        let account = self.new_account(cache).await?;
        Ok(account.new_order(&order).await?)
    }

    async fn known_account(&self, cache: &Cache) -> Result<Option<Account>, AcmeError> {
        let Some(json) = cache.account()? else { return Ok(None) };
        let Ok(credentials) = serde_json::from_str::<AccountCredentials>(&json) else {
            log::warn!("the cached account cannot be read; making a new one");
            return Ok(None);
        };
        let builder = Account::builder_with_http(Box::new(Http(Arc::clone(&self.trust))));
        Ok(Some(builder.from_credentials(credentials).await?))
    }

    async fn new_account(&self, cache: &Cache) -> Result<Account, AcmeError> {
        let contact: Vec<&str> = self.contacts.iter().map(String::as_str).collect();
        let wanted =
            NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let builder = Account::builder_with_http(Box::new(Http(Arc::clone(&self.trust))));
        let (account, credentials) =
            builder.create(&wanted, self.directory.clone(), self.external.as_ref()).await?;
        let json = serde_json::to_string(&credentials).map(Zeroizing::new);
        cache.save_account(&json.map_err(instant_acme::Error::from)?)?;
        Ok(account)
    }

    async fn complete(
        &self,
        order: &mut Order,
        challenge: Challenge,
        shown: &Arc<Shown>,
    ) -> Result<Zeroizing<String>, AcmeError> {
        let proofs = prove_all(order, challenge, shown).await?;
        match order.poll_ready(&POLL).await {
            Ok(OrderStatus::Ready) => {}
            Ok(_) | Err(instant_acme::Error::Api(_)) => return Err(refusal(order).await),
            Err(error) => return Err(error.into()),
        }
        drop(proofs);
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(self.domains.clone())?;
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(&key)?;
        order.finalize_csr(request.der()).await?;
        let chain = order.poll_certificate(&POLL).await?;
        let key = Zeroizing::new(key.serialize_pem());
        Ok(Zeroizing::new([key.as_str(), chain.as_str()].concat()))
    }
}

/// Puts all proofs on show and asks the authority to look.
async fn prove_all(
    order: &mut Order,
    challenge: Challenge,
    shown: &Arc<Shown>,
) -> Result<Vec<Proof>, AcmeError> {
    let mut proofs = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let authorization = authorization?;
        match authorization.status {
            AuthorizationStatus::Valid => {}
            AuthorizationStatus::Pending => proofs.push(prove(authorization, challenge, shown).await?),
            _ => return Err(AcmeError::Refused(failures_of(&authorization))),
        }
    }
    Ok(proofs)
}

async fn prove(
    mut authorization: AuthorizationHandle<'_>,
    challenge: Challenge,
    shown: &Arc<Shown>,
) -> Result<Proof, AcmeError> {
    let name = authorization.identifier().to_string();
    let kind = match challenge {
        Challenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
        Challenge::Http01 => ChallengeType::Http01,
    };
    let not_offered = || AcmeError::NotOffered { challenge: challenge.name(), name: name.clone() };
    let mut offered = authorization.challenge(kind).ok_or_else(not_offered)?;
    let proof = shown.prove(challenge, &name, &offered.token, &offered.key_authorization())?;
    offered.set_ready().await?;
    Ok(proof)
}

/// Asks the authority what it did not like.
async fn refusal(order: &mut Order) -> AcmeError {
    let mut reasons = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let Ok(mut authorization) = authorization else { continue };
        if authorization.refresh().await.is_ok() {
            reasons.push(failures_of(&authorization));
        }
    }
    reasons.retain(|reason| !reason.is_empty());
    if reasons.is_empty() {
        let error = order.state().error.as_ref().map(ToString::to_string);
        reasons.push(error.unwrap_or_else(|| "it gives no reason".to_owned()));
    }
    AcmeError::Refused(reasons.join("; "))
}

fn failures_of(authorization: &AuthorizationHandle<'_>) -> String {
    let problems = authorization.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
    let name = authorization.identifier();
    let texts: Vec<String> = problems.map(|problem| format!("{name}: {problem}")).collect();
    texts.join("; ")
}

/// Base64url with or without padding; authorities show the key in this form.
fn from_base64url(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text.trim_ascii().iter().filter(|letter| **letter != b'=') {
        held = held << 6 | u32::from(digit(*letter)?);
        bits = bits.saturating_add(6);
        if bits >= 8 {
            bits = bits.saturating_sub(8);
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'-' | b'+' => Some(62),
        b'_' | b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_external_accounts_are_read_in_any_form_of_base64() {
        let key = |text: &str| from_base64url(text.as_bytes()).map(|bytes| bytes.to_vec());
        assert_eq!(key("aGVsbG8"), Some(b"hello".to_vec()));
        assert_eq!(key("aGVsbG8=\n"), Some(b"hello".to_vec()));
        assert_eq!(key("-_-_"), key("+/+/"));
        assert_eq!(key("-_-_"), Some(vec![0xfb, 0xff, 0xbf]));
        assert_eq!((key(""), key("a b"), key("é")), (None, None, None));
    }
}
