//! The route table: an immutable snapshot, and the one place it is published.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::path::{normalise, walk};
use crate::route::{Route, parse_spec};

/// An immutable set of routes, found by longest prefix on whole segments.
#[derive(Debug, Default)]
pub struct RouteTable {
    root: Node,
    sorted: Vec<Arc<Route>>,
}

#[derive(Debug, Default)]
struct Node {
    route: Option<Arc<Route>>,
    children: HashMap<Box<[u8]>, Node>,
}

impl RouteTable {
    /// Builds a snapshot. Of two routes with the same decoded prefix the later
    /// one counts.
    pub fn new(routes: impl IntoIterator<Item = Arc<Route>>) -> Self {
        let mut root = Node::default();
        for route in routes {
            root.insert(route);
        }
        let mut sorted = Vec::new();
        root.collect(&mut sorted);
        sorted.sort_by(|a, b| a.spec().cmp(b.spec()));
        Self { root, sorted }
    }

    /// The route with the longest prefix of `path` (as received, without its
    /// query): dot segments resolved, each segment decoded, `%2F` a separator.
    /// Allocates only for a path that has dot segments or backslashes.
    pub fn find(&self, path: &str) -> Option<&Arc<Route>> {
        self.find_normalised(&normalise(path))
    }

    /// [`find`](Self::find) for a path that went through `path::normalise`.
    pub(crate) fn find_normalised(&self, path: &str) -> Option<&Arc<Route>> {
        if !path.starts_with('/') {
            return None;
        }
        let mut node = &self.root;
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

    /// The route of exactly this spec, in any escaping, with or without its
    /// final `/`.
    pub fn get(&self, spec: &str) -> Option<&Arc<Route>> {
        let segments = parse_spec(spec).ok()?;
        let node = segments.iter().try_fold(&self.root, |node, segment| node.children.get(segment))?;
        node.route.as_ref()
    }

    /// All routes, sorted by spec.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Route>> {
        self.sorted.iter()
    }
}

impl Node {
    fn insert(&mut self, route: Arc<Route>) {
        let mut node = self;
        for segment in route.segments() {
            node = node.children.entry(segment.clone()).or_default();
        }
        node.route = Some(route);
    }

    fn collect(&self, into: &mut Vec<Arc<Route>>) {
        into.extend(self.route.clone());
        for child in self.children.values() {
            child.collect(into);
        }
    }
}

/// The current table, shared by its single writer and all workers.
///
/// A request keeps the route it found; one that starts after
/// [`publish`](Self::publish) returns sees the new table.
#[derive(Debug, Clone, Default)]
pub struct Routes(Arc<ArcSwap<RouteTable>>);

impl Routes {
    /// The current snapshot. Wait-free.
    pub fn load(&self) -> Guard<Arc<RouteTable>> {
        self.0.load()
    }

    /// Replaces the table as a whole.
    pub fn publish(&self, table: RouteTable) {
        self.0.store(Arc::new(table));
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
    fn proxy_007_the_trie_vectors_and_removal_hold() {
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
        fn no_path_panics(path in "\\PC{0,40}") {
            let _ = found(&table(&["/", "/a/"]), &path);
        }
    }
}
