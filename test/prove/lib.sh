# shellcheck shell=bash
#
# How tools/prove and tools/test run the driver, and what it needs.
# Sourced after tools/lib.sh.

# prove_packages: what load, driver and checker need beside the server
prove_packages() {
    require libpq-dev has_libpq
    require python3 command -v python3
    require perl perl -MTest::More -MJSON::PP -MTime::HiRes -e 1
}

# has_libpq: its headers, where the chosen PostgreSQL has them
has_libpq() {
    [ -e "$("$PG_CONFIG" --includedir)/libpq-fe.h" ]
}

# run_driver DIRECTORY OPTIONS: cycles, mutants; the output of servers and tools is in $WORK/prove.log
run_driver() {
    local directory=$1
    shift
    quietly load as_user make -s -C "$SOURCE/test/prove/load" PG_CONFIG="$PG_CONFIG"
    as_user mkdir "$directory"
    as_user env -u PGHOST -u PGUSER -u PGDATABASE \
        PROVE_LOAD="$SOURCE/test/prove/load/load" PROVE_CHECK="$SOURCE/test/prove/check" \
        PROVE_PG_CONFIG="$PG_CONFIG" \
        perl "$SOURCE/test/prove/run" --root "$directory" "$@" 2>"$WORK/prove.log" </dev/null
}

# driver_ended OUTPUT: did it run to its end, with or without failures?
driver_ended() {
    grep -q '^1\.\.' "$1"
}
