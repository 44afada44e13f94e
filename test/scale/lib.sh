# shellcheck shell=bash
#
# How tools/scale and tools/test run the shop on several nodes, and what it needs.
# Sourced after tools/lib.sh.

# scale_packages: what it needs beside the server; PL/Proxy is not there for every PostgreSQL
scale_packages() {
    wish "postgresql-$PG_MAJOR-plproxy" has_plproxy
    require python3-psycopg2 /usr/bin/python3 -c 'import psycopg2'
}

# has_plproxy: is it installed for the chosen PostgreSQL?
has_plproxy() {
    [ -e "$("$PG_CONFIG" --sharedir)/extension/plproxy.control" ]
}

# drive_scale DIRECTORY OPTION ...: with its servers in the directory
drive_scale() {
    local directory=$1
    shift
    as_user mkdir "$directory"
    as_user env -u PGHOST -u PGUSER -u PGDATABASE WORK="$directory" PYTHONPATH="$SOURCE/bench" /usr/bin/python3 -B "$SOURCE/test/scale/run.py" "$@" </dev/null
}
