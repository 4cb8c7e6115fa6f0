//! What the server uses, as the rounds find it.

use std::time::Instant;

use actix::{Context, Handler, Message};
use log::warn;
use serde_json::json;

use super::{Begin, ServerActor};
use crate::domain::usage::Usage;

/// How the journal calls the end of a process at the memory limit, while the server itself lives on.
const MEMORY_KILL: &str = "server.memory-kill";

/// This process of yours uses that much.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Used {
    pub(crate) pid: i32,
    pub(crate) usage: Usage,
}

impl Handler<Used> for ServerActor {
    type Result = ();

    fn handle(&mut self, Used { pid, usage }: Used, _: &mut Context<Self>) {
        if self.running.as_ref().is_none_or(|running| running.id().pid != pid) {
            return;
        }
        let now = Instant::now();
        let same = self.looked.filter(|(_, of)| *of == pid);
        let before = self.status.borrow().usage.filter(|_| same.is_some());
        let usage = same.map_or(usage, |(at, _)| usage.since(before.as_ref(), now - at));
        // an adopted server may have had its kills, and their records, in the time of an earlier hub
        let known = match (before, self.begin) {
            (Some(before), _) => before.memory_kills,
            (None, Begin::Check) => usage.memory_kills,
            (None, Begin::Idle) => 0,
        };
        if usage.memory_kills > known {
            self.record_kill(&usage, usage.memory_kills - known);
        }
        self.looked = Some((now, pid));
        self.status.send_modify(|status| status.usage = Some(usage));
    }
}

impl ServerActor {
    /// Somebody's kernel was killed, and the server lives on (SEC-086).
    fn record_kill(&self, usage: &Usage, count: u32) {
        let key = &self.identity.key;
        let message = usage.warning().unwrap_or_default();
        warn!(server:? = key, count, limit = usage.memory_limit; "processes of a server were killed at its memory limit");
        self.parts.metrics.memory_kills(count);
        let detail = json!({
            "message": message,
            "count": count,
            "memory_limit": usage.memory_limit,
        });
        self.parts.journal.record("hub", MEMORY_KILL, &format!("server:{}", key.full_name()), Some(detail));
    }
}
