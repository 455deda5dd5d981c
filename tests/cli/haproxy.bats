#!/usr/bin/env bats
# token_authd behind HAProxy, as the files in docs/integrations/haproxy say.
# shellcheck disable=SC2034  # for what is loaded

load common
load verifier
load authd
load upstream

@test "HAProxy lets tokens through, and the upstream is told whose they are" {
    start_haproxy
    lets_tokens_through
}

@test "HAProxy lets the longest name and scopes there may be through" {
    start_haproxy
    lets_the_longest_through
}

@test "HAProxy lets a request's body through" {
    start_haproxy
    lets_bodies_through
}

@test "HAProxy relays a refusal: status, one challenge, and a body for OpenAI's clients" {
    start_haproxy
    relays_the_refusal
}

@test "HAProxy demands a scope, however the path is written" {
    start_haproxy
    demands_the_scope
    through /admin%zz -H "X-Api-Key: $token_two"
    same "$code" 400
    same "$(header Server)" "" # nginx did not say this
}

@test "HAProxy overwrites an identity that a client forged" {
    start_haproxy
    overwrites_forged_identities
}

@test "HAProxy strips forged identities with underscores in their names" {
    start_haproxy
    strips_underscored_identities
}

@test "HAProxy keeps the identity that a client wants dropped on the way" {
    start_haproxy
    keeps_the_identity
}

@test "HAProxy hands on a header that was sent twice, so that it is refused" {
    start_haproxy
    refuses_a_header_sent_twice
}

@test "HAProxy keeps the secret from the upstream" {
    start_haproxy
    keeps_secrets_from_the_upstream
}

@test "HAProxy tells the client's address, and not what the client says of it" {
    start_haproxy
    tells_the_clients_address
}

@test "HAProxy lets nobody through while token_authd is down" {
    start_haproxy
    lets_nobody_through_without_verdict
}

@test "HAProxy lets nobody through when what answers is not token_authd" {
    needs haproxy nginx jq
    start_both_ends
    verifier_at=ipv4@127.0.0.1:$upstream_port # who says 200 to everything
    start_haproxy
    through / -H "X-Api-Key: $token_one"
    same "$code" 503
    lacks "$body" "id="
    wait_for grep -qx /verify upstream.log
    lacks "$(cat upstream.log)" $'\n/\n'
}

@test "HAProxy lets nobody through after an error in Lua" {
    local lua_change=("function(txn, verifier)" "function(txn, verifier) error('broken')")
    start_haproxy
    through / -H "X-Api-Key: $token_one"
    same "$code" 503
    upstream_was_not_reached
    says "$(cat haproxy.log)" broken
}

@test "HAProxy relays that the token file cannot be read, and it is well again by itself" {
    start_haproxy
    relays_that_there_is_no_verdict
}

@test "a token that is revoked is refused by HAProxy at the next request of the same connection" {
    start_haproxy
    refuses_a_revoked_token_at_once
}

@test "HAProxy's log has the token's id and name" {
    start_haproxy
    through /seen -H "X-Api-Key: $token_one" -H "X-Token-Name: forged"
    wait_for grep -q " 200 GET /seen token_id=$(id_of "$token_one") token_name=one " haproxy.log
    through /refused -H "X-Token-Name: forged"
    wait_for grep -q " 401 GET /refused token_id=- token_name=- " haproxy.log
}

@test "HAProxy writes no secrets to its log" {
    start_haproxy
    writes_no_secrets haproxy.log
}
