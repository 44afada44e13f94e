# shellcheck shell=bash
#
# Functions shared by the tools: find PostgreSQL or install it, stage a private
# copy of it with the extension inside, run throwaway servers from that copy, and
# clean up.
#
# Nothing is installed into the directories of the system's PostgreSQL, and its
# clusters are not touched.  The server finds its libraries relative to its own
# binary, so a copy of its directories under $WORK is an independent installation.
#
# Sets: ROOT      the checkout
#       PG_CONFIG the pg_config of the chosen PostgreSQL, PG_MAJOR its major version
#       WORK      everything a tool writes; removed on exit
#       SOURCE    the copy of the checkout that is built
#       BIN       the programs of the staged PostgreSQL
# shellcheck disable=SC2034  # some are used by the scripts that source this file

OLDEST_MAJOR=15
DEBIAN_LIB=/usr/lib/postgresql

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PG_CONFIG=${PG_CONFIG:-}
PG_MAJOR=
WORK=
RUN_AS=()
MISSING=()

umask 022
export LC_ALL=C
# the caller's connection settings must not direct a test to the caller's server
unset PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE PGPASSWORD PGPASSFILE PGSERVICE PGOPTIONS PGDATA \
      PGSSLMODE PGREQUIRESSL PGAPPNAME PGCLIENTENCODING PGTZ PGDATESTYLE PSQLRC

# ---------------------------------------------------------------- messages

# say WORDS: print one line of progress
say() {
    printf '%s\n' "$*"
}

# die WORDS: print the reason and exit
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# usage: print the comment at the head of the calling script
usage() {
    sed -n '2,/^[^#]/ { s/^# \{0,1\}//p }' "$0"
}

# quietly NAME COMMAND: write the output to $WORK/NAME.log and show it only on failure
quietly() {
    local log=$WORK/$1.log
    shift
    "$@" >"$log" 2>&1 </dev/null && return
    tail -n 40 "$log" >&2
    die "failed: $*"
}

# ---------------------------------------------------------------- packages

# require PACKAGE COMMAND: note PACKAGE as missing unless COMMAND succeeds
require() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || MISSING+=("$package")
}

# privileged COMMAND: run it as root, with sudo if needed
privileged() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# can_install: is there an apt-get that we may use?
can_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }
}

