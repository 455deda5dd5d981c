#!/usr/bin/env bats
# docs/integrations/nginx/two-ways.conf and rate-limits.conf, run by the real nginx in front of the real
# token_authd. What they share with nginx.conf, tests/cli/nginx.bats looks at.
# shellcheck disable=SC2030,SC2031,SC2034  # a test is a subshell; what is set is for what is loaded

bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load ../cli/nginx

# refused_with STATUS CODE [TYPE]
refused_with() {
    same "$code" "$1"
    same "$(header Content-Type)" application/json
    same "$(header Cache-Control)" no-store
    has_body_of_refusal "$2" "${3-invalid_request_error}"
}

# What reached the application but for the questions about sessions, a line for each: METHOD PATH
passed() {
    [ ! -e upstream/requests ] || sed -n 's/^\([A-Z]*\) \([^ ]*\) HTTP.*/\1 \2/p' upstream/requests |
        grep -v '^GET /session$' || true
}

# How often it was asked about a session.
asked() {
    [ ! -e upstream/requests ] || grep -c '^GET /session HTTP' upstream/requests || true
}

start_two_ways() {
    nginx_file=nginx/two-ways.conf
    write_tokens "$(record one "$token_one")" "$(record few "$token_two" '"scopes": ["chat"]')" \
        "$(record gone "$token_three" "\"revoked_at\": \"$past\"")"
    start_all
}

@test "two ways: a key is enough, and the application is not asked" {
    start_two_ways
    ask /page -H "X-Api-Key: $token_one"
    same "$code $(got X-Token-Name) $(got X-Auth-Mode)" "200 one file"
    same "$(got X-Token-Id)" "$(id_of "$token_one")"
    same "$(passed) $(asked)" "GET /page 0"
}

@test "two ways: a session is enough, and token_authd is not asked" {
    start_two_ways
    ask /page -H "Cookie: theme=dark; session=SESSION"
    same "$code $(got Cookie)" "200 theme=dark; session=SESSION"
    same "$(passed) $(asked)" "GET /page 1"
    stop_authd
    ask /page -H "Cookie: session=SESSION"
    same "$code" 200
}

@test "two ways: neither of them is a 401 with the challenge once, and for a browser the way to sign in" {
    local cookie
    start_two_ways
    for cookie in "" "session=stale"; do
        ask /page -H "Cookie: $cookie"
        refused_with 401 missing_api_key
        same "$(header WWW-Authenticate)" 'Bearer realm="api"'
        ask /page -H "Cookie: $cookie" -H "Accept: text/html,*/*"
        same "$code $(header Location) $(header Cache-Control)" "302 /login no-store"
    done
    same "$(passed)" ""
    ask /login
    same "$code" 200
    same "$(passed)" "GET /login"
}

@test "two ways: a bad key is refused, whatever session is there, by every header" {
    local key name
    start_two_ways
    for key in "$stranger" "$token_three" "${token_one::30}" x; do
        for name in "Authorization: Bearer" X-Api-Key: X-Auth-Token: Api-Key:; do
            ask /page -H "$name $key" -H "Cookie: session=SESSION" -H "Accept: text/html"
            refused_with 401 invalid_api_key
        done
    done
    same "$(header WWW-Authenticate)" 'Bearer realm="api", error="invalid_token"'
    # What is no key for token_authd is none here, but no session is asked for either.
    ask /page -H "Authorization: Basic dTpw" -H "Cookie: session=SESSION"
    refused_with 401 missing_api_key
    ask /page -H "X-Api-Key: $token_one" -H "X-Api-Key: $token_one" -H "Cookie: session=SESSION"
    refused_with 401 invalid_api_key
    same "$(passed) $(asked)" " "
}

@test "two ways: with a key the application sees no cookie, with a session no key and no token's name" {
    start_two_ways
    ask /page -H "X-Api-Key: $token_one" -H "Cookie: session=SESSION"
    same "$code $(got X-Token-Name) $(got Cookie)" "200 one "
    ask /page -H "Cookie: session=SESSION" -H "X-Token-Id: forged" -H "X-Token-Name: forged" \
        -H "X-Token-Scopes: forged" -H "X-Auth-Mode: forged" -H "X_Token_Id: forged"
    same "$code" 200
    lacks "$(cat upstream/requests)" forged
    ask /login -H "X-Token-Id: forged" -H "X-Auth-Mode: forged"
    same "$code" 200
    lacks "$(cat upstream/requests)" forged
}

@test "two ways: scopes bind keys, and the application its sessions" {
    start_two_ways
    ask /v1/models -H "X-Api-Key: $token_two" -H "Cookie: session=SESSION"
    refused_with 403 insufficient_scope
    same "$(header WWW-Authenticate)" \
        'Bearer realm="api", error="insufficient_scope", scope="models"'
    ask /v1/models -H "X-Api-Key: $token_one"
    same "$code" 200
    ask /v1/models -H "Cookie: session=SESSION"
    same "$code" 200
    ask /page -H "Cookie: session=locked"
    refused_with 403 forbidden
    same "$(header WWW-Authenticate)" ""
}

