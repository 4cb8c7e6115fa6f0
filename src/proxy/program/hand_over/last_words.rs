//! After a hand-over: the old process tells when its connections use a route, so that nobody takes a server for idle; the
//! successor tells which routes have changed, so that the last requests on old connections go where they should.

use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd;

use serde_json::{Map, Value, json};

use super::channel::{self, Channel};
use crate::program::route_file::{entry_of, route_of};
use crate::route::{Matching, Route};
use crate::table::Routes;

/// Bytes of keys in one message; the longest key has its own.
const PIECE: usize = super::LONGEST / 4;

/// What the old process says and hears.
pub(in crate::program) struct LastWords {
    channel: Channel,
    routes: Routes,
    matching: Matching,
    told: HashMap<String, u64>,
}

impl LastWords {
    pub(in crate::program) fn new(channel: Channel, routes: Routes, matching: Matching) -> Self {
        let told = routes.load().iter().map(|route| (route.key(), route.last_activity_ms())).collect();
        Self { channel, routes, matching, told }
    }

    /// Tells which routes were used since the last time.
    pub(in crate::program) async fn tell(&mut self) -> io::Result<()> {
        let (mut piece, mut size) = (Map::new(), 0);
        let table = self.routes.load().clone();
        for route in table.iter() {
            let (key, now) = (route.key(), route.last_activity_ms());
            let before = self.told.insert(key.clone(), now);
            if before.is_some_and(|before| before >= now) {
                continue;
            }
            size += key.len();
            piece.insert(key, now.into());
            if size > PIECE {
                self.channel.send(&json!({ "used": std::mem::take(&mut piece) })).await?;
                size = 0;
            }
        }
        if !piece.is_empty() {
            self.channel.send(&json!({ "used": piece })).await?;
        }
        Ok(())
    }

    /// Waits for a change and makes it; false when the successor is gone.
    pub(in crate::program) async fn hear(&self) -> bool {
        let Ok(Some(message)) = self.channel.receive().await else { return false };
        if let Some(key) = message.get("removed").and_then(Value::as_str) {
            self.routes.remove_key(key);
        } else if let Some(route) = message.get("route").and_then(|entry| route_of(entry, self.matching)) {
            self.routes.add(route);
        }
        true
    }
}

/// Tells an old process of a changed route. It is not waited for: what it does not take is lost to its last requests only.
pub(in crate::program) fn changed(elder: &Channel, route: &Route) {
    let message = json!({ "route": entry_of(route) });
    match message.to_string().len() > super::LONGEST {
        true => removed(elder, &route.key()),
        false => say(elder, &message),
    }
}

/// Tells an old process of a route that is gone.
pub(in crate::program) fn removed(elder: &Channel, key: &str) {
    say(elder, &json!({ "removed": key }));
}

fn say(elder: &Channel, message: &Value) {
    if let Err(error) = channel::send_now(elder.as_fd(), message) {
        log::debug!(error:%; "an earlier process was not told of a route");
    }
}

/// Hears from an old process which routes it uses, until it has ended.
pub(in crate::program) async fn listen(elder: &Channel, routes: &Routes) {
    while let Ok(Some(message)) = elder.receive().await {
        let Some(used) = message.get("used").and_then(Value::as_object) else { continue };
        let table = routes.load();
        for (key, millis) in used {
            if let (Some(route), Some(millis)) = (table.get_key(key), millis.as_u64()) {
                route.touch_at(millis);
            }
        }
    }
}
