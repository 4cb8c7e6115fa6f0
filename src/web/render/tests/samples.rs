//! Pages with everything that can be on them, made of one text: harmless, or hostile.

use super::*;

/// A browser of every kind; the first one shows the page.
pub(super) fn sessions(text: &str) -> Vec<SessionRow> {
    let row = |id: &str, browser: &str, system: &str| SessionRow {
        id: id.to_owned(),
        browser: browser.to_owned(),
        system: system.to_owned(),
        address: text.to_owned(),
        created: "2026-01-02T03:04:05Z".to_owned(),
        last_seen: "2026-01-02T03:04:05Z".to_owned(),
        deed: None,
        current: id == "1",
        foreign: id == "user-7",
    };
    vec![
        row("1", text, text),
        row("2", "curl", ""),
        row("3", "", "Linux"),
        row("4", "", ""),
        row("user-7", "Firefox", "Linux"),
    ]
}

pub(super) fn server(owner: &str, name: &str, state: ServerState) -> HomeServer {
    let key = ServerKey::new(Username::from_stored(owner), ServerName::from_stored(name));
    HomeServer {
        name: name.to_owned(),
        display_name: String::new(),
        state,
        links: ServerLinks::new("/jh/", &key),
        last_activity: None,
        started: None,
        step: None,
        options: Vec::new(),
        has_last: false,
        usage: None,
        usage_warning: None,
        cull_at: None,
        keep_for: None,
        failure: None,
    }
}

pub(super) fn home(owner: &str, state: ServerState, named: Vec<HomeServer>) -> HomePage {
    HomePage {
        messages: Vec::new(),
        user_api_url: format!("/jh/hub/api/users/{owner}"),
        default_server: server(owner, "", state),
        named_servers: named,
        allow_named_servers: true,
        named_server_limit_per_user: 0,
        invalid_server_names: Vec::new(),
        shared_servers: Vec::new(),
        sharing_url: None,
        version: "0123".to_owned(),
    }
}

pub(super) fn message(text: &str) -> ShownMessage {
    ShownMessage {
        id: 7,
        text: format!("{text}\nsecond line"),
        by: text.to_owned(),
        by_service: false,
        sent: text.to_owned(),
    }
}

pub(super) fn failure(message: &str) -> Failure {
    Failure {
        message: Some(message.to_owned()),
        message_html: None,
        at: Some("2026-01-02T03:04:05Z".to_owned()),
        log: vec![message.to_owned(), "second line".to_owned()],
    }
}

pub(super) fn pending(owner: &str) -> SpawnPendingPage {
    let key = ServerKey::new(Username::from_stored(owner), ServerName::from_stored("lab"));
    let links = ServerLinks::new("/jh/", &key);
    SpawnPendingPage {
        owner: owner.to_owned(),
        server_name: "lab".to_owned(),
        progress_url: links.progress_url,
        api_url: links.api_url,
        stop_url: links.stop_url,
        spawn_url: format!("{}?next=%2Fx", links.spawn_url),
        steps: vec!["Server requested".to_owned(), owner.to_owned()],
    }
}

pub(super) fn oauth(description: &str, scopes: &[&str]) -> OauthPage {
    OauthPage {
        oauth_client: OauthClient {
            identifier: "service-asks".to_owned(),
            description: description.to_owned(),
            redirect_uri: "http://127.0.0.1:9/asks/oauth_callback".to_owned(),
        },
        allowed_scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        scope_descriptions: Vec::new(),
    }
}

