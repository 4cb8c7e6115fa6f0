//! The route table: an immutable snapshot, and the one place it is published.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use crate::children::Children;
use crate::host;
use crate::path::{normalise, walk};
use crate::route::{Matching, Route, decoded_segments, segments_of_key};

/// An immutable set of routes, found by longest prefix on whole segments.
///
/// A copy with one route more or less shares all nodes off the path to it.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    root: Node,
    len: usize,
}

#[derive(Debug, Default)]
struct Node {
    route: Option<Arc<Route>>,
    children: Children<Node>,
}

// Of the node itself: its children stay shared.
impl Clone for Node {
    fn clone(&self) -> Self {
        Self { route: self.route.clone(), children: self.children.clone() }
    }
}

impl RouteTable {
    /// Builds a snapshot. Of two routes with the same decoded prefix the later
    /// one counts.
    pub fn new(routes: impl IntoIterator<Item = Arc<Route>>) -> Self {
        let mut table = Self::default();
        for route in routes {
            table.insert(route);
        }
        table
    }

    /// The route with the longest prefix of `path` (as received, without its
    /// query): dot segments resolved, each segment decoded, `%2F` a separator.
    /// Allocates only for a path that has dot segments or backslashes.
    pub fn find(&self, path: &str) -> Option<&Arc<Route>> {
        self.find_normalised(&normalise(path))
    }

    /// [`find`](Self::find) with host routing (proxy.md section 7): routes are
    /// looked for behind the host, which is the `Host` field as received, and `/`
    /// is the last resort of every host. Without a host the path alone counts.
    pub fn find_for(&self, host: Option<&str>, path: &str) -> Option<&Arc<Route>> {
        self.find_normalised_for(host, &normalise(path))
    }

    /// [`find`](Self::find) for a path that went through `path::normalise`.
    pub(crate) fn find_normalised(&self, path: &str) -> Option<&Arc<Route>> {
        self.root.descend(path)
    }

    /// [`find_for`](Self::find_for) for a path that went through `path::normalise`.
    pub(crate) fn find_normalised_for(&self, host: Option<&str>, path: &str) -> Option<&Arc<Route>> {
        let Some(host) = host else {
            return self.find_normalised(path);
        };
        let below = self.root.children.get(host::of_field(host).as_bytes());
        below.and_then(|node| node.descend(path)).or(self.root.route.as_ref())
    }

    /// The route of exactly this spec, in any escaping, with or without its
    /// final `/`.
    pub fn get(&self, spec: &str) -> Option<&Arc<Route>> {
        self.get_exactly(&spec.starts_with('/').then(|| decoded_segments(spec))?)
    }

    /// The route of exactly this [key](Route::key).
    pub fn get_key(&self, key: &str) -> Option<&Arc<Route>> {
        self.get_exactly(&segments_of_key(key))
    }

    fn get_exactly(&self, segments: &[Box<[u8]>]) -> Option<&Arc<Route>> {
        let exact = self.root.at(segments).and_then(|node| node.route.as_ref());
        exact.or_else(|| {
            // A host may be written in several ways.
            let (host, rest) = segments.split_first()?;
            let node = self.root.children.get(&host::of_segment(host))?;
            node.at(rest)?.route.as_ref().filter(|route| route.matching() == Matching::Host)
        })
    }

    /// All routes, sorted by spec.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Route>> {
        let mut sorted = Vec::with_capacity(self.len);
        self.root.collect(&mut sorted);
        sorted.sort_by(|a, b| a.spec().cmp(b.spec()));
        sorted.into_iter()
    }

    /// How many routes there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no route.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn insert(&mut self, route: Arc<Route>) {
        let segments: Vec<&[u8]> = route.segments().iter().map(AsRef::as_ref).collect();
        self.len += self.root.insert(&segments, &route);
    }

    /// Takes out the route at exactly these segments.
    fn remove(&mut self, segments: &[Box<[u8]>]) {
        let segments: Vec<&[u8]> = segments.iter().map(AsRef::as_ref).collect();
        self.len -= self.root.remove(&segments);
    }
}

