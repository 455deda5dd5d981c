#!/usr/bin/env bats
# What of docs/integrations/traefik can be checked without Traefik.
# shellcheck disable=SC2034  # for what is loaded

load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load npm

needs_yaml() {
    modules=$BIN/node/node_modules
    needs_node_modules yaml
}

# The values of a field of ForwardAuth, of the middleware named or of all: forward_auth FIELD [NAME]
forward_auth() {
    node "$BATS_TEST_DIRNAME/traefik_config.mjs" "$modules" "$integrations/traefik/dynamic.yaml" \
        "http.middlewares.${2-*}.forwardAuth.$1"
}

# What ForwardAuth sends for a request for URI, with what of the client's headers is let through, to the
# address of that middleware: as_traefik MIDDLEWARE URI [CURL OPTION...]
as_traefik() {
    local address
    address=$(forward_auth address "$1")
    same "${address%%/verify*}" http://127.0.0.1:8008
    ask "${address#http://127.0.0.1:8008}" -H "User-Agent:" -H "Accept:" -H "Accept-Encoding: gzip" \
        -H "X-Forwarded-For: 192.0.2.1" -H "X-Forwarded-Method: POST" -H "X-Forwarded-Proto: http" \
        -H "X-Forwarded-Port: 8080" -H "X-Forwarded-Host: api.example" -H "X-Forwarded-Uri: $2" "${@:3}"
}

start_verifier() {
    needs_yaml
    write_tokens "$(record one "$token_one")" "$(record narrow "$token_two" '"scopes": ["chat"]')"
    start_authd
}

@test "Traefik's reference has every field of traefik.yaml and dynamic.yaml" {
    local file
    needs_yaml
    for file in traefik.yaml dynamic.yaml; do
        node "$BATS_TEST_DIRNAME/traefik_config.mjs" "$modules" "$integrations/traefik/$file"
    done
    # And it would be told, if it had not.
    integration traefik/dynamic.yaml "trustForwardHeader:" "trustForwardHeaders:" >wrong.yaml
    run node "$BATS_TEST_DIRNAME/traefik_config.mjs" "$modules" wrong.yaml
    exits 1
    says "$output" "http.middlewares.token.forwardAuth.trustForwardHeaders: Traefik has no such field"
}

@test "every router is behind the question, and its keys stay with Traefik" {
    needs_yaml
    same "$(node "$BATS_TEST_DIRNAME/traefik_config.mjs" "$modules" "$integrations/traefik/traefik.yaml" \
        'entryPoints.web.http.middlewares')" token@file
    same "$(node "$BATS_TEST_DIRNAME/traefik_config.mjs" "$modules" "$integrations/traefik/dynamic.yaml" \
        'http.routers.*.middlewares')" $'without-keys\ntoken-models\nwithout-keys'
    same "$(forward_auth authRequestHeaders token)" $'Authorization\nX-Api-Key\nX-Auth-Token\nApi-Key'
    same "$(forward_auth authRequestHeaders token-models)" "$(forward_auth authRequestHeaders token)"
    same "$(grep -cE '^ {10}(Authorization|X-Api-Key|X-Auth-Token|Api-Key): ""$' \
        "$integrations/traefik/dynamic.yaml")" 4
    same "$(forward_auth trustForwardHeader)" $'false\nfalse'
}

@test "what a client makes up is taken out, however it is written, and nothing else" {
    local pattern name
    needs_yaml
    pattern=$(forward_auth authResponseHeadersRegex token)
    same "$pattern" "$(forward_auth authResponseHeadersRegex token-models)"
    same "${pattern:0:4}" "(?i)"
    for name in X-Token-Id X-Token-Name X-Token-Scopes X-Auth-Mode X_Token_Id X-Token_id x_token-name \
        X.Token.Scopes x_auth_mode; do
        grep -qiE "${pattern:4}" <<<"$name" || fail "$name stays"
    done
    for name in X-Auth-Token X-Token-Identity My-X-Token-Id X-Token X-Auth-Modes; do
        ! grep -qiE "${pattern:4}" <<<"$name" || fail "$name is taken out"
    done
}

@test "token_authd lets through the requests that ForwardAuth makes, with all that Traefik sets" {
    local name
    start_verifier
    for name in "Authorization: Bearer" X-Api-Key: X-Auth-Token: Api-Key:; do
        as_traefik token "/v1/chat?scope=admin" -H "$name $token_two"
        same "$name $code $(header X-Token-Name) $(header X-Token-Scopes)" "$name 200 narrow chat"
    done
    for name in X-Token-Id X-Token-Name X-Token-Scopes X-Auth-Mode; do
        [ "$(header "$name")" != "" ] || fail "$name is empty"
    done
}

@test "what token_authd refuses is whole, and no longer than Traefik hands on" {
    local limit
    start_verifier
    limit=$(forward_auth maxResponseBodySize token)
    as_traefik token /
    refused_with 401 'Bearer realm="api"' missing_api_key
    [ "${#body}" -lt "$limit" ]
    as_traefik token / -H "X-Api-Key: $token_one" -H "X-Api-Key: $token_one"
    refused_with 401 'Bearer realm="api", error="invalid_token"' invalid_api_key
    as_traefik token-models / -H "X-Api-Key: $token_two"
    refused_with 403 'Bearer realm="api", error="insufficient_scope", scope="models"' insufficient_scope
    as_traefik token-models / -H "X-Api-Key: $token_one"
    same "$code" 200
    same "$(grep -c "client=192.0.2.1 " authd.log)" 3
    echo broken >api_tokens.json
    as_traefik token / -H "X-Api-Key: $token_one"
    same "$code" 503
}
