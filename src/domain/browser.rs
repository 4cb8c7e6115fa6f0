//! What a `User-Agent` header says about a browser, in two words for people: its name and its system (UI-045).
//!
//! Headers say what they like, and most name several browsers at once. The answer is one of few names of our own, so nothing of the
//! header reaches a page; nothing but what a person reads depends on it.

/// A name, and the parts of a header that tell it: the first that fits counts, so those that also say what others say come first.
type Names = &'static [(&'static str, &'static [&'static str])];

const BROWSERS: Names = &[
    ("Edge", &["Edg/", "EdgA/", "EdgiOS/", "Edge/"]),
    ("Opera", &["OPR/", "OPiOS/", "Opera"]),
    ("Vivaldi", &["Vivaldi/"]),
    ("Samsung Internet", &["SamsungBrowser/"]),
    ("DuckDuckGo", &["DuckDuckGo/", "Ddg/"]),
    ("Firefox", &["Firefox/", "FxiOS/"]),
    ("Chrome", &["HeadlessChrome/", "Chrome/", "CriOS/"]),
    ("Chromium", &["Chromium/"]),
    ("Safari", &["Safari/"]),
    ("Internet Explorer", &["Trident/", "MSIE "]),
    ("curl", &["curl/"]),
    ("Wget", &["Wget/"]),
    ("Python", &["python-requests/", "Python-urllib/", "aiohttp/", "python-httpx/"]),
];

const SYSTEMS: Names = &[
    ("Android", &["Android"]),
    ("iOS", &["iPhone", "iPod"]),
    ("iPadOS", &["iPad"]),
    ("Windows", &["Windows"]),
    ("ChromeOS", &["CrOS"]),
    ("macOS", &["Macintosh", "Mac OS X"]),
    ("FreeBSD", &["FreeBSD"]),
    ("OpenBSD", &["OpenBSD"]),
    ("Linux", &["Linux", "X11"]),
];

/// A browser as people call it; empty is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Browser {
    /// Its name.
    pub name: &'static str,
    /// What it runs on.
    pub system: &'static str,
}

impl Browser {
    /// Reads a `User-Agent` header.
    #[must_use]
    pub fn of(user_agent: &str) -> Self {
        Self { name: first(BROWSERS, user_agent), system: first(SYSTEMS, user_agent) }
    }
}

fn first(names: Names, text: &str) -> &'static str {
    let fits = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    names.iter().find(|(_, parts)| fits(parts)).map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_045_browsers_are_called_what_people_call_them() {
        for (header, name, system) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0", "Firefox", "Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
                "Chrome",
                "Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
                "Edge",
                "Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
                "Safari",
                "macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari",
                "iOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
                "Samsung Internet",
                "Android",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36",
                "Chrome",
                "ChromeOS",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/130.0.0.0 Safari/537.36",
                "Chrome",
                "Linux",
            ),
            ("curl/8.10.1", "curl", ""),
            ("python-requests/2.32.3", "Python", ""),
            (
                "Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko",
                "Internet Explorer",
                "Windows",
            ),
            ("", "", ""),
            ("<img src=x onerror=alert(1)>", "", ""),
        ] {
            assert_eq!(Browser::of(header), Browser { name, system }, "{header}");
        }
    }
}
