-- The same tables, columns and constraints as migrations/postgres/0001_tables. AUTOINCREMENT: an id is never reused, so
-- that it may key processes, files and logs. Times are UTC with microseconds; JSON is text.

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    admin BOOLEAN NOT NULL DEFAULT FALSE,
    created TIMESTAMP NOT NULL,
    last_activity TIMESTAMP,
    cookie_id TEXT NOT NULL UNIQUE,
    user_info TEXT,
    encrypted_auth_state TEXT
);
CREATE INDEX users_last_activity ON users (last_activity);

CREATE TABLE groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    properties TEXT NOT NULL DEFAULT '{}'
);

CREATE TABLE roles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    scopes TEXT NOT NULL DEFAULT '[]',
    managed_by_auth BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE services (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    admin BOOLEAN NOT NULL DEFAULT FALSE,
    url TEXT,
    oauth_client_allowed_scopes TEXT,
    info TEXT,
    display BOOLEAN NOT NULL DEFAULT TRUE,
    oauth_no_confirm BOOLEAN NOT NULL DEFAULT FALSE,
    command TEXT,
    cwd TEXT,
    environment TEXT,
    run_as TEXT,
    timeout_seconds BIGINT NOT NULL DEFAULT 30,
    from_config BOOLEAN NOT NULL DEFAULT TRUE,
    oauth_client_id TEXT REFERENCES oauth_clients (identifier) ON DELETE SET NULL ON UPDATE CASCADE
);

CREATE TABLE servers (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    display_name TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT '{}',
    started TIMESTAMP,
    last_activity TIMESTAMP,
    user_options TEXT,
    oauth_client_id TEXT REFERENCES oauth_clients (identifier) ON DELETE SET NULL ON UPDATE CASCADE,
    api_token_id BIGINT REFERENCES api_tokens (id) ON DELETE SET NULL,
    proto TEXT,
    ip TEXT,
    port INTEGER,
    base_url TEXT,
    UNIQUE (user_id, name),
    CHECK ((proto IS NULL) = (ip IS NULL) AND (proto IS NULL) = (port IS NULL) AND (proto IS NULL) = (base_url IS NULL))
);
CREATE INDEX servers_active ON servers (user_id) WHERE proto IS NOT NULL;
CREATE INDEX servers_last_activity ON servers (last_activity);
CREATE INDEX servers_oauth_client_id ON servers (oauth_client_id);
CREATE INDEX servers_api_token_id ON servers (api_token_id);

-- A client belongs to the hub (neither link), to a server or to a service, and goes with it.
CREATE TABLE oauth_clients (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    identifier TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    secret TEXT NOT NULL DEFAULT '',
    redirect_uri TEXT NOT NULL DEFAULT '',
    allowed_scopes TEXT NOT NULL DEFAULT '[]',
    server_id BIGINT REFERENCES servers (id) ON DELETE CASCADE,
    service_id BIGINT REFERENCES services (id) ON DELETE CASCADE,
    CHECK (server_id IS NULL OR service_id IS NULL)
);
CREATE INDEX oauth_clients_server_id ON oauth_clients (server_id);
CREATE INDEX oauth_clients_service_id ON oauth_clients (service_id);

CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    hashed TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
    service_id BIGINT REFERENCES services (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES oauth_clients (identifier) ON DELETE CASCADE ON UPDATE CASCADE,
    server_id BIGINT REFERENCES servers (id) ON DELETE CASCADE,
    session_id TEXT,
    created TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    last_activity TIMESTAMP,
    note TEXT NOT NULL DEFAULT '',
    scopes TEXT NOT NULL DEFAULT '[]',
    purpose TEXT NOT NULL CHECK (purpose IN ('user', 'oauth', 'server', 'service_startup', 'config')),
    CHECK ((user_id IS NULL) <> (service_id IS NULL))
);
CREATE INDEX api_tokens_prefix ON api_tokens (prefix);
CREATE INDEX api_tokens_user_id ON api_tokens (user_id);
CREATE INDEX api_tokens_service_id ON api_tokens (service_id);
CREATE INDEX api_tokens_client_id ON api_tokens (client_id);
CREATE INDEX api_tokens_server_id ON api_tokens (server_id);
CREATE INDEX api_tokens_expires_at ON api_tokens (expires_at);

CREATE TABLE oauth_codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    client_id TEXT NOT NULL REFERENCES oauth_clients (identifier) ON DELETE CASCADE ON UPDATE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL UNIQUE,
    expires_at TIMESTAMP NOT NULL,
    redirect_uri TEXT NOT NULL,
    session_id TEXT,
    scopes TEXT NOT NULL DEFAULT '[]',
    code_challenge TEXT,
    code_challenge_method TEXT
);
CREATE INDEX oauth_codes_client_id ON oauth_codes (client_id);
CREATE INDEX oauth_codes_user_id ON oauth_codes (user_id);
CREATE INDEX oauth_codes_expires_at ON oauth_codes (expires_at);

CREATE TABLE group_members (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, group_id)
);
CREATE INDEX group_members_group_id ON group_members (group_id);

CREATE TABLE user_roles (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id BIGINT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    managed_by_auth BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (user_id, role_id)
);
CREATE INDEX user_roles_role_id ON user_roles (role_id);

CREATE TABLE group_roles (
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    role_id BIGINT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    managed_by_auth BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (group_id, role_id)
);
CREATE INDEX group_roles_role_id ON group_roles (role_id);

CREATE TABLE service_roles (
    service_id BIGINT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    role_id BIGINT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    managed_by_auth BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (service_id, role_id)
);
CREATE INDEX service_roles_role_id ON service_roles (role_id);

CREATE TABLE shares (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    owner_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    server_id BIGINT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
    group_id BIGINT REFERENCES groups (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL DEFAULT '[]',
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    UNIQUE (server_id, user_id),
    UNIQUE (server_id, group_id),
    CHECK ((user_id IS NULL) <> (group_id IS NULL))
);
CREATE INDEX shares_owner_id ON shares (owner_id);
CREATE INDEX shares_user_id ON shares (user_id);
CREATE INDEX shares_group_id ON shares (group_id);
CREATE INDEX shares_expires_at ON shares (expires_at);

CREATE TABLE share_codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    owner_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    server_id BIGINT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    hashed TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    scopes TEXT NOT NULL DEFAULT '[]',
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    exchange_count BIGINT NOT NULL DEFAULT 0,
    last_exchanged_at TIMESTAMP
);
CREATE INDEX share_codes_owner_id ON share_codes (owner_id);
CREATE INDEX share_codes_server_id ON share_codes (server_id);
CREATE INDEX share_codes_prefix ON share_codes (prefix);
CREATE INDEX share_codes_expires_at ON share_codes (expires_at);