impl Node {
    fn descend(&self, path: &str) -> Option<&Arc<Route>> {
        if !path.starts_with('/') {
            return None;
        }
        let mut node = self;
        let mut longest = node.route.as_ref();
        walk(path, |segment| match node.children.get(segment) {
            Some(child) => {
                node = child;
                longest = child.route.as_ref().or(longest);
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        });
        longest
    }

    fn at(&self, segments: &[Box<[u8]>]) -> Option<&Self> {
        segments.iter().try_fold(self, |node, segment| node.children.get(segment).map(AsRef::as_ref))
    }

    /// Returns how many routes there are more. Recursion ends at the deepest route
    /// that `Route` allows.
    fn insert(&mut self, segments: &[&[u8]], route: &Arc<Route>) -> usize {
        match segments.split_first() {
            None => usize::from(self.route.replace(Arc::clone(route)).is_none()),
            Some((first, rest)) => {
                let mut child = self.children.get(first).map(|child| Self::clone(child)).unwrap_or_default();
                let added = child.insert(rest, route);
                self.children.insert(first, Arc::new(child));
                added
            }
        }
    }

    /// Returns how many routes there are less.
    fn remove(&mut self, segments: &[&[u8]]) -> usize {
        let Some((first, rest)) = segments.split_first() else {
            return usize::from(self.route.take().is_some());
        };
        let Some(child) = self.children.get(first) else { return 0 };
        let mut child = Self::clone(child);
        let removed = child.remove(rest);
        if removed > 0 {
            match child.route.is_none() && child.children.is_empty() {
                true => self.children.remove(first),
                false => self.children.insert(first, Arc::new(child)),
            }
        }
        removed
    }

    fn collect<'a>(&'a self, into: &mut Vec<&'a Arc<Route>>) {
        into.extend(self.route.as_ref());
        for child in self.children.values() {
            child.collect(into);
        }
    }
}

/// The current table, shared by its writers and all workers.
///
/// A request keeps the route it found; one that starts after a change returned
/// sees the new table.
#[derive(Debug, Clone, Default)]
pub struct Routes(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    current: ArcSwap<RouteTable>,
    /// Held by a writer from reading the table to storing the next one. Readers
    /// don't know it.
    writing: Mutex<()>,
}

impl Routes {
    /// The current snapshot. Wait-free.
    pub fn load(&self) -> Guard<Arc<RouteTable>> {
        self.0.current.load()
    }

    /// Replaces the table as a whole.
    pub fn publish(&self, table: RouteTable) {
        self.change(|current| *current = table);
    }

    /// Adds a route, or replaces the one with the same decoded prefix.
    pub fn add(&self, route: Arc<Route>) {
        self.change(|table| table.insert(route));
    }

    /// Removes the route of this spec, in any escaping; tells whether there was one.
    pub fn remove(&self, spec: &str) -> bool {
        self.change(|table| match table.get(spec).cloned() {
            Some(route) => {
                table.remove(route.segments());
                true
            }
            None => false,
        })
    }

    /// Removes the route of this [key](Route::key); tells whether there was one.
    pub fn remove_key(&self, key: &str) -> bool {
        self.change(|table| match table.get_key(key).cloned() {
            Some(route) => {
                table.remove(route.segments());
                true
            }
            None => false,
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut RouteTable) -> T) -> T {
        let _writing = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = RouteTable::clone(&self.load());
        let outcome = change(&mut table);
        self.0.current.store(Arc::new(table));
        outcome
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn table(specs: &[&str]) -> RouteTable {
        RouteTable::new(specs.iter().map(|spec| Route::new(spec, "http://127.0.0.1:1", Value::Null).unwrap()))
    }

    fn found<'a>(table: &'a RouteTable, path: &str) -> Option<&'a str> {
        table.find(path).map(|route| route.spec())
    }

    #[test]
    fn proxy_005_the_measured_matching_vectors_hold() {
        let table = table(&["/user/alice/", "/b%40r/b%20r/"]);
        for (path, expected) in [
            ("/user/alice", Some("/user/alice/")),
            ("/user/alice/", Some("/user/alice/")),
            ("/user/alice/x", Some("/user/alice/")),
            ("/user/alicex", None),
            ("/user%2Falice/f", Some("/user/alice/")),
            ("/user/alice/../bob", None),
            ("/user/alice/./a/../b", Some("/user/alice/")),
            ("/user//alice/b", None),
            ("//user/alice/b", None),
            ("/user/alice//b", Some("/user/alice/")),
            (r"/user\alice\b", Some("/user/alice/")),
            ("/b%40r/b%20r/rest", Some("/b%40r/b%20r/")),
            ("/b@r/b%20r/rest", Some("/b%40r/b%20r/")),
            ("/USER/alice", None),
            ("", None),
            ("*", None),
        ] {
            assert_eq!(found(&table, path), expected, "{path}");
        }
    }

