//! Who may import whom (style guide, section 3): arrows point down only.
//!
//! Every `crate::<module>` in the daemon's sources is checked against the rank of the module that holds it, and every
//! package of the workspace against the packages that it may depend on.

#![expect(clippy::unwrap_used, reason = "a test ends where the sources are not as expected")]

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, top to bottom. A module may import from later lines, and from itself.
const LAYERS: &[&[&str]] = &[
    &["app"],
    &["web"],
    &["actors"],
    &["auth", "spawn", "store", "proxy_client", "proxy_child"],
    &["privileged", "hooks", "accounts"],
    &["config"],
    &["domain"],
    &["secret", "logging", "metrics", "events"],
];

/// What the pure layer must not know.
const IMPURE: &[&str] = &[
    "actix",
    "actix_web",
    "diesel",
    "tokio",
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::process",
    "SystemTime::now",
    "Utc::now",
];

/// Packages of the workspace, and those of ours that each may depend on.
const PACKAGES: &[(&str, &[&str])] = &[
    ("Cargo.toml", &["orrery-proxy", "orrery-wire"]),
    ("src/wire/Cargo.toml", &[]),
    ("src/launch/Cargo.toml", &["orrery-wire"]),
    ("src/session/Cargo.toml", &["orrery-wire"]),
    ("src/proxy/Cargo.toml", &[]),
    ("benches/load/Cargo.toml", &[]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The daemon's sources as (top module, path, code without comments).
fn daemon() -> Vec<(String, PathBuf, String)> {
    let src = root().join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let packages = ["wire", "launch", "session", "proxy"];
    let mut modules = Vec::new();
    for path in files {
        let inner = path.strip_prefix(&src).unwrap();
        let first = inner.iter().next().unwrap().to_str().unwrap();
        let top = first.trim_end_matches(".rs").to_owned();
        if packages.contains(&top.as_str()) || ["main", "cli", "lib"].contains(&top.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        modules.push((top, path, code.join("\n")));
    }
    modules
}

/// Every `crate::name` in the code.
fn imports(code: &str) -> impl Iterator<Item = &str> {
    code.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn no_module_imports_upwards() {
    let mut wrong = Vec::new();
    for (top, path, code) in daemon() {
        let own = rank(&top).unwrap_or_else(|| panic!("{top} has no layer: add it to LAYERS"));
        for import in imports(&code).filter(|import| *import != top) {
            match rank(import) {
                Some(other) if other > own => {}
                _ => wrong.push(format!("{}: `{top}` imports `{import}`", path.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "arrows point down only:\n{}", wrong.join("\n"));
}

#[test]
fn the_check_sees_an_upward_import() {
    let found: Vec<&str> =
        imports("use crate::web::routes;\nlet x = crate::domain::ids::UserId(1);").collect();
    assert_eq!(found, ["web", "domain"]);
    assert!(rank("web") < rank("store"));
}

#[test]
fn the_domain_is_pure() {
    let mut wrong = Vec::new();
    for (_, path, code) in daemon().into_iter().filter(|(top, ..)| top == "domain") {
        wrong.extend(
            IMPURE
                .iter()
                .filter(|name| code.contains(*name))
                .map(|name| format!("{}: {name}", path.display())),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn packages_depend_downwards_only() {
    for (manifest, allowed) in PACKAGES {
        let text = fs::read_to_string(root().join(manifest)).unwrap();
        let ours =
            text.lines().filter(|line| line.contains("path = \"../") || line.contains("path = \"src/"));
        for line in ours.filter(|line| line.starts_with("orrery-")) {
            let name = line.split([' ', '=']).next().unwrap();
            assert!(allowed.contains(&name), "{manifest} must not depend on {name}");
        }
    }
}

#[test]
fn unsafe_code_stays_in_the_privileged_programs() {
    let src = root().join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let allowed = [src.join("launch/sys.rs"), src.join("session/sys.rs"), src.join("session/sys")];
    for path in files.iter().filter(|path| !allowed.iter().any(|place| path.starts_with(place))) {
        let text = fs::read_to_string(path).unwrap();
        let found = text.lines().any(|line| line.contains("unsafe {") || line.contains("unsafe fn "));
        assert!(!found, "{}", path.display());
    }
}
