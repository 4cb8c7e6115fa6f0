//! The files that pages are made of besides their markup: style sheet, scripts, drawings.
//!
//! They are compiled into the program; their hashes and how they are compressed are known before the first request. What
//! a script imports it names by version too, so that a browser asks for no file a second time. This module knows nothing
//! of HTTP beyond the words that go into headers; serving is the web layer's.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

/// Enough of the SHA-256 to tell two versions of one file apart.
const VERSION_BYTES: usize = 12;
/// All files of a site are kept in memory.
const LARGEST: u64 = 16 << 20;

/// How scripts import each other.
const IMPORT: &str = " from \"./";
/// Scripts that import each other in a circle, which a test rules out, would be followed so far.
const DEEPEST: u8 = 8;

#[derive(RustEmbed)]
#[folder = "src/web/static"]
struct StaticFiles;

/// One static file.
#[derive(Debug, Clone)]
pub struct Asset {
    /// What the file holds. Borrowed from the program in release builds, so cloning is free there.
    pub bytes: Cow<'static, [u8]>,
    /// The same compressed (RFC 1952), if it is a text and smaller so: once, as well as it goes.
    pub gzip: Option<Vec<u8>>,
    /// For `Content-Type`.
    pub content_type: &'static str,
    /// Hexadecimal start of the content's SHA-256: the `?v=` of its address, which therefore may be cached forever.
    pub version: String,
}

impl Asset {
    /// A file of the site's own; its name says what it is.
    #[must_use]
    pub fn new(name: &str, bytes: Vec<u8>) -> Self {
        let version = version(&Sha256::digest(&bytes));
        Self::of(name, version, Cow::Owned(bytes))
    }

    fn of(name: &str, version: String, bytes: Cow<'static, [u8]>) -> Self {
        let content_type = content_type(name);
        let gzip = if is_text(content_type) { compressed(&bytes) } else { None };
        Self { bytes, gzip, content_type, version }
    }

    /// For `ETag`, quotes included. The two encodings are two representations, which have tags of their own (RFC 9110, 8.8.3).
    #[must_use]
    pub fn etag(&self, gzip: bool) -> String {
        format!("\"{}{}\"", self.version, if gzip { "-gzip" } else { "" })
    }
}

/// Pictures and fonts are compressed as they are; a site's own may be large, and are not gone through for nothing.
fn is_text(content_type: &str) -> bool {
    content_type.starts_with("text/") || matches!(content_type, "application/json" | "image/svg+xml")
}

/// What of `bytes` goes over the wire to who understands gzip; `None` for what is as small without.
fn compressed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::best());
    encoder.write_all(bytes).ok()?;
    let found = encoder.finish().ok()?;
    (found.len() < bytes.len()).then_some(found)
}

/// All static files by their path below `<hub>/static/`.
#[derive(Debug, Clone)]
pub struct Assets {
    by_path: HashMap<String, Asset>,
}

impl Assets {
    /// Collects the files that are compiled in. Meant to be called once, at start.
    #[must_use]
    pub fn embedded() -> Self {
        let mut by_path = HashMap::new();
        for path in StaticFiles::iter() {
            add(&path, &mut by_path, DEEPEST);
        }
        Self { by_path }
    }

