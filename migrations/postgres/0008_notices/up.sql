-- What the operator tells everybody: that the hub is under maintenance, or something else. At most one of each kind.

CREATE TABLE notices (
    kind TEXT PRIMARY KEY NOT NULL,
    notice TEXT NOT NULL
);