@test "two ways: without the one who would say, 503 and nobody passes" {
    start_two_ways
    stop_authd
    ask /page -H "X-Api-Key: $token_one" -H "Cookie: session=SESSION"
    refused_with 503 service_unavailable server_error
    same "$(passed) $(asked)" " "
    kill "${started[-2]}" # the application
    wait "${started[-2]}" || true
    ask /page -H "Cookie: session=SESSION"
    refused_with 503 service_unavailable server_error
}

@test "two ways: an application that has a page for every path, /session too, lets nobody in by that" {
    start_two_ways
    ask /page -H "Cookie: session=page" -H "X-Token-Id: forged"
    refused_with 503 service_unavailable server_error
    ask /v1/models -H "Cookie: session=page"
    same "$code" 503
    same "$(passed)" ""
}

@test "two ways: the way to sign in leads to no other page, however its path is written" {
    local path
    start_two_ways
    for path in /loginx '/login/..;/admin' /login/..%5cadmin /login/%252e%252e/admin /login/../admin /login%2f..%2fadmin; do
        ask "$path" --path-as-is
        same "$path $code" "$path 401"
    done
    same "$(passed)" ""
    for path in '/login?next=/a' /login/a/style.css /login//x/../y.js; do
        ask "$path" --path-as-is
        same "$path $code" "$path 200"
    done
    exec 4<>"/dev/tcp/127.0.0.1/${nginx_url##*:}"
    printf 'GET /login#/../admin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&4
    says "$(cat <&4)" "200 OK"
    same "$(passed)" $'GET /login?next=/a\nGET /login/a/style.css\nGET /login/y.js\nGET /login'
}

@test "two ways: the questions are not to be asked from outside" {
    local path
    start_two_ways
    for path in /_verify/ /_verify/any /_verify/models; do
        ask "$path" -H "Cookie: session=SESSION"
        same "$path $code" "$path 404"
    done
    same "$(passed) $(asked)" " "
}

# What nginx does with a file, a line each: directives FILE
directives() {
    sed -e 's/#.*//' -e 's/^ *//' -e 's/ *$//' -e '/^$/d' "$integrations/$1"
}

# lacks_only FILE <LINES: all else that nginx.conf has is there, too, in this order.
lacks_only() {
    same "$(diff <(directives nginx/nginx.conf) <(directives "$1") | sed -n 's/^< //p')" "$(cat)"
}

