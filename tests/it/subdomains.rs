//! Host names of users and services below the hub's own (tls-network.md 4, NET-002 to NET-007).

use std::net::TcpListener;

use serde_json::json;

use super::support::browser::Browser;
use super::support::chp::Chp;
use super::support::hub::{ADMIN_TOKEN, Hub, Reply, agent, eventually, free_port, request};

/// A hub at `hub.test`, with its port.
fn hub_with_hosts(extra: &str) -> (Hub, u16) {
    let port = free_port();
    let hub = Hub::at(port, &format!("hub.subdomain_host = \"http://hub.test:{port}\"\n{extra}"));
    (hub, port)
}

fn at(hub: &Hub, method: &str, host: &str, path: &str) -> Reply {
    let headers = [("host".to_owned(), host.to_owned())];
    request(&agent(), method, &format!("{}{path}", hub.url), &headers, String::new())
}

fn get(browser: &mut Browser<'_>, host: &str, path: &str) -> Reply {
    browser.send("GET", path, &[("host", host), ("sec-fetch-mode", "navigate")], String::new())
}

fn line<'r>(reply: &'r Reply, cookie: &str) -> &'r str {
    super::pages::set_cookie(reply, cookie).unwrap_or_else(|| panic!("no {cookie}: {reply:?}"))
}

/// A text as a value in a query.
fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A browser that signed in at the hub's own host.
fn signed_in<'h>(hub: &'h Hub, host: &str, name: &str) -> (Browser<'h>, Reply) {
    let mut browser = Browser::new(hub);
    assert_eq!(get(&mut browser, host, "/hub/login").status, 200);
    let xsrf = browser.xsrf();
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("username", name), ("password", "pw"), ("_xsrf", &xsrf)])
        .finish();
    let headers = [("host", host), ("content-type", "application/x-www-form-urlencoded")];
    let reply = browser.send("POST", "/hub/login", &headers, body);
    assert_eq!(reply.status, 302, "{}", reply.body);
    (browser, reply)
}

#[test]
fn net_005_servers_are_reached_at_their_users_host_only() {
    let (hub, port) = hub_with_hosts("");
    hub.create_user("a@b.c");
    let server = hub.spawn("a@b.c");
    let host = format!("u-abc--d648b24.hub.test:{port}");
    let url = format!("http://{host}/user/a@b.c/");
    assert_eq!(server["url"], url.as_str());
    assert_eq!(server["full_url"], url.as_str());
    assert_eq!(
        server["full_progress_url"],
        format!("http://hub.test:{port}/hub/api/users/a@b.c/server/progress")
    );
    let env = at(&hub, "GET", &host, "/user/a@b.c/env").json();
    for (name, value) in [
        ("JUPYTERHUB_HOST", format!("http://hub.test:{port}")),
        ("JUPYTERHUB_OAUTH_CALLBACK_URL", format!("{url}oauth_callback")),
        ("JUPYTERHUB_PUBLIC_URL", url.clone()),
        ("JUPYTERHUB_PUBLIC_HUB_URL", format!("http://hub.test:{port}/hub/")),
        ("JUPYTERHUB_SERVICE_PREFIX", "/user/a@b.c/".to_owned()),
        ("JUPYTERHUB_BASE_URL", "/".to_owned()),
    ] {
        assert_eq!(env[name], value.as_str(), "{name}");
    }
    // letter case and the final dot make no other host; the port is no part of a route
    for same in ["U-ABC--D648B24.Hub.Test", "u-abc--d648b24.hub.test.:99"] {
        assert_eq!(at(&hub, "GET", same, "/user/a@b.c/whoami").status, 200, "{same}");
    }
    for other in [format!("hub.test:{port}"), format!("ada.hub.test:{port}"), format!("127.0.0.1:{port}")] {
        let reply = at(&hub, "GET", &other, "/user/a@b.c/whoami");
        assert_eq!(reply.location(), format!("http://hub.test:{port}/hub/user/a@b.c/whoami"), "{other}");
    }
    let routes = hub.admin("GET", "/proxy", None).json();
    let keys: Vec<&String> = routes.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["/", "u-abc--d648b24.hub.test/user/a@b.c/"]);
    assert_eq!(hub.admin("POST", "/proxy", None).status, 200, "a check finds nothing to put right");
    assert!(!hub.log().contains("stale route"), "{}", hub.log());
    assert_eq!(hub.admin("DELETE", "/users/a@b.c/server", None).status, 204);
    eventually("the route to go", || {
        (at(&hub, "GET", &host, "/user/a@b.c/whoami").status == 302).then_some(())
    });
}

