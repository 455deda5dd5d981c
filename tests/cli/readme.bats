#!/usr/bin/env bats

bats_require_minimum_version 1.5.0
load common
load verifier
load authd
load upstream
load nginx

# The blocks of README.md that are marked as shell, in a row: one session of a reader.
readme_session() {
    awk '/^```sh$/ { inside = 1; next } /^```/ { inside = 0 } inside' \
        "$BATS_TEST_DIRNAME/../../README.md"
}

# The same with ports of this test, where servers are waited for, as a person at a keyboard does without
# noticing, and ended at the end.
session_here() {
    cat <<'END'
end() {
    kill $(jobs -p) $(cat nginx.pid)
    wait
}
trap end EXIT
curl() {
    command curl --silent --show-error --retry 9 --retry-connrefused "$@"
}
END
    readme_session | sed "s#/run/token_authd.sock:666#$PWD/authd.sock:666#
        s#127.0.0.1:8080#127.0.0.1:$1#; s#127.0.0.1:8008#127.0.0.1:$2#"
}

@test "the commands of the README run as they are printed" {
    needs token_authd nginx curl
    ln -s "$manager" "$verifier" "$BIN/token_authd" .
    mkdir -p old docs/integrations/nginx
    cp "$BATS_TEST_DIRNAME/../data/predecessor_api_tokens.json" old/api_tokens.json
    echo "a-key-of-another-server" >keys.txt
    echo "WEBAPP=a-key-of-the-web-application" >old.env
    start_upstream
    nginx_port=$(free_port)
    nginx_configuration "$nginx_port" "events {" \
        "pid $PWD/nginx.pid; $([ "$(id -u)" != 0 ] || echo "user root $(id -gn);") events {" \
        >docs/integrations/nginx/nginx.conf
    session_here "$nginx_port" "$(free_port)" >session.sh
    run bash -eu session.sh
    echo "$output"
    [ "$status" -eq 0 ]
    grep -q "^X-Token-Name: my-application" upstream/requests
    [ "$(grep -c "^GET " upstream/requests)" -eq 1 ]
    [[ "$output" == *"Invalid API key provided"* ]]
    [[ "$output" == *"Previous secret sk-"*" valid until "* ]]
    grep -q "^API_KEY=sk-" secrets.env
    [ "$(cut -f 1 tokens.tsv | xargs)" = "frontend backend worker" ]
    [[ "$output" == *"not recorded for that long yet"* ]]
    [[ "$output" == *"  rotate   tok_"* ]]
    [[ "$output" == *"not before it is converted"* ]]
    [[ "$output" == *"ERR unknown"* ]]
    [[ "$output" == *"X-Token-Name: laptop"* ]]
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
    run_apart "$verifier" status --json
    [ "$status" -eq 0 ]
    [[ "$stderr" == "AUTHENTICATION IS OFF"* ]]
    [ "$(jq -r .mode <<<"$output")" = open ]
    for name in API_TOKENS_FILE FREEGPT_API_KEY OPENAI_API_KEY TOKEN_VERIFIER_REQUIRE_AUTH; do
        grep -q "^#$name=" .env
    done
}
