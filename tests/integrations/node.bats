#!/usr/bin/env bats
# docs/integrations/node: the middleware, under plain node:http and under Express, asking the real token_authd.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154  # a test is a subshell; variables are of what is loaded, and for it

bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load npm

modules=$BIN/node/node_modules

# The app of that file, on a free port; sets authd_url, so that `ask` asks it: start_app FILE
start_app() {
    needs node curl
    app=$1
    if [ "$app" = express.mjs ]; then
        needs_node_modules express
        ln -sfn "$modules" node_modules
    fi
    cp "$integrations/node/token_auth.cjs" .
    start_on_port run_app app_is_ready
    authd_url=http://127.0.0.1:$port
}

run_app() {
    integration "node/$app" "listen(9000," "listen($1," /run/token_authd.sock "$PWD/authd.sock" >"$app"
    exec node "$app" >>app.log 2>&1
}

app_is_ready() {
    asked_at "$1" /
}

# case_of NAME [ARGUMENT...]: that case of node_cases.mjs.
case_of() {
    needs node
    timeout 60 node "$BATS_TEST_DIRNAME/node_cases.mjs" "$integrations/node/token_auth.cjs" "$@"
}

# A server in the place of token_authd that lets everybody in, and notes what it was asked, in recorder/.
start_recorder() {
    mkdir recorder
    perl "$BATS_TEST_DIRNAME/../cli/upstream.pl" recorder "$PWD/authd.sock" 2>recorder/errors 3>&- &
    started+=("$!")
    wait_for test -e recorder/port
}

# What an app lets in, and whom it takes them for.
lets_tokens_in() {
    write_tokens "$(record one "$token_one")" "$(record 'zwei 100% ü' "$token_two" '"scopes": ["chat", "models"]')"
    start_authd --listen unix:authd.sock
    start_app "$1"
    for header in "Authorization: bearer" X-Api-Key: X-Auth-Token: Api-Key:; do
        ask /v1/whoami -H "$header $token_one" -H "X-Token-Id: forged" -H "X-Token-Name: forged"
        same "$code $body" "200 {\"id\":\"$(id_of "$token_one")\",\"name\":\"one\",\"scopes\":[\"*\"],\"mode\":\"file\"}"
    done
    ask /v1/whoami -H "X-Api-Key: $token_two"
    says "$body" '"name":"zwei 100% ü","scopes":["chat","models"],"mode":"file"}'
    ask /v1/models -H "X-Api-Key: $token_two"
    same "$code $body" '200 {"data":[],"for":"zwei 100% ü"}'
    ask /elsewhere -H "X-Api-Key: $token_two"
    same "$code" 404
    lacks "$(cat app.log)" "${token_one:8:16}"
}

# What an app refuses, in token_authd's own words.
refuses() {
    write_tokens "$(record few "$token_one" '"scopes": ["chat"]')" "$(record two "$token_two")"
    start_authd --listen unix:authd.sock
    start_app "$1"
    local path direct wanted options got
    while IFS='|' read -r wanted path options; do
        eval "set -- $options"
        ask "$path" "$@"
        same "$path $options: $code" "$path $options: $wanted"
        got="$body $(header WWW-Authenticate) $(header Cache-Control) $(header Content-Type)"
        direct=/verify
        [ "$path" != /v1/models ] || direct='/verify?scope=models'
        authd_url=http://localhost ask "$direct" --unix-socket authd.sock "$@"
        same "$got" "$body $(header WWW-Authenticate) $(header Cache-Control) $(header Content-Type)"
    done <<END
401|/v1/whoami|
401|/elsewhere|
401|/v1/models|
401|/v1/whoami|-H "X-Api-Key: $stranger"
401|/v1/whoami|-H "X-Api-Key: ${token_one::30}"
401|/v1/whoami|-H "X-Api-Key: $token_two" -H "x-api-key: $token_two"
401|/v1/whoami|-H "Authorization: Bearer $token_two" -H "Authorization: Bearer $token_two"
401|/v1/whoami|-H "Authorization: Bearer $token_two" -H "Authorization: Basic x"
403|/v1/models|-H "X-Api-Key: $token_one"
403|/v1/models|-H "X-Api-Key: $token_one" -X POST --data body
END
    wait_for so_often 10 refused
    says "$(log_lines refused)" " client=127.0.0.1 "
}

