# shellcheck shell=bash
#
# What the tests of the examples in Node.js have in common; each of them sources it.

# not_run REASON: end the test
not_run() {
    echo "# skip: $1"
    exit 0
}

# need_node MAJOR: this version or a newer one
need_node() {
    local version
    version=$(node --version)
    version=${version#v}
    [ "${version%%.*}" -ge "$1" ] || not_run "Node.js $1 or newer is needed, this is $version"
}

# install_modules: the versions in the lockfile; no code of the packages is run
install_modules() {
    local log=$TMPDIR/npm.log
    npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier >"$log" 2>&1 && return
    if grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|E(SOCKET)?TIMEDOUT|ENETUNREACH|EHOSTUNREACH|E50[0-9]|_CERT|CERT_' "$log"; then
        not_run "the npm registry cannot be reached: $(sed -n 's/^npm \(ERR!\|error\) code //p' "$log" | head -n 1)"
    fi
    show_failure "npm ci" "$log"
}

# step NAME COMMAND: what has to succeed before the tests can begin
step() {
    local log=$TMPDIR/$1.log
    "${@:2}" >"$log" 2>&1 || show_failure "$1" "$log"
}

# show_failure NAME LOG: end the test
show_failure() {
    sed 's/^/# /' "$2"
    echo "not ok 1 - $1"
    exit 1
}
