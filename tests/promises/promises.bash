# For the suites that try to break the promises. Each runs at two scales: a quick one, a part of `make
# test`, and a full one (SCALE=full), which `make faults` and `make soak` run and which leaves figures.
# shellcheck shell=bash

# Whether this is the full scale.
full() {
    [ "${SCALE-}" = full ]
}

# The number for this scale: scale QUICK FULL
scale() {
    if full; then
        echo "$2"
    else
        echo "$1"
    fi
}

# Keeps a line for docs/reliability.md, such as "crash: 412 kills, 412 times whole": figure TEXT
figure() {
    printf '%s\n' "$*" >>"${FIGURES:-/dev/null}"
}

# Skip the test where no library can be put between a program and its own: needs_preload NAME
needs_preload() {
    ! grep -q sanitize "$BIN/flags" || skip "the sanitizers want to be loaded first"
    preloaded=$BIN/tests/preload/$1.so
    [ -e "$preloaded" ] || skip "needs $preloaded"
}
