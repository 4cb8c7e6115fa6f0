//! How long finding, adding and removing a route takes, in tables of several sizes:
//! `cargo run --release -p orrery-proxy --example table`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use orrery_proxy::{Route, RouteError, RouteTable, Routes};
use serde_json::Value;

const FINDS: u32 = 1_000_000;
const CHANGES: u32 = 2_000;

fn main() -> Result<(), RouteError> {
    println!("{:>8} {:>12} {:>12} {:>12} {:>12}", "routes", "find", "not found", "add", "remove");
    for size in [10, 100, 1_000, 10_000, 100_000] {
        let routes = Routes::default();
        let specs: Vec<String> = (0..size).map(|number| format!("/user/person-{number}/")).collect();
        let built: Result<Vec<_>, _> = specs.iter().map(|spec| route(spec)).collect();
        routes.publish(RouteTable::new(built?));
        let paths: Vec<String> = specs.iter().map(|spec| format!("{spec}lab/tree/a.ipynb")).collect();
        let find = time(FINDS, paths.iter().cycle(), |path| {
            black_box(routes.load().find(path).is_some());
        });
        let missing = time(FINDS, std::iter::repeat("/user/nobody/lab/tree"), |path| {
            black_box(routes.load().find(path).is_some());
        });
        let more: Result<Vec<_>, _> =
            (0..CHANGES).map(|number| route(&format!("/user/new-{number}/"))).collect();
        let more = more?;
        let add = time(CHANGES, more.iter(), |route| routes.add(route.clone()));
        let remove = time(CHANGES, more.iter(), |route| {
            black_box(routes.remove(route.spec()));
        });
        println!("{size:>8} {find:>12?} {missing:>12?} {add:>12?} {remove:>12?}");
    }
    Ok(())
}

fn route(spec: &str) -> Result<std::sync::Arc<Route>, RouteError> {
    Route::new(spec, "http://127.0.0.1:1", Value::Null)
}

/// The mean time of one call.
fn time<T>(count: u32, items: impl Iterator<Item = T>, mut call: impl FnMut(T)) -> Duration {
    let start = Instant::now();
    items.take(usize::try_from(count).unwrap_or(usize::MAX)).for_each(&mut call);
    start.elapsed() / count
}
