#!/usr/bin/env bats

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
bats_require_minimum_version 1.5.0
load common
load manager

@test "a restored token is accepted again and its record is what it was" {
    token=$(create ci)
    cp api_tokens.json before.json
    "$manager" revoke ci
    check "$token"
    [ "$status" -eq 1 ]
    exits 0 "$manager" restore ci
    [ "$output" = "" ]
    says '"ci"' "$(field ci id)" "${token:0:14}..."
    check "$token"
    [ "$status" -eq 0 ]
    cmp before.json api_tokens.json
}

@test "restoring a token that is not revoked says so, succeeds and changes nothing" {
    records "$(record 1 ci sk-aaaaaaaaaaa)"
    remember
    exits 0 "$manager" restore ci
    says '"ci"' 'not revoked'
    unchanged
    exits 0 "$manager" restore ci --json
    json '. == [{"id": "tok_0000000000000001", "name": "ci", "status": "active", "changed": false}]'
    unchanged
}

@test "a token whose name is taken meanwhile is not restored, and the message names the holder" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$revoked")" "$(record 2 ci sk-bbbbbbbbbbb)"
    remember
    for selector in "$(id_of 1)" sk-aaaa ci; do
        exits 5 "$manager" restore "$selector"
        [ "$output" = "" ]
        says "$(id_of 1)" "$(id_of 2)" '"ci"'
        unchanged
    done
    exits 0 "$manager" restore sk-bbbb
    says 'not revoked'
    unchanged
}

@test "a name held by an expired token is taken as well" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$revoked")" "$(record 2 ci sk-bbbbbbbbbbb "$expired")"
    remember
    exits 5 "$manager" restore "$(id_of 1)"
    says "$(id_of 2)"
    unchanged
}

@test "once the holder of the name is revoked or deleted, the other can be restored" {
    for command in revoke delete; do
        records "$(record 1 ci sk-aaaaaaaaaaa "$revoked")" "$(record 2 ci sk-bbbbbbbbbbb)"
        "$manager" "$command" ci
        exits 0 "$manager" restore "$(id_of 1)"
    done
}

@test "two revoked tokens of one name are not both restored, so none is" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$revoked")" "$(record 2 ci sk-bbbbbbbbbbb "$revoked")" \
        "$(record 3 other sk-ccccccccccc "$revoked")"
    remember
    exits 5 "$manager" restore other "$(id_of 1)" "$(id_of 2)"
    unchanged
}

@test "restore --json prints the status that the token has now" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$revoked")" \
        "$(record 2 old sk-bbbbbbbbbbb "$expired, $revoked")"
    exits 0 "$manager" restore --json ci old
    json '. == [
        {"id": "tok_0000000000000001", "name": "ci", "status": "active", "changed": true},
        {"id": "tok_0000000000000002", "name": "old", "status": "expired", "changed": true}
    ]'
    [ "$(status_of ci) $(status_of old)" = "active expired" ]
}

@test "a deleted token cannot be restored" {
    create ci
    id=$(field ci id)
    "$manager" delete ci
    remember
    exits 3 "$manager" restore "$id"
    unchanged
}