# apt_get WORDS: apt-get without prompts
apt_get() {
    privileged env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l \
        apt-get -q -y -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# install_missing: install the packages that `require` noted
install_missing() {
    [ ${#MISSING[@]} -gt 0 ] || return 0
    can_install || die "missing: ${MISSING[*]}; install them (Debian, Ubuntu: apt-get install ${MISSING[*]})"
    say "installing: ${MISSING[*]}"
    quietly apt-update apt_get update
    case " ${MISSING[*]} " in
        *" postgresql-$PG_MAJOR "*) install_server ;;
    esac
    quietly apt-install apt_get install --no-install-recommends "${MISSING[@]}"
    MISSING=()
}

# install_server: install postgresql-N without the cluster that the package would create and start
install_server() {
    local dropin=/etc/postgresql-common/createcluster.d/inventory-tools.conf policy=/usr/sbin/policy-rc.d
    quietly apt-common apt_get install --no-install-recommends postgresql-common
    privileged mkdir -p "$(dirname $dropin)"
    echo 'create_main_cluster = false' | privileged tee $dropin >/dev/null
    UNDO+=("privileged rm -f $dropin")
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | privileged tee $policy >/dev/null
        privileged chmod 755 $policy
        UNDO+=("privileged rm -f $policy")
    fi
    quietly apt-server apt_get install --no-install-recommends "postgresql-$PG_MAJOR"
    undo
}

# ---------------------------------------------------------------- which PostgreSQL

# newest_installed: the newest installed major version with the files for building extensions
newest_installed() {
    local dir
    for dir in "$DEBIAN_LIB"/*/lib/pgxs; do
        if [ -d "$dir" ]; then basename "${dir%/lib/pgxs}"; fi
    done | sort -n | tail -n 1
}

# newest_offered: the newest major version that apt offers
newest_offered() {
    local major
    for major in $(apt-cache pkgnames postgresql-server-dev- | sed 's/.*-//' | grep -x '[0-9]*' | sort -rn); do
        if [[ $(apt-cache policy "postgresql-$major") == *"Candidate: "[0-9]* ]]; then
            echo "$major"
            return
        fi
    done
}

# choose_postgres: PG_CONFIG if set, else PG_VERSION, else the newest installed, else the newest that apt offers
choose_postgres() {
    if [ -n "$PG_CONFIG" ]; then
        PG_CONFIG=$(command -v "$PG_CONFIG") || die "PG_CONFIG is not a program"
        PG_MAJOR=$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    else
        PG_MAJOR=${PG_VERSION:-$(newest_installed)}
        if [ -z "$PG_MAJOR" ]; then
            can_install || die "no PostgreSQL to build for: install postgresql-N and postgresql-server-dev-N (N >= $OLDEST_MAJOR), or set PG_CONFIG"
            say "looking for PostgreSQL"
            quietly apt-update apt_get update
            PG_MAJOR=$(newest_offered)
        fi
        PG_CONFIG=$DEBIAN_LIB/$PG_MAJOR/bin/pg_config
        require "postgresql-$PG_MAJOR" test -x "$DEBIAN_LIB/$PG_MAJOR/bin/postgres"
        require "postgresql-server-dev-$PG_MAJOR" test -d "$DEBIAN_LIB/$PG_MAJOR/lib/pgxs"
    fi
    [[ $PG_MAJOR =~ ^[0-9]+$ ]] || die "cannot tell which PostgreSQL to use: set PG_VERSION or PG_CONFIG"
    [ "$PG_MAJOR" -ge $OLDEST_MAJOR ] ||
        die "PostgreSQL $OLDEST_MAJOR or newer is needed, this is $PG_MAJOR (newer ones: https://www.postgresql.org/download/)"
    require gcc command -v gcc
    require make command -v make
    require libc6-dev test -e /usr/include/stdio.h
}

# ---------------------------------------------------------------- the working directory

# UNDO: commands that revert changes outside $WORK
UNDO=()

# undo: run these commands and empty the list
undo() {
    local command
    for command in "${UNDO[@]}"; do
        $command
    done
    UNDO=()
}

# stop_servers: stop every server that still runs in $WORK
stop_servers() {
    local file pid
    while read -r file; do
        pid=$(head -n 1 "$file")
        # the PID left by a killed server may belong to another process by now
        [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$(dirname "$file")" ] || continue
        kill -QUIT "$pid" 2>/dev/null || continue
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    done < <(find "$WORK" -name postmaster.pid 2>/dev/null)
}

# clean_up: runs on any exit
clean_up() {
    local status=$?
    trap '' INT TERM HUP
    undo
    stop_servers
    if [ -n "${KEEP:-}" ]; then
        say "kept: $WORK" >&2
    else
        rm -rf "$WORK"
    fi
    exit $status
}

# make_work: create $WORK
make_work() {
    local tmp=${TMPDIR:-/tmp} user
    # the path of a Unix socket is limited to 107 bytes
    [ ${#tmp} -le 50 ] || tmp=/tmp
    WORK=$(mktemp -d "$tmp/inventory.XXXXXX")
    WORK=$(cd "$WORK" && pwd -P)
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# drop_root: if we are root, as_user switches to an unprivileged user from here on; PostgreSQL refuses to run as root
drop_root() {
    local user=postgres
    if [ "$(id -u)" = 0 ]; then
        id -u $user >/dev/null 2>&1 || user=nobody
        RUN_AS=(setpriv "--reuid=$user" "--regid=$(id -g $user)" --init-groups --)
        chown "$user" "$WORK"
    fi
    export HOME=$WORK TMPDIR=$WORK
    cd "$WORK" || exit
    as_user test -w "$WORK" || die "user $user cannot use $WORK: set TMPDIR to a directory that all users can access"
}

# as_user COMMAND: run it as the unprivileged user
as_user() {
    "${RUN_AS[@]}" "$@"
}

# set_up FUNCTION: install what is missing and create a $WORK in which an unprivileged
# user can build; FUNCTION calls require for additional packages
set_up() {
    make_work
    choose_postgres
    "$1"
    install_missing
    [ -f "$("$PG_CONFIG" --pgxs)" ] || die "no PGXS for $PG_CONFIG: install the server's development package"
    drop_root
}

# ---------------------------------------------------------------- build and stage

# copy_source: copy the checkout, without the results of an earlier build
copy_source() {
    SOURCE=$WORK/source
    mkdir "$SOURCE"
    tar -C "$ROOT" --exclude-vcs -cf - . | tar -C "$SOURCE" --no-same-owner -xf -
    own "$SOURCE"
    quietly clean as_user make -C "$SOURCE" PG_CONFIG="$PG_CONFIG" clean
}

# own DIRECTORY: give it to the unprivileged user
own() {
    [ ${#RUN_AS[@]} = 0 ] || chown -R --reference="$WORK" "$1"
}

# copy_server: copy the directories of the chosen PostgreSQL, in the same layout
copy_server() {
    local what dir
    for what in --bindir --pkglibdir --sharedir; do
        dir=$("$PG_CONFIG" $what)
        mkdir -p "$WORK/stage$dir"
        cp -a "$dir/." "$WORK/stage$dir"
    done
    own "$WORK/stage"
    BIN=$WORK/stage$("$PG_CONFIG" --bindir)
    export PATH=$BIN:$PATH
}

# stage OPTIONS: build the extension with these compiler options, install it into the copy of the server
stage() {
    copy_server
    copy_source
    quietly build as_user make -s -C "$SOURCE" -j"$(nproc)" PG_CONFIG="$PG_CONFIG" COPT="$1"
    quietly install as_user make -s -C "$SOURCE" PG_CONFIG="$PG_CONFIG" COPT="$1" DESTDIR="$WORK/stage" install
}

# ---------------------------------------------------------------- throwaway servers

# start_server [SETTING=VALUE ...]: listen only on a Unix socket in $WORK; psql finds it through the environment
start_server() {
    quietly initdb as_user initdb -D "$WORK/data" -U postgres -A trust -E UTF8 --no-locale --no-sync
    printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$WORK'" "$@" |
        as_user tee -a "$WORK/data/postgresql.conf" >/dev/null
    quietly start as_user pg_ctl -w -D "$WORK/data" -l "$WORK/server.log" start
    export PGHOST=$WORK PGUSER=postgres PGDATABASE=postgres
}
