//! Getting in: asks the admission actor, and waits in line if that is what it says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Addr, Context, Handler, Message};
use log::warn;
use tokio::sync::watch;

use super::observed::Observed;
use super::reports::Finding;
use super::{Identity, ServerActor};
use crate::actors::admission::{Admission, Admit, Settled, Turn};
use crate::actors::directory::Progress;
use crate::actors::supervision::Supervision;
use crate::domain::admission::Place;
use crate::domain::names::GroupName;
use crate::domain::server_state::{Event, State};
use crate::store::users;

/// How often to ask again when the admission actor is being replaced, and the pause before.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Seeks admission for a server. A line that was lost with its keeper is joined anew.
pub(super) async fn seek(parts: Arc<Supervision>, identity: Identity, server: Addr<ServerActor>) -> Finding {
    let asked = Instant::now();
    if let Some(why) = parts.board.closed() {
        return Finding::closed(why);
    }
    let groups = groups_of(&parts, &identity).await;
    for _ in 0..TRIES {
        if let Some(why) = parts.board.closed() {
            return Finding::closed(why);
        }
        let admit = Admit { key: identity.key.clone(), groups: Arc::clone(&groups) };
        let admitted = match parts.admission.ask(admit).await {
            Ok(Admission::Admitted) => true,
            Ok(Admission::Refused(refusal)) => {
                Observed::refused(&parts.metrics, refusal.retry_after, asked);
                return Finding { refusal: Some(refusal), ..Event::Refused.into() };
            }
            Ok(Admission::Queued(turn)) => wait(turn, &server).await,
            Err(_) => false,
        };
        if let (true, Some(why)) = (admitted, parts.board.closed()) {
            let key = identity.key.clone();
            parts.admission.tell(Settled { key, running: false, groups: Arc::clone(&groups) });
            return Finding::closed(why);
        }
        if admitted {
            // the house may have closed while it stood in line
            if let Some(why) = parts.board.closed() {
                parts.admission.tell(Settled { key: identity.key.clone(), running: false, groups });
                return Finding::closed(why);
            }
            return Finding { groups: Some(groups), ..Event::Admitted.into() };
        }
        tokio::time::sleep(PAUSE).await;
    }
    Finding::refused("A part of the hub is being restarted; try again in a moment.")
}

/// The owner's groups. Without a database there is no start, but it is not up to the limits to say so.
async fn groups_of(parts: &Supervision, identity: &Identity) -> Arc<[GroupName]> {
    let user = identity.user_id;
    match parts.store.read(move |db| users::groups_of(db, user)).await {
        Ok(groups) => groups.into(),
        Err(failed) => {
            warn!(server:? = identity.key, error:% = failed; "the groups of a server's owner could not be looked up");
            Arc::default()
        }
    }
}

/// Whether the turn came; otherwise the line is lost.
async fn wait(mut turn: watch::Receiver<Turn>, server: &Addr<ServerActor>) -> bool {
    loop {
        let now = *turn.borrow_and_update();
        match now {
            Turn::Admitted => return true,
            Turn::Waiting(place) => server.do_send(Waits(place)),
        }
        if turn.changed().await.is_err() {
            return *turn.borrow() == Turn::Admitted;
        }
    }
}

/// Where the server is in line.
#[derive(Message)]
#[rtype(result = "()")]
struct Waits(Place);

impl Handler<Waits> for ServerActor {
    type Result = ();

    fn handle(&mut self, Waits(place): Waits, _: &mut Context<Self>) {
        if self.state != State::Queued {
            return;
        }
        self.status.send_modify(|status| status.place = Some(place));
        if place.is_news(self.told) {
            self.told = Some(place.ahead);
            self.note(Progress { percent: 5, message: place.sentence() });
        }
    }
}
