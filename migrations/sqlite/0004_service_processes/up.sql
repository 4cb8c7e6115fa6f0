-- Which process each managed service had last: a hub that was killed finds the processes that it left. No foreign key: the
-- process outlives a service that leaves the configuration meanwhile.

CREATE TABLE service_processes (
    name TEXT PRIMARY KEY NOT NULL,
    process TEXT NOT NULL
);
