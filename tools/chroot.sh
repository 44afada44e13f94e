# shellcheck shell=bash
#
# Functions for tools that need other systems than the one they run on: Debian
# systems made by debootstrap, and copies of them in which commands run.
#
# Sourced after tools/lib.sh.
#
# The systems are kept in $CACHE, outside the checkout, and are used again.  They
# are not updated: remove the directory to have them made again.  Commands run in a
# copy of a system (an overlay, where the kernel has it), with their own processes,
# mounts and shared memory.  All of these end with the command.  This needs root,
# and a machine on which root may mount.
#
# Sets: CACHE   where systems are kept: $INVENTORY_CACHE, or a default
#       SYSTEM  the system that keep_system or keep_tested_system found or made
#       COPY    what copy_system made
# shellcheck disable=SC2034  # some are used by the scripts that source this file

if [ "$(id -u)" = 0 ]; then
    CACHE=${INVENTORY_CACHE:-/var/cache/inventory}
else
    CACHE=${INVENTORY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/inventory}
fi

# the release of Debian that has a version of PostgreSQL
declare -A RELEASE=([15]=bookworm [17]=trixie [18]=sid)

SYSTEM=
COPY=
CHECKOUT=/srv/inventory   # where the checkout is in a copy

# ---------------------------------------------------------------- systems

# chroot_packages: what is needed to make systems
chroot_packages() {
    require debootstrap command -v debootstrap
    require debian-archive-keyring test -e /usr/share/keyrings/debian-archive-keyring.gpg
}

# no_chroot: why no system can be used on this machine, nothing if it can
no_chroot() {
    if [ "$(id -u)" != 0 ]; then
        echo "needs root"
    elif [ -z "$(command -v debootstrap)" ] && ! can_install; then
        echo "needs debootstrap"
    elif ! unshare --mount --pid --ipc --net --fork mount -t proc proc /proc 2>/dev/null; then
        echo "root may not mount on this machine"
    fi
}

# keep NAME COMMAND: let SYSTEM be the system of this name; unless it exists, COMMAND DIRECTORY makes it as
# DIRECTORY/root, with its output in $WORK/system.log
keep() {
    local new=$CACHE/new.$$ status=0
    SYSTEM=$CACHE/$1
    shift
    [ ! -d "$SYSTEM" ] || return 0
    mkdir -p "$CACHE"
    # one tool at a time
    exec 8<"$CACHE"
    flock 8
    if [ ! -d "$SYSTEM" ]; then
        # what was left by a tool that was killed
        rm -rf --one-file-system "$CACHE"/new.*
        say "making $SYSTEM"
        mkdir -m 755 "$new"
        if "$@" "$new" >"$WORK/system.log" 2>&1 </dev/null 8<&-; then mv "$new/root" "$SYSTEM"; else status=1; fi
        rm -rf --one-file-system "$new"
    fi
    exec 8<&-
    return $status
}

# keep_system SUITE: of this Debian release, with no package that it can do without
keep_system() {
    keep "$1" make_system "$1"
}