pub(super) fn tokens(text: &str) -> TokenPage {
    let time = "2026-01-02T03:04:05Z".to_owned();
    TokenPage {
        tokens_api_url: "/jh/hub/api/users/ada/tokens".to_owned(),
        api_tokens: vec![TokenRow {
            api_id: "a1".to_owned(),
            note: text.to_owned(),
            scopes: vec![text.to_owned()],
            of_server: true,
            last_activity: None,
            created: time.clone(),
            expires_at: Some(time.clone()),
        }],
        token_choices: [TokenKind::All, TokenKind::Expiring, TokenKind::Unused]
            .map(|kind| TokenChoice { kind, count: 1, chosen: kind == TokenKind::Unused })
            .into(),
        token_kind: TokenKind::Unused,
        oauth_clients: vec![TokenClient {
            client: text.to_owned(),
            description: text.to_owned(),
            scopes: vec![text.to_owned()],
            last_activity: Some(time.clone()),
            created: time,
            token_id: "a2".to_owned(),
            token_count: 2,
        }],
        token_expires_in_options: vec![
            ExpiryOption {
                value: "3600".to_owned(),
                label: "1 Hour".to_owned(),
                selected: false,
                limit: None,
            },
            ExpiryOption { value: String::new(), label: text.to_owned(), selected: true, limit: None },
        ],
        token_expires_in_max_seconds: 0,
        offered_scopes: vec![ScopeDescription {
            scope: text.to_owned(),
            description: text.to_owned(),
            filter: String::new(),
            filter_kind: "",
            filter_name: String::new(),
        }],
        new_token: None,
        problem: None,
        note: text.to_owned(),
        scopes: text.to_owned(),
    }
}

pub(super) fn offer(text: &str) -> AcceptSharePage {
    AcceptSharePage {
        code: text.to_owned(),
        owner: text.to_owned(),
        server_name: text.to_owned(),
        spawner_ready: false,
        spawner_url: text.to_owned(),
        scope_descriptions: vec![ScopeDescription {
            scope: text.to_owned(),
            description: text.to_owned(),
            filter: text.to_owned(),
            filter_kind: "user",
            filter_name: text.to_owned(),
        }],
        next_url: text.to_owned(),
    }
}

/// Every page, with `text` wherever a stranger could have chosen the words.
pub(super) fn every_page(text: &str) -> Vec<(&'static str, String)> {
    every_page_in(Language::default(), text)
}