# A revoke counts at the next request, and where there is no token_authd nobody passes, until there is.
fails_closed() {
    token=$(create ci)
    start_authd --listen unix:authd.sock
    start_app "$1"
    local url=$authd_url
    ask /v1/whoami -H "X-Api-Key: $token"
    same "$code" 200
    "$manager" revoke ci
    ask /v1/whoami -H "X-Api-Key: $token"
    same "$code" 401
    "$manager" restore ci
    ask /v1/whoami -H "X-Api-Key: $token"
    same "$code" 200
    mv api_tokens.json away
    ask /v1/whoami -H "X-Api-Key: $token"
    same "$code" 503
    has_body_of_refusal verifier_unavailable server_error
    mv away api_tokens.json
    stop_authd
    ask /v1/whoami -H "X-Api-Key: $token"
    same "$code" 503
    has_body_of_refusal service_unavailable server_error
    start_authd --listen unix:authd.sock
    authd_url=$url
    ask /v1/whoami -H "X-Api-Key: $token"
    same "$code" 200
}

@test "node: a token is let in by each header, and the identity is the verdict's, not the client's" {
    lets_tokens_in app.mjs
}

@test "express: a token is let in by each header, and the identity is the verdict's, not the client's" {
    lets_tokens_in express.mjs
}

@test "node: a refusal is token_authd's own" {
    refuses app.mjs
}

@test "express: a refusal is token_authd's own" {
    refuses express.mjs
}

@test "node: a revoke counts at the next request, and without a verdict nobody passes" {
    fails_closed app.mjs
}

@test "express: a revoke counts at the next request, and without a verdict nobody passes" {
    fails_closed express.mjs
}

@test "node: token_authd gets the four headers as they came, and neither the others nor the body" {
    start_recorder
    start_app app.mjs
    rm -f recorder/requests # of who looked whether it was ready
    ask /v1/models?key=x -X POST --data body -H "AUTHORIZATION:  Bearer a b" -H "x-api-key: c" -H "X-API-KEY: d" \
        -H "Api-Key: e" -H "X-Auth-Token: f" -H "X-Required-Scope: g" -H "X-Forwarded-For: 192.0.2.1" \
        -H "Cookie: h" -H "X-Token-Id: i"
    same "$code $body" '200 {"data":[],"for":"name"}'
    same "$(grep -v -e ^connection: -e ^Connection: recorder/requests)" "GET /verify HTTP/1.1
Host: token_authd
AUTHORIZATION: Bearer a b
x-api-key: c
X-API-KEY: d
Api-Key: e
X-Auth-Token: f
X-Required-Scope: models
X-Forwarded-For: 127.0.0.1
body: 0"
}

@test "node: 200 requests at once share a few connections, and later ones have them again" {
    write_tokens "$(record one "$token_one")"
    start_authd --listen unix:authd.sock
    case_of many authd.sock "$token_one"
}

@test "node: a connection that token_authd has given up is no refusal" {
    write_tokens "$(record one "$token_one")"
    start_authd --listen unix:authd.sock
    case_of again authd.sock "$token_one"
}

@test "node: what is no verdict lets nobody in: another server, a torn answer, silence" {
    case_of nonsense
}

@test "node: the body goes to the app, and what names the client in its headers is the verdict's" {
    write_tokens "$(record 'my app ü' "$token_one" '"scopes": ["chat", "models"]')"
    start_authd --listen unix:authd.sock
    case_of passes authd.sock "$token_one"
}