    #[test]
    fn every_escaping_of_a_name_leads_to_the_same_route() {
        let table = table(&["/user/a@b.c%20d/", "/user/%e7%a7%80/", "/user/~t/"]);
        for path in
            ["/user/a@b.c%20d/lab", "/user/a%40b.c%20d/lab", "/user/%61@b%2Ec%20d", "/us%65r/a@b.c%20d"]
        {
            assert_eq!(found(&table, path), Some("/user/a@b.c%20d/"), "{path}");
        }
        assert_eq!(found(&table, "/user/%E7%A7%80/x"), Some("/user/%e7%a7%80/"));
        assert_eq!(found(&table, "/user/%7Et"), Some("/user/~t/"));
    }

    #[test]
    fn an_escaped_percent_sign_is_not_decoded_twice() {
        assert_eq!(found(&table(&["/user/a@b/"]), "/user/a%2540b/"), None);
    }

    #[test]
    fn chp_038_and_proxy_007_the_trie_vectors_and_removal_hold() {
        let specs = ["/1", "/2", "/a/b/c/d", "/a/b/d", "/a/b/e", "/b", "/b/c", "/b/c/d"];
        let with_b = table(&specs);
        let without_b = table(&specs.map(|spec| if spec == "/b" { "/2" } else { spec }));
        for (path, expected) in [
            ("/not/found", None),
            ("/1/etc/etc/", Some("/1/")),
            ("/a", None),
            ("/a/b/c", None),
            ("/a/b/c/d/e/f", Some("/a/b/c/d/")),
            ("/b/c/dword", Some("/b/c/")),
            ("/b/just-b", Some("/b/")),
        ] {
            assert_eq!(found(&with_b, path), expected, "{path}");
        }
        assert_eq!(found(&without_b, "/b/just-b"), None);
        assert_eq!(found(&without_b, "/b/c/sub"), Some("/b/c/"));
    }

    #[test]
    fn the_root_route_is_the_last_resort() {
        let table = table(&["/", "/hub/"]);
        assert_eq!(found(&table, "/hub/x"), Some("/hub/"));
        assert_eq!(found(&table, "/hubx"), Some("/"));
        assert_eq!(found(&table, "//hub/"), Some("/"));
    }

    #[test]
    fn get_finds_exactly_one_spec_in_any_escaping() {
        let table = table(&["/user/a@b/", "/"]);
        assert_eq!(table.get("/user/a%40b").map(|route| route.spec()), Some("/user/a@b/"));
        assert_eq!(table.get("/").map(|route| route.spec()), Some("/"));
        assert!(
            table.get("/user/").is_none() && table.get("/user/a@b/c/").is_none() && table.get("x").is_none()
        );
    }

    #[test]
    fn of_two_routes_with_one_prefix_the_later_counts() {
        let table = table(&["/b/", "/a%40/", "/a@/"]);
        assert_eq!(table.iter().map(|route| route.spec()).collect::<Vec<_>>(), ["/a@/", "/b/"]);
    }

    #[test]
    fn a_published_table_replaces_the_old_one_for_all_holders() {
        let routes = Routes::default();
        let reader = routes.clone();
        assert!(reader.load().find("/a").is_none());
        routes.publish(table(&["/a/"]));
        assert!(reader.load().find("/a").is_some());
    }

    fn host_table(keys: &[&str]) -> RouteTable {
        RouteTable::new(
            keys.iter()
                .map(|key| Route::from_key(Matching::Host, key, "http://127.0.0.1:1", Value::Null).unwrap()),
        )
    }

    #[test]
    fn proxy_006_hosts_are_told_apart_by_name_only_and_the_root_serves_all() {
        let table = host_table(&["/", "/Ada.Example.org/user/ada", "/example.org", "/[::1]/x"]);
        for (host, path, expected) in [
            ("ada.example.org", "/user/ada/lab", "/Ada.Example.org/user/ada/"),
            ("ADA.example.org:8000", "/user/ada", "/Ada.Example.org/user/ada/"),
            ("ada.example.org", "/user/grace", "/"),
            ("example.org", "/any/thing", "/example.org/"),
            ("example.org", "/", "/example.org/"),
            ("[::1]:8000", "/x/y", "/%5B%3A%3A1%5D/x/"),
            ("other.org", "/ada.example.org/user/ada", "/"),
            ("", "/user/ada", "/"),
        ] {
            let found = table.find_for(Some(host), path).map(|route| route.spec());
            assert_eq!(found, Some(expected), "{host} {path}");
        }
        assert!(host_table(&["/a.org/x"]).find_for(Some("b.org"), "/x").is_none());
    }