#[test]
fn cook_001_the_browser_session_is_shared_and_the_login_is_the_hubs_own() {
    let (hub, port) = hub_with_hosts("");
    let host = format!("hub.test:{port}");
    let (mut browser, reply) = signed_in(&hub, &host, "ada");
    let session = line(&reply, "jupyterhub-session-id");
    assert!(session.contains("Domain=hub.test") && session.contains("Path=/;"), "{session}");
    for name in ["jupyterhub-hub-login", "_xsrf"] {
        let own = line(&reply, name);
        assert!(!own.contains("Domain") && own.contains("Path=/hub/"), "{own}");
    }
    let cleared = get(&mut browser, &host, "/hub/logout");
    assert!(line(&cleared, "jupyterhub-session-id").contains("Domain=hub.test"));
}

#[test]
fn cook_003_with_hosts_of_their_own_the_prefixed_login_cookie_stays_at_the_hub() {
    let port = free_port();
    let hub = Hub::at(
        port,
        &format!(
            "hub.subdomain_host = \"https://hub.test:{port}\"\nhub.cookie_host_prefix = true\n\
             hub.cookie_options = {{ SameSite = \"Lax\" }}"
        ),
    );
    let (_, reply) = signed_in(&hub, &format!("hub.test:{port}"), "ada");
    let login = line(&reply, "__Host-jupyterhub-hub-login");
    for attribute in ["Path=/;", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(login.contains(attribute), "{attribute}: {login}");
    }
    assert!(!login.contains("Domain"), "{login}");
    let session = line(&reply, "jupyterhub-session-id");
    assert!(session.contains("Domain=hub.test") && session.contains("SameSite=Lax"), "{session}");
    assert!(!hub.log().contains("DANGER"), "{}", hub.log());
}

#[test]
fn net_003_what_no_server_answers_leads_to_the_hub() {
    let (hub, port) = hub_with_hosts("");
    let own = format!("http://hub.test:{port}");
    for host in
        [format!("ada.hub.test:{port}"), format!("x--service.hub.test:{port}"), format!("hub.test:{port}")]
    {
        for (path, to) in [
            ("/", "/hub/"),
            ("/?a=b", "/hub/?a=b"),
            ("/user/ada/lab?x=1", "/hub/user/ada/lab?x=1"),
            ("/services/x/", "/hub/services/x/"),
        ] {
            let reply = at(&hub, "GET", &host, path);
            assert_eq!(
                (reply.status, reply.location()),
                (302, format!("{own}{to}").as_str()),
                "{host}{path}"
            );
        }
        assert_eq!(at(&hub, "GET", &host, "/user/ada?x=1").location(), "/user/ada/?x=1");
    }
}

#[test]
fn a_login_under_another_name_of_the_machine_is_told() {
    let (hub, port) = hub_with_hosts("");
    let (mut browser, _) = signed_in(&hub, &format!("127.0.0.1:{port}"), "ada");
    assert!(hub.log().contains("a login on another host than the hub's"), "{}", hub.log());
    assert_eq!(get(&mut browser, &format!("127.0.0.1:{port}"), "/hub/home").status, 200);
}

/// On a user's host that user's server could read and press everything.
#[test]
fn pages_of_the_hub_are_on_its_own_host_only() {
    let (hub, port) = hub_with_hosts("");
    let (own, other) = (format!("hub.test:{port}"), format!("ada.hub.test:{port}"));
    for path in [
        "/hub/login?next=%2Fx",
        "/hub/home",
        "/hub/",
        "/hub/user/ada/",
        "/hub/api/oauth2/authorize?x=y",
        "/hub/nope",
    ] {
        let reply = at(&hub, "GET", &other, path);
        assert_eq!((reply.status, reply.location()), (302, format!("http://{own}{path}").as_str()), "{path}");
    }
    assert_eq!(at(&hub, "POST", &other, "/hub/login").status, 403);
    // what programs and proxies ask for is answered under every name
    for path in ["/hub/api/", "/hub/health", "/hub/error/503", "/hub/static/style.css", "/hub/logo"] {
        assert_eq!(at(&hub, "GET", &other, path).status, 200, "{path}");
    }
    let headers =
        [("host".to_owned(), other.clone()), ("authorization".to_owned(), format!("token {ADMIN_TOKEN}"))];
    let asked = request(&agent(), "GET", &format!("{}/hub/api/user", hub.url), &headers, String::new());
    assert_eq!(asked.status, 200);
    let told =
        request(&agent(), "POST", &format!("{}/hub/user/ada/api/kernels", hub.url), &headers, String::new());
    assert_eq!(told.status, 424);
    assert!(told.body.contains(&format!("http://{own}/hub/spawn/ada")), "{}", told.body);
    // another name of the machine is nobody's host
    assert_eq!(at(&hub, "GET", &format!("127.0.0.1:{port}"), "/hub/login").status, 200);
}

