#!/usr/bin/env bats
# docs/integrations/nginx/nginx.conf, run by the real nginx in front of the real token_authd.
# shellcheck disable=SC2030,SC2031  # a test is a subshell

bats_require_minimum_version 1.5.0
load common
load verifier
load authd
load upstream
load nginx

# refused_with STATUS CODE: so says the last answer, in the form that OpenAI's clients understand.
refused_with() {
    same "$code" "$1"
    same "$(header Content-Type)" application/json
    same "$(header Cache-Control)" no-store
    if [ "$1" -lt 500 ]; then
        has_body_of_refusal "$2"
    else
        has_body_of_refusal "$2" server_error
    fi
    [[ $body =~ \"message\":\ ?\"[^\"]{10} ]] || fail "no message to speak of: $body"
}

# A request by a connection that stays open, descriptor 7: over_connection HEADER. Sets code and body.
over_connection() {
    local line size=0
    printf 'GET / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n' "$1" >&7
    read -r -t 10 _ code _ <&7
    while read -r -t 10 line <&7 && [ "$line" != $'\r' ]; do
        [[ ${line,,} != content-length:* ]] || size=$(tr -dc 0-9 <<<"$line")
    done
    read -r -t 10 -N "$size" body <&7
}

@test "nginx lets a token through, and tells the server behind whose it is" {
    write_tokens "$(record one "$token_one" '"scopes": ["chat", "models"]')"
    start_all
    ask /v1/chat -H "Authorization: Bearer $token_one"
    same "$code" 200
    says "$body" "GET /v1/chat HTTP/1.1"
    same "$(got X-Token-Id)" "$(id_of "$token_one")"
    same "$(got X-Token-Name)" one
    same "$(got X-Token-Scopes)" chat%20models
    same "$(got X-Auth-Mode)" file
    same "$(got X-Forwarded-For) $(got X-Forwarded-Proto) $(got Host)" "127.0.0.1 http 127.0.0.1"
}

@test "every header that token_authd reads a token from works through nginx" {
    local header
    write_tokens "$(record one "$token_one")"
    start_all
    for header in "Authorization: bearer" X-Api-Key: X-Auth-Token: Api-Key:; do
        ask / -H "$header $token_one"
        same "$header $code $(got X-Token-Name)" "$header 200 one"
    done
}

@test "the credential stays with nginx: the server behind does not see it" {
    write_tokens "$(record one "$token_one")"
    start_all
    ask / -H "Authorization: Bearer $token_one" -H "X-Api-Key: $token_one" \
        -H "X-Auth-Token: $token_one" -H "Api-Key: $token_one"
    same "$code" 200
    same "$(got X-Token-Name)" one
    lacks "$(cat upstream/requests)" "${token_one:8:16}"
    same "$(grep -Eic '^(authorization|x-api-key|x-auth-token|api-key):' upstream/requests)" 0
}

@test "the token's name and id are in nginx's access log, percent-encoded" {
    write_tokens "$(record 'my app 100% ü' "$token_one")"
    start_all
    ask /v1/chat -H "Authorization: Bearer $token_one"
    same "$code" 200
    wait_for grep -q . access.log
    says "$(cat access.log)" '127.0.0.1 ['
    says "$(cat access.log)" '] "GET /v1/chat" 200 '
    says "$(cat access.log)" " token_name=my%20app%20100%25%20%C3%BC token_id=$(id_of "$token_one")"
}

@test "without a token nginx answers 401, with the challenge once and a body for OpenAI's clients" {
    write_tokens "$(record one "$token_one")"
    start_all
    ask /
    refused_with 401 missing_api_key
    same "$(header WWW-Authenticate)" 'Bearer realm="api"'
    nothing_passed
}

@test "a wrong token is a 401 that tells what is wrong with it" {
    write_tokens "$(record one "$token_one" "\"revoked_at\": \"$past\"")"
    start_all
    ask / -H "Authorization: Bearer $stranger"
    refused_with 401 invalid_api_key
    same "$(header WWW-Authenticate)" 'Bearer realm="api", error="invalid_token"'
    local unknown=$body
    ask / -H "X-Api-Key: $token_one"
    refused_with 401 invalid_api_key
    same "$body" "$unknown"
    ask / -H "Authorization: Bearer ${token_one::30}"
    refused_with 401 invalid_api_key
    says "$(jq -r .error.message <<<"$body")" "cut short"
    ask / -H "Authorization: Bearer $(id_of "$token_one")"
    refused_with 401 invalid_api_key
    nothing_passed
}

@test "a refusal has the body for every method, a body of its own or not" {
    local method
    write_tokens "$(record one "$token_one")"
    start_all
    head -c 300000 /dev/zero >big
    for method in POST PUT PATCH DELETE OPTIONS; do
        ask / -X "$method" --data-binary @big -H "X-Api-Key: $stranger"
        refused_with 401 invalid_api_key
        ask / -X "$method" -H "Transfer-Encoding: chunked" --data-binary @big
        refused_with 401 missing_api_key
    done
    ask / --head
    same "$code" 401
    nothing_passed
}

@test "a location can demand a scope: 403 with challenge and body for a token that lacks it" {
    write_tokens "$(record all "$token_one")" "$(record few "$token_two" '"scopes": ["chat"]')" \
        "$(record right "$token_three" '"scopes": ["chat", "models"]')"
    start_all
    ask /v1/models -H "Authorization: Bearer $token_one"
    same "$code $(got X-Token-Name)" "200 all"
    ask /v1/models -H "Authorization: Bearer $token_three"
    same "$code $(got X-Token-Name)" "200 right"
    ask /v1/chat -H "Authorization: Bearer $token_two"
    same "$code $(got X-Token-Name)" "200 few"
    rm upstream/requests
    ask /v1/models -H "Authorization: Bearer $token_two"
    refused_with 403 insufficient_scope
    same "$(header WWW-Authenticate)" \
        'Bearer realm="api", error="insufficient_scope", scope="models"'
    ask '/v1//%6dodels/x?scope=chat' -H "Authorization: Bearer $token_two" -H "X-Required-Scope: chat"
    refused_with 403 insufficient_scope
    ask /v1/models
    refused_with 401 missing_api_key
    nothing_passed
}

@test "identity headers that a client makes up are overwritten" {
    write_tokens "$(record one "$token_one")"
    start_all
    ask / -H "X-Api-Key: $token_one" \
        -H "X-Token-Id: forged" -H "x-token-id: forged" -H "X-TOKEN-NAME: forged" \
        -H "X-Token-Scopes: forged" -H "X-Auth-Mode: forged" -H "X-Forwarded-For: 192.0.2.1"
    same "$code" 200
    lacks "$body" forged
    lacks "$body" 192.0.2.1
    same "$(got X-Token-Id)" "$(id_of "$token_one")"
    same "$(got X-Token-Name)" one
    same "$(got X-Token-Scopes)" "*"
    same "$(got X-Auth-Mode)" file
}

@test "they are overwritten while authentication is off, too" {
    start_all
    ask / -H "X-Token-Id: forged" -H "X-Token-Name: forged" -H "X-Token-Scopes: forged" \
        -H "X-Auth-Mode: forged"
    same "$code" 200
    lacks "$body" forged
    same "$(got X-Token-Id) $(got X-Token-Name) $(got X-Auth-Mode)" "anonymous anonymous open"
}

@test "X_Token_Id, which many servers take for X-Token-Id, does not reach the server behind" {
    write_tokens "$(record one "$token_one")"
    start_all
    ask / -H "X-Api-Key: $token_one" -H "X_Token_Id: forged" -H "X_Token-Name: forged" \
        -H "x_auth_mode: forged" -H "X.Token.Id: forged" -H "X-Other: passed"
    same "$code" 200
    lacks "$body" forged
    says "$body" "X-Other: passed"
    ask / -H "X_Api_Key: $token_one"
    same "$code" 401
}

@test "a credential header that is sent twice is refused" {
    write_tokens "$(record one "$token_one")"
    start_all
    ask / -H "X-Api-Key: $token_one" -H "x-api-key: $token_one"
    refused_with 401 invalid_api_key
    ask / -H "X-Api-Key: $token_one" -H "X-Api-Key: $stranger"
    refused_with 401 invalid_api_key
    # To this one nginx itself says 400.
    ask / -H "Authorization: Bearer $token_one" -H "Authorization: Bearer $token_one"
    [[ $code == 40[01] ]] || fail "the status is $code"
    nothing_passed
}

@test "a bad credential that goes first is not saved by a good second" {
    write_tokens "$(record one "$token_one")"
    start_all
    ask / -H "Authorization: Bearer $stranger" -H "X-Api-Key: $token_one"
    refused_with 401 invalid_api_key
    ask / -H "Authorization: Basic dTpw" -H "X-Api-Key: $token_one"
    same "$code" 200
}

@test "revoke: the next request is refused" {
    token=$(create app)
    start_all
    ask / -H "Authorization: Bearer $token"
    same "$code $(got X-Token-Name)" "200 app"
    "$manager" revoke app
    ask / -H "Authorization: Bearer $token"
    refused_with 401 invalid_api_key
    "$manager" restore app
    ask / -H "Authorization: Bearer $token"
    same "$code" 200
}

@test "revoke: the next request by a connection that is kept alive is refused" {
    local i
    token=$(create app)
    start_all
    exec 7<>"/dev/tcp/127.0.0.1/${authd_url##*:}"
    for i in 1 2 3; do
        over_connection "X-Api-Key: $token"
        same "$i $code" "$i 200"
        "$manager" revoke app
        over_connection "X-Api-Key: $token"
        same "$i $code" "$i 401"
        has_body_of_refusal invalid_api_key
        "$manager" restore app
    done
    exec 7<&- 7>&-
}

@test "while the token file cannot be read: 503, and well again by itself" {
    write_tokens "$(record one "$token_one")"
    start_all
    cp api_tokens.json good.json
    echo '{"version": 1, "tokens": [' >bad.json && mv bad.json api_tokens.json
    ask / -H "Authorization: Bearer $token_one"
    refused_with 503 verifier_unavailable
    same "$(header WWW-Authenticate)" ""
    nothing_passed
    mv good.json api_tokens.json
    ask / -H "Authorization: Bearer $token_one"
    same "$code $(got X-Token-Name)" "200 one"
}

@test "token_authd ended, and with it its socket: 503, nobody passes; well again when it is back" {
    write_tokens "$(record one "$token_one")"
    start_all
    ask / -H "Authorization: Bearer $token_one"
    same "$code" 200
    rm upstream/requests
    stop_authd
    rm -f authd.sock # which its sandbox does not let it do
    ask / -H "Authorization: Bearer $token_one"
    refused_with 503 service_unavailable
    ask /v1/models -H "Authorization: Bearer $token_one"
    refused_with 503 service_unavailable
    nothing_passed
    : >authd.log
    start_authd --listen unix:authd.sock
    authd_url=$nginx_url
    ask / -H "Authorization: Bearer $token_one"
    same "$code" 200
}

@test "token_authd killed, its socket left behind: 503, nobody passes" {
    write_tokens "$(record one "$token_one")"
    start_all
    kill -KILL "$authd_pid"
    wait "$authd_pid" || true
    [ -S authd.sock ] || fail "the socket is gone"
    ask / -H "Authorization: Bearer $token_one"
    refused_with 503 service_unavailable
    nothing_passed
}

@test "the questions are not to be asked from outside, and a wrong one lets nobody pass" {
    write_tokens "$(record one "$token_one")"
    start_all "auth_request /_verify/models;" "auth_request /_verify/mistyped;"
    local path
    for path in /_verify/ /_verify/any /_verify/models /_verify/mistyped; do
        ask "$path" -H "X-Api-Key: $token_one"
        same "$path $code" "$path 404"
    done
    ask /v1/models -H "X-Api-Key: $token_one"
    same "$code" 503
    nothing_passed
}

@test "a location that is added to the configuration is protected like the others" {
    write_tokens "$(record one "$token_one")"
    start_all "location / {" "location /new { proxy_pass http://api; } location / {"
    ask /new
    refused_with 401 missing_api_key
    ask /new -H "X-Api-Key: $token_one" -H "X-Token-Id: forged"
    same "$code $(got X-Token-Id)" "200 $(id_of "$token_one")"
}

@test "the line about OPTIONS in the configuration answers preflight requests, and no others" {
    write_tokens "$(record one "$token_one")"
    start_all "# if (\$request_method = OPTIONS) { return 204; }" \
        "if (\$request_method = OPTIONS) { return 204; }"
    ask /v1/chat -X OPTIONS -H "Origin: https://example.org"
    same "$code" 204
    ask /v1/chat
    refused_with 401 missing_api_key
    nothing_passed
}

@test "bodies go to the server behind, whole, and never to the verifier" {
    needs nginx curl
    start_upstream "$PWD/authd.sock"
    start_upstream
    start_nginx
    head -c 3000000 /dev/zero >big
    ask / --data-binary @big -H "Expect:"
    same "$code $(got body)" "200 3000000"
    ask / --data-binary @big -H "Transfer-Encoding: chunked"
    same "$code $(got body)" "200 3000000"
    same "$(grep -c '^GET /verify HTTP/1.1$' recorder/requests)" 2
    same "$(grep -c '^body: 0$' recorder/requests)" 2
    same "$(grep -Eic '^(content-length|transfer-encoding):' recorder/requests)" 0
}

@test "the verifier is asked by connections that are kept, with the client's headers and address" {
    needs nginx curl
    start_upstream "$PWD/authd.sock"
    start_upstream
    start_nginx
    ask / -H "Authorization: Bearer $token_one" -H "X-Api-Key: a" -H "X-Api-Key: b" \
        -H "X-Forwarded-For: 192.0.2.1" "$nginx_url/second"
    same "$(grep '^connection: [0-9]' recorder/requests)" $'connection: 1\nconnection: 1'
    same "$(grep -c '^X-Forwarded-For: 127.0.0.1$' recorder/requests)" 2
    same "$(grep -ic '^X-Forwarded-For:' recorder/requests)" 2
    same "$(grep '^X-Api-Key:' recorder/requests)" \
        $'X-Api-Key: a\nX-Api-Key: b\nX-Api-Key: a\nX-Api-Key: b'
    says "$(cat recorder/requests)" "Authorization: Bearer $token_one"
    lacks "$(cat recorder/requests)" "Connection: "
}

@test "the client's address is in token_authd's log, whatever it claims" {
    write_tokens "$(record one "$token_one")"
    start_all
    ask / -H "X-Api-Key: $stranger" -H "X-Forwarded-For: 192.0.2.1"
    same "$code" 401
    says "$(cat authd.log)" "event=refused reason=unknown status=401 client=127.0.0.1 "
    lacks "$(cat authd.log)" 192.0.2.1
}

@test "a head that nginx takes is none that token_authd finds too large" {
    local long
    write_tokens "$(record one "$token_one")"
    start_all
    printf -v long '%6900s' ''
    long=${long// /x}
    ask / -H "X-Api-Key: $token_one" -H "X-One: $long" -H "X-Two: $long"
    same "$code" 200
    ask / -H "X-Api-Key: $token_one" -H "X-One: $long" -H "X-Two: $long" -H "X-Three: $long"
    same "$code" 400
}

@test "the longest name and scopes there may be go through nginx" {
    local name scopes=() i
    name=$(printf '\U1F511%.0s' {1..100})
    for i in {10..73}; do
        scopes+=("\"$i$(printf '%%%.0s' {1..62})\"") # the longest where they are encoded
    done
    printf -v i '%s, ' "${scopes[@]}"
    write_tokens "$(record "$name" "$token_one" "\"scopes\": [${i%, }]")"
    start_all
    ask / -H "X-Api-Key: $token_one"
    same "$code" 200
    same "$(got X-Token-Name)" "$(printf '%%F0%%9F%%94%%91%.0s' {1..100})"
    same "$(got X-Token-Scopes | wc -c)" $((64 * (2 + 62 * 3) + 63 * 3 + 1))
}

@test "a streamed answer reaches the client piece by piece" {
    write_tokens "$(record one "$token_one")"
    start_all
    curl --silent --no-buffer -H "X-Api-Key: $token_one" "$authd_url/stream" >streamed 3>&- &
    started+=("$!")
    wait_for grep -q first streamed
    lacks "$(cat streamed)" second
    touch upstream/go
    wait "$!"
    same "$(cat streamed)" $'first\nsecond'
}

# Has the file so many lines? lines_of FILE COUNT
lines_of() {
    [ "$(wc -l <"$1")" -eq "$2" ]
}

@test "no credential is in any log" {
    local secret
    write_tokens "$(record one "$token_one" '"scopes": ["chat"]')" \
        "$(record two "$token_two" "\"revoked_at\": \"$past\"")"
    start_all
    for secret in "$token_one" "$token_two" "$stranger" "${token_one}x"; do
        ask "/?key=$secret" -H "Authorization: Bearer $secret" -A "$secret" -e "http://x/$secret"
        ask /v1/models -H "X-Api-Key: $secret"
        ask / -H "X-Api-Key: $secret" -H "X-Api-Key: $secret"
    done
    echo nonsense >api_tokens.json
    ask / -H "Authorization: Bearer $token_one"
    same "$code" 503
    stop_authd
    ask / -H "Authorization: Bearer $token_one"
    same "$code" 503
    wait_for grep -q "connect() to unix:" error.log
    wait_for lines_of access.log 14
    for secret in "$token_one" "$token_two" "$stranger"; do
        same "$(cat error.log access.log authd.log said | grep -c "${secret:15:20}")" 0
    done
}
