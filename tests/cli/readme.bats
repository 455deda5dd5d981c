#!/usr/bin/env bats

bats_require_minimum_version 1.5.0
load common

# The blocks of README.md that are marked as shell, in a row: one session of a reader.
readme_session() {
    awk '/^```sh$/ { inside = 1; next } /^```/ { inside = 0 } inside' \
        "$BATS_TEST_DIRNAME/../../README.md"
}

@test "the commands of the README run as they are printed" {
    ln -s "$manager" "$verifier" .
    mkdir old
    cp "$BATS_TEST_DIRNAME/../data/predecessor_api_tokens.json" old/api_tokens.json
    echo "a-key-of-another-server" >keys.txt
    echo "WEBAPP=a-key-of-the-web-application" >old.env
    readme_session >session.sh
    run bash -eu session.sh
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"refused at once"* ]]
    [[ "$output" == *"not before it is converted"* ]]
    [[ "$output" == *"ERR unknown"* ]]
    [[ "$output" == *"AUTHENTICATION IS OFF"* ]]
}

@test "the program in the README compiles and gives verdicts" {
    [ -z "${ASAN_OPTIONS-}" ] || skip "the library is built with sanitizers"
    awk '/^```c$/ { inside = 1; next } /^```/ { inside = 0 } inside' \
        "$BATS_TEST_DIRNAME/../../README.md" >example.c
    # shellcheck disable=SC2046 # words
    ${CC:-cc} -I"$BATS_TEST_DIRNAME/../../src/verify" -o example example.c \
        "$BIN/libtoken_verifier.a" $(pkg-config --libs libcjson libsodium) -pthread
    token=$(create app)
    [ "$(./example "$token")" = "accepted app" ]
    run ./example nonsense
    [ "$status" -eq 1 ]
}

@test "the README's session leaves no command out" {
    [ "$(readme_session | grep -c token_)" -ge 15 ]
}

@test "the example file is one that both programs accept" {
    cp "$BATS_TEST_DIRNAME/../../api_tokens.json.example" api_tokens.json
    chmod 600 api_tokens.json
    run "$manager" list
    [ "$status" -eq 0 ]
    [[ "$output" == "Found 3 token(s):"* ]]
    run "$verifier" status --json
    [ "$status" -eq 0 ]
    [ "$(jq -c '[.mode, .active + .expired, .revoked]' <<<"$output")" = '["file",2,1]' ]
}

@test "the example of variables sets none of them" {
    cp "$BATS_TEST_DIRNAME/../../.env.example" .env
    run --separate-stderr "$verifier" status --json
    [ "$status" -eq 0 ]
    [[ "$stderr" == "AUTHENTICATION IS OFF"* ]]
    [ "$(jq -r .mode <<<"$output")" = open ]
    for name in API_TOKENS_FILE FREEGPT_API_KEY OPENAI_API_KEY TOKEN_VERIFIER_REQUIRE_AUTH; do
        grep -q "^#$name=" .env
    done
}
