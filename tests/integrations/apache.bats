#!/usr/bin/env bats
# token_authd behind Apache httpd, as the files in docs/integrations/apache say.
# shellcheck disable=SC2030,SC2031,SC2034  # a test is a subshell; for what is loaded

load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load apache

# One that a test has stopped would not end.
teardown() {
    [ "${authd_pid:-}" = "" ] || kill -CONT "$authd_pid" 2>/dev/null || true
    stop_started
}

@test "httpd lets tokens through, and the upstream is told whose they are" {
    start_apache
    lets_tokens_through || { cat apache.log error.log api_error.log >&2; false; }
}

@test "httpd lets the longest name and scopes there may be through" {
    start_apache
    lets_the_longest_through
}

@test "httpd lets a request's body through" {
    start_apache
    lets_bodies_through
}

@test "httpd relays a refusal: status, one challenge, and a body for OpenAI's clients" {
    start_apache
    relays_the_refusal
    same "$(grep -ic '^WWW-Authenticate:' <<<"$head")" 1
    through / --head
    same "$code $(header Content-Type)" "401 application/json"
}

@test "httpd takes nothing of a refused request's body for the next request" {
    local first
    start_apache
    exec 7<>"/dev/tcp/127.0.0.1/$proxy_port"
    printf 'POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n%-40s' \
        $'GET /in-body HTTP/1.1\r\nHost: x\r\n\r\n' >&7
    hear 7
    same "$code" 401
    printf 'GET /next HTTP/1.1\r\nHost: x\r\nX-Api-Key: %s\r\n\r\n' "$token_one" >&7
    hear 7
    exec 7<&- 7>&-
    let_through "$(id_of "$token_one")" one
    same "$(seen uri)" /next
    lacks "$(cat api_access.log)" in-body
}

@test "a location demands a scope, however its path is written" {
    local path
    start_apache
    for path in /v1/models /v1/models/x /v1/%6dodels /v1//models //v1/models /v1/x/../models /v1/./models; do
        through "$path?scope=chat" -H "X-Api-Key: $token_two" -H "X-Required-Scope: chat"
        refused_with 403 'Bearer realm="api", error="insufficient_scope", scope="models"' insufficient_scope
    done
    through /v1/models
    refused_with 401 'Bearer realm="api"' missing_api_key
    through /v1%2fmodels -H "X-Api-Key: $token_two"
    same "$code" 404
    upstream_was_not_reached
    through /v1/models -H "X-Api-Key: $token_one"
    let_through "$(id_of "$token_one")" one
    through /v1/models/../chat?scope=models -H "X-Api-Key: $token_two"
    let_through "$(id_of "$token_two")" narrow
    same "$(seen uri)" "/v1/chat?scope=models" # the upstream is asked for what was matched
}

@test "all scopes that a location demands are needed, and one that names none lets nobody through" {
    local conf_change=("Require token-scope models" "Require token-scope chat models")
    start_apache
    through /v1/models -H "X-Api-Key: $token_two"
    refused_with 403 'Bearer realm="api", error="insufficient_scope", scope="chat models"' insufficient_scope
    write_tokens "$(record both "$token_three" '"scopes": ["models", "chat"]')"
    through /v1/models -H "X-Api-Key: $token_three"
    let_through "$(id_of "$token_three")" both
    kill "$apache_pid"
    wait "$apache_pid" || true
    conf_change=("Require token-scope models" "Require token-scope")
    start_apache
    through /v1/models -H "X-Api-Key: $token_three"
    same "$code" 500
}

