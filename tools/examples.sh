# shellcheck shell=bash
#
# Functions of tools/test and tools/matrix for the examples.  What an example is:
# examples/README.md.
# shellcheck disable=SC2034  # some are used by the scripts that source this file

EXAMPLES_PASSWORD=
EXAMPLES_PORT=
EXAMPLE_SETTINGS=()

# example_names NAME: this example, or all of them
example_names() {
    local directory
    for directory in "$ROOT/examples/"${1:-*}/; do
        if [ -x "$directory/test" ]; then basename "$directory"; fi
    done
}

# todays_examples: NestJS, and one of the others: its number is the day of the year, modulo how many there are.
# django-oscar, which runs its tests twice, is left to tools/matrix.
todays_examples() {
    local others day
    mapfile -t others < <(example_names | grep -vxE 'nestjs|django-oscar')
    day=$(date -u +%-j)
    echo examples/nestjs
    [ ${#others[@]} = 0 ] || echo "examples/${others[day % ${#others[@]}]}"
}

# each_package FUNCTION NAME ...: call FUNCTION for each package of these examples, with a command that tells whether it is installed
each_package() {
    local name package command lines=()
    for name in "${@:2}"; do
        [ ! -e "$ROOT/examples/$name/packages" ] || mapfile -t -O ${#lines[@]} lines <"$ROOT/examples/$name/packages"
    done
    [ ${#lines[@]} -gt 0 ] || return 0
    mapfile -t lines < <(printf '%s\n' "${lines[@]}" | grep -v '^#' | sort -u)
    for name in "${lines[@]}"; do
        read -r package command <<<"$name"
        "$1" "$package" sh -c "${command:-command -v $package}"
    done
}

# name_missing PACKAGE COMMAND: print the package unless COMMAND succeeds
name_missing() {
    "${@:2}" >/dev/null 2>&1 || echo "$1"
}

# example_packages NAME: install what this example, or all of them, need, where that can be had
example_packages() {
    local names
    mapfile -t names < <(example_names "$1")
    each_package wish "${names[@]}"
}

# choose_example_access: a server that every driver can reach, because not all can use a Unix socket, but no other user of the machine
choose_example_access() {
    local hba=$WORK/examples_hba.conf
    EXAMPLES_PASSWORD=$(od -An -N 16 -tx1 /dev/urandom | tr -d ' \n')
    EXAMPLES_PORT=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1)->sockport')
    printf '%s\n' 'local all all trust' 'host all all 127.0.0.1/32 scram-sha-256' >"$hba"
    EXAMPLE_SETTINGS=("hba_file = '$hba'" "listen_addresses = '127.0.0.1'" "port = $EXAMPLES_PORT")
}

# prove_examples NAME DIRECTORY: run the test in a copy of the example, with an empty database and a directory for what it writes
prove_examples() {
    local lacks scratch=$WORK/$1 tap=$WORK/$1.tap status=0 plan
    lacks=$(each_package name_missing "$(basename "$2")" | xargs)
    if [ -n "$lacks" ]; then
        echo "# skip: not installed: $lacks"
        return
    fi
    as_user mkdir "$scratch"
    as_user psql -X -q -c "CREATE DATABASE \"$1\"" || return
    as_user env -C "$2" HOME="$scratch" TMPDIR="$scratch" PGHOST=127.0.0.1 PGPASSWORD="$EXAMPLES_PASSWORD" PGDATABASE="$1" \
        ./test | tee "$tap" || status=$?
    plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$tap")
    # modules take much room, and an example needs those of no other
    [ -n "${KEEP:-}" ] || rm -rf "$scratch" "$2"
    # a test that ended before its plan was carried out has failed, whatever it returned
    [ $status = 0 ] && { grep -q '^# skip: ' "$tap" || [ "$plan" = "$(count '^(not )?ok ' "$tap")" ]; }
}

# run_examples NAME: one of them, or all
run_examples() {
    local name names start=$SECONDS passed=0 failed=0 skipped=0
    mapfile -t names < <(example_names "$1")
    for name in "${names[@]}"; do run_file examples "$SOURCE/examples/$name"; done
    if [ $((passed + failed)) != 0 ] || [ $skipped = 0 ]; then record "examples${1:+/$1}" $passed $failed "$start"; fi
}