@test "what nginx.conf does, the files beside it and that for language models do" {
    lacks_only nginx/two-ways.conf <<'END'
upstream api {
proxy_pass http://api;
proxy_pass http://api;
proxy_pass http://token_authd/verify;
proxy_pass http://token_authd/verify?scope=models;
return 401 "$auth_error\n";
return 403 "$auth_error\n";
END
    lacks_only nginx/rate-limits.conf <<'END'
proxy_pass http://api;
END
    lacks_only llm/nginx.conf <<'END'
upstream api {
server 127.0.0.1:9000;
listen 127.0.0.1:8080;
client_max_body_size 32m;
proxy_set_header Host $host;
proxy_read_timeout 600s;
proxy_pass http://api;
}
location /v1/models {
auth_request /_verify/models;
proxy_pass http://api;
location = /_verify/models {
proxy_pass http://token_authd/verify?scope=models;
END
}

# The same limits, but none that a slow machine could wait out.
start_limits() {
    nginx_file=nginx/rate-limits.conf
    write_tokens "$(record one "$token_one")" "$(record two "$token_two" '"scopes": ["chat"]')" \
        "$(record three "$token_three")"
    start_all "zone=requests:10m rate=10r/s" "zone=requests:10m rate=1r/m" \
        "zone=refusals:10m rate=5r/s" "zone=refusals:10m rate=1r/m" "burst=10 delay=5" "burst=10 nodelay" "$@"
}

# The statuses of so many requests over one connection, as "COUNT STATUS" lines: flood COUNT CURL-OPTION...
flood() {
    curl --silent --output /dev/null --write-out '%{http_code}\n' "${@:2}" "$authd_url${path:-/flood}?[1-$1]" |
        sort | uniq -c | sed 's/^ *//'
}

@test "limits: a token may so often and no more, and another is not held up by it" {
    start_limits
    same "$(flood 30 -H "X-Api-Key: $token_one")" $'21 200\n9 429'
    ask /v1/chat -H "X-Api-Key: $token_one"
    refused_with 429 rate_limit_exceeded requests
    same "$(header Retry-After)" 1
    same "$(grep -c "^GET /flood" upstream/requests)" 21
    ask /v1/chat -H "X-Api-Key: $token_two"
    same "$code $(got X-Token-Name)" "200 two"
    wait_for grep -q "GET /v1/chat\" 429 .* token_name=one token_id=$(id_of "$token_one")" access.log
    lacks "$(cat error.log)" flood
}

@test "limits: it is the token's id that counts, not the way it is sent or what a client makes up" {
    local name
    start_limits
    flood 21 -H "X-Api-Key: $token_one"
    for name in "Authorization: Bearer" X-Auth-Token: Api-Key:; do
        ask / -H "$name $token_one" -H "X-Token-Id: $(id_of "$token_two")" -H "X-Forwarded-For: 192.0.2.1" \
            -H "X-Token-Name: two"
        same "$name $code" "$name 429"
    done
    ask "/?token_id=b" -H "X-Api-Key: $token_one" -H "X-Token-Id: tok_$RANDOM" -H "X_Token_Id: a" \
        -H "Cookie: token_id=c"
    same "$code" 429
    # Nor is another's share used up by naming it.
    flood 30 -H "X-Api-Key: $token_one" -H "X-Token-Id: $(id_of "$token_two")"
    same "$(flood 21 -H "X-Api-Key: $token_two")" "21 200"
}

@test "limits: a new secret is the same token, and each scope's location counts for it" {
    local old new
    old=$(create app)
    new=$("$manager" rotate app --grace 1h 2>/dev/null)
    nginx_file=nginx/rate-limits.conf
    start_all "zone=requests:10m rate=10r/s" "zone=requests:10m rate=1r/m"
    flood 11 -H "X-Api-Key: $old"
    same "$(flood 12 -H "X-Api-Key: $new")" $'10 200\n2 429'
    ask /v1/models -H "X-Api-Key: $old"
    same "$code" 429
}

@test "limits: only so many answers of a token at once" {
    local i streams=()
    start_limits "limit_conn at_once 10;" "limit_conn at_once 2;"
    for i in 1 2; do
        curl --silent --no-buffer -H "X-Api-Key: $token_one" "$authd_url/stream" >"streamed.$i" 3>&- &
        streams+=("$!")
        started+=("$!")
        wait_for grep -q first "streamed.$i"
    done
    ask / -H "X-Api-Key: $token_one" -H "X-Token-Id: forged"
    refused_with 429 rate_limit_exceeded requests
    ask / -H "X-Api-Key: $token_two"
    same "$code" 200
    touch upstream/go
    wait "${streams[@]}"
    ask / -H "X-Api-Key: $token_one"
    same "$code" 200
}

@test "limits: so many refusals for an address, and good keys from there go on" {
    start_limits
    same "$(flood 20 -H "X-Api-Key: $stranger")" $'11 401\n9 429'
    ask / -H "X-Api-Key: $stranger" -H "X-Forwarded-For: 192.0.2.1" -H "X-Token-Id: forged"
    refused_with 429 rate_limit_exceeded requests
    ask /
    refused_with 429 rate_limit_exceeded requests
    nothing_passed
    same "$(flood 21 -H "X-Api-Key: $token_one")" "21 200"
    lacks "$(cat error.log)" flood
}

@test "limits: a token that lacks the scope is refused no more often than any other" {
    start_limits
    path=/v1/models
    same "$(flood 20 -H "X-Api-Key: $token_two")" $'11 403\n9 429'
    nothing_passed
}

@test "limits: refusals are what they were: challenge, body, scope, no verdict" {
    start_limits
    ask /
    refused_with 401 missing_api_key
    same "$(header WWW-Authenticate)" 'Bearer realm="api"'
    head -c 300000 /dev/zero >big
    ask / -H "X-Api-Key: $stranger" --data-binary @big
    refused_with 401 invalid_api_key
    same "$(header WWW-Authenticate)" 'Bearer realm="api", error="invalid_token"'
    ask /v1/models -H "X-Api-Key: $token_two"
    refused_with 403 insufficient_scope
    stop_authd
    ask / -H "X-Api-Key: $token_one"
    refused_with 503 service_unavailable server_error
    nothing_passed
}

@test "limits: bodies pass whole, and identities are overwritten" {
    start_limits
    head -c 3000000 /dev/zero >big
    ask /v1/chat --data-binary @big -H "X-Api-Key: $token_two" -H "X-Token-Id: forged" -H "X-Auth-Mode: forged"
    same "$code $(got body) $(got X-Token-Id) $(got X-Auth-Mode)" "200 3000000 $(id_of "$token_two") file"
    lacks "$body" forged
}

@test "limits: while authentication is off, they are the addresses'" {
    nginx_file=nginx/rate-limits.conf
    start_all "zone=requests:10m rate=10r/s" "zone=requests:10m rate=1r/m"
    same "$(flood 23 -H "X-Token-Id: forged")" $'21 200\n2 429'
}

@test "limits: as they are written, for one token's requests and for refusals" {
    nginx_file=nginx/rate-limits.conf
    write_tokens "$(record one "$token_one")"
    start_all
    flood 400 -H "X-Api-Key: $token_one" >said
    grep -q ' 200$' said && grep -q ' 429$' said || fail "$(cat said)"
    flood 60 --parallel --parallel-immediate --parallel-max 60 -H "X-Api-Key: $stranger" >said
    grep -q ' 401$' said && grep -q ' 429$' said || fail "$(cat said)"
}
