//! What operators of JupyterHub search their logs for (observability.md 6), in the format `jupyterhub`.

/// Our words, and the sentence with `{key}` for the values that belong into it.
const SENTENCES: &[(&str, &str)] = &[
    ("Orrery starts", "Running JupyterHub version {contract} (Orrery {version})"),
    ("how people sign in", "Using Authenticator: {authenticator}"),
    ("the hub listens", "Hub API listening on {url}"),
    ("Orrery is now running", "JupyterHub is now running at {url}"),
    ("user logged in", "User logged in: {user}"),
    ("user logged out", "User logged out: {user}"),
    ("login failed", "Failed login for {user}"),
    ("server started", "User {server} took {seconds} seconds to start"),
    ("server stopped", "User {server} server took {seconds} seconds to stop"),
    ("a route is added", "Adding user {server} to proxy {route} => {target}"),
    ("a route is removed", "Removing user {server} from proxy ({route})"),
    ("a stale route is removed from the proxy", "Deleting stale route {route}"),
];

/// The sentence for `message`, and the keys that are used up by it.
pub(super) fn sentence(
    message: &str,
    value: impl Fn(&str) -> Option<String>,
) -> Option<(String, Vec<&'static str>)> {
    let (_, pattern) = SENTENCES.iter().find(|(ours, _)| *ours == message)?;
    let mut text = String::new();
    let mut used = Vec::new();
    let mut rest = *pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let (key, after) = after.split_once('}')?;
        text.push_str(before);
        text.push_str(&value(key)?);
        used.push(key);
        rest = after;
    }
    text.push_str(rest);
    Some((text, used))
}
