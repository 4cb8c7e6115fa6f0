-- The browsers that somebody is signed in with (UI-045), so that the person can see and end them. A login is valid without
-- a row here: `ended_logins` and the user's cookie id say which is not. `sessions` is a JSON list.

CREATE TABLE logins (
    login_id TEXT PRIMARY KEY NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created TIMESTAMP NOT NULL,
    last_seen TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    browser TEXT NOT NULL,
    system TEXT NOT NULL,
    address TEXT NOT NULL,
    sessions TEXT NOT NULL
);
CREATE INDEX logins_user_id ON logins (user_id, last_seen);
CREATE INDEX logins_expires_at ON logins (expires_at);
