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
    if grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH' "$log"; then
        not_run "the npm registry cannot be reached"
    fi
    sed 's/^/# /' "$log"
    echo "not ok 1 - npm ci"
    exit 1
}
