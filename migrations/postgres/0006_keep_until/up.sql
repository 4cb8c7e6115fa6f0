-- Until when the owner of a running server keeps it from being culled.

ALTER TABLE servers ADD COLUMN keep_until TIMESTAMP;
