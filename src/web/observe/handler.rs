//! The handler class that JupyterHub 6.1.1 answers an address with: dashboards group requests by it.
//!
//! Found out from the path alone, without allocating: this happens for every request. The names were read from a
//! JupyterHub whose endpoints were asked one by one; `orrery.` begins those that it has not.

/// What a request is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Handler {
    /// The class's path.
    pub(super) label: &'static str,
    pub(super) kind: Kind,
}

/// What else matters about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Asked for all the time: not worth a line.
    Quiet,
    /// Signs out.
    Logout,
    /// Its successes are not written into the journal: they change nothing, or something else writes them.
    Unrecorded,
    /// Everything else.
    Other,
}

const fn other(label: &'static str) -> Handler {
    Handler { label, kind: Kind::Other }
}

const fn quiet(label: &'static str) -> Handler {
    Handler { label, kind: Kind::Quiet }
}

const fn unrecorded(label: &'static str) -> Handler {
    Handler { label, kind: Kind::Unrecorded }
}

const STATIC: Handler = quiet("jupyterhub.handlers.static.CacheControlStaticFilesHandler");
const HEALTH: Handler = quiet("jupyterhub.handlers.pages.HealthCheckHandler");
const METRICS: Handler = other("jupyterhub.handlers.metrics.MetricsHandler");

/// More segments than any address has.
const MOST_SEGMENTS: usize = 8;

/// The segments of a path, if they are not too many.
struct Segments<'a> {
    all: [&'a str; MOST_SEGMENTS],
    count: usize,
}

impl<'a> Segments<'a> {
    fn of(path: &'a str) -> Self {
        let mut segments = Self { all: [""; MOST_SEGMENTS], count: path.split('/').count() };
        for (slot, segment) in segments.all.iter_mut().zip(path.split('/')) {
            *slot = segment;
        }
        segments
    }

    fn get(&self) -> &[&'a str] {
        self.all.get(..self.count).unwrap_or(&self.all)
    }
}

pub(super) fn of(path: &str, base_url: &str, hub_prefix: &str) -> Handler {
    if let Some(inside) = path.strip_prefix(hub_prefix) {
        let segments = Segments::of(inside);
        return match segments.get() {
            ["api", rest @ ..] => api(rest),
            page => of_page(page),
        };
    }
    if matches!(path, "/favicon.ico" | "/robots.txt") {
        return STATIC;
    }
    let segments = Segments::of(path.strip_prefix(base_url).unwrap_or_default());
    match segments.get() {
        ["hub"] | ["user" | "services", _] => other("jupyterhub.handlers.base.AddSlashHandler"),
        _ => other("jupyterhub.handlers.base.PrefixRedirectHandler"),
    }
}

fn of_page(segments: &[&str]) -> Handler {
    match segments {
        [""] => other("jupyterhub.handlers.pages.RootHandler"),
        ["login"] => unrecorded("jupyterhub.handlers.login.LoginHandler"),
        ["logout"] => Handler { label: "jupyterhub.handlers.login.LogoutHandler", kind: Kind::Logout },
        ["home"] => other("jupyterhub.handlers.pages.HomeHandler"),
        ["home", "messages", _] => unrecorded("orrery.pages.MessageHandler"),
        ["token"] => other("jupyterhub.handlers.pages.TokenPageHandler"),
        ["admin", ..] => other("jupyterhub.handlers.pages.AdminHandler"),
        ["accept-share"] => other("jupyterhub.handlers.pages.AcceptShareHandler"),
        ["spawn"] | ["spawn", _] | ["spawn", _, _] => other("jupyterhub.handlers.pages.SpawnHandler"),
        ["spawn-pending", _] | ["spawn-pending", _, _] => {
            other("jupyterhub.handlers.pages.SpawnPendingHandler")
        }
        ["stop", _] | ["stop", _, _] => other("orrery.pages.StopHandler"),
        ["keep", _] | ["keep", _, _] => other("orrery.pages.KeepHandler"),
        ["user", _, ..] => unrecorded("jupyterhub.handlers.base.UserUrlHandler"),
        ["user-redirect", _, ..] => other("jupyterhub.handlers.base.UserRedirectHandler"),
        ["error", _] => other("jupyterhub.handlers.pages.ProxyErrorHandler"),
        ["security", "csp-report"] => unrecorded("jupyterhub.handlers.base.CSPReportHandler"),
        ["health"] => HEALTH,
        ["health", "ready"] => quiet("orrery.pages.ReadyHandler"),
        ["metrics"] => METRICS,
        ["logo"] => quiet("jupyterhub.handlers.static.LogoHandler"),
        ["static", ..] => STATIC,
        _ => other("jupyterhub.handlers.base.Template404"),
    }
}