    /// Adds the files in `folder` and below it, each in place of the built-in one of that path. They are read now, once, so
    /// nothing that comes into the folder later is ever served.
    ///
    /// # Errors
    /// If something there cannot be read, or is larger than a file of a page should be.
    pub fn add_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.add_below(folder, "")
    }

    fn add_below(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            // what is hidden is an editor's or a version control's
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
            let path = format!("{prefix}{name}");
            let found = fs::metadata(entry.path())?;
            if found.is_dir() {
                self.add_below(&entry.path(), &format!("{path}/"))?;
            } else if found.len() > LARGEST {
                return Err(io::Error::other(format!(
                    "{} is too large to be served",
                    entry.path().display()
                )));
            } else if found.is_file() {
                let asset = Asset::new(name, fs::read(entry.path())?);
                self.by_path.insert(path, asset);
            }
        }
        Ok(())
    }

    /// The file at `path`, which has no leading slash. Only exact names match, so no path can climb anywhere.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Asset> {
        self.by_path.get(path)
    }

    /// The built-in logo; empty if it is missing from the program, which a test rules out.
    #[must_use]
    pub fn logo(&self) -> Asset {
        self.find("logo.svg").cloned().unwrap_or_else(|| Asset::new("logo.svg", Vec::new()))
    }

    /// The address of a file: `<base>static/<path>?v=<version>`, without the version for a file that isn't ours.
    /// `hub_base` is the hub's own base URL and ends with `/`.
    #[must_use]
    pub fn url(&self, hub_base: &str, path: &str) -> String {
        match self.find(path) {
            Some(asset) => format!("{hub_base}static/{path}?v={}", asset.version),
            None => format!("{hub_base}static/{path}"),
        }
    }

    /// Every path, in no particular order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.by_path.keys().map(String::as_str)
    }
}

/// Adds a file, and before it those that it imports; each has the versions of these in its own.
fn add(path: &str, by_path: &mut HashMap<String, Asset>, depth: u8) {
    let Some(file) = StaticFiles::get(path).filter(|_| !by_path.contains_key(path)) else { return };
    let script = path.ends_with(".js").then(|| std::str::from_utf8(&file.data).ok()).flatten();
    let Some(script) = script.filter(|_| depth > 0) else {
        let version = version(&file.metadata.sha256_hash());
        let asset = Asset::of(path, version, file.data);
        by_path.insert(path.to_owned(), asset);
        return;
    };
    let mut versioned = String::with_capacity(script.len());
    let mut pieces = script.split(IMPORT);
    versioned.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (imported, rest) = piece.split_once('"').unwrap_or((piece, ""));
        add(imported, by_path, depth.saturating_sub(1));
        let version = by_path.get(imported).map(|asset| asset.version.as_str()).unwrap_or_default();
        versioned.extend([IMPORT, imported, "?v=", version, "\"", rest]);
    }
    by_path.insert(path.to_owned(), Asset::new(path, versioned.into_bytes()));
}

