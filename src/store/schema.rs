//! The tables as diesel sees them. `tables_match_the_migrations` compares them with both sets of migrations.

diesel::table! {
    users (id) {
        id -> BigInt,
        name -> Text,
        admin -> Bool,
        created -> Timestamp,
        last_activity -> Nullable<Timestamp>,
        cookie_id -> Text,
        user_info -> Nullable<Text>,
        encrypted_auth_state -> Nullable<Text>,
    }
}

diesel::table! {
    groups (id) {
        id -> BigInt,
        name -> Text,
        properties -> Text,
    }
}

diesel::table! {
    roles (id) {
        id -> BigInt,
        name -> Text,
        description -> Text,
        scopes -> Text,
        managed_by_auth -> Bool,
    }
}

diesel::table! {
    services (id) {
        id -> BigInt,
        name -> Text,
        admin -> Bool,
        url -> Nullable<Text>,
        oauth_client_allowed_scopes -> Nullable<Text>,
        info -> Nullable<Text>,
        display -> Bool,
        oauth_no_confirm -> Bool,
        command -> Nullable<Text>,
        cwd -> Nullable<Text>,
        environment -> Nullable<Text>,
        run_as -> Nullable<Text>,
        timeout_seconds -> BigInt,
        from_config -> Bool,
        oauth_client_id -> Nullable<Text>,
    }
}

diesel::table! {
    servers (id) {
        id -> BigInt,
        user_id -> BigInt,
        name -> Text,
        display_name -> Text,
        state -> Text,
        started -> Nullable<Timestamp>,
        last_activity -> Nullable<Timestamp>,
        user_options -> Nullable<Text>,
        oauth_client_id -> Nullable<Text>,
        api_token_id -> Nullable<BigInt>,
        proto -> Nullable<Text>,
        ip -> Nullable<Text>,
        port -> Nullable<Integer>,
        base_url -> Nullable<Text>,
        last_failure -> Nullable<Text>,
        last_failure_log -> Nullable<Text>,
        keep_until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    oauth_clients (id) {
        id -> BigInt,
        identifier -> Text,
        description -> Text,
        secret -> Text,
        redirect_uri -> Text,
        allowed_scopes -> Text,
        server_id -> Nullable<BigInt>,
        service_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> BigInt,
        hashed -> Text,
        prefix -> Text,
        user_id -> Nullable<BigInt>,
        service_id -> Nullable<BigInt>,
        client_id -> Text,
        server_id -> Nullable<BigInt>,
        session_id -> Nullable<Text>,
        created -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        last_activity -> Nullable<Timestamp>,
        note -> Text,
        scopes -> Text,
        purpose -> Text,
    }
}

diesel::table! {
    oauth_codes (id) {
        id -> BigInt,
        client_id -> Text,
        user_id -> BigInt,
        code_hash -> Text,
        expires_at -> Timestamp,
        redirect_uri -> Text,
        session_id -> Nullable<Text>,
        scopes -> Text,
        code_challenge -> Nullable<Text>,
        code_challenge_method -> Nullable<Text>,
    }
}

diesel::table! {
    group_members (user_id, group_id) {
        user_id -> BigInt,
        group_id -> BigInt,
    }
}

diesel::table! {
    user_roles (user_id, role_id) {
        user_id -> BigInt,
        role_id -> BigInt,
        managed_by_auth -> Bool,
    }
}

diesel::table! {
    group_roles (group_id, role_id) {
        group_id -> BigInt,
        role_id -> BigInt,
        managed_by_auth -> Bool,
    }
}

diesel::table! {
    service_roles (service_id, role_id) {
        service_id -> BigInt,
        role_id -> BigInt,
        managed_by_auth -> Bool,
    }
}

diesel::table! {
    shares (id) {
        id -> BigInt,
        owner_id -> BigInt,
        server_id -> BigInt,
        user_id -> Nullable<BigInt>,
        group_id -> Nullable<BigInt>,
        scopes -> Text,
        created_at -> Timestamp,
        expires_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    share_codes (id) {
        id -> BigInt,
        owner_id -> BigInt,
        server_id -> BigInt,
        hashed -> Text,
        prefix -> Text,
        scopes -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        exchange_count -> BigInt,
        last_exchanged_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    journal (id) {
        id -> BigInt,
        at -> Timestamp,
        actor -> Text,
        action -> Text,
        target -> Text,
        detail -> Nullable<Text>,
    }
}

diesel::table! {
    ended_logins (login_id) {
        login_id -> Text,
        until -> Timestamp,
    }
}

diesel::table! {
    logins (login_id) {
        login_id -> Text,
        user_id -> BigInt,
        created -> Timestamp,
        last_seen -> Timestamp,
        expires_at -> Timestamp,
        browser -> Text,
        system -> Text,
        address -> Text,
        sessions -> Text,
    }
}

diesel::table! {
    service_processes (name) {
        name -> Text,
        process -> Text,
    }
}

diesel::table! {
    notices (kind) {
        kind -> Text,
        notice -> Text,
    }
}

diesel::table! {
    messages (id) {
        id -> BigInt,
        user_id -> BigInt,
        text -> Text,
        sender -> Text,
        sent -> Timestamp,
        expires_at -> Nullable<Timestamp>,
    }
}

diesel::joinable!(servers -> users (user_id));
diesel::joinable!(group_members -> users (user_id));
diesel::joinable!(group_members -> groups (group_id));
diesel::joinable!(user_roles -> users (user_id));
diesel::joinable!(user_roles -> roles (role_id));
diesel::joinable!(group_roles -> groups (group_id));
diesel::joinable!(group_roles -> roles (role_id));
diesel::joinable!(service_roles -> services (service_id));
diesel::joinable!(service_roles -> roles (role_id));
diesel::joinable!(shares -> servers (server_id));
diesel::joinable!(share_codes -> servers (server_id));

diesel::allow_tables_to_appear_in_same_query!(
    users,
    groups,
    roles,
    services,
    servers,
    oauth_clients,
    api_tokens,
    oauth_codes,
    group_members,
    user_roles,
    group_roles,
    service_roles,
    shares,
    share_codes,
);

// The owner of a shared server, beside the user that it is shared with.
diesel::alias!(users as owners: Owners);
