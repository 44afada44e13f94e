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
DEBIAN_INCLUDE=/usr/include/postgresql

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PG_CONFIG=${PG_CONFIG:-}
PG_MAJOR=
WORK=
RUN_AS=()
MISSING=()
NEEDED_DISK=500     # MB of room in TMPDIR; a tool that needs more sets it before set_up
NEEDED_SHM=32       # MB of room in /dev/shm
APT_PATIENCE=900    # seconds to wait for another apt or dpkg
LISTS=              # of apt: `current` or `stale` after update_lists
MAY_INSTALL=        # yes or no after can_install

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
    if grep -q 'No space left on device' "$log"; then
        die "there is no room left in $(dirname "$WORK") or in /dev/shm: set TMPDIR to a directory with more room, or enlarge /dev/shm"
    fi
    die "failed: $*"
}

# ---------------------------------------------------------------- packages

# require PACKAGE COMMAND: note PACKAGE as missing unless COMMAND succeeds
require() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || MISSING+=("$package")
}

# wish PACKAGE COMMAND: the same for a package that a tool can do without, if apt offers it without a password
wish() {
    local package=$1
    shift
    if ! "$@" >/dev/null 2>&1 && [ -n "$(command -v apt-get)" ] &&
        { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
        update_lists
        if [ $LISTS = current ] && offers "$package" && [[ " ${MISSING[*]-} " != *" $package "* ]]; then
            MISSING+=("$package")
        fi
    fi
}

# privileged COMMAND: run it as root, with sudo if needed
privileged() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# can_install: may we install packages with apt-get?  sudo may ask for a password, once.
can_install() {
    if [ -z "$MAY_INSTALL" ]; then
        MAY_INSTALL=no
        if [ -n "$(command -v apt-get)" ] && { [ "$(id -u)" = 0 ] || may_sudo; }; then MAY_INSTALL=yes; fi
    fi
    [ $MAY_INSTALL = yes ]
}

# may_sudo: may we become root?
may_sudo() {
    [ -n "$(command -v sudo)" ] || return 1
    sudo -n true 2>/dev/null && return
    [ -t 2 ] && { : </dev/tty; } 2>/dev/null || return 1
    say "packages have to be installed; sudo asks for your password"
    sudo -v
}

# cannot_install PACKAGE ...: end with what to do when these have to be installed by others
cannot_install() {
    if [ -z "$(command -v apt-get)" ]; then
        die "missing: $*; install them (these are the names in Debian and Ubuntu) and run this again"
    fi
    die "missing: $*; you may not install packages here, so ask an administrator to run: apt-get install $*"
}

# apt_get WORDS: apt-get without prompts
apt_get() {
    privileged env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l \
        apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=$APT_PATIENCE "$@" </dev/null 9<&-
}

# run_apt NAME WORDS: apt_get WORDS, with the output in $WORK/NAME.log; waits while another apt or dpkg runs
run_apt() {
    local log=$WORK/$1.log deadline=$((SECONDS + APT_PATIENCE)) told=
    shift
    until apt_get "$@" >"$log" 2>&1; do
        grep -qE 'Could not get lock|Unable to (acquire|lock)' "$log" || return 1
        [ $SECONDS -lt $deadline ] ||
            die "another apt or dpkg has been running for $((APT_PATIENCE / 60)) minutes: run this again when it has ended"
        [ -n "$told" ] || say "waiting for another apt or dpkg to end"
        told=1
        sleep 2
    done
}

# update_lists: fetch apt's package lists, once; sources that fail are reported, and the others are used
update_lists() {
    local failed
    [ -z "$LISTS" ] || return 0
    LISTS=current
    run_apt apt-update update || LISTS=stale
    # apt-get may succeed although a source could not be reached
    failed=$(sed -nE 's/^(Err:[0-9]+|E: Failed to fetch|W: Failed to fetch|E: The repository) +//p' "$WORK/apt-update.log" | head -n 1)
    [ -z "$failed" ] || LISTS=stale
    [ $LISTS = current ] || say "apt-get update failed${failed:+: $failed}; trying with the package lists that are there"
}

# offers PACKAGE ...: does apt offer all of these, by the lists it has?
offers() {
    local package
    for package in "$@"; do
        [[ $(apt-cache policy "$package" 2>/dev/null) == *"Candidate: "[0-9]* ]] || return 1
    done
}

# install_missing: install the packages that `require` noted
install_missing() {
    local packages=(${MISSING[@]+"${MISSING[@]}"})
    [ ${#packages[@]} -gt 0 ] || return 0
    can_install || cannot_install "${packages[@]}"
    update_lists
    say "installing: ${packages[*]}"
    lock_installs
    case " ${packages[*]} " in
        *" postgresql-$PG_MAJOR "*) install_server ;;
    esac
    forbid_services
    install_packages "${packages[@]}"
    undo
    unlock_installs
    MISSING=()
}

# install_packages PACKAGE ...
install_packages() {
    run_apt apt-install install --no-install-recommends "$@" || explain_apt "$@"
}

# explain_apt PACKAGE ...: end with the reason why apt-get could not install these
explain_apt() {
    local log=$WORK/apt-install.log package missing=()
    for package in "$@"; do offers "$package" || missing+=("$package"); done
    grep -E '^(E|Err|W):|^dpkg: error' "$log" | head -n 8 >&2 || true
    if grep -qE "No space left on device|don't have enough free space" "$log"; then
        die "there is no room to install: $*; free some in /var and /usr, and run this again"
    elif [ $LISTS = stale ] || grep -qE 'Failed to fetch|Unable to fetch|Could not (resolve|connect)' "$log"; then
        die "could not install: $*; apt cannot reach its package servers: check the network and the files in /etc/apt, or have the packages installed in another way, and run this again"
    elif [ ${#missing[@]} -gt 0 ]; then
        die "apt does not offer: ${missing[*]}; enable the repository that has them (in Ubuntu: universe), and run this again"
    fi
    die "could not install: $*; apt-get says why: apt-get install $*"
}

# lock_installs, unlock_installs: one at a time, or one undoes what another has prepared in install_server.
# The lock is that of an existing directory, and leaves nothing behind.
lock_installs() {
    exec 9</var/lib/dpkg
    flock -n 9 || {
        say "waiting for another run that installs packages"
        flock 9
    }
}

unlock_installs() {
    exec 9<&-
}

# install_server: install postgresql-N without the cluster that the package would create and start
install_server() {
    local dropin=/etc/postgresql-common/createcluster.d/inventory-tools.conf
    install_packages postgresql-common
    UNDO+=("privileged rm -f $dropin")
    if [ ! -d "$(dirname $dropin)" ]; then
        UNDO+=("privileged rmdir $(dirname $dropin)")
        privileged mkdir -p "$(dirname $dropin)"
    fi
    echo 'create_main_cluster = false' | privileged tee $dropin >/dev/null
    forbid_services
    install_packages "postgresql-$PG_MAJOR"
    undo
}

# forbid_services: until `undo`, packages such as pgbouncer start no service when they are installed
forbid_services() {
    local policy=/usr/sbin/policy-rc.d
    [ ! -e $policy ] || return 0
    UNDO+=("privileged rm -f $policy")
    printf '#!/bin/sh\nexit 101\n' | privileged tee $policy >/dev/null
    privileged chmod 755 $policy
}

# ---------------------------------------------------------------- which PostgreSQL

# is_major WORD: does it look like a major version?
is_major() {
    [[ $1 =~ ^[1-9][0-9]?$ ]]
}

# server_installed MAJOR, headers_installed MAJOR: are these parts of Debian's packages here?
server_installed() {
    [ -x "$DEBIAN_LIB/$1/bin/postgres" ]
}

# The client's package contains PGXS but not the headers.
headers_installed() {
    [ -f "$DEBIAN_INCLUDE/$1/server/postgres.h" ] && [ -d "$DEBIAN_LIB/$1/lib/pgxs" ]
}

# majors: the major versions of which any part is installed, newest first
majors() {
    local dir
    for dir in "$DEBIAN_LIB"/*/; do
        dir=$(basename "$dir")
        if is_major "$dir"; then echo "$dir"; fi
    done | sort -rn
}

# newest_installed: the newest major version that is installed with server and headers
newest_installed() {
    local major
    for major in $(majors); do
        if server_installed "$major" && headers_installed "$major"; then
            echo "$major"
            return
        fi
    done
}

# newest_server: the newest supported server that is installed and whose headers apt offers
newest_server() {
    local major
    for major in $(majors); do
        if [ "$major" -ge $OLDEST_MAJOR ] && server_installed "$major" && offers "postgresql-server-dev-$major"; then
            echo "$major"
            return
        fi
    done
}

# offered: the supported major versions that apt offers, newest first
offered() {
    local major
    for major in $(apt-cache pkgnames postgresql-server-dev- | sed 's/.*-//' | sort -rn); do
        if is_major "$major" && [ "$major" -ge $OLDEST_MAJOR ] &&
            offers "postgresql-$major" "postgresql-server-dev-$major"; then
            echo "$major"
        fi
    done
}

# newest_offered: the newest of them
newest_offered() {
    local all
    # not in a pipe: its end would stop `offered`, and so count as a failure
    all=$(offered)
    echo "${all%%$'\n'*}"
}

# choose_postgres: PG_CONFIG if set, else PG_VERSION, else the newest installed, else the newest that apt offers
choose_postgres() {
    if [ -n "$PG_CONFIG" ]; then
        choose_by_pg_config
    else
        PG_MAJOR=${PG_VERSION:-$(newest_installed)}
        [ -n "$PG_MAJOR" ] || choose_from_apt
        is_major "$PG_MAJOR" || die "PG_VERSION is a major version such as 17, not '$PG_MAJOR'"
        check_major
        require "postgresql-$PG_MAJOR" server_installed "$PG_MAJOR"
        require "postgresql-server-dev-$PG_MAJOR" headers_installed "$PG_MAJOR"
        if [ ${#MISSING[@]} -gt 0 ] && can_install; then check_offered "${MISSING[@]}"; fi
        PG_CONFIG=$DEBIAN_LIB/$PG_MAJOR/bin/pg_config
    fi
    require gcc command -v gcc
    require make command -v make
    require libc6-dev test -e /usr/include/stdio.h
}

# check_major: is it supported?
check_major() {
    [ "$PG_MAJOR" -ge $OLDEST_MAJOR ] ||
        die "PostgreSQL $OLDEST_MAJOR or newer is needed, this is $PG_MAJOR (newer ones: https://www.postgresql.org/download/)"
}

# choose_by_pg_config: PG_CONFIG must belong to a complete PostgreSQL, since nothing of it is installed here
choose_by_pg_config() {
    local given=$PG_CONFIG version dev=
    PG_CONFIG=$(command -v "$PG_CONFIG") || die "PG_CONFIG ($given) is not a program: set it to the path of a pg_config"
    version=$("$PG_CONFIG" --version 2>/dev/null) || version=
    PG_MAJOR=$(sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p' <<<"$version")
    is_major "$PG_MAJOR" || die "PG_CONFIG ($given) is not a pg_config: set it to the path of one"
    check_major
    [ -z "$(command -v apt-get)" ] || dev=" (Debian, Ubuntu: apt-get install postgresql-server-dev-$PG_MAJOR)"
    { [ -f "$("$PG_CONFIG" --pgxs)" ] && [ -f "$("$PG_CONFIG" --includedir-server)/postgres.h" ]; } ||
        die "PG_CONFIG ($given) belongs to a PostgreSQL $PG_MAJOR without the files for building extensions: install its development package$dev, or set PG_CONFIG to another"
    [ -x "$("$PG_CONFIG" --bindir)/postgres" ] ||
        die "PG_CONFIG ($given) belongs to a PostgreSQL $PG_MAJOR without a server: install it, or set PG_CONFIG to another"
}

# choose_from_apt: nothing complete is installed
choose_from_apt() {
    if can_install; then
        say "looking for PostgreSQL"
        update_lists
    fi
    PG_MAJOR=$(newest_server)
    [ -n "$PG_MAJOR" ] || [ -z "$(command -v apt-cache)" ] || PG_MAJOR=$(newest_offered)
    [ -z "$PG_MAJOR" ] || return 0
    can_install || cannot_install postgresql-N postgresql-server-dev-N gcc make libc6-dev "(N is $OLDEST_MAJOR or newer)"
    not_offered "PostgreSQL $OLDEST_MAJOR or newer"
}

# check_offered PACKAGE ...: does apt offer the chosen PostgreSQL?
check_offered() {
    update_lists
    offers "$@" || not_offered "PostgreSQL $PG_MAJOR"
}

# not_offered WHAT: end with the places where it can be had
not_offered() {
    local offered
    offered=$(offered | xargs)
    if [ -z "$offered" ] && [ $LISTS = stale ]; then
        die "apt knows no PostgreSQL and cannot reach its package servers: check the network and the files in /etc/apt, and run this again"
    fi
    die "apt does not offer $1 here${offered:+ (it offers: $offered)}: add the repository of the PostgreSQL project (https://wiki.postgresql.org/wiki/Apt), or choose another version with PG_VERSION or PG_CONFIG"
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
        # a copy of a directory that is read-only cannot be emptied
        chmod -R u+rwX "$WORK" 2>/dev/null || true
        rm -rf "$WORK"
    fi
    exit $status
}

# make_work: create $WORK
make_work() {
    local tmp=${TMPDIR:-/tmp} cure="set TMPDIR to another directory"
    tmp=$(cd "$tmp" 2>/dev/null && pwd -P) || die "TMPDIR (${TMPDIR:-/tmp}) is not a directory that you can use: $cure"
    [[ $tmp =~ ^[A-Za-z0-9_./+@,=-]*$ ]] || die "TMPDIR ($tmp) has a space or another character in its path that make cannot handle: $cure"
    # the path of a Unix socket is limited to 107 bytes
    [ ${#tmp} -le 50 ] || tmp=/tmp
    WORK=$(mktemp -d "$tmp/inventory.XXXXXX" 2>/dev/null) || die "no directory can be made in $tmp, which is full or read-only: $cure"
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# check_room: can servers be built and run in $WORK?
check_room() {
    local tmp room cure="set TMPDIR to another directory"
    tmp=$(dirname "$WORK")
    # bash reports the failure itself
    printf '#!/bin/sh\n' >"$WORK/program"
    chmod 755 "$WORK/program"
    ("$WORK/program") 2>/dev/null || die "programs in $tmp cannot be run (it is mounted noexec): $cure"
    rm "$WORK/program"
    room=$(room_in "$tmp")
    [ "$room" -ge $NEEDED_DISK ] || die "$tmp has only $room MB of room, and $NEEDED_DISK MB are needed: $cure"
    [ -d /dev/shm ] || return 0
    room=$(room_in /dev/shm)
    [ "$room" -ge $NEEDED_SHM ] ||
        die "/dev/shm has only $room MB of room, and PostgreSQL needs $NEEDED_SHM MB of it: enlarge it (mount -o remount,size=256M /dev/shm; with Docker: --shm-size=256m)"
}

# room_in DIRECTORY: in MB
room_in() {
    df -Pk "$1" | awk 'NR == 2 { print int($4 / 1024) }'
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
    as_user test -w "$WORK" ||
        die "PostgreSQL does not run as root, and user $user cannot use $(dirname "$WORK"): set TMPDIR to a directory that all users can use"
}

# as_user COMMAND: run it as the unprivileged user
as_user() {
    "${RUN_AS[@]}" "$@"
}

# set_up FUNCTION: install what is missing and create a $WORK in which an unprivileged
# user can build; FUNCTION calls require for additional packages
set_up() {
    make_work
    check_room
    choose_postgres
    "$1"
    install_missing
    drop_root
}

# ---------------------------------------------------------------- build and stage

# copy_source: copy the checkout, without the results of an earlier build
copy_source() {
    SOURCE=$WORK/source
    mkdir "$SOURCE"
    tar -C "$ROOT" --exclude-vcs --exclude=node_modules -cf - . | tar -C "$SOURCE" --no-same-owner -xf -
    # the checkout may be read-only
    chmod -R u+w "$SOURCE"
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
    # bitcode for just-in-time compilation would take as long again to build
    local variables=("PG_CONFIG=$PG_CONFIG" "COPT=$1" with_llvm=no)
    copy_server
    copy_source
    quietly build as_user make -s -C "$SOURCE" -j"$(nproc)" "${variables[@]}"
    quietly install as_user make -s -C "$SOURCE" "${variables[@]}" DESTDIR="$WORK/stage" install
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
