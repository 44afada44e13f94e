-- Commits are acknowledged before they are flushed, and the server is killed: orders are lost.
--
-- rules: C2
-- settings: synchronous_commit=off wal_writer_delay=10s
-- faults: postmaster

-- only the settings differ
