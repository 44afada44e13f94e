# shellcheck shell=bash
#
# What the tests of the examples in Python have in common; each of them sources it.

# not_run REASON: end the test
not_run() {
    echo "# skip: $1"
    exit 0
}

# need_python MINOR: Python 3.MINOR or a newer one
need_python() {
    /usr/bin/python3 -c "import sys; sys.exit(sys.version_info < (3, $1))" ||
        not_run "Python 3.$1 or newer is needed, this is $(/usr/bin/python3 --version)"
}

# install_modules: the versions in requirements.txt, into an environment of their own, which is first in PATH from here on
install_modules() {
    local log=$TMPDIR/pip.log
    /usr/bin/python3 -m venv "$TMPDIR/venv"
    PATH=$TMPDIR/venv/bin:$PATH
    export PYTHONDONTWRITEBYTECODE=1
    pip install --quiet --require-hashes --only-binary :all: -r requirements.txt >"$log" 2>&1 && return
    if grep -qE 'NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError|NameResolutionError|name resolution|Error: 50[0-9]|HTTP error 50[0-9]' "$log"; then
        not_run "the Python package index cannot be reached"
    fi
    sed 's/^/# /' "$log"
    echo "not ok 1 - pip install"
    exit 1
}

# as_tap COMMAND ...: run a verbose unittest, each of whose tests has a description, and print its results as TAP
as_tap() {
    local log=$TMPDIR/unittest.log status=0
    "$@" 2>&1 | tee "$log" | sed -nuE 's/^(.*) \.\.\. ok$/ok - \1/p; s/^(.*) \.\.\. (FAIL|ERROR)$/not ok - \1/p' || status=$?
    sed -n 's/^Ran \([0-9]*\) tests\? in .*/1..\1/p' "$log"
    if [ $status != 0 ]; then sed 's/^/# /' "$log"; fi
    return $status
}
