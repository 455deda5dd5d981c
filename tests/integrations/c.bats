#!/usr/bin/env bats
# docs/integrations/c/hello.c, built against what `make install` installs, as its README says.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154  # a test is a subshell; variables are of what is loaded, and for it

bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load ../cli/library

pkg_config=${PKG_CONFIG:-pkg-config}

# The command of the file's own head, with all warnings: build_hello
build_hello() {
    local command
    needs curl "$pkg_config" "${CC:-cc}"
    [ -z "$(sanitizers)" ] || skip "needs a library that was built without a sanitizer"
    "$pkg_config" --exists libmicrohttpd || skip "needs libmicrohttpd (make deps)"
    env -u MAKEFLAGS -u MAKEOVERRIDES -u MFLAGS -u MAKELEVEL -u DESTDIR make --no-print-directory \
        -C "$BATS_TEST_DIRNAME/../.." BUILD="$BIN" install PREFIX="$PWD/installed" >/dev/null
    cp "$integrations/c/hello.c" .
    command=$(sed -n 's/^ \*     cc //p' hello.c)
    [ -n "$command" ]
    export PKG_CONFIG_PATH=$PWD/installed/lib/pkgconfig LD_LIBRARY_PATH=$PWD/installed/lib
    # shellcheck disable=SC2154 # of library.bash
    eval "${CC:-cc} -std=c17 -D_DEFAULT_SOURCE $warnings $command"
}

# On a free port; sets authd_url, so that `ask` asks it, and hello_pid.
start_hello() {
    build_hello
    start_on_port run_hello asked_at_root
    authd_url=http://127.0.0.1:$port
    hello_pid=${started[-1]}
}

run_hello() {
    exec ./hello "$1" 2>>hello.log
}

asked_at_root() {
    asked_at "$1" /
}

# answers STATUS CHALLENGE: so says the last answer.
answers() {
    same "$code" "$1"
    same "$(header WWW-Authenticate)" "$2"
    same "$(header Cache-Control)" no-store
}

@test "c: a token is greeted by its name, whatever the client calls itself" {
    write_tokens "$(record one "$token_one")" "$(record 'zwei ü' "$token_two" '"scopes": ["greet"]')"
    start_hello
    for header in "Authorization: bearer" X-Api-Key: X-Auth-Token: Api-Key:; do
        ask / -H "$header $token_one" -H "X-Token-Id: forged" -H "X-Token-Name: forged"
        same "$code $body" "200 Hello, one ($(id_of "$token_one"))!"
    done
    ask /greet -H "X-Api-Key: $token_two" --data "a body"
    same "$code $body" "200 Hello, zwei ü ($(id_of "$token_two"))!"
    lacks "$(cat hello.log)" "${token_one:8:16}"
}

@test "c: refusals are 401, 403 and 503, with their challenge" {
    write_tokens "$(record few "$token_one" '"scopes": ["chat"]')" \
        "$(record old "$token_two" "\"revoked_at\": \"$past\"")"
    start_hello
    ask /
    answers 401 'Bearer realm="api"'
    ask / -H "X-Api-Key: $stranger"
    answers 401 'Bearer realm="api", error="invalid_token"'
    unknown=$body
    ask / -H "X-Api-Key: $token_two"
    answers 401 'Bearer realm="api", error="invalid_token"'
    same "$body" "$unknown"
    says "$(cat hello.log)" "refused reason=revoked id=$(id_of "$token_two")"
    ask / -H "X-Api-Key: $token_one" -H "x-api-key: $token_one"
    answers 401 'Bearer realm="api", error="invalid_token"'
    ask /greet -H "X-Api-Key: $token_one"
    answers 403 'Bearer realm="api", error="insufficient_scope"'
    many=()
    for i in {1..70}; do
        many+=(-H "X-$i: x")
    done
    ask / "${many[@]}" -H "X-Api-Key: $token_one"
    answers 431 ""
    rm api_tokens.json
    ask / -H "X-Api-Key: $token_one"
    answers 503 ""
}

@test "c: a revoke counts at the next request, and uses are written without another" {
    token=$(create ci) other=$(create other)
    start_hello
    ask / -H "X-Api-Key: $other"
    ask / -H "X-Api-Key: $token" # too soon after the first to be written with it
    same "$code" 200
    wait_for grep "^$(field ci id) 20" api_tokens.json.usage
    "$manager" revoke ci
    ask / -H "X-Api-Key: $token"
    same "$code" 401
    kill "$hello_pid"
    status=0
    wait "$hello_pid" || status=$?
    exits 0
}
