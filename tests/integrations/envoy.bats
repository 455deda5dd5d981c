#!/usr/bin/env bats
# What of docs/integrations/envoy can be checked without Envoy.
# shellcheck disable=SC2034  # for what is loaded

load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load npm

# What Envoy sends for a client's request, with the headers that envoy.yaml allows; the body stays with
# Envoy: as_envoy METHOD PATH [CURL OPTION...]
as_envoy() {
    local prefix
    prefix=$(sed -n 's/^ *path_prefix: \([^ ]*\).*/\1/p' "$integrations/envoy/envoy.yaml")
    [ "$1" != HEAD ] || set -- "$@" --head
    ask "$prefix$2" --path-as-is -X "$1" -H "Host: api.example" -H "X-Forwarded-For: 192.0.2.1" \
        -H "X-Envoy-Internal: true" -H "User-Agent:" -H "Accept:" -H "Content-Length: 0" "${@:3}"
}

start_verifier() {
    write_tokens "$(record one "$token_one")" "$(record narrow "$token_two" '"scopes": ["chat"]')"
    start_authd
}

@test "Envoy knows every field of envoy.yaml, and each is of the right kind" {
    local modules=$BIN/node/node_modules change
    needs_node_modules yaml protobufjs @grpc/grpc-js-xds # which has Envoy's API
    node "$BATS_TEST_DIRNAME/envoy_config.mjs" "$modules" "$integrations/envoy/envoy.yaml"
    # And it would be told, if it did not.
    integration envoy/envoy.yaml "failure_mode_allow:" "failure_mode_alow:" >wrong.yaml
    run node "$BATS_TEST_DIRNAME/envoy_config.mjs" "$modules" wrong.yaml
    exits 1
    says "$output" "failure_mode_alow: envoy.extensions.filters.http.ext_authz.v3.ExtAuthz has no such field"
}

@test "envoy.yaml fails closed, and lets through what token_authd says and reads" {
    local name text
    text=$(<"$integrations/envoy/envoy.yaml")
    says "$text" "failure_mode_allow: false"
    lacks "$text" "failure_mode_allow: true"
    for name in authorization x-api-key x-auth-token api-key x-required-scope; do
        same "$name $(grep -c "^ *- exact: $name\b" <<<"$text")" "$name 1"
        says "$(grep request_headers_to_remove <<<"$text")" "$name"
    done
    for name in x-token-id x-token-name x-token-scopes x-auth-mode; do
        same "$name $(grep -c "^ *- exact: $name$" <<<"$text")" "$name 1"
        same "$name $(grep -c "^ *- remove: $name$" <<<"$text")" "$name 1"
    done
}

@test "token_authd answers to the requests that Envoy makes, whatever method and path they have" {
    local method path
    start_verifier
    for method in GET POST PUT DELETE OPTIONS HEAD; do
        as_envoy "$method" "/v1/chat?stream=1" -H "Authorization: Bearer $token_one"
        same "$method $code $(header X-Token-Name)" "$method 200 one"
    done
    for path in / /v1 //v1 /../healthz /%2e%2e/metrics /..%2fhealthz "/?scope=admin" "/x?scope=admin&scope=b" \
        /v1/%zz "/a;b" /verify "/$(printf '%4000s' '' | tr ' ' a)"; do
        as_envoy GET "$path" -H "X-Api-Key: $token_two"
        same "$path $code $(header X-Token-Id)" "$path 200 $(id_of "$token_two")"
        as_envoy GET "$path"
        same "$path $code" "$path 401"
    done
    same "$(header X-Token-Id)" ""
}

@test "with the 200 come all headers that Envoy sets, and with a refusal those that it hands on" {
    local name
    start_verifier
    as_envoy POST /v1/chat -H "Authorization: Bearer $token_one"
    for name in X-Token-Id X-Token-Name X-Token-Scopes X-Auth-Mode; do
        [ "$(header "$name")" != "" ] || fail "$name is empty"
    done
    as_envoy POST /v1/chat
    refused_with 401 'Bearer realm="api"' missing_api_key
    as_envoy POST /v1/chat -H "X-Api-Key: $token_one" -H "X-Api-Key: $token_one" # encode_raw_headers
    refused_with 401 'Bearer realm="api", error="invalid_token"' invalid_api_key
    as_envoy POST /v1/chat -H "X-Api-Key: $token_one,$token_one"
    same "$code" 401
    same "$(grep -c "client=192.0.2.1 " authd.log)" 3
}

@test "the scope that a route of Envoy's puts in X-Required-Scope is demanded" {
    start_verifier
    as_envoy GET /v1/models?scope=chat -H "X-Api-Key: $token_two" -H "X-Required-Scope: models"
    refused_with 403 'Bearer realm="api", error="insufficient_scope", scope="models"' insufficient_scope
    as_envoy GET /v1/models -H "X-Api-Key: $token_one" -H "X-Required-Scope: models"
    same "$code" 200
}