fn version(hash: &[u8]) -> String {
    hash.iter().take(VERSION_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// What a browser should take the file for; pages are sent with `nosniff`, so scripts need theirs exact.
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().map(str::to_ascii_lowercase).as_deref() {
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn every_file_has_a_content_type_that_browsers_accept() {
        let assets = Assets::embedded();
        let type_of = |path| assets.find(path).expect(path).content_type;
        assert_eq!(type_of("style.css"), "text/css; charset=utf-8");
        assert_eq!(type_of("home.js"), "text/javascript; charset=utf-8");
        assert_eq!(type_of("favicon.svg"), "image/svg+xml");
        assert_eq!(type_of("robots.txt"), "text/plain; charset=utf-8");
        for path in assets.paths() {
            assert_ne!(type_of(path), "application/octet-stream", "{path}");
        }
    }

    #[test]
    fn what_is_compressed_is_smaller_and_the_same() {
        let assets = Assets::embedded();
        for path in assets.paths() {
            let asset = assets.find(path).expect(path);
            if let Some(gzip) = &asset.gzip {
                let mut plain = Vec::new();
                GzDecoder::new(gzip.as_slice()).read_to_end(&mut plain).expect(path);
                assert!(plain == *asset.bytes && gzip.len() < plain.len(), "{path}");
            }
        }
        assert!(assets.find("style.css").expect("style.css").gzip.is_some());
        let even = vec![0; 4096];
        let named = |name: &str| Asset::new(name, even.clone()).gzip.is_some();
        assert!(named("a.svg") && named("a.json") && named("a.html"));
        assert!(!named("a.png") && !named("a.woff2") && !named("a"), "no text");
        assert!(Asset::new("a.txt", b"short".to_vec()).gzip.is_none(), "no smaller");
    }

    #[test]
    fn a_logo_is_known_by_its_ending() {
        for (name, kind) in
            [("/x/logo.PNG", "image/png"), ("a.jpeg", "image/jpeg"), ("b.svg", "image/svg+xml")]
        {
            assert_eq!(Asset::new(name, vec![1]).content_type, kind);
        }
        assert!(!Assets::embedded().logo().bytes.is_empty());
    }

    #[test]
    fn the_version_is_the_hash_of_the_content() {
        let assets = Assets::embedded();
        for path in assets.paths() {
            let asset = assets.find(path).expect(path);
            let expected: String =
                Sha256::digest(&asset.bytes).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(asset.version, expected, "{path}");
            assert_eq!(asset.etag(false), format!("\"{expected}\""));
        }
    }

    #[test]
    fn addresses_carry_the_version() {
        let assets = Assets::embedded();
        let version = &assets.find("style.css").expect("a style sheet").version;
        assert_eq!(assets.url("/x/hub/", "style.css"), format!("/x/hub/static/style.css?v={version}"));
        assert_eq!(assets.url("/hub/", "logo-of-the-site.png"), "/hub/static/logo-of-the-site.png");
    }

    #[test]
    fn files_of_the_site_replace_built_in_ones_and_come_besides_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            fs::write(file, text).expect("a file");
        };
        write("style.css", "body {}");
        write("fonts/own.woff2", "font");
        write(".git/config", "secret");
        let mut assets = Assets::embedded();
        let script = assets.find("home.js").expect("a script").version.clone();
        assets.add_folder(folder.path()).expect("readable");
        assert_eq!(*assets.find("style.css").expect("it").bytes, *b"body {}");
        assert_eq!(assets.find("fonts/own.woff2").expect("it").content_type, "font/woff2");
        assert_eq!(assets.find("home.js").expect("a script").version, script);
        assert!(assets.find(".git/config").is_none() && assets.find("fonts").is_none());
        assert!(assets.add_folder(&folder.path().join("nowhere")).is_err());
    }

    #[test]
    fn only_exact_names_are_found() {
        let assets = Assets::embedded();
        for path in ["", "/", "../web.rs", "./style.css", "/style.css", "STYLE.CSS", "style.css/", ".."] {
            assert!(assets.find(path).is_none(), "{path}");
        }
    }

    /// What scripts import must exist, files and names: there is no bundler that would notice.
    #[test]
    fn imports_of_scripts_resolve() {
        let assets = Assets::embedded();
        let import =
            regex::Regex::new(r#"\{([^}]*)\} from "\./([^"?]+)\?v=([0-9a-f]*)""#).expect("a pattern");
        let mut imports = 0;
        for path in assets.paths().filter(|path| path.ends_with(".js")) {
            let script = String::from_utf8(assets.find(path).expect(path).bytes.to_vec()).expect("UTF-8");
            for found in import.captures_iter(&script) {
                let imported =
                    assets.find(&found[2]).unwrap_or_else(|| panic!("{path} imports {}", &found[2]));
                assert_eq!(imported.version, found[3], "{path} imports {}", &found[2]);
                let imported = String::from_utf8(imported.bytes.to_vec()).expect("UTF-8");
                for name in found[1].split(',').map(str::trim) {
                    let exported = format!(r"export (\{{.*\b{name}\b.*\}}|(async )?\w+\*? {name}\b)");
                    let exported = regex::Regex::new(&exported).expect("a pattern");
                    assert!(exported.is_match(&imported), "{path} imports {name} of {}", &found[2]);
                }
                imports += 1;
            }
            assert_eq!(script.matches(IMPORT).count(), import.find_iter(&script).count(), "{path}");
        }
        assert!(imports > 3);
    }

    #[test]
    fn the_style_sheet_stays_small() {
        let assets = Assets::embedded();
        let sheet = &assets.find("style.css").expect("a style sheet").bytes;
        assert!(sheet.iter().filter(|byte| **byte == b'\n').count() < 400);
        assert!(sheet.len() < 30_000, "a quarter of what a page may weigh: {}", sheet.len());
    }
}
