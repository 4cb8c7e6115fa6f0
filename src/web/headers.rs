//! Headers of every answer of the hub (pages.md 2.5, rest-api.md 1.8, cookies-xsrf.md 10).

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use log::warn;

use super::error::PageError;
use super::pages::visitor::hub_of;
use super::state::WebSettings;

/// The version of the contract that clients compare with theirs; our own is in `GET <hub>api/info`.
pub const CONTRACT_VERSION: &str = "6.1.1";

const CONTRACT: HeaderValue = HeaderValue::from_static(CONTRACT_VERSION);
const VERSION: HeaderName = HeaderName::from_static("x-jupyterhub-version");
const ALLOWED: HeaderValue = HeaderValue::from_static("accept, content-type, authorization");
/// Windows that other sites open, or that open them, get no hold of the hub's pages (SEC-023).
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// Adds what an answer does not have yet; `hub.headers` replace what it has.
///
/// # Errors
/// Those of the service, unchanged.
pub async fn add<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let hub = hub_of(request.request()).map_err(PageError::from)?;
    let place = Place::of(request.path(), &hub.settings);
    let mut response = next.call(request).await?;
    apply(&hub.settings, place, response.headers_mut());
    Ok(response)
}

/// What an answer may load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A page: style sheet, scripts and pictures of the hub itself. Operators' pictures may come from elsewhere, and
    /// their markup may have `style` attributes; neither scripts nor style sheets may stand in the page: the latter could
    /// read what forms hold.
    Page,
    /// The REST API: nothing.
    Api,
}

impl Place {
    fn of(path: &str, settings: &WebSettings) -> Self {
        let below_hub = path.strip_prefix(settings.hub_prefix.as_str()).unwrap_or_default();
        let is_api = below_hub == "api" || below_hub.starts_with("api/");
        // pages that live below the API's prefix
        let is_page = below_hub.starts_with("api/oauth2/authorize") || below_hub == "api/docs";
        if is_api && !is_page { Self::Api } else { Self::Page }
    }

    const fn policy(self) -> &'static str {
        match self {
            Self::Page => {
                "default-src 'self'; img-src 'self' data: https:; style-src 'self'; style-src-attr 'unsafe-inline'; script-src 'self'; \
                 object-src 'none'; base-uri 'none'"
            }
            Self::Api => "default-src 'none'",
        }
    }
}

fn apply(settings: &WebSettings, place: Place, headers: &mut HeaderMap) {
    let policy =
        format!("frame-ancestors 'none'; report-uri {}; {}", settings.csp_report_uri, place.policy());
    let sharing = match place {
        // what no script of another origin may read, none may draw into its process either (SEC-020)
        Place::Api => Some(SAME_ORIGIN),
        Place::Page => None,
    };
    let usual = [
        (RESOURCE_POLICY, sharing),
        (VERSION, Some(CONTRACT)),
        (ACCESS_CONTROL_ALLOW_HEADERS, Some(ALLOWED)),
        (X_CONTENT_TYPE_OPTIONS, Some(NOSNIFF)),
        (OPENER_POLICY, Some(SAME_ORIGIN).filter(|_| place == Place::Page)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).ok()),
    ];
    for (name, value) in usual {
        if let (Some(value), false) = (value, headers.contains_key(&name)) {
            headers.insert(name, value);
        }
    }
    for (name, value) in &settings.headers {
        match (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => headers.insert(name, value),
            _ => {
                warn!(header = name.as_str(); "an entry of hub.headers cannot be sent");
                continue;
            }
        };
    }
}
