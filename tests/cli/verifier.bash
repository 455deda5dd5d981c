# For the bats files about token_verifier, loaded after common: hand-written token files, verdicts, and
# checks that tell what they found.
# shellcheck shell=bash
# shellcheck disable=SC2154  # status, output and stderr are set by run, verifier by setup

# Whole tokens with right checksums. Nobody's: their random parts are not random.
# shellcheck disable=SC2034
{
    token_one=sk-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg37cCQ0
    token_two=sk-zbvGdUUo0z9gkumYGK7lfvgBZjEHUiFQlNXqdqCJVah4GZcJl
    token_three=sk-zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz0UsatS
    stranger=sk-padxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx390008N8U
    past=2021-01-01T00:00:00Z
    future=9990-01-01T00:00:00Z
}

# says TEXT PART
says() {
    [[ $1 == *"$2"* ]] || fail "this is not said: $2" "but this: $1"
}

# lacks TEXT PART
lacks() {
    [[ $1 != *"$2"* ]] || fail "this should not be said: $2" "as it is here: $1"
}

# exits STATUS
exits() {
    [ "$status" -eq "$1" ] || fail "exit status $status instead of $1" "$output" "${stderr:-}"
}

digest() {
    local line
    line=$(printf %s "$1" | b2sum -l 256)
    echo "${line%% *}"
}

# The id that `record` gives to the token with that secret.
id_of() {
    local hash
    hash=$(digest "$1")
    echo "tok_${hash:0:16}"
}

# A record for write_tokens: record NAME SECRET [MORE], where MORE is `"field": value, ...`
record() {
    local hash
    hash=$(digest "$2")
    printf '{"id": "tok_%s", "name": "%s", "prefix": "%s", "hash": "blake2b-256:%s", %s}' \
        "${hash:0:16}" "$1" "${2:0:8}" "$hash" "\"created_at\": \"2020-01-01T00:00:00Z\"${3:+, $3}"
}

# An older secret for the field `previous`: previous SECRET END
previous() {
    printf '{"prefix": "%s", "hash": "blake2b-256:%s", "expires_at": "%s"}' \
        "${1:0:8}" "$(digest "$1")" "$2"
}

# The token file and its usage file as the manager leaves them: write_tokens RECORD...
# To another file with token_file=PATH before it.
write_tokens() {
    local IFS=, file=${token_file:-api_tokens.json}
    rm -f "$file" "$file.usage"
    (umask 077 && printf '{"version": 1, "tokens": [%s]}\n' "$*" >"$file" && : >"$file.usage")
}

# The verdict on a line: verdict LINE [OPTION...]
verdict() {
    run_apart "$verifier" check "${@:2}" <<<"$1"
}

# The verdict on a file's bytes: verdict_on FILE [OPTION...]
verdict_on() {
    run_apart "$verifier" check "${@:2}" <"$1"
}

# accepted ID NAME
accepted() {
    exits 0
    same "$output" "$1 $2"
    same "$stderr" ""
}

# refused REASON WORDS: the reason and what to do about it are one line on standard error.
refused() {
    exits 1
    same "$output" ""
    says "$stderr" "token_verifier: refused ($1): "
    says "$stderr" "$2"
    lacks "$stderr" $'\n'
}

# unavailable WORDS: no verdict, for that reason.
unavailable() {
    exits 6
    same "$output" ""
    says "$stderr" "token_verifier: refused (unavailable): "
    says "$stderr" "$1"
}

# is_open: accepted without a credential, and told so.
is_open() {
    exits 0
    same "$output" "anonymous anonymous"
    says "$stderr" "AUTHENTICATION IS OFF"
}

# Lets that user run the programs and use the current folder, or skips the test.
share_folder() {
    local folder=$PWD

    [ "$(id -u)" = 0 ] || return 0
    while [[ $folder == "$BATS_RUN_TMPDIR"* ]]; do
        chmod a+rx "$folder"
        folder=${folder%/*}
    done
    # shellcheck disable=SC2016  # for that shell
    as_nobody sh -c 'test -x "$0" && cd "$1"' "$verifier" "$PWD" 2>/dev/null ||
        skip "another user cannot reach $verifier or $PWD"
}

# A new git repository, out of reach of what the caller has set up: git_init [FOLDER]
git_init() {
    needs git
    unset "${!GIT_@}"
    export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
    git init --quiet "${1:-.}"
}
