//! All routes in a file of memory: for a successor, and for systemd to keep across a crash.
//!
//! Each route is a line of JSON, and so is each that was removed; the last line of a key counts. The whole table is written
//! into the half that is not in use, and only then made valid by sixteen bytes at the start. So there is a whole table in
//! the file at any moment, whenever this process ends.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, memfd_create};
use serde_json::{Value, json};

use crate::route::{Matching, Route};
use crate::table::RouteTable;

/// Where the halves begin: far apart, since the file has no size but what is written.
const HALVES: [u64; 2] = [4096, 1 << 40];
/// Lines beyond the table itself that are not worth writing the table anew.
const SLACK: u64 = 64 * 1024;

/// The file.
#[derive(Debug)]
pub(super) struct RouteFile {
    file: File,
    half: usize,
    /// Bytes in use, and how many of them the whole table took.
    length: u64,
    whole: u64,
}

impl RouteFile {
    /// A new file without routes.
    pub(super) fn new() -> io::Result<Self> {
        let file = memfd_create("orrery-proxy-routes", MemfdFlags::CLOEXEC)?;
        let file = Self { file: file.into(), half: 0, length: 0, whole: 0 };
        file.validate()?;
        Ok(file)
    }

    /// A file that another process has written, and its routes.
    pub(super) fn open(file: File, matching: Matching) -> io::Result<(Self, Vec<Arc<Route>>)> {
        let mut header = [0; 16];
        file.read_exact_at(&mut header, 0)?;
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        let (half, length) = header.split_at(8);
        let (half, length) = (usize::try_from(number(half)).unwrap_or(usize::MAX), number(length));
        let malformed = || io::Error::new(io::ErrorKind::InvalidData, "this is no file of routes");
        let start = *HALVES.get(half).ok_or_else(malformed)?;
        let mut text = vec![0; usize::try_from(length).map_err(|_| malformed())?];
        file.read_exact_at(&mut text, start)?;
        Ok((Self { file, half, length, whole: length }, routes(&text, matching)))
    }

    /// Writes the whole table.
    pub(super) fn write(&mut self, table: &RouteTable) -> io::Result<()> {
        let mut text = Vec::new();
        for route in table.iter() {
            text.extend_from_slice(line_of(route).as_bytes());
        }
        let (before, next) = (self.half, 1 - self.half.min(1));
        let [_, start] = [before, next].map(|half| HALVES.get(half).copied().unwrap_or_default());
        self.file.write_all_at(&text, start)?;
        (self.half, self.length) = (next, u64::try_from(text.len()).unwrap_or_default());
        self.whole = self.length;
        self.validate()?;
        // Only to save memory.
        let unused = HALVES.get(before).copied().unwrap_or_default();
        let _ = fallocate(
            &self.file,
            FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
            unused,
            HALVES[1] - HALVES[0],
        );
        Ok(())
    }

    /// Adds the line of one route.
    pub(super) fn add(&mut self, route: &Route) -> io::Result<()> {
        self.append(&line_of(route))
    }

    /// Adds that a key has no route any more.
    pub(super) fn remove(&mut self, key: &str) -> io::Result<()> {
        self.append(&format!("{}\n", json!({ "removed": key })))
    }

    /// Whether it holds much that counts no more.
    pub(super) fn is_worn(&self) -> bool {
        self.length > self.whole * 2 + SLACK
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        let start = HALVES.get(self.half).copied().unwrap_or_default();
        self.file.write_all_at(line.as_bytes(), start + self.length)?;
        self.length += u64::try_from(line.len()).unwrap_or_default();
        self.validate()
    }

    /// Makes what was written count.
    fn validate(&self) -> io::Result<()> {
        let half = u64::try_from(self.half).unwrap_or_default();
        self.file.write_all_at(&[half.to_le_bytes(), self.length.to_le_bytes()].concat(), 0)
    }
}