    #[test]
    fn proxy_006_a_host_route_is_got_and_removed_in_any_case() {
        let routes = Routes::default();
        routes.publish(host_table(&["/Ada.org/user/ada"]));
        assert!(routes.load().get_key("/ADA.org/user/ada/").is_some());
        assert!(routes.load().get("/ada.org/user/ada/").is_some());
        assert!(routes.remove_key("/adA.org/user/ada"));
        assert!(routes.load().is_empty());
    }

    #[test]
    fn chp_038_and_proxy_007_adding_and_removing_one_route_leaves_the_others() {
        let routes = Routes::default();
        for spec in ["/1", "/2", "/a/b/c/d", "/a/b/d", "/a/b/e", "/b", "/b/c", "/b/c/d", "/"] {
            routes.add(Route::new(spec, "http://127.0.0.1:1", Value::Null).unwrap());
        }
        assert!(routes.remove("/b") && !routes.remove("/b") && !routes.remove("/a/b") && !routes.remove("x"));
        let table = routes.load();
        assert_eq!((table.len(), table.iter().len()), (8, 8));
        assert_eq!(found(&table, "/b/just-b"), Some("/"));
        assert_eq!(found(&table, "/b/c/sub"), Some("/b/c/"));
        drop(table);
        assert!(routes.remove("/") && routes.remove_key("/b/c"));
        assert_eq!(found(&routes.load(), "/b/c/d/x"), Some("/b/c/d/"));
        assert_eq!(found(&routes.load(), "/b/c/sub"), None);
    }

    #[test]
    fn a_reader_keeps_the_table_it_loaded_while_others_change_it() {
        let routes = Routes::default();
        routes.publish(table(&["/a/", "/a/b/"]));
        let before = routes.load();
        routes.remove("/a/b/");
        routes.add(Route::new("/c/", "http://127.0.0.1:1", Value::Null).unwrap());
        assert_eq!((found(&before, "/a/b"), found(&before, "/c")), (Some("/a/b/"), None));
        assert_eq!((found(&routes.load(), "/a/b"), found(&routes.load(), "/c")), (Some("/a/"), Some("/c/")));
    }

    #[test]
    fn many_writers_lose_no_route() {
        let routes = Routes::default();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let routes = &routes;
                scope.spawn(move || {
                    for number in 0..250 {
                        let spec = format!("/user/{writer}-{number}/");
                        routes.add(Route::new(&spec, "http://127.0.0.1:1", Value::Null).unwrap());
                    }
                });
            }
        });
        assert_eq!((routes.load().len(), routes.load().iter().count()), (1000, 1000));
    }

    /// Longest prefix the slow way: try each spec on the decoded segments.
    fn naive<'a>(specs: &'a [String], path: &str) -> Option<&'a str> {
        let split = |path: &str| -> Vec<String> {
            let decoded = percent_encoding::percent_decode_str(path).decode_utf8().unwrap().into_owned();
            decoded[1..].split('/').map(str::to_owned).collect()
        };
        let wanted = split(path);
        specs
            .iter()
            .filter(|spec| *spec == "/" || wanted.starts_with(&split(spec.trim_end_matches('/'))))
            .max_by_key(|spec| spec.len())
            .map(String::as_str)
    }

    proptest! {
        #[test]
        fn finding_equals_a_naive_longest_prefix_search(
            specs in prop::collection::hash_set("/([abc]/){0,4}", 0..12),
            path in "(/([abcd]|%61|%62|){0,2}){1,6}",
        ) {
            let specs: Vec<String> = specs.into_iter().collect();
            let table = table(&specs.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(found(&table, &path), naive(&specs, &path));
        }

        #[test]
        fn adding_and_removing_one_by_one_equals_building_anew(
            steps in prop::collection::vec(("/([abc]/){0,3}", any::<bool>()), 0..40),
        ) {
            let (routes, mut plain) = (Routes::default(), std::collections::BTreeSet::new());
            for (spec, adds) in steps {
                if adds {
                    routes.add(Route::new(&spec, "http://127.0.0.1:1", Value::Null).unwrap());
                    plain.insert(spec);
                } else {
                    prop_assert_eq!(routes.remove(&spec), plain.remove(&spec));
                }
            }
            let table = routes.load();
            let listed: Vec<_> = table.iter().map(|route| route.spec().to_owned()).collect();
            prop_assert_eq!(listed.len(), table.len());
            prop_assert_eq!(listed, plain.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn no_path_panics(path in "\\PC{0,40}") {
            let _ = found(&table(&["/", "/a/"]), &path);
        }
    }
}
