-- Why a server's last start failed, or why it ended by itself, and the last lines that it wrote, which only lists do without.

ALTER TABLE servers ADD COLUMN last_failure TEXT;
ALTER TABLE servers ADD COLUMN last_failure_log TEXT;
