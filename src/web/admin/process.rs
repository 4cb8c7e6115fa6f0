//! What the hub's own process costs, from `/proc`. Blocks for as long as the kernel needs, which is next to nothing.

use std::fs;

use serde_json::{Value, json};

/// Clock ticks a second, as `/proc` counts them on every Linux (`USER_HZ`).
const TICKS_A_SECOND: f64 = 100.0;

/// Memory, processor time, threads, open files and their limit; null where the kernel does not tell.
pub(super) fn usage() -> Value {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let open = fs::read_dir("/proc/self/fd").ok().map(|files| files.count().saturating_sub(1));
    json!({
        "cpu_seconds": cpu_seconds(&stat),
        "memory_bytes": field(&status, "VmRSS:").map(|kilobytes| kilobytes.saturating_mul(1024)),
        "threads": field(&status, "Threads:"),
        "open_files": open,
        "open_files_limit": field(&limits, "Max open files"),
    })
}

/// The first number behind `name`.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    // the name, in parentheses, may hold anything
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = |number: usize| fields.split_whitespace().nth(number - 3)?.parse::<u32>().ok();
    Some((f64::from(ticks(14)?) + f64::from(ticks(15)?)) / TICKS_A_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_all_of_it() {
        let usage = usage();
        assert!(usage["memory_bytes"].as_u64().unwrap() > 100_000, "{usage}");
        assert!(usage["threads"].as_u64().unwrap() >= 1 && usage["open_files"].as_u64().unwrap() >= 1);
        assert!(usage["cpu_seconds"].is_f64() && !usage["open_files_limit"].is_null(), "{usage}");
    }

    #[test]
    fn what_is_not_told_is_null() {
        assert_eq!(field("Threads:\tmany", "Threads:"), None);
        assert_eq!(field("Max open files            unlimited  unlimited  files", "Max open files"), None);
        assert_eq!(cpu_seconds("1 (a) b) S 1 1 1 0 -1 4 0 0 0 0 150 50 0 0"), Some(2.0));
        assert_eq!(cpu_seconds(""), None);
    }
}
