-- The role of the exporter.  For a superuser; the password is set with \password exporter.

CREATE ROLE exporter LOGIN;
GRANT pg_monitor TO exporter;