impl AsFd for RouteFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// What tells a route in full; [`route_of`] reads it.
pub(super) fn entry_of(route: &Route) -> Value {
    json!({
        "key": route.key(),
        "target": route.target(),
        "data": route.data(),
        "last_activity": route.last_activity_ms(),
    })
}

/// The route that [`entry_of`] tells of.
pub(super) fn route_of(entry: &Value, matching: Matching) -> Option<Arc<Route>> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let data = entry.get("data").cloned().unwrap_or_default();
    let route = Route::from_key(matching, text("key")?, text("target")?, data).ok()?;
    if let Some(millis) = entry.get("last_activity").and_then(Value::as_u64) {
        route.was_last_used(millis);
    }
    Some(route)
}

fn line_of(route: &Route) -> String {
    format!("{}\n", entry_of(route))
}

fn routes(text: &[u8], matching: Matching) -> Vec<Arc<Route>> {
    let mut found: Vec<(String, Option<Arc<Route>>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Ok(entry) = serde_json::from_slice::<Value>(line) else { continue };
        let named = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        let (key, route) = match named("removed") {
            Some(key) => (key, None),
            None => (named("key").unwrap_or_default(), route_of(&entry, matching)),
        };
        match places.get(&key).and_then(|place: &usize| found.get_mut(*place)) {
            Some(before) => before.1 = route,
            None => {
                places.insert(key.clone(), found.len());
                found.push((key, route));
            }
        }
    }
    found.into_iter().filter_map(|(_, route)| route).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Routes;

    fn add(routes: &Routes, key: &str, target: &str) {
        routes.add(Route::from_key(Matching::Path, key, target, json!({ "user": key })).unwrap());
    }

    fn read(file: &RouteFile) -> Vec<String> {
        let (_, routes) = RouteFile::open(file.file.try_clone().unwrap(), Matching::Path).unwrap();
        routes.iter().map(|route| format!("{} {}", route.key(), route.target())).collect()
    }

    #[test]
    fn routes_come_back_with_target_data_and_activity() {
        let routes = Routes::default();
        add(&routes, "/user/a b@c", "http://h:1");
        add(&routes, "/", "http://h:2");
        let mut file = RouteFile::new().unwrap();
        assert!(read(&file).is_empty());
        routes.load().get_key("/").unwrap().was_last_used(1_000);
        file.write(&routes.load()).unwrap();
        let (mut again, found) = RouteFile::open(file.file.try_clone().unwrap(), Matching::Path).unwrap();
        assert_eq!(read(&again), ["/ http://h:2", "/user/a b@c http://h:1"]);
        let root = &found[0];
        assert_eq!((root.last_activity_ms(), root.data()), (1_000, &json!({ "user": "/" })));
        again.write(&RouteTable::default()).unwrap();
        assert!(read(&again).is_empty());
    }

    #[test]
    fn the_last_line_of_a_key_counts_and_half_a_line_does_not() {
        let routes = Routes::default();
        let mut file = RouteFile::new().unwrap();
        for (key, target) in [("/a", "http://h:1"), ("/b", "http://h:2"), ("/a", "http://h:3")] {
            add(&routes, key, target);
            file.add(routes.load().get_key(key).unwrap()).unwrap();
        }
        file.remove("/b").unwrap();
        assert_eq!(read(&file), ["/a http://h:3"]);
        file.append("{\"key\": \"/c\", \"tar").unwrap();
        assert_eq!(read(&file), ["/a http://h:3"]);
        assert!(!file.is_worn());
        while !file.is_worn() {
            file.remove("/none").unwrap();
        }
        file.write(&routes.load()).unwrap();
        assert!(!file.is_worn() && read(&file) == ["/a http://h:3", "/b http://h:2"]);
    }

    #[test]
    fn another_file_is_refused() {
        let file: File = memfd_create("x", MemfdFlags::CLOEXEC).unwrap().into();
        assert!(RouteFile::open(file.try_clone().unwrap(), Matching::Path).is_err());
        file.write_all_at(&[9; 32], 0).unwrap();
        assert!(RouteFile::open(file, Matching::Path).is_err());
    }
}