/// Below `api/`.
fn api(segments: &[&str]) -> Handler {
    match segments {
        [] | [""] => other("jupyterhub.apihandlers.hub.RootAPIHandler"),
        ["health"] => HEALTH,
        ["metrics"] => METRICS,
        ["info"] => other("jupyterhub.apihandlers.hub.InfoAPIHandler"),
        ["shutdown"] => other("jupyterhub.apihandlers.hub.ShutdownAPIHandler"),
        ["proxy"] => other("jupyterhub.apihandlers.proxy.ProxyAPIHandler"),
        ["user"] => other("jupyterhub.apihandlers.users.SelfAPIHandler"),
        ["users", rest @ ..] => of_users(rest),
        ["groups", rest @ ..] => of_groups(rest),
        ["services"] => other("jupyterhub.apihandlers.services.ServiceListAPIHandler"),
        ["services", _] => other("jupyterhub.apihandlers.services.ServiceAPIHandler"),
        ["shares", _] | ["shares", _, _] => other("jupyterhub.apihandlers.shares.ServerShareAPIHandler"),
        ["share-codes", _] | ["share-codes", _, _] => {
            other("jupyterhub.apihandlers.shares.ServerShareCodeAPIHandler")
        }
        ["authorizations", "token"] | ["authorizations", "token", _] => {
            other("jupyterhub.apihandlers.auth.TokenAPIHandler")
        }
        ["authorizations", "cookie", ..] => other("jupyterhub.apihandlers.auth.CookieAPIHandler"),
        ["oauth2", "authorize"] => other("jupyterhub.apihandlers.auth.OAuthAuthorizeHandler"),
        ["oauth2", "token"] => unrecorded("jupyterhub.apihandlers.auth.OAuthTokenHandler"),
        ["journal"] => other("orrery.api.JournalHandler"),
        ["openapi.json"] => other("orrery.api.OpenAPIHandler"),
        ["docs"] => other("orrery.api.DocsHandler"),
        _ => other("jupyterhub.apihandlers.base.API404"),
    }
}

fn of_users(segments: &[&str]) -> Handler {
    match segments {
        [] => other("jupyterhub.apihandlers.users.UserListAPIHandler"),
        [_] => other("jupyterhub.apihandlers.users.UserAPIHandler"),
        [_, "activity"] => unrecorded("jupyterhub.apihandlers.users.ActivityAPIHandler"),
        [_, "tokens"] => other("jupyterhub.apihandlers.users.UserTokenListAPIHandler"),
        [_, "tokens", _] => other("jupyterhub.apihandlers.users.UserTokenAPIHandler"),
        [_, "server"] | [_, "servers", _] => other("jupyterhub.apihandlers.users.UserServerAPIHandler"),
        [_, "server", "progress"] | [_, "servers", _, "progress"] => {
            other("jupyterhub.apihandlers.users.SpawnProgressAPIHandler")
        }
        [_, "messages"] => unrecorded("orrery.api.MessageListHandler"),
        [_, "messages", _] => unrecorded("orrery.api.MessageHandler"),
        [_, "shared"] => other("jupyterhub.apihandlers.shares.UserShareListAPIHandler"),
        [_, "shared", _, _] => other("jupyterhub.apihandlers.shares.UserShareAPIHandler"),
        [_, "revoke"] => unrecorded("orrery.api.RevokeHandler"),
        _ => other("jupyterhub.apihandlers.base.API404"),
    }
}

fn of_groups(segments: &[&str]) -> Handler {
    match segments {
        [] => other("jupyterhub.apihandlers.groups.GroupListAPIHandler"),
        [_] => other("jupyterhub.apihandlers.groups.GroupAPIHandler"),
        [_, "users"] => other("jupyterhub.apihandlers.groups.GroupUsersAPIHandler"),
        [_, "properties"] => other("jupyterhub.apihandlers.groups.GroupPropertiesAPIHandler"),
        [_, "shared"] => other("jupyterhub.apihandlers.shares.GroupShareListAPIHandler"),
        [_, "shared", _, _] => other("jupyterhub.apihandlers.shares.GroupShareAPIHandler"),
        _ => other("jupyterhub.apihandlers.base.API404"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obs_003_every_address_is_counted_as_what_the_reference_answers_it_with() {
        for line in include_str!("../../../tests/it/observability/handlers.txt").lines() {
            let (path, label) = line.split_once(' ').unwrap();
            assert_eq!(of(path, "/", "/hub/").label, label, "{path}");
            if !matches!(path, "/favicon.ico" | "/robots.txt") {
                assert_eq!(of(&format!("/lab{path}"), "/lab/", "/lab/hub/").label, label, "/lab{path}");
            }
        }
    }

    #[test]
    fn addresses_that_nobody_has_heard_of_are_counted_together() {
        let label = |path: &str| of(path, "/lab/", "/lab/hub/").label;
        for odd in ["/", "/x", "/lab", "/lab/user/a/b/c/d/e/f/g/h/i/j"] {
            assert_eq!(label(odd), "jupyterhub.handlers.base.PrefixRedirectHandler", "{odd}");
        }
        assert_eq!(label("/lab/hub/api/users/a/b/c/d/e/f/g/h"), "jupyterhub.apihandlers.base.API404");
        assert_eq!(label("/lab/hub/a/b/c/d/e/f/g/h/i"), "jupyterhub.handlers.base.Template404");
    }
}
