# shellcheck shell=bash
#
# Functions for tools that need a PostgreSQL that no package has: built from the source package of the
# chosen version, with other options.
#
# Sourced after tools/lib.sh.  A tool calls build_packages where it requires packages, and then
# build_server, which takes some minutes.

# configured_with OPTION: was the chosen server configured with it?
configured_with() {
    [[ $("$PG_CONFIG" --configure 2>/dev/null) == *"$1"* ]]
}

# build_packages: what building needs
build_packages() {
    require flex command -v flex
    require bison command -v bison
    require bzip2 command -v bzip2
    require dpkg-dev command -v dpkg-source
}

# apt_sources PROGRAM WORDS: apt-get or apt-cache for the source packages of the machine's own package sources
apt_sources() {
    as_user "$1" -q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$WORK/apt/sources" \
        -o "Dir::State::Lists=$WORK/apt/lists" -o "Dir::Cache=$WORK/apt/cache" "${@:2}"
}

# list_sources: make the lists of these source packages
list_sources() {
    local file
    mkdir -p "$WORK/apt"/{sources,lists/partial,cache/archives/partial}
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ ! -e "$file" ] || sed -n 's/^deb /deb-src /p' "$file" >"$WORK/apt/sources/$(basename "$file" .list).list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ ! -e "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" >"$WORK/apt/sources/$(basename "$file")"
    done
    own "$WORK/apt"
    # a package source without source packages is none of our business
    apt_sources apt-get update >"$WORK/sources.log" 2>&1 || true
}

# unpack_source OPTION: unpack the newest source package that can be had, into $WORK/postgresql-*
unpack_source() {
    local version
    list_sources
    for version in $(apt_sources apt-cache showsrc "postgresql-$PG_MAJOR" | sed -n 's/^Version: //p' | sort -rVu); do
        if (cd "$WORK" && apt_sources apt-get source "postgresql-$PG_MAJOR=$version") >>"$WORK/sources.log" 2>&1; then
            return
        fi
    done
    tail -n 20 "$WORK/sources.log" >&2
    die "cannot get the source of PostgreSQL $PG_MAJOR: set PG_CONFIG to the pg_config of a server that was configured with $1"
}

# build_server DIRECTORY OPTION ...: build and choose a server that is configured with these options, with what is in
# this directory of the source, if it is not empty; the source is removed
build_server() {
    local source directory=$1
    shift
    unpack_source "$1"
    source=$(find "$WORK" -maxdepth 1 -type d -name 'postgresql-*')
    say "building $(basename "$source") $*"
    # Debian's source installs outside the prefix, unless it has this word in it
    quietly configure as_user env -C "$source" ./configure "--prefix=$WORK/pgsql" --enable-debug \
        --without-readline --without-zlib --without-icu CFLAGS='-O1 -g' "$@"
    quietly make as_user make -s -C "$source" -j"$(nproc)"
    quietly make-install as_user make -s -C "$source" install
    [ -z "$directory" ] || quietly make-directory as_user make -s -C "$source/$directory" install
    rm -rf "$source"
    PG_CONFIG=$WORK/pgsql/bin/pg_config
}
