#!/usr/bin/env bats
# token_authd behind Caddy, as docs/integrations/caddy/Caddyfile says.
# shellcheck disable=SC2034  # for what is loaded

load common
load verifier
load authd
load upstream

@test "Caddy lets tokens through, and the upstream is told whose they are" {
    start_caddy
    lets_tokens_through
}

@test "Caddy lets the longest name and scopes there may be through" {
    start_caddy
    lets_the_longest_through
}

@test "Caddy lets a request's body through" {
    start_caddy
    lets_bodies_through
}

@test "Caddy relays a refusal: status, one challenge, and a body for OpenAI's clients" {
    start_caddy
    relays_the_refusal
}

@test "Caddy demands a scope, however the path is written" {
    start_caddy
    demands_the_scope
}

@test "Caddy overwrites an identity that a client forged" {
    start_caddy
    overwrites_forged_identities
}

@test "Caddy strips forged identities with underscores in their names" {
    start_caddy
    strips_underscored_identities
}

@test "Caddy keeps the identity that a client wants dropped on the way" {
    start_caddy
    keeps_the_identity
}

@test "Caddy hands on a header that was sent twice, so that it is refused" {
    start_caddy
    refuses_a_header_sent_twice
}

@test "Caddy keeps the secret from the upstream" {
    start_caddy
    keeps_secrets_from_the_upstream
}

@test "Caddy tells the client's address, and not what the client says of it" {
    start_caddy
    tells_the_clients_address
}

@test "Caddy lets nobody through while token_authd is down" {
    start_caddy
    lets_nobody_through_without_verdict
}

@test "Caddy relays that the token file cannot be read, and it is well again by itself" {
    start_caddy
    relays_that_there_is_no_verdict
}

@test "a token that is revoked is refused by Caddy at the next request of the same connection" {
    start_caddy
    refuses_a_revoked_token_at_once
}

@test "Caddy's access log has the token's name" {
    start_caddy
    through /seen -H "X-Api-Key: $token_one" -H "X-Token-Name: forged"
    wait_for grep -q '"uri":"/seen"' caddy.log
    same "$(jq -r 'select(.request.uri == "/seen") | "\(.status) \(.user_id)"' caddy.log)" "200 one"
    through /refused -H "X-Token-Name: forged"
    wait_for grep -q '"uri":"/refused"' caddy.log
    same "$(jq -r 'select(.request.uri == "/refused") | "\(.status) \(.user_id)"' caddy.log)" "401 "
}

@test "Caddy writes no secrets to its logs" {
    start_caddy
    writes_no_secrets caddy.log
}
