# For tests of places and permissions: another user, mounts, what a folder holds.
# shellcheck shell=bash disable=SC2154 # what common.bash sets

# Makes the folder `own` for an unprivileged user and enters it. What they may run and reach is seen
# to; where that cannot be had, the test is skipped.
enter_unprivileged() {
    local folder=$PWD

    mkdir own
    if [ "$(id -u)" = 0 ]; then
        while [ "$folder" != / ] && [[ $folder == "$BATS_RUN_TMPDIR"* ]]; do
            chmod a+x "$folder"
            folder=${folder%/*}
        done
        chown 65534:65534 own
        as_nobody test -x "$PWD/own" || skip "an unprivileged user cannot reach $PWD"
        if ! as_nobody test -x "$manager"; then
            cp "$manager" "$verifier" .
            manager=$PWD/token_manager
            verifier=$PWD/token_verifier
        fi
    fi
    cd own || return
}

# Skips the test where nothing can be mounted, as in most containers.
needs_mounts() {
    unshare=(unshare -m)
    [ "$(id -u)" = 0 ] || unshare=(unshare -U -r -m)
    mkdir -p mount-test
    "${unshare[@]}" mount -t tmpfs none mount-test 2>/dev/null || skip "cannot mount anything"
}

# Runs a script where mounting is seen by nobody else: with_mounts SCRIPT [ARGUMENT ...]
with_mounts() {
    "${unshare[@]}" bash -eu -c "$1" with_mounts "$manager" "$verifier" "${@:2}"
}

# The names in a folder, in one line: names [FOLDER]
names() {
    (cd "${1:-.}" && shopt -s dotglob nullglob && set -- * && { [ $# = 0 ] || printf '%s ' "$@"; })
}

# The command fails with 6 and these words, prints nothing and changes nothing in api_tokens.json:
# fails WORDS COMMAND...
fails() {
    local words=$1 said code=0
    local before=$BATS_TEST_TMPDIR.before out=$BATS_TEST_TMPDIR.out
    shift

    cat api_tokens.json >"$before" 2>/dev/null || true
    said=$("$@" 2>&1 >"$out" <<<"$token") || code=$?
    if [ "$code" -ne 6 ] || [[ $said != *"$words"* ]] || [ -s "$out" ] ||
        ! cmp "$before" <(cat api_tokens.json 2>/dev/null || true); then
        echo "$*: exit $code, wanted 6 and \"$words\": $said"
        cat "$out"
        return 1
    fi
}
