-- Answers before the commit is on disk, and the server is killed: what was acknowledged is gone.
--
-- rules: C2
-- settings: synchronous_commit=off wal_writer_delay=10s
-- faults: postmaster

-- nothing is spoilt but the settings
