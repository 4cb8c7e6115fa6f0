//! What is refused, and what is doubtful.

use super::super::testing::{problems, reading, warnings};
use super::*;

#[test]
fn rbac_028_names_of_roles() {
    for (name, good) in [
        ("ab", false),
        ("abc", true),
        ("Abc", false),
        ("abc-", false),
        ("1ab", false),
        (&"a".repeat(255), true),
        (&"a".repeat(256), false),
        ("a-_~.1", true),
        ("a b c", false),
    ] {
        assert_eq!(is_role_name(name), good, "{name}");
    }
    assert!(
        problems("[roles.\"Not A Name\"]\nscopes = []").contains("`roles.\"Not A Name\"`: a role's name")
    );
}

#[test]
fn rbac_037_names_of_custom_scopes() {
    for (name, good) in [
        ("custom:ab", false),
        ("custom:abc", true),
        ("custom:ab*", true),
        ("custom:ab-", false),
        ("custom:Abc", false),
        ("custom:-bc", false),
        ("custom:lab:read", true),
        ("mine:own", false),
    ] {
        assert_eq!(is_custom_scope(name), good, "{name}");
    }
}

#[test]
fn rbac_038_custom_scopes_are_described_and_made_of_custom_scopes() {
    let text = "[scopes.\"custom:abc\"]\ndescription = \"x\"\nsubscopes = [\"self\", \"custom:xyz\"]\n[scopes.\"custom:def\"]";
    let found = problems(text);
    assert!(
        found.contains("\"self\" is no custom scope") && found.contains("\"custom:xyz\" is no custom scope"),
        "{found}"
    );
    assert!(found.contains("`scopes.\"custom:def\".description`: needed"), "{found}");
}

#[test]
fn cfg_023_the_role_admin_has_holders_only() {
    let found = problems("[roles.admin]\nscopes = [\"self\"]\ndescription = \"x\"");
    assert!(found.contains("`roles.admin.scopes`") && found.contains("`roles.admin.description`"), "{found}");
    assert_eq!(
        reading("roles.admin.users = [\"ada\"]").config.roles["admin"].users.as_ref().unwrap(),
        &["ada"]
    );
    assert!(warnings("roles.user.scopes = []").contains("lacks `self`"));
}

#[test]
fn svc_001_names_of_services_are_one_part_of_a_path() {
    for bad in [".", "", "a/b", "..", "%2e", "%2E%2E", ".%2e", " space "] {
        let found = problems(&format!("[services.\"{bad}\"]\ntimeout = 1"));
        assert!(found.contains("one part of a URL path"), "{bad:?}: {found}");
    }
    reading("[services.\"a b\"]\ntimeout = 1");
}

#[test]
fn a_health_path_is_a_path_of_a_service_with_an_address() {
    let with = |path: &str, url: &str| format!("services.x.health_path = \"{path}\"\n{url}");
    let url = "services.x.url = \"http://127.0.0.1:9\"";
    assert!(problems(&with("/ok", "")).contains("services.x.health_path"));
    assert!(problems(&with("ok", url)).contains("services.x.health_path"));
    reading(&with("/ok?deep=1", url));
}

#[test]
fn cook_091_tokens_of_services_have_8_to_64_characters() {
    let token = |length: usize| format!("services.x.api_token = \"{}\"", "t".repeat(length));
    assert!(problems(&token(7)).contains("`services.x.api_token`: expected 8 to 64 characters, not 7"));
    assert!(problems(&token(65)).contains("not 65"));
    reading(&token(8));
    reading(&token(64));
    let shared = "[services.a]\napi_token = \"12345678\"\n[services.b]\napi_token = \"12345678\"";
    assert!(problems(shared).contains("`services.b.api_token`: the service \"a\" has the same token"));
}

#[test]
fn svc_012_oauth_clients_need_a_redirect_and_an_id_with_a_prefix() {
    let found = problems("[services.x]\noauth_no_confirm = true\noauth_client_id = \"mine\"");
    assert!(found.contains("`services.x.oauth_redirect_uri`: needed"), "{found}");
    assert!(found.contains("`services.x.oauth_client_id`: must start with `service-`"), "{found}");
    assert!(!reading("services.x.api_token = \"12345678\"").config.services["x"].is_oauth_client());
    assert!(reading("services.x.url = \"http://127.0.0.1:9\"").config.services["x"].is_oauth_client());
}

