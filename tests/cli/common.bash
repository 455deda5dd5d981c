# For every bats file: the programs, a folder of its own, and an environment without keys.
# shellcheck shell=bash

setup() {
    unset FREEGPT_API_KEY OPENAI_API_KEY API_TOKENS_FILE TOKEN_VERIFIER_REQUIRE_AUTH NO_COLOR
    export LC_ALL=C.UTF-8 # for bash: characters, not bytes
    manager=$BIN/token_manager
    verifier=$BIN/token_verifier
    cd "$BATS_TEST_TMPDIR" || exit
}

# A new token of that name, on standard output.
create() {
    "$manager" create "$@" 2>/dev/null
}

# Is this the verdict? check CREDENTIAL [OPTION ...]; the output is in $output, the code in $status.
check() {
    local credential=$1
    shift
    run "$verifier" check "$@" <<<"$credential"
}

# The named JSON field of the only token, or of the one with that name: field NAME KEY
field() {
    jq -r --arg name "$1" --arg key "$2" \
        '.tokens[] | select(.name == $name) | .[$key] // "null"' api_tokens.json
}

# Run something as an unprivileged user, who may use the current folder: as_nobody COMMAND...
# The calling test is skipped where that cannot be done.
as_nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
}

needs_root() {
    [ "$(id -u)" = 0 ] || skip "needs root"
}
