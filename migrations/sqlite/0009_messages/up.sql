-- What administrators told single users. A message is there until the user puts it away, or it expires.

CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    sender TEXT NOT NULL,
    sent TIMESTAMP NOT NULL,
    expires_at TIMESTAMP
);
CREATE INDEX messages_user ON messages (user_id, id);
CREATE INDEX messages_expires_at ON messages (expires_at);