#[test]
fn svc_002_urls_of_services_are_http() {
    for url in ["ftp://h/", "http+unix://%2Fx", "127.0.0.1:9", "http://:9"] {
        assert!(problems(&format!("services.x.url = \"{url}\"")).contains("`services.x.url`"), "{url}");
    }
}

#[test]
fn cfg_028_shared_passwords_are_long_and_differ() {
    let with = |user: &str, admin: &str| {
        format!(
            "auth.type = \"shared-password\"\n[auth.shared_password]\nuser_password = \"{user}\"\nadmin_password = \"{admin}\""
        )
    };
    let long = "a".repeat(32);
    assert!(
        problems(&with("short", "")).contains("`auth.shared_password.user_password`: expected at least 8")
    );
    assert!(problems(&with("long-enough", "too-short-for-admins")).contains("expected at least 32"));
    assert!(problems(&with(&long, &long)).contains("must differ"));
    assert!(warnings(&with("long-enough", &long)).contains("`auth.admin_users` is empty"));
    assert!(warnings(&with("", "")).contains("has no password"));
}

#[test]
fn cfg_029_auth_030_passwords_of_groups_need_managed_groups_and_are_passwords() {
    let with = |more: &str| {
        format!(
            "auth.type = \"shared-password\"\nauth.shared_password.user_password = \"long-enough\"\n{more}"
        )
    };
    let entry = |password: &str, groups: &str| {
        with(&format!(
            "auth.manage_groups = true\nauth.shared_password.groups = [{{ password = \"{password}\", groups = {groups} }}]"
        ))
    };
    reading(&entry("of-the-lab", "[\"lab\"]"));
    for (password, groups, why) in [
        ("short", "[\"lab\"]", "at least 8 characters"),
        ("long-enough", "[\"lab\"]", "is used elsewhere"),
        ("of-the-lab", "[]", "at least one group"),
    ] {
        assert!(problems(&entry(password, groups)).contains(why), "{why}");
    }
    let unmanaged = with("auth.shared_password.groups = [{ password = \"of-the-lab\", groups = [\"lab\"] }]");
    assert!(problems(&unmanaged).contains("needs `auth.manage_groups = true`"));
}

#[test]
fn auth_032_a_header_without_a_secret_is_refused() {
    let with = |more: &str| format!("auth.type = \"remote-user\"\n[auth.remote_user]\n{more}");
    assert!(problems(&with("")).contains("`auth.remote_user.secret`: expected at least 32 characters"));
    let secret = format!("secret = \"{}\"", "s".repeat(32));
    reading(&with(&secret));
    assert!(problems(&with(&format!("{secret}\nheader = \"a b\""))).contains("`auth.remote_user.header`"));
    assert!(
        problems(&with(&format!("{secret}\nheader = \"x-orrery-proxy-secret\""))).contains("must differ")
    );
    assert!(reading(&with(&secret)).config.auth.auto_login);
}

#[test]
fn keys_of_the_sign_in_that_need_others_say_so() {
    let hook = "[auth.hooks]\nload_roles = { command = [\"x\"] }";
    assert!(problems(hook).contains("`auth.hooks.load_roles`: needs `auth.manage_roles = true`"));
    assert!(warnings("auth.reset_managed_roles = true").contains("has no effect"));
    let hook = "[auth.hooks]\nreconcile_state = { command = [\"x\"] }";
    assert!(warnings(hook).contains("has no effect without `auth.state.enabled = true`"));
    assert!(problems("auth.rate_limit.window = 0").contains("`auth.rate_limit.window`"));
    reading("auth.rate_limit = { window = 0, enabled = false }");
}

#[test]
fn cfg_039_nobody_allowed_is_warned_about_unless_told_not_to() {
    assert!(warnings("auth.type = \"shared-password\"").contains("nobody may sign in"));
    assert!(!warnings("auth.type = \"dummy\"").contains("nobody may sign in"));
    assert!(!warnings("auth.type = \"null\"").contains("nobody may sign in"));
    assert!(!warnings("[auth]\nsuppress_no_allow_warning = true").contains("nobody may sign in"));
}

#[test]
fn names_of_people_are_checked() {
    let found =
        problems("auth.admin_users = [\"a/b\"]\n[groups.g]\nusers = [\"..\"]\n[roles.abc]\nusers = [\"\"]");
    for key in ["`auth.admin_users`", "`groups.g.users`", "`roles.abc.users`"] {
        assert!(found.contains(key), "{key}\n{found}");
    }
    assert!(warnings("auth.allowed_users = [\"a\", \"d\"]").contains("\"a\" has one letter"));
}

