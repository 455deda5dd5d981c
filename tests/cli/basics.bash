# What tests of every kind begin with, in bats and in tests/doctest.session: who calls this has `skip`.
# shellcheck shell=bash

fail() {
    printf '%s\n' "$@" >&2
    return 1
}

# same GOT WANTED
same() {
    [ "$1" = "$2" ] || fail "got:    $1" "wanted: $2"
}

# Skips the test, by name, where a program is missing: needs PROGRAM...
# Where programs come from other targets of make, they are in brought_by.
needs() {
    local program
    for program; do
        if [ "$program" = token_authd ]; then
            [ -x "$BIN/token_authd" ] || skip "needs token_authd, which was left out"
        else
            command -v "$program" >/dev/null || skip "needs $program (make ${brought_by-deps deps-test})"
        fi
    done
}

# What is tested has to be told: without it, paths would begin at the root of the system.
needs_build() {
    [[ ${BIN-} == /* && -d $BIN ]] ||
        fail "BIN has to be the whole path of the folder of what was built, as \`make test\` sets it"
}