@test "a location can be for one name, for everybody, or for some addresses, and is told no forged names" {
    local path conf_change=("# Browsers send" "
        <Location /for-one>
        Require user one
        </Location>
        <Location /for-all>
        Require all granted
        </Location>
        <Location /for-here>
        <RequireAny>
        Require ip 127.0.0.1
        Require token-scope models
        </RequireAny>
        </Location>
        <Location /for-either>
        <RequireAny>
        Require token-scope models
        Require user narrow
        </RequireAny>
        </Location>
        <Location /for-there>
        <RequireAny>
        Require ip 192.0.2.1
        Require token-scope models
        </RequireAny>
        </Location>
        # Browsers send")
    start_apache
    through /for-one -H "X-Api-Key: $token_one"
    let_through "$(id_of "$token_one")" one
    through /for-one -H "X-Api-Key: $token_two"
    same "$code" 403
    for path in /for-all /for-here; do
        through "$path" -H "X-Token-Id: forged" -H "X_Token_Name: forged" -H "X-Auth-Mode: forged"
        let_through "" ""
        same "$(seen mode)$(seen underscored)" ""
    done
    through /for-either -H "X-Api-Key: $token_two"
    let_through "$(id_of "$token_two")" narrow
    same "$(header WWW-Authenticate)$(header Cache-Control)" ""
    through /for-there -H "X-Forwarded-For: 192.0.2.1"
    refused_with 401 'Bearer realm="api"' missing_api_key
    through /for-there -H "X-Api-Key: $token_two"
    refused_with 403 'Bearer realm="api", error="insufficient_scope", scope="models"' insufficient_scope
    through /for-there -H "X-Api-Key: $token_one"
    let_through "$(id_of "$token_one")" one
}

@test "httpd overwrites an identity that a client forged" {
    start_apache
    overwrites_forged_identities
}

@test "httpd strips forged identities with underscores in their names" {
    start_apache
    strips_underscored_identities
}

@test "httpd keeps the identity that a client wants dropped on the way" {
    start_apache
    keeps_the_identity
    through / -H "X-Api-Key: $token_two" -H "Connection: X-Token-Id, close"
    let_through "$(id_of "$token_two")" narrow
    same "$(header Connection)" close
}

@test "httpd refuses a credential header that was sent twice" {
    local name
    start_apache
    for name in X-Api-Key: X-Auth-Token: Api-Key: "Authorization: Bearer"; do
        through / -H "$name $token_one" -H "$name $token_one"
        refused_with 401 'Bearer realm="api", error="invalid_token"' invalid_api_key
        through / -H "$name $token_one" -H "$name $stranger"
        refused_with 401 'Bearer realm="api", error="invalid_token"' invalid_api_key
    done
    upstream_was_not_reached
}

@test "what is put into a credential header never becomes a header of the question" {
    local bytes
    start_apache
    # A second line by folding, a bare CR, a bare LF, percent-encoded ones, and NUL.
    for bytes in "$stranger\r\n X-Api-Key: $token_one" "$stranger\rX-Api-Key: $token_one" \
        "$stranger\nX_Api_Key: $token_one" "$stranger%%0d%%0aX-Api-Key: $token_one" \
        "$token_one\0$stranger" "$token_one%%00" "%%20$token_one" "${token_one/s/%%73}"; do
        exec 7<>"/dev/tcp/127.0.0.1/$proxy_port"
        # shellcheck disable=SC2059  # the escapes are meant
        printf "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Api-Key: $bytes\r\n\r\n" >&7
        hear 7
        exec 7<&- 7>&-
        [[ $code == 40[01] ]] || fail "$bytes: $code" "$body"
    done
    upstream_was_not_reached
}

@test "httpd keeps the secret from the upstream" {
    start_apache
    keeps_secrets_from_the_upstream
}

@test "httpd tells the client's address, and not what the client says of it" {
    start_apache
    tells_the_clients_address
}

@test "httpd lets nobody through while token_authd is down" {
    start_apache
    lets_nobody_through_without_verdict
}

@test "httpd says that there is no verdict in a way that OpenAI's clients understand" {
    start_apache
    stop_authd
    through / -H "X-Api-Key: $token_one"
    same "$code $(header Content-Type) $(header Cache-Control)" "503 application/json no-store"
    has_body_of_refusal service_unavailable server_error
    through /v1/models -H "X-Api-Key: $token_one"
    same "$code" 503
}

@test "httpd lets nobody through when token_authd does not answer" {
    local lua_change=("local TIMEOUT = 5" "local TIMEOUT = 0.1")
    start_apache
    kill -STOP "$authd_pid"
    through / -H "X-Api-Key: $token_one"
    kill -CONT "$authd_pid"
    same "$code" 503
    upstream_was_not_reached
    through / -H "X-Api-Key: $token_one"
    let_through "$(id_of "$token_one")" one
}

@test "httpd lets nobody through when what answers is not token_authd" {
    local lua_change=() answer
    needs_apache
    start_both_ends
    lua_change=("$PWD/authd.sock" "$PWD/upstream.sock") # who says 200 to everything
    start_apache
    through / -H "X-Api-Key: $token_one"
    same "$code" 503
    upstream_was_not_reached
}

@test "httpd lets nobody through on half an answer" {
    local half='"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-Token-Id: a\r\nX-Token-Name: a\r\n'
    half+='X-Token-Scopes: *\r\nX-Auth-Mode: file\r\n\r\n"'
    local lua_change=('server:receive("*a")' "$half")
    start_apache
    through / -H "X-Api-Key: $token_one"
    same "$code" 503
    upstream_was_not_reached
}

@test "httpd lets nobody through after an error in Lua, in whichever function" {
    local function
    needs_apache
    start_both_ends
    for function in clean authenticate scope; do
        lua_change=("function $function(r" "function $function(r) error('broken') end function old_$function(r")
        start_apache
        through /v1/models -H "X-Api-Key: $token_one"
        same "$function $code" "$function 500"
        kill "$apache_pid"
        wait "$apache_pid" || true
        : >api_access.log
    done
    upstream_was_not_reached
}

@test "httpd lets nobody through where the line that asks for a token is missing" {
    local conf_change=("        LuaHookCheckUserID" "        #LuaHookCheckUserID")
    start_apache
    through / -H "X-Api-Key: $token_one"
    same "$code" 500
    through /v1/models -H "X-Api-Key: $token_one"
    same "$code" 500
    upstream_was_not_reached
}

@test "httpd does not start without the modules that decide" {
    local line
    needs_apache
    start_both_ends
    start_apache
    for line in lua headers authz_user authn_core; do
        grep -v "LoadModule ${line}_module" httpd.conf >without.conf
        ! apache2 -t -f "$PWD/without.conf" 2>said || fail "it would start without $line"
    done
    apache2 -t -f "$PWD/httpd.conf" 2>said || fail "$(<said)"
}

@test "a credential that is too long for a token is refused" {
    local long
    printf -v long '%7000s' ''
    start_apache
    through / -H "X-Api-Key: ${long// /x}"
    refused_with 401 'Bearer realm="api", error="invalid_token"' invalid_api_key
    through / -H "X-Api-Key: $token_one" -H "X-Auth-Token: ${long// /x}" -H "Api-Key: ${long// /x}" \
        -H "Authorization: ${long// /x}"
    [[ $code == [45]?? ]] || fail "$code"
    upstream_was_not_reached
}

@test "httpd relays that the token file cannot be read, and it is well again by itself" {
    start_apache
    relays_that_there_is_no_verdict
}

@test "a token that is revoked is refused by httpd at the next request of the same connection" {
    start_apache
    refuses_a_revoked_token_at_once
}

@test "many at once each get their own verdict" {
    local i
    start_apache
    for i in {1..40}; do
        printf 'next\nurl = "http://127.0.0.1:%s/%s"\nheader = "X-Api-Key: %s"\noutput = "out.%s"\n' \
            "$proxy_port" "$i" "$([ $((i % 2)) = 1 ] && echo "$token_one" || echo "$token_two")" "$i"
    done | sed 1d >requests
    curl --silent --parallel --parallel-immediate --parallel-max 20 --config requests
    for i in {1..40}; do
        same "$i $(sed -n 's/^name=//p' "out.$i")" "$i $([ $((i % 2)) = 1 ] && echo one || echo narrow)"
    done
}

@test "a streamed answer reaches the client piece by piece" {
    needs_apache
    start_both_ends
    mkdir stream
    perl "$BATS_TEST_DIRNAME/../cli/upstream.pl" stream 2>/dev/null 3>&- &
    started+=("$!")
    wait_for test -e stream/port
    upstream_port=$(cat stream/port)
    start_apache
    curl --silent --no-buffer -H "X-Api-Key: $token_one" "http://127.0.0.1:$proxy_port/stream" >streamed 3>&- &
    started+=("$!")
    wait_for grep -q first streamed
    lacks "$(cat streamed)" second
    touch stream/go
    wait "$!"
    same "$(cat streamed)" $'first\nsecond'
}

@test "the lines about OPTIONS answer preflight requests, and no others" {
    local conf_change=("#Rewrite" "Rewrite")
    start_apache
    through / -X OPTIONS -H "Origin: https://example.org"
    same "$code" 204
    through /
    same "$code" 401
    upstream_was_not_reached
}

@test "httpd's log has the token's id and name" {
    start_apache
    through /seen -H "X-Api-Key: $token_one" -H "X-Token-Name: forged"
    wait_for grep -q "\"GET /seen\" 200 .* token_name=one token_id=$(id_of "$token_one")$" api_access.log
    through /refused -H "X-Token-Name: forged"
    wait_for grep -q '"GET /refused" 401 .* token_name=- token_id=-$' api_access.log
}

@test "httpd writes no secrets to its logs" {
    start_apache
    through /v1/models -H "X-Api-Key: $token_two" -H "Referer: http://127.0.0.1/?key=$token_one"
    same "$code" 403
    writes_no_secrets api_access.log
    lacks "$(cat api_error.log error.log apache.log)" "${token_one:5}"
}
