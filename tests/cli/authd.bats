#!/usr/bin/env bats
# token_authd: the verdict over HTTP.

load common
load verifier
load authd

@test "a token is let in by HTTP, and told by whom it is" {
    write_tokens "$(record one "$token_one")"
    start_authd
    ask /verify -H "Authorization: Bearer $token_one"
    same "$code" 200
    same "$body" ""
    same "$(header X-Token-Id)" "$(id_of "$token_one")"
    same "$(header X-Token-Name)" one
    same "$(header X-Token-Scopes)" "*"
    same "$(header X-Auth-Mode)" file
}

@test "no credential: 401, a challenge, and a body for OpenAI's clients" {
    write_tokens "$(record one "$token_one")"
    start_authd
    ask_raw 'GET /verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    same "$code" 401
    same "$(header WWW-Authenticate)" 'Bearer realm="api"'
    same "$(jq -r '.error | "\(.type) \(.param) \(.code)"' <<<"$body")" \
        "invalid_request_error null missing_api_key"
}