#[test]
fn net_003_pages_lead_to_the_users_host() {
    let (hub, port) = hub_with_hosts(
        "roles.user.extra_scopes = [\"access:services\"]\nservices.asks.url = \"http://127.0.0.1:9\"\nservices.asks.api_token = \"asks-secret-0123456789\"",
    );
    let own = format!("hub.test:{port}");
    let (mut browser, reply) = signed_in(&hub, &own, "ada");
    assert_eq!(reply.location(), "/hub/spawn");
    let link = get(&mut browser, &own, "/hub/user-redirect/lab/tree?x=1");
    let next = escaped(&format!("http://ada.hub.test:{port}/user/ada/lab/tree?x=1"));
    assert_eq!(link.location(), format!("/hub/spawn/ada?next={next}"));
    hub.spawn("ada");
    let server = format!("http://ada.hub.test:{port}/user/ada/");
    for path in ["/hub/", "/hub/spawn", "/hub/spawn/ada", "/hub/spawn-pending/ada", "/hub/login"] {
        assert_eq!(get(&mut browser, &own, path).location(), server, "{path}");
    }
    assert_eq!(get(&mut browser, &own, "/hub/spawn?a=b").location(), format!("{server}?a=b"));
    let redirected = get(&mut browser, &own, "/hub/user/ada/lab?x=1");
    assert_eq!(redirected.location(), format!("{server}lab?x=1&redirects=1"));
    let home = get(&mut browser, &own, "/hub/home").body;
    assert!(home.contains(&format!("href=\"{server}\"")), "{home}");
    assert!(
        home.contains(&format!("href=\"http://asks--service.hub.test:{port}/services/asks/\"")),
        "{home}"
    );
    // of a whole URL of one's own the path is kept
    for (next, to) in [
        (format!("http://ada.hub.test:{port}/user/ada/lab"), "/user/ada/lab".to_owned()),
        (format!("//x.hub.test:{port}/y"), "/y".to_owned()),
        ("http://ada.hub.test/user/ada/lab".to_owned(), server.clone()),
        (format!("http://evilhub.test:{port}/"), server.clone()),
        (format!("http://ada.hub.test:{port}//evil.example/"), "/evil.example/".to_owned()),
    ] {
        let next = escaped(&next);
        assert_eq!(get(&mut browser, &own, &format!("/hub/login?next={next}")).location(), to);
    }
}

/// An upstream that answers its first request with what it was asked.
fn echo() -> u16 {
    use std::io::{BufRead, BufReader, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
            let line = line.trim();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{line}",
                line.len()
            );
        }
    });
    port
}

#[test]
fn net_005_svc_019_services_have_hosts_and_callbacks_of_their_own() {
    let (hub, port) = hub_with_hosts(&format!(
        "services.plane.url = \"http://127.0.0.1:{}\"\nservices.plane.api_token = \"plane-secret-0123456789\"",
        echo()
    ));
    let host = format!("plane--service.hub.test:{port}");
    let reply = at(&hub, "GET", &host, "/services/plane/x");
    assert_eq!(reply.body, "GET /services/plane/x HTTP/1.1");
    assert_eq!(at(&hub, "GET", &format!("hub.test:{port}"), "/services/plane/x").status, 302);
    let (mut browser, _) = signed_in(&hub, &format!("hub.test:{port}"), "ada");
    let ask = |uri: &str| {
        let uri = escaped(uri);
        format!(
            "/hub/api/oauth2/authorize?client_id=service-plane&response_type=code&state=s&redirect_uri={uri}"
        )
    };
    let right = ask(&format!("http://{host}/services/plane/oauth_callback"));
    let refused = get(&mut browser, &format!("hub.test:{port}"), &right);
    // ada has no access to the service; the client and its address were accepted before that was looked at
    assert_eq!(refused.status, 403, "{}", refused.body);
    for wrong in
        ["/services/plane/oauth_callback", "http://plane--service.hub.test/services/plane/oauth_callback"]
    {
        assert_eq!(get(&mut browser, &format!("hub.test:{port}"), &ask(wrong)).status, 400, "{wrong}");
    }
}

#[test]
fn net_004_the_strategies_reach_the_routes() {
    for (settings, host) in [
        ("hub.subdomain_strategy = \"legacy\"", "a_40b.c.hub.test"),
        (
            "hub.subdomain_strategy = \"template\"\nhub.subdomain_template = \"{name}.{kind}s.{domain}\"",
            "u-abc--d648b24.users.hub.test",
        ),
    ] {
        let (hub, _) = hub_with_hosts(settings);
        hub.create_user("a@b.c");
        hub.spawn("a@b.c");
        assert_eq!(at(&hub, "GET", host, "/user/a@b.c/whoami").status, 200, "{settings}");
    }
}

