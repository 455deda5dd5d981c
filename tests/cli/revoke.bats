#!/usr/bin/env bats

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
bats_require_minimum_version 1.5.0
load common
load manager

@test "a revoked token is refused, stays in the list, and the talk names it" {
    token=$(create ci)
    create other
    check "$token"
    [ "$status" -eq 0 ]
    exits 0 "$manager" revoke ci
    [ "$output" = "" ]
    says '"ci"' "$(field ci id)" "${token:0:14}..."
    hides "${token:14}"
    check "$token"
    [ "$status" -eq 1 ]
    [ "$(status_of ci)" = revoked ]
    [[ $(field ci revoked_at) =~ ^[0-9T:-]{19}Z$ ]]
}

@test "a token revoked by itself is not shown" {
    token=$(create ci)
    exits 0 "$manager" revoke "$token"
    hides "${token:14}"
    exits 0 "$manager" restore - <<<"$token"
    hides "${token:14}"
    exits 0 "$manager" delete "$token"
    hides "${token:14}"
}

@test "revoking a revoked token says so, succeeds and changes nothing" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$revoked")"
    remember
    exits 0 "$manager" revoke ci
    says '"ci"' already
    unchanged
    exits 0 "$manager" revoke ci --json
    json '. == [{"id": "tok_0000000000000001", "name": "ci", "status": "revoked", "changed": false}]'
    unchanged
}

@test "of several tokens, those that were revoked before keep their time" {
    records "$(record 1 old sk-aaaaaaaaaaa "$revoked")" "$(record 2 new sk-bbbbbbbbbbb)"
    exits 0 "$manager" revoke --json old new
    [ "$(jq -c '[.[] | [.name, .status, .changed]]' <<<"$output")" = \
        '[["old","revoked",false],["new","revoked",true]]' ]
    [ "$(field old revoked_at)" = 2002-02-03T04:05:06Z ]
    [ "$(field new revoked_at)" != 2002-02-03T04:05:06Z ]
    [ "$(jq -r .name api_tokens.json.audit)" = new ]
}

@test "revoke --json prints an array of objects with exactly these fields" {
    create first
    create second
    exits 0 "$manager" revoke --json first second
    json '[.[] | keys_unsorted == ["id", "name", "status", "changed"]] == [true, true]'
    json '[.[] | [.name, .status, .changed]]
        == [["first", "revoked", true], ["second", "revoked", true]]'
    [ "$(jq -r '.[0].id' <<<"$output")" = "$(field first id)" ]
}

@test "revoke --json that fails prints nothing on standard output" {
    create ci
    for option in nobody sk-; do
        exits 3 "$manager" revoke --json "$option"
        [ "$output" = "" ]
    done
}

@test "a revoked token gives its name free" {
    create ci
    exits 5 "$manager" create ci
    "$manager" revoke ci
    exits 0 "$manager" create ci
}

@test "an expired token can be revoked" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$expired")"
    exits 0 "$manager" revoke ci --json
    json '.[0].status == "revoked" and .[0].changed'
    hides 'last active'
}

@test "revoke does not ask, even at a terminal" {
    needs expect
    create ci
    run answering 'n\r' "$manager" revoke ci
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output != *y/N* ]]
    [ "$(status_of ci)" = revoked ]
}

# What the last active token's end is told with.
last_one() {
    says 'last active token' 'everybody is refused' "$PWD/api_tokens.json" FREEGPT_API_KEY \
        OPENAI_API_KEY restart
}

@test "after the last active token it says that everybody is refused, and how to turn it off" {
    for command in revoke delete; do
        rm -f api_tokens.json
        token=$(create first)
        create second
        exits 0 "$manager" "$command" first
        hides 'last active'
        exits 0 "$manager" "$command" second
        last_one
        hides 'except with'
        check "$token"
        [ "$status" -eq 1 ]
    done
}

@test "expired and revoked tokens are not active ones" {
    for command in revoke delete; do
        records "$(record 1 old sk-aaaaaaaaaaa "$expired")" "$(record 2 gone sk-bbbbbbbbbbb "$revoked")" \
            "$(record 3 ci sk-ccccccccccc)"
        exits 0 "$manager" "$command" ci
        last_one
        exits 0 "$manager" "$command" old
        hides 'last active'
    done
}

@test "what it says after the last active token, done as told, turns authentication off" {
    create ci
    exits 0 "$manager" revoke ci
    last_one
    check anything
    [ "$status" -eq 1 ]
    rm api_tokens.json
    check anything
    [ "$status" -eq 0 ]
}

@test "after the last active token it names the environment key, which is still accepted" {
    for variable in FREEGPT_API_KEY OPENAI_API_KEY; do
        for command in revoke delete; do
            rm -f api_tokens.json .env
            create ci
            exits 0 env "$variable=a-key-for-this-test" "$manager" "$command" ci
            says "except with the key in $variable"
            hides a-key-for-this-test

            rm -f api_tokens.json
            create ci
            echo "$variable=a-key-for-this-test" >.env
            exits 0 "$manager" "$command" ci
            says "except with the key in $variable"
            hides a-key-for-this-test
        done
    done
}

@test "an environment key that is the revoked token itself is not said to be accepted" {
    token=$(create ci)
    exits 0 env FREEGPT_API_KEY="$token" "$manager" revoke ci
    says 'last active token'
    hides 'except with'
    FREEGPT_API_KEY=$token check "$token"
    [ "$status" -eq 1 ]
}

@test "an environment key that can be none is not said to be accepted" {
    for key in 'two words' '' $'caf\xc3\xa9'; do
        rm -f api_tokens.json
        create ci
        exits 0 env FREEGPT_API_KEY="$key" "$manager" revoke ci
        says 'last active token'
        hides 'except with'
    done
}

@test "of a token file that a variable names, it says that the variable keeps authentication on" {
    create ci --file elsewhere.json
    API_TOKENS_FILE=elsewhere.json exits 0 "$manager" revoke ci
    says 'last active token' elsewhere.json API_TOKENS_FILE
}