pub(super) fn every_page_in(language: Language, text: &str) -> Vec<(&'static str, String)> {
    let visitor = PageContext {
        services: vec![ServiceLink { name: text.to_owned(), href: "/services/x/".to_owned() }],
        xsrf_token: text.to_owned(),
        admin_link: true,
        language,
        ..visitor(text)
    };
    let named = HomeServer {
        display_name: text.to_owned(),
        last_activity: Some(text.to_owned()),
        failure: Some(failure(text)),
        step: Some(text.to_owned()),
        options: vec![ShownOption { name: Some(text.to_owned()), value: text.into() }],
        ..server(text, text, ServerState::Failed)
    };
    let login = LoginPage {
        authenticator_login_url: text.to_owned(),
        username: text.to_owned(),
        login_error: Some(text.to_owned()),
        otp_prompt: Some(text.to_owned()),
        login_service: None,
        ..LoginPage::default()
    };
    let step = LoginPage {
        authenticator_login_url: text.to_owned(),
        step: Some(LoginStep {
            id: text.to_owned(),
            username: text.to_owned(),
            label: text.to_owned(),
            echo: true,
            autocomplete: "one-time-code",
            told: vec![LoginMessage { is_error: true, text: text.to_owned() }],
        }),
        ..LoginPage::default()
    };
    let mut asks = oauth(text, &[text]);
    asks.scope_descriptions.push(ScopeDescription {
        scope: text.to_owned(),
        description: text.to_owned(),
        filter: text.to_owned(),
        filter_kind: "user",
        filter_name: text.to_owned(),
    });
    let home = HomePage {
        messages: vec![message(text)],
        invalid_server_names: vec![text.to_owned()],
        shared_servers: vec![SharedServer {
            owner: text.to_owned(),
            name: text.to_owned(),
            ready: true,
            url: text.to_owned(),
            leave_url: Some(text.to_owned()),
        }],
        ..home(text, ServerState::Running, vec![named])
    };
    let spawn = SpawnPage {
        for_user: Some(text.to_owned()),
        server_name: text.to_owned(),
        url: text.to_owned(),
        error_message: Some(text.to_owned()),
        ..SpawnPage::default()
    };
    let options = ["choice", "integer", "switch", "text"].map(|kind| FormOption {
        field: text.to_owned(),
        id: format!("option-gpu-{kind}"),
        label: text.to_owned(),
        help: text.to_owned(),
        kind,
        value: text.to_owned(),
        choices: vec![FormChoice { value: text.to_owned(), label: text.to_owned() }],
        max: text.to_owned(),
        unit: text.to_owned(),
        problem: Some(text.to_owned()),
        ..FormOption::default()
    });
    let gpu = FormProfile {
        slug: "gpu".to_owned(),
        display_name: text.to_owned(),
        description: text.to_owned(),
        chosen: true,
        options: options.into(),
    };
    let id = "option-gpu-text".to_owned();
    let profiles = SpawnPage {
        profiles: vec![gpu, FormProfile { slug: "small".to_owned(), ..FormProfile::default() }],
        problems: vec![FieldProblem { id, label: text.to_owned(), message: text.to_owned() }],
        failure: Some(failure(text)),
        ..spawn.clone()
    };
    let spawn = SpawnPage { entered: Some(serde_json::json!({ text: [text] })), ..spawn };
    let sharing = SharingPage {
        servers: vec![SharedWith { name: text.to_owned(), display_name: text.to_owned(), chosen: true }],
        shares: [GivenTo::User, GivenTo::Group, GivenTo::Link]
            .map(|to| GivenShare {
                server: text.to_owned(),
                server_shown: text.to_owned(),
                to,
                name: text.to_owned(),
                permitted: vec![text.to_owned()],
                created: text.to_owned(),
                expires_at: None,
                used: 1,
            })
            .into(),
        new_link: Some(text.to_owned()),
        problem: Some(text.to_owned()),
        problem_in: "person",
        done: Some(text.to_owned()),
        entered: text.to_owned(),
        ..SharingPage::default()
    };
    let restart = RestartPage {
        owner: text.to_owned(),
        server_name: text.to_owned(),
        url: text.to_owned(),
        running: true,
    };
    let stopped = NotRunningPage {
        owner: text.to_owned(),
        server_name: text.to_owned(),
        spawn_url: Some(text.to_owned()),
        implicit_spawn_seconds: 2.5,
        failed: true,
        failure: Some(failure(text)),
    };
    let error = |status_code| ErrorPage {
        status_code,
        status_message: text.to_owned(),
        message: Some(format!("{text}.")),
        ..ErrorPage::default()
    };
    let stopping = StopPendingPage {
        owner: text.to_owned(),
        server_name: text.to_owned(),
        api_url: "/jh/hub/api/users/ada/server".to_owned(),
    };
    let account = AccountPage {
        admin: true,
        groups: vec![text.to_owned()],
        roles: vec![ShownRole { name: text.to_owned(), description: text.to_owned() }],
        created: text.to_owned(),
        sessions: sessions(text),
        ended: Some(Ended::One),
        end_session_url: "/jh/hub/account/sessions/end".to_owned(),
        end_others_url: "/jh/hub/account/sessions/end-others".to_owned(),
        end_url: "/jh/hub/account/sign-out".to_owned(),
    };
    let made = TokenPage { new_token: Some(text.to_owned()), problem: Some(text.to_owned()), ..tokens(text) };
    let mut pages = vec![
        ("login", show(&visitor, &login)),
        ("login-step", show(&visitor, &step)),
        ("logout", show(&visitor, &LogoutPage {})),
        ("home", show(&visitor, &home)),
        ("spawn", show(&visitor, &spawn)),
        ("profiles", show(&visitor, &profiles)),
        ("sharing", show(&visitor, &sharing)),
        ("restart", show(&visitor, &restart)),
        ("spawn_pending", show(&visitor, &pending(text))),
        ("stop_pending", show(&visitor, &stopping)),
        ("not_running", show(&visitor, &stopped)),
        ("oauth", show(&visitor, &asks)),
        ("token", show(&visitor, &tokens(text))),
        ("token made", show(&visitor, &made)),
        ("account", show(&visitor, &account)),
        ("accept-share", show(&visitor, &offer(text))),
        ("error", show(&visitor, &error(500))),
        ("404", show(&visitor, &error(404))),
    ];
    pages.extend(admin::every(&visitor, text));
    pages
}