#[test]
fn cfg_018_a_cookie_secret_is_hexadecimal() {
    assert!(problems("hub.cookie_secret = \"abc\"").contains("`hub.cookie_secret`: expected an even number"));
    assert!(problems("hub.cookie_secret = \"xy\"").contains("`hub.cookie_secret`"));
    assert!(
        warnings(&format!("hub.cookie_secret = \"{}\"", "ab".repeat(33))).contains("longer than 32 bytes")
    );
}

#[test]
fn numbers_stay_in_their_ranges() {
    let found = problems(
        "hub.limits.retry_after = [60, 30]\nhub.api.page_default_limit = 300\nspawner.poll_jitter = 2\n\
         spawner.cpu_limit = 0\nhub.headers.\"X Y\" = \"z\"\nauth.username_pattern = \"(\"\n\
         spawner.environment.\"A=B\" = \"c\"\nspawner.cmd = []\ndatabase.url = \"mysql://h/d\"",
    );
    for key in [
        "hub.limits.retry_after",
        "hub.api.page_default_limit",
        "spawner.poll_jitter",
        "spawner.cpu_limit",
        "hub.headers.\"X Y\"",
        "auth.username_pattern",
        "spawner.environment.\"A=B\"",
        "spawner.cmd",
        "database.url",
    ] {
        assert!(found.contains(&format!("`{key}`: ")), "{key}\n{found}");
    }
}

#[test]
fn cook_003_a_host_prefix_without_hosts_of_users_own_is_warned_of() {
    let found = warnings("hub.cookie_host_prefix = true\nproxy.type = \"child\"");
    assert!(found.contains("DANGER") && found.contains("over HTTPS only"), "{found}");
    let found = warnings(
        "hub.cookie_host_prefix = true\nhub.subdomain_host = \"https://hub.test\"\nhub.base_url = \"/\"",
    );
    assert!(!found.contains("cookie_host_prefix"), "{found}");
    let embedded = warnings("hub.cookie_host_prefix = true");
    assert!(!embedded.contains("DANGER") && embedded.contains("over HTTPS only"), "{embedded}");
    assert!(!warnings("").contains("cookie_host_prefix"));
}

#[test]
fn landing_pages_and_report_addresses_are_addresses() {
    for (text, reason) in [
        ("[[hub.default_url_rules]]\nrole = \"x\"", "starts with `/`"),
        ("[[hub.default_url_rules]]\nurl = \"/x\"", "says for whom it is"),
        ("[[hub.default_url_rules]]\nadmin = true\nurl = \"//evil.example\"", "starts with `/`"),
        ("hub.csp_report_uri = \"/x; script-src *\"", "hub.csp_report_uri"),
        ("hub.csp_report_uri = \"x\"", "hub.csp_report_uri"),
    ] {
        let said = problems(text);
        assert!(said.contains(reason), "{text}: {said}");
    }
    reading("hub.csp_report_uri = \"https://reports.example/csp?site=a\"");
    reading("[[hub.default_url_rules]]\ngroup = \"g\"\nurl = \"/services/grader/?a=b#c\"");
}

#[test]
fn servers_of_the_hubs_own_account_have_no_sockets_umask_or_login_shell() {
    let found = problems(
        "spawner.type = \"simple\"\nspawner.transport = \"unix\"\n[spawner.local]\numask = \"0077\"\n\
         environment = \"login\"\nshell = true",
    );
    for key in
        ["spawner.transport", "spawner.local.umask", "spawner.local.environment", "spawner.local.shell"]
    {
        assert!(found.contains(&format!("`{key}`: this needs spawner.type = \"local\"")), "{key}\n{found}");
    }
    reading(
        "spawner.type = \"simple\"\nspawner.transport = \"tcp\"\nspawner.local.shell_cmd = [\"bash\", \"-lc\"]",
    );
}

#[test]
fn what_a_local_server_needs_is_checked() {
    assert!(problems("spawner.local.socket_args = [\"--sock\"]").contains("`spawner.local.socket_args`"));
    reading("spawner.transport = \"tcp\"\nspawner.local.socket_args = []");
    assert!(problems("spawner.local.cwd = \"work\"").contains("`spawner.local.cwd`"));
    assert!(problems("spawner.local.umask = \"7777\"").contains("`spawner.local.umask`"));
}
