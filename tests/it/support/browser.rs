//! A browser without JavaScript: keeps cookies by name and path, sends what a navigation sends, follows nothing.

use super::hub::{Hub, PASSWORD, Reply, agent, request};

/// One cookie that the browser holds.
#[derive(Debug, Clone)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) path: String,
}

/// A visitor's browser.
pub(crate) struct Browser<'a> {
    hub: &'a Hub,
    agent: ureq::Agent,
    /// What it calls itself, if anything.
    pub(crate) user_agent: Option<&'static str>,
    pub(crate) cookies: Vec<Cookie>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(hub: &'a Hub) -> Self {
        Self { hub, agent: agent(), user_agent: None, cookies: Vec::new() }
    }

    /// A browser that has signed in as `name`.
    pub(crate) fn signed_in(hub: &'a Hub, name: &str) -> Self {
        let mut browser = Self::new(hub);
        let reply = browser.sign_in(name, PASSWORD, "");
        assert_eq!(reply.status, 302, "{}", reply.body);
        browser
    }

    /// Opens the login page and sends its form.
    pub(crate) fn sign_in(&mut self, name: &str, password: &str, query: &str) -> Reply {
        let page = self.get(&format!("/hub/login{query}"));
        assert_eq!(page.status, 200, "{}", page.body);
        let xsrf = self.xsrf();
        self.post(
            &format!("/hub/login{query}"),
            &[("username", name), ("password", password), ("_xsrf", &xsrf)],
        )
    }

    /// The value of the hub's `_xsrf` cookie.
    pub(crate) fn xsrf(&self) -> String {
        self.cookie("_xsrf").map(|cookie| cookie.value.clone()).unwrap_or_default()
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&Cookie> {
        self.cookies.iter().find(|cookie| cookie.name == name)
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[("sec-fetch-mode", "navigate")], String::new())
    }

    /// Sends a form.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = [("sec-fetch-mode", "navigate"), ("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &headers, body)
    }

    /// A REST call as the hub's own scripts make it.
    pub(crate) fn api(&mut self, method: &str, path: &str) -> Reply {
        let xsrf = self.xsrf();
        let headers =
            [("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin"), ("x-xsrftoken", xsrf.as_str())];
        self.send(method, &format!("/hub/api{path}"), &headers, String::new())
    }

    /// Sends a request with the cookies that fit its path, and keeps those that come back.
    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: String) -> Reply {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.hub.url) };
        let fitting = self.cookies.iter().filter(|cookie| path.starts_with(&cookie.path));
        let cookie: Vec<String> = fitting.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        let mut all: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        all.extend(self.user_agent.map(|name| ("user-agent".to_owned(), name.to_owned())));
        if !cookie.is_empty() {
            all.push(("cookie".to_owned(), cookie.join("; ")));
        }
        let reply = request(&self.agent, method, &url, &all, body);
        for line in reply.headers.get_all("set-cookie") {
            self.keep(line.to_str().unwrap());
        }
        reply
    }

    fn keep(&mut self, line: &str) {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes: Vec<(String, &str)> = parts
            .map(|part| {
                part.split_once('=').map_or((part.to_lowercase(), ""), |(k, v)| (k.to_lowercase(), v))
            })
            .collect();
        let attribute =
            |wanted: &str| attributes.iter().find(|(key, _)| key == wanted).map(|(_, value)| *value);
        let path = attribute("path").unwrap_or("/").to_owned();
        self.cookies.retain(|cookie| (cookie.name.as_str(), &cookie.path) != (name, &path));
        let cleared = attribute("max-age") == Some("0") || value.is_empty() || value == "\"\"";
        if !cleared {
            self.cookies.push(Cookie { name: name.to_owned(), value: value.to_owned(), path });
        }
    }
}
