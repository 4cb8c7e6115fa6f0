//! Cookies, XSRF tokens, signing in and out, `next` (cookies-xsrf.md): one test for each numbered assertion that a
//! browser can see. What is pure is tested beside its code: `domain::{next_url, xsrf, signed_value, token_hash}`.

mod attributes;
mod login;
mod secrets;
mod xsrf;

use super::pages::set_cookie;
use super::support::browser::{Browser, Cookie};
use super::support::hub::{Hub, PASSWORD, Reply, agent, request};

pub(super) const LOGIN: &str = "jupyterhub-hub-login";
pub(super) const SESSION: &str = "jupyterhub-session-id";

/// The attributes of a cookie line, without its value, in lower case and sorted.
fn attributes(reply: &Reply, name: &str) -> Vec<String> {
    let line = set_cookie(reply, name).unwrap_or_else(|| panic!("no {name}: {reply:?}"));
    let mut attributes: Vec<String> = line.split("; ").skip(1).map(str::to_lowercase).collect();
    attributes.sort();
    attributes
}

/// A request with exactly these headers.
pub(super) fn send(hub: &Hub, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    request(&agent(), method, &format!("{}{path}", hub.url), &headers, body.to_owned())
}

/// Signs in; the answer to the form.
fn signing_in(browser: &mut Browser<'_>, name: &str) -> Reply {
    let reply = browser.sign_in(name, PASSWORD, "");
    assert_eq!(reply.status, 302, "{}", reply.body);
    reply
}

pub(super) fn value(browser: &Browser<'_>, name: &str) -> String {
    browser.cookie(name).unwrap_or_else(|| panic!("no {name}")).value.clone()
}

fn replace(browser: &mut Browser<'_>, name: &str, value: String) {
    let cookie = browser.cookies.iter_mut().find(|cookie| cookie.name == name).unwrap();
    cookie.value = value;
}
