#!/usr/bin/env bats
# token_authd: the numbers for Prometheus.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, authd and run; a test is a subshell

bats_require_minimum_version 1.5.0
load common
load verifier
load authd

# of REASON: how many requests were refused for it, or `none`: let in.
of() {
    local verdict=refused
    [ "$1" != none ] || verdict=accepted
    metric "requests_total{verdict=\"$verdict\",reason=\"$1\"}"
}

# The server has loaded the token file anew so often: has_reloaded COUNT
has_reloaded() {
    [ "$(metric reloads_total)" = "$1" ]
}

@test "promtool finds nothing wrong, whatever the mode" {
    needs promtool
    write_tokens "$(record one "$token_one")"
    start_authd
    ask /verify -H "X-Api-Key: $token_one"
    ask /verify
    ask /metrics
    same "$code" 200
    same "$(header Content-Type)" "text/plain; version=0.0.4; charset=utf-8"
    same "$(header Cache-Control)" no-store
    run promtool check metrics <body.txt
    exits 0
    same "$output" ""
    rm api_tokens.json
    ask /metrics
    same "$code" 200
    run promtool check metrics <body.txt
    exits 0
    same "$output" ""
}

@test "requests are counted by verdict and reason, and nothing else is" {
    write_tokens "$(record good "$token_one" '"scopes": ["read"]')" \
        "$(record old "$token_two" "\"revoked_at\": \"$past\"")" \
        "$(record older "$token_three" "\"expires_at\": \"$past\"")"
    start_authd --threads 2
    reasons="none unavailable missing revoked expired scope malformed id_not_token jwt_not_token \
digest_not_token unknown"
    declare -A wanted
    for reason in $reasons; do
        same "$(of "$reason")" 0
        wanted[$reason]=0
    done
    times=0
    while read -r reason credential; do
        times=$((times + 1))
        curl --silent -o /dev/null -H "X-Api-Key: $credential" "$authd_url/verify/x?n=[1-$times]"
        wanted[$reason]=$times
        for other in $reasons; do
            same "$other $(of "$other")" "$other ${wanted[$other]}"
        done
    done <<END
none $token_one
missing
revoked $token_two
expired $token_three
malformed two words
id_not_token $(id_of "$token_one")
jwt_not_token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ
digest_not_token blake2b-256:$(digest "$token_one")
unknown $stranger
END
    ask "/verify?scope=write" -H "X-Api-Key: $token_one"
    same "$(of scope)" 1
    echo '?' >api_tokens.json
    ask /verify -H "X-Api-Key: $token_one"
    same "$(of unavailable)" 1
    ask /healthz
    ask /nothing
    ask /metrics -X POST
    ask /metrics
    same "$(grep -c '^token_authd_requests_total{' <<<"$body")" 11
    same "$(awk '/^token_authd_requests_total\{/ { sum += $NF } END { print sum }' <<<"$body")" 47
}

@test "tokens are counted by status, those made and revoked meanwhile too" {
    write_tokens "$(record a "$token_one")" "$(record b "$token_two")" \
        "$(record c "$token_three" "\"revoked_at\": \"$past\"")" \
        "$(record d "$stranger" "\"expires_at\": \"$past\"")" \
        "$(record e some-imported-key-1 "\"expires_at\": \"$past\"")" \
        "$(record f some-imported-key-2 "\"expires_at\": \"$past\"")"
    start_authd
    same "$(metric 'tokens{status="active"}')" 2
    same "$(metric 'tokens{status="revoked"}')" 1
    same "$(metric 'tokens{status="expired"}')" 3
    create g
    "$manager" revoke a b
    same "$(metric 'tokens{status="active"}')" 1
    same "$(metric 'tokens{status="revoked"}')" 3
    rm api_tokens.json
    same "$(metric 'tokens{status="active"}')" 0
}

@test "reloads and those that failed are counted, each once" {
    token=$(create one)
    start_authd
    same "$(metric reloads_total)" 0
    same "$(metric reload_failures_total)" 0
    create two
    ask /verify -H "X-Api-Key: $token"
    same "$code" 200
    same "$(metric reloads_total)" 1
    create three
    wait_for has_reloaded 2
    cp api_tokens.json good.json
    echo '?' >api_tokens.json
    for ((i = 0; i < 20; i++)); do
        ask /verify -H "X-Api-Key: $token"
        same "$code" 503
    done
    same "$(metric reload_failures_total)" 1
    cp good.json api_tokens.json
    ask /verify -H "X-Api-Key: $token"
    same "$code" 200
    same "$(metric reload_failures_total)" 1
}

@test "the time of the last load is in seconds" {
    write_tokens "$(record one "$token_one")"
    start_authd
    awk -v seconds="$(metric last_load_duration_seconds)" \
        'BEGIN { exit !(seconds > 0 && seconds < 5) }' </dev/null
}

@test "the mode in force is 1, the others 0" {
    write_tokens "$(record one "$token_one")"
    start_authd
    modes="unavailable open environment file file+environment"
    for mode in $modes; do
        value=0
        [ "$mode" != file ] || value=1
        same "$mode $(metric "mode{mode=\"$mode\"}")" "$mode $value"
    done
    rm api_tokens.json
    same "$(metric 'mode{mode="unavailable"}')" 1
    same "$(metric 'mode{mode="file"}')" 0
}

@test "the version is that of --version" {
    write_tokens "$(record one "$token_one")"
    start_authd
    version=$("$BIN/token_authd" --version)
    same "$(metric "build_info{version=\"${version#* }\"}")" 1
}

@test "nothing of a token is in the metrics" {
    token=$(create one)
    start_authd
    ask /verify -H "X-Api-Key: $token"
    ask /verify -H "X-Api-Key: ${token%?}x"
    ask /metrics
    lacks "$body" "${token:3:8}"
    lacks "$body" tok_
    lacks "$body" '"one"'
}
