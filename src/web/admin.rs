//! The admin socket: HTTP over a UNIX socket, for `orrery status` and the other commands of operators.
//!
//! No token is needed: the kernel says who connects. Root, the hub's own account, and members of the socket's group are
//! let in, everybody else is refused, even where the socket's permissions would let them connect.

pub(in crate::web) mod explain;
mod members;
mod orders;
mod process;
mod servers;
pub mod status;

use std::any::Any;

use actix_web::body::MessageBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use log::warn;
use tokio::net::UnixStream;

use super::error::{ApiError, Refused};

/// What the admin socket needs to know besides the hub itself.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When the hub was started.
    pub started: DateTime<Utc>,
    /// Where the hub itself listens, as a URL.
    pub hub_url: String,
    /// Where browsers find the hub.
    pub public_url: String,
    /// `sqlite` or `postgresql`.
    pub database: &'static str,
    /// `embedded`, `external` or `child`.
    pub proxy: String,
    /// The group whose members are let in; `None` for nobody but root and the hub's own account.
    pub group: Option<u32>,
}

/// Who is at the other end, as the kernel says.
#[derive(Debug, Clone, Copy)]
struct Peer {
    uid: u32,
    gid: u32,
}

/// Who asks, as the journal writes it: `local:ada`.
#[derive(Debug, Clone)]
struct Operator(String);

impl FromRequest for Operator {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        let found = request.extensions().get::<Self>().cloned();
        std::future::ready(found.ok_or_else(|| Refused::forbidden("nobody knows who you are").into()))
    }
}

/// Keeps who connects; for `HttpServer::on_connect`.
pub fn note_peer(connection: &dyn Any, extensions: &mut Extensions) {
    let stream = connection.downcast_ref::<UnixStream>();
    match stream.map(UnixStream::peer_cred) {
        Some(Ok(peer)) => {
            extensions.insert(Peer { uid: peer.uid(), gid: peer.gid() });
        }
        Some(Err(failed)) => warn!(error:% = failed; "the admin socket does not know who connects"),
        None => {}
    }
}

/// Adds everything that the admin socket answers.
pub fn configure(table: &mut web::ServiceConfig) {
    let routes = web::scope("")
        .wrap(from_fn(admit))
        .route("/status", web::get().to(status::show))
        .route("/servers", web::get().to(servers::list))
        .route("/explain/{user}", web::get().to(explain::show))
        .route("/explain/{user}/{server}", web::get().to(explain::show))
        .route("/reload", web::get().to(orders::preview))
        .route("/reload", web::post().to(orders::reload))
        .route("/maintenance", web::post().to(orders::close))
        .route("/maintenance", web::delete().to(orders::open))
        .route("/announcement", web::post().to(orders::announce))
        .route("/announcement", web::delete().to(orders::withdraw))
        .default_service(web::to(unknown));
    table.service(routes);
}

async fn unknown() -> Result<HttpResponse, ApiError> {
    Err(Refused::not_found("the hub does not know this command; is the program newer than the hub?").into())
}

/// Lets operators in, and nobody else.
async fn admit<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let peer = request.conn_data::<Peer>().copied();
    let group = request.app_data::<web::Data<Facts>>().and_then(|facts| facts.group);
    let peer = peer.ok_or_else(|| ApiError::from(Refused::forbidden("nobody knows who you are")))?;
    // accounts may come from a directory server, which takes its time
    let known = web::block(move || members::operator(peer.uid, peer.gid, group));
    let known = known.await.map_err(|failed| ApiError::from(Refused::internal(&failed)))?;
    let Some(name) = known else {
        warn!(uid = peer.uid; "refused at the admin socket");
        let refused =
            Refused::forbidden("only root, the hub's own account and members of the socket's group");
        return Err(ApiError::from(refused).into());
    };
    request.extensions_mut().insert(Operator(format!("local:{name}")));
    next.call(request).await
}
