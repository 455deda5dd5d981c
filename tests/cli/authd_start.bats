#!/usr/bin/env bats
# token_authd: what it starts with, and when it does not.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, authd and run; a test is a subshell

bats_require_minimum_version 1.5.0
load common
load verifier
load authd

key=a-key-for-this-test

# is_open_server: whoever asks is let in, and that was said in capitals.
is_open_server() {
    says "$(log_lines ready | tail -n 1)" " mode=OPEN "
    says "$(log_lines ready | tail -n 1)" "AUTHENTICATION IS OFF"
    ask /verify
    same "$code" 200
    lets_in "$stranger"
}

@test "the ready line tells mode, absolute path and counts" {
    write_tokens "$(record a "$token_one")" "$(record b "$token_two")" \
        "$(record c "$token_three" "\"revoked_at\": \"$past\"")" \
        "$(record d "$stranger" "\"expires_at\": \"$past\"")" \
        "$(record e some-imported-key-1 "\"expires_at\": \"$past\"")" \
        "$(record f some-imported-key-2 "\"expires_at\": \"$past\"")"
    start_authd
    says "$(log_lines ready)" " mode=file file=$PWD/api_tokens.json active=2 revoked=1 expired=3 "
    lacks "$(cat "$authd_log")" "AUTHENTICATION IS OFF"
}

@test "the ready line is the first thing said, and the only one at a start" {
    write_tokens "$(record one "$token_one")"
    start_authd
    same "$(wc -l <"$authd_log")" 1
    [[ $(cat "$authd_log") =~ ^time=[0-9TZ:-]+\ level=info\ event=ready\ listen=127 ]]
}

@test "the token file is the one that is named: option, variable, .env" {
    mkdir data
    token_file=data/a.json write_tokens "$(record a "$token_one")"
    token_file=data/b.json write_tokens "$(record b "$token_two")"
    token_file=data/c.json write_tokens "$(record c "$token_three")"
    echo API_TOKENS_FILE=data/c.json >.env
    start_authd
    says "$(log_lines ready | tail -n 1)" " file=$PWD/data/c.json "
    lets_in "$token_three"
    export API_TOKENS_FILE=data/b.json
    start_authd
    says "$(log_lines ready | tail -n 1)" " file=$PWD/data/b.json "
    lets_in "$token_two"
    start_authd --file data/a.json
    says "$(log_lines ready | tail -n 1)" " file=$PWD/data/a.json "
    lets_in "$token_one"
    keeps_out "$token_two"
}

@test "a token file that is malformed or newer: exit 6, with file, line and reason" {
    printf '{"version": 1,\n"tokens": [\n{"id": 7}]}\n' >api_tokens.json
    fails_to_start 6 "api_tokens.json:3: "
    printf 'nothing\n' >api_tokens.json
    fails_to_start 6 "api_tokens.json:1: "
    printf '{\n"version": 2,\n"tokens": []}\n' >api_tokens.json
    fails_to_start 6 "api_tokens.json:2: "
    : >api_tokens.json
    fails_to_start 6 "api_tokens.json:1: "
    fails_to_start 6 "api_tokens.json:1: " --allow-open
}

@test "a token file that cannot be read: exit 6" {
    needs token_authd
    write_tokens "$(record one "$token_one")"
    share_folder
    chmod 000 api_tokens.json
    run_apart unprivileged timeout 5 "$BIN/token_authd" --listen 127.0.0.1:0
    exits 6
    says "$stderr" "api_tokens.json"
    says "$stderr" "ermission denied"
    rm api_tokens.json
    mkdir api_tokens.json
    fails_to_start 6 "api_tokens.json"
}

@test "a token file that was named and is not there: exit 6" {
    fails_to_start 6 "gone.json" --file gone.json
    export API_TOKENS_FILE=gone.json
    fails_to_start 6 "gone.json"
    unset API_TOKENS_FILE
    echo API_TOKENS_FILE=gone.json >.env
    fails_to_start 6 "gone.json"
}

@test "no token file, no key, no .env: open, in capitals" {
    start_authd
    is_open_server
    says "$(log_lines ready)" " file=$PWD/api_tokens.json "
}

@test "a token file that lists nothing refuses everybody" {
    write_tokens
    start_authd
    says "$(log_lines ready)" " mode=file "
    keeps_out "$stranger"
    ask /verify
    same "$code" 401
}

@test "--allow-open opens although the file was named; not over a file that is there" {
    start_authd --allow-open --file gone.json
    is_open_server
    write_tokens "$(record one "$token_one")"
    start_authd --allow-open
    says "$(log_lines ready | tail -n 1)" " mode=file "
    keeps_out "$stranger"
}

@test "--require-auth, or its variable, forbids open mode: exit 6" {
    fails_to_start 6 "" --require-auth
    lacks "$stderr" "AUTHENTICATION IS OFF"
    fails_to_start 6 "" --require-auth --allow-open
    export TOKEN_VERIFIER_REQUIRE_AUTH=1
    fails_to_start 6 ""
    write_tokens "$(record one "$token_one")"
    start_authd --require-auth
    lets_in "$token_one"
}

@test "a key variable that is set, even to nothing, keeps it from being open" {
    for variable in FREEGPT_API_KEY OPENAI_API_KEY; do
        export "$variable="
        start_authd
        says "$(log_lines ready | tail -n 1)" " mode=environment "
        keeps_out "$stranger"
        ask /verify
        same "$code" 401
        ask /verify -H "X-Api-Key;"
        same "$code" 401
        unset "$variable"
        echo "$variable=" >.env
        start_authd
        says "$(log_lines ready | tail -n 1)" " mode=environment "
        keeps_out "$stranger"
        rm .env
    done
}

@test "a .env that cannot be understood, or was not to be read, is no open door" {
    echo '?' >.env
    fails_to_start 6 ".env:1: "
    fails_to_start 6 ".env" --no-env-file
    rm .env
    fails_to_start 6 "gone.env" --env-file gone.env
}

@test "an environment key alone lets in who has it" {
    export OPENAI_API_KEY=$key
    start_authd
    says "$(log_lines ready)" " mode=environment "
    lets_in "$key"
    same "$(header X-Token-Id)" env:OPENAI_API_KEY
    same "$(header X-Auth-Mode)" environment
    keeps_out "$stranger"
    unset OPENAI_API_KEY
    echo "FREEGPT_API_KEY=$key" >keys
    start_authd --env-file keys
    lets_in "$key"
    same "$(header X-Token-Id)" env:FREEGPT_API_KEY
}

@test "a file and an environment key: both are let in" {
    write_tokens "$(record one "$token_one")"
    echo "FREEGPT_API_KEY=$key" >.env
    start_authd
    says "$(log_lines ready)" " mode=file+environment "
    lets_in "$key"
    lets_in "$token_one"
    same "$(header X-Auth-Mode)" "file+environment"
    keeps_out "$stranger"
}

@test "an open server closes when a token file comes, and stays closed when it goes" {
    start_authd
    is_open_server
    token=$(create one)
    ask /verify
    same "$code" 401
    lets_in "$token"
    rm api_tokens.json
    ask /verify
    same "$code" 503
    keeps_out "$token" 503
}

@test "the key of the environment is in no log, nor in the process's name" {
    write_tokens "$(record one "$token_one")"
    echo "FREEGPT_API_KEY=$token_two" >.env
    start_authd
    lets_in "$token_two"
    keeps_out "${token_two}x"
    lacks "$(cat "$authd_log")" "${token_two:3:20}"
    lacks "$(tr '\0' ' ' <"/proc/$authd_pid/cmdline")" "${token_two:3:20}"
}
