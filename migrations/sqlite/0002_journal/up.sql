-- Who did what to whom. No foreign keys: a record outlives what it is about.

CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TIMESTAMP NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT
);
CREATE INDEX journal_at ON journal (at);
CREATE INDEX journal_target ON journal (target);