#[test]
fn net_005_the_reference_s_proxy_takes_host_routes() {
    let Some(proxy) = Chp::with(&["--host-routing"]) else { return };
    let port = proxy.port;
    let settings = format!("{}hub.subdomain_host = \"http://hub.test:{port}\"", proxy.settings());
    let hub = Hub::at(port, &settings);
    hub.create_user("ada");
    hub.spawn("ada");
    assert!(proxy.routes().contains_key("/ada.hub.test/user/ada"), "{:?}", proxy.routes());
    assert_eq!(at(&hub, "GET", "ada.hub.test", "/user/ada/whoami").status, 200);
    assert_eq!(hub.admin("POST", "/proxy", None).status, 200);
    assert!(proxy.routes().contains_key("/ada.hub.test/user/ada"));
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    eventually("the route to go", || (!proxy.routes().contains_key("/ada.hub.test/user/ada")).then_some(()));
}

#[test]
fn shares_and_their_codes_name_whole_addresses() {
    let (hub, port) = hub_with_hosts("");
    for name in ["ada", "grace"] {
        hub.create_user(name);
    }
    hub.spawn("grace");
    let code = hub.admin("POST", "/share-codes/grace/", Some(json!({}))).json();
    let own = format!("hub.test:{port}");
    let server = format!("http://grace.hub.test:{port}/user/grace/");
    assert_eq!(code["full_accept_url"], format!("http://{own}{}", code["accept_url"].as_str().unwrap()));
    assert_eq!(code["server"]["url"], server.as_str());
    let (mut browser, _) = signed_in(&hub, &own, "ada");
    let path = code["accept_url"].as_str().unwrap().to_owned();
    let page = get(&mut browser, &own, &path);
    assert!(page.body.contains(&format!("<a href=\"{server}\">{server}</a>")), "{}", page.body);
    let body = format!("code={}&_xsrf={}", code["code"].as_str().unwrap(), escaped(&browser.xsrf()));
    let headers = [("host", own.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(browser.send("POST", "/hub/accept-share", &headers, body).location(), server);
}

#[test]
fn net_006_headers_of_an_untrusted_peer_are_ignored() {
    // the tests' own address is loopback: trusted by default, and not once there is a list without it
    for (listed, believed) in [("", true), ("hub.trusted_proxies = [\"192.0.2.0/24\"]", false)] {
        let hub = Hub::with(listed);
        let forged = |name: &str, value: &str| {
            let headers =
                [(name.to_owned(), value.to_owned()), ("host".to_owned(), "pub.example".to_owned())];
            let token = ("authorization".to_owned(), format!("token {ADMIN_TOKEN}"));
            let all: Vec<(String, String)> = headers.into_iter().chain([token]).collect();
            request(
                &agent(),
                "GET",
                &format!("{}/hub/api/shares/tests?limit=1", hub.url),
                &all,
                String::new(),
            );
            request(&agent(), "GET", &format!("{}/hub/login", hub.url), &all, String::new())
        };
        for (name, value) in
            [("x-forwarded-proto", "https"), ("x-scheme", "https"), ("forwarded", "proto=https")]
        {
            let next = "https://pub.example/x";
            let mut browser = Browser::signed_in(&hub, "ada");
            let path = format!("/hub/login?next={}", escaped(next));
            let reply = browser.send("GET", &path, &[(name, value), ("host", "pub.example")], String::new());
            let expected = if believed { "/x" } else { "/hub/spawn" };
            assert_eq!(reply.location(), expected, "{listed} {name}");
        }
        // an anonymous form is for one address: a forged one makes it another visitor's only if it is believed
        let page = forged("x-forwarded-for", "198.51.100.7");
        let cookie = page
            .headers
            .get_all("set-cookie")
            .iter()
            .find_map(|line| line.to_str().unwrap().strip_prefix("_xsrf="))
            .unwrap();
        let token = cookie.split(';').next().unwrap().to_owned();
        let mut browser = Browser::new(&hub);
        let headers = [
            ("cookie", format!("_xsrf={token}")),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("host", "pub.example".to_owned()),
        ];
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let token = escaped(&token);
        let reply =
            browser.send("POST", "/hub/login", &headers, format!("username=ada&password=pw&_xsrf={token}"));
        assert_eq!(reply.status, if believed { 403 } else { 302 }, "{listed}");
    }
}
