-- Logins that were ended before their cookie expires: a copy of the cookie must not bring them back (SEC-010).

CREATE TABLE ended_logins (
    login_id TEXT PRIMARY KEY NOT NULL,
    until TIMESTAMP NOT NULL
);
CREATE INDEX ended_logins_until ON ended_logins (until);