# make_system SUITE DIRECTORY
make_system() {
    debootstrap --variant=minbase "$1" "$2/root" || return
    # a mirror or a snapshot may be older than the archive allows
    echo 'Acquire::Check-Valid-Until "false";' >"$2/root/etc/apt/apt.conf.d/99valid-until"
    rm -f "$2"/root/var/cache/apt/archives/*.deb
}

# keep_tested_system SUITE MAJOR: the same with the packages that tools/test needs for this PostgreSQL
keep_tested_system() {
    keep_system "$1" && keep "$1-$2" make_tested_system "$1" "$2"
}

# make_tested_system SUITE MAJOR DIRECTORY
make_tested_system() {
    COPY=$3
    cp -a "$CACHE/$1" "$COPY/root" && prepare_copy "$1" || return
    in_copy env PG_VERSION="$2" "$CHECKOUT/tools/test" packages
}

# keep_upgrade_system SUITE MAJOR ...: of this Debian release, with these versions of PostgreSQL, each from the release that has it
keep_upgrade_system() {
    local suite=$1 name
    shift
    name=$(printf -- '-%s' "$@")
    keep_system "$suite" && keep "$suite$name" make_upgrade_system "$suite" "$*"
}

# make_upgrade_system SUITE MAJORS DIRECTORY
make_upgrade_system() {
    local major sources packages=() majors
    COPY=$3
    read -ra majors <<<"$2"
    cp -a "$CACHE/$1" "$COPY/root" && prepare_copy "$1" || return
    sources=$COPY/root/etc/apt/sources.list
    for major in "${majors[@]}"; do
        packages+=("postgresql-$major" "postgresql-server-dev-$major")
        [ "${RELEASE[$major]}" = "$1" ] || sed "s/$1/${RELEASE[$major]}/" "$sources" >"$sources.d/${RELEASE[$major]}.list"
    done
    mkdir -p "$COPY/root/etc/postgresql-common/createcluster.d"
    echo 'create_main_cluster = false' >"$COPY/root/etc/postgresql-common/createcluster.d/none.conf"
    in_copy apt-get -q update &&
        in_copy env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends \
            "${packages[@]}" gcc make libc6-dev
}

# why_not: the last error of `keep`, in a line
why_not() {
    { grep -E '^(E|W|test): ' "$WORK/system.log" || tail -n 1 "$WORK/system.log"; } | tail -n 1
}

# ---------------------------------------------------------------- copies

# copy_system: make COPY, a fresh copy of SYSTEM
copy_system() {
    local name=${SYSTEM##*/}
    COPY=$(mktemp -d "$WORK/copy.XXXXXX")
    mkdir -m 755 "$COPY/root" "$COPY/upper" "$COPY/work"
    ln -s "$SYSTEM" "$COPY/lower"
    if ! unshare --mount bash -euc "$(declare -f mount_overlay); mount_overlay \"\$1\"" bash "$COPY" 2>/dev/null; then
        rm -rf "$COPY/lower" "$COPY/upper" "$COPY/work"
        cp -a "$SYSTEM/." "$COPY/root"
    fi
    prepare_copy "${name%%-*}"
}

# remove_copy: its room is needed
remove_copy() {
    rm -rf --one-file-system "$COPY"
}

# prepare_copy SUITE: what a copy has besides its files: the checkout, room for temporary files, and the packages that
# other copies have downloaded
prepare_copy() {
    mkdir -m 755 "$COPY/checkout" || return
    mkdir -m 1777 "$COPY/tmp" || return
    mkdir -p "$CACHE/archives/$1/partial" || return
    ln -s "$CACHE/archives/$1" "$COPY/archives" || return
    # shellcheck disable=SC2153  # of lib.sh
    tar -C "$ROOT" --exclude-vcs -cf - . | tar -C "$COPY/checkout" --no-same-owner -xf -
}

# in_copy COMMAND: run it in the copy, as root
in_copy() {
    unshare --mount --pid --ipc --fork --kill-child \
        bash -euc "$(declare -f mount_overlay enter); enter \"\$@\"" bash "$COPY" "$CHECKOUT" "$@" </dev/null
}

# mount_overlay COPY
mount_overlay() {
    mount -t overlay overlay \
        -o "lowerdir=$(readlink "$1/lower"),upperdir=$1/upper,workdir=$1/work" "$1/root"
}

# enter COPY CHECKOUT COMMAND: what in_copy does within the new namespaces.  The shell that runs it stays, to be the
# parent of daemons.
enter() {
    local copy=$1 root=$1/root checkout=$1/root$2
    shift 2
    [ ! -e "$copy/lower" ] || mount_overlay "$copy"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=1777,size=1024m tmpfs "$root/dev/shm"
    mkdir -p "$checkout"
    mount --bind "$copy/checkout" "$checkout"
    mount --bind "$copy/tmp" "$root/tmp"
    mount --bind "$copy/archives/." "$root/var/cache/apt/archives"
    chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} "$@"
}
