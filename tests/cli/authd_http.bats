#!/usr/bin/env bats
# token_authd: which requests there are, and what they are answered.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, authd and run; a test is a subshell

bats_require_minimum_version 1.5.0
load common
load verifier
load authd

end='\r\nHost: x\r\nConnection: close\r\n'
jwt=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ

# A token of every kind: good (with two scopes), all (with all), old (revoked), older (expired).
write_kinds() {
    write_tokens "$(record good "$token_one" '"scopes": ["read", "models:write"]')" \
        "$(record all all-scopes-and-imported-1)" \
        "$(record old "$token_two" "\"revoked_at\": \"$past\"")" \
        "$(record older "$token_three" "\"expires_at\": \"$past\"")"
}

# is_refusal STATUS CODE: the last answer is one, of the shape that OpenAI's clients know.
is_refusal() {
    same "$code" "$1"
    has_body_of_refusal "$2"
    says "$head" $'\nContent-Type: application/json\n'
    says "$head" $'\nCache-Control: no-store\n'
}

# A head of so many bytes, of one long header: head_of SIZE >FILE
head_of() {
    local before=$'GET /verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Padding: '
    printf %s "$before"
    head -c $(($1 - ${#before} - 4)) /dev/zero | tr '\0' a
    printf '\r\n\r\n'
}

# Sends a file and hears the answer: send_file FILE
send_file() {
    dial
    (trap '' PIPE && cat "$1" >&"$fd") 2>/dev/null || true
    hear "$fd"
    hang_up "$fd"
}

# The peak of the server's memory, in KiB.
peak_memory() {
    awk '/^VmHWM/ { print $2 }' "/proc/$authd_pid/status"
}

@test "any method is answered at /verify, and below it" {
    write_kinds
    start_authd
    for method in GET POST PUT DELETE OPTIONS PATCH TRACE CONNECT FROBNICATE get; do
        for path in /verify /verify/v1/chat/completions; do
            echo "row: $method $path"
            ask_raw "$method $path HTTP/1.1${end}X-Api-Key: $token_one\r\n\r\n"
            same "$code" 200
            same "$body" ""
            same "$(header X-Token-Name)" good
            ask_raw "$method $path HTTP/1.1${end}\r\n"
            is_refusal 401 missing_api_key
        done
    done
    for path in /verify/ /verify/healthz /verify/../healthz /verify//x /verify/%2e%2e/healthz; do
        echo "row: $path"
        ask_raw "GET ${path//%/%%} HTTP/1.1${end}X-Api-Key: $token_one\r\n\r\n"
        same "$code" 200
        ask_raw "GET ${path//%/%%} HTTP/1.1${end}\r\n"
        is_refusal 401 missing_api_key
    done
}

@test "HEAD is answered as GET is, without the body" {
    write_kinds
    start_authd
    for path in /verify /verify/x /healthz /metrics /nothing; do
        echo "row: $path"
        ask "$path" -H "X-Api-Key: $stranger"
        wanted=$code
        type=$(header Content-Type)
        ask "$path" -H "X-Api-Key: $stranger" --head
        same "$code" "$wanted"
        same "$(header Content-Type)" "$type"
    done
    ask /verify -H "X-Api-Key: $token_one" --head
    same "$code" 200
    same "$(header X-Token-Name)" good
    # Nothing comes after the head: the next answer follows at once.
    dial
    say "$fd" "HEAD /verify HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    hear "$fd" without-body
    same "$code" 401
    hear "$fd"
    same "$code" 200
}

@test "HTTP/1.0 is answered, and the connection closed" {
    write_kinds
    start_authd
    ask_raw "GET /verify HTTP/1.0\r\nX-Api-Key: $token_one\r\n\r\n"
    same "$code" 200
    ask_raw "GET /verify HTTP/1.0\r\n\r\n"
    is_refusal 401 missing_api_key
}

@test "what is not /verify, /healthz or /metrics is not found, with any method and credential" {
    write_kinds
    start_authd
    for path in / /verifyx /verif /Verify //verify /healthz/ /healthz/x /metrics/ /favicon.ico '/x?/verify' \
        /healthz/../verify /x/verify; do
        for method in GET POST OPTIONS; do
            echo "row: $method $path"
            ask_raw "$method $path HTTP/1.1${end}X-Api-Key: $token_one\r\n\r\n"
            is_refusal 404 not_found
        done
    done
    ask_raw "OPTIONS * HTTP/1.1${end}X-Api-Key: $token_one\r\n\r\n"
    is_refusal 404 not_found
}

@test "/healthz and /metrics are to be read, and by nothing but GET and HEAD" {
    write_kinds
    start_authd
    for path in /healthz /metrics; do
        for method in POST PUT DELETE OPTIONS PATCH; do
            echo "row: $method $path"
            ask "$path" -X "$method"
            is_refusal 405 method_not_allowed
            same "$(header Allow)" "GET, HEAD"
        done
    done
}

@test "/healthz tells mode and well-being" {
    write_kinds
    start_authd
    ask /healthz
    same "$code" 200
    same "$(header Content-Type)" application/json
    same "$(header Cache-Control)" no-store
    same "$(jq -Sc . <<<"$body")" '{"mode":"file","reason":null,"status":"ok"}'
    ask "/healthz?scope=x"
    same "$code" 200
}

@test "identity headers: names and scopes are percent-encoded, a token without scopes has *" {
    write_tokens "$(record "café 100%" "$token_one" '"scopes": ["read", "models:write", "a%b"]')" \
        "$(record "a, b; c=\\\"d\\\\e" "$token_two")"
    start_authd
    ask /verify -H "X-Api-Key: $token_one"
    same "$code" 200
    same "$(header X-Token-Id)" "$(id_of "$token_one")"
    same "$(header X-Token-Name)" "caf%C3%A9%20100%25"
    same "$(header X-Token-Scopes)" "read%20models:write%20a%25b"
    same "$(header X-Auth-Mode)" file
    same "$(header Cache-Control)" no-store
    ask /verify -H "X-Api-Key: $token_two"
    same "$code" 200
    same "$(header X-Token-Name)" 'a,%20b;%20c="d\e'
    same "$(header X-Token-Scopes)" "*"
}

@test "identity headers are there for an environment key, and in open mode, and never empty" {
    start_authd
    ask /verify
    same "$code" 200
    same "$(header X-Token-Id)" anonymous
    same "$(header X-Token-Name)" anonymous
    same "$(header X-Token-Scopes)" "*"
    same "$(header X-Auth-Mode)" open
    ask /verify -H "X-Required-Scope: admin"
    same "$code" 200
    export FREEGPT_API_KEY=a-key-for-this-test
    start_authd
    ask /verify -H "X-Api-Key: a-key-for-this-test"
    same "$code" 200
    same "$(header X-Token-Id)" env:FREEGPT_API_KEY
    [ "$(header X-Token-Name)" != "" ]
    same "$(header X-Token-Scopes)" "*"
    same "$(header X-Auth-Mode)" environment
    ask /verify
    for name in X-Token-Id X-Token-Name X-Token-Scopes X-Auth-Mode; do
        same "$(header "$name")" "" # of a refusal they tell nothing
    done
}

@test "identity headers that a client sends are not what it gets back" {
    write_kinds
    start_authd
    ask /verify -H "X-Api-Key: $token_one" -H "X-Token-Id: tok_forged" -H "X-Token-Name: forged" \
        -H "X-Auth-Mode: open" -H "X-Token-Scopes: *"
    same "$(header X-Token-Id)" "$(id_of "$token_one")"
    same "$(header X-Token-Name)" good
    lacks "$head" forged
    same "$(grep -ci '^x-token-\|^x-auth-mode' <<<"$head")" 4
}

@test "a refusal has status, challenge and body by its reason" {
    write_kinds
    start_authd
    while read -r credential status error_code challenge words; do
        echo "row: $credential"
        ask /verify -H "X-Api-Key: $credential"
        is_refusal "$status" "$error_code"
        same "$(header WWW-Authenticate)" "Bearer realm=\"api\"${challenge:+, error=\"$challenge\"}"
        same "$(jq -r .error.type <<<"$body")" invalid_request_error
        says "$(jq -r .error.message <<<"$body")" "Invalid API key provided"
        says "$(jq -r .error.message <<<"$body")" "$words"
        same "$(header X-Auth-Error)" "$body"
        same "$(header Content-Length)" "$(($(wc -c <body.txt)))"
    done <<END
$token_two 401 invalid_api_key invalid_token no longer be valid
$token_three 401 invalid_api_key invalid_token no longer be valid
$stranger 401 invalid_api_key invalid_token no longer be valid
${token_one:0:40} 401 invalid_api_key invalid_token cut short
${token_one%?}x 401 invalid_api_key invalid_token
$(id_of "$token_one") 401 invalid_api_key invalid_token id
$jwt 401 invalid_api_key invalid_token Web Token
blake2b-256:$(digest "$token_one") 401 invalid_api_key invalid_token
END
    for option in "X-None: 1" "X-Api-Key;" "Authorization: Basic eDp5" "Authorization:Bearer "; do
        echo "row: $option"
        ask /verify -H "$option"
        is_refusal 401 missing_api_key
        same "$(header WWW-Authenticate)" 'Bearer realm="api"'
        says "$(jq -r .error.message <<<"$body")" "Authorization: Bearer"
        same "$(header X-Auth-Error)" "$body"
    done
}

@test "whoever lacks a scope is told which are needed: 403" {
    write_kinds
    start_authd
    ask "/verify?scope=read+admin" -H "X-Required-Scope: billing" -H "X-Api-Key: $token_one"
    is_refusal 403 insufficient_scope
    challenge=$(header WWW-Authenticate)
    [[ $challenge =~ ^Bearer\ realm=\"api\",\ error=\"insufficient_scope\",\ scope=\"([^\"]*)\"$ ]]
    same "$(tr ' ' '\n' <<<"${BASH_REMATCH[1]}" | sort | xargs)" "admin billing read"
    same "$(header X-Auth-Error)" "$body"
    says "$(log_lines refused)" " reason=scope status=403 id=$(id_of "$token_one") "
}

@test "revoked, expired and unknown cannot be told apart by their answers" {
    write_kinds
    start_authd
    for path in /verify /verify/x "/verify?scope=read"; do
        for credential in "$token_two" "$token_three" "$stranger"; do
            ask "$path" -H "X-Api-Key: $credential"
            same "$code" 401
            sed '/^Date: /d' head.txt >"head.$credential"
            cp body.txt "body.$credential"
        done
        cmp "head.$token_two" "head.$token_three"
        cmp "head.$token_two" "head.$stranger"
        cmp "body.$token_two" "body.$token_three"
        cmp "body.$token_two" "body.$stranger"
    done
}

@test "?scope= and X-Required-Scope demand scopes, all of them" {
    write_kinds
    start_authd
    while IFS='|' read -r wanted query demanded; do
        echo "row: $wanted '$query' '$demanded'"
        ask "/verify$query" -H "X-Api-Key: $token_one" ${demanded:+-H "X-Required-Scope: $demanded"}
        same "$code" "$wanted"
    done <<'END'
200||
200|?scope=read|
200|?scope=models:write|
200|?scope=models%3Awrite|
200|?scope=read%20models:write|
200|?scope=read+models:write|
200|?scope=+read++models:write+|
200|?scope=read&scope=models:write|
200|?x=admin&scope=read|
200|?other|
403|?scope=admin|
403|?scope=read+admin|
403|?scope=read&scope=admin|
403|?scope=admin&scope=read|
403|?Scope=admin|
403|?scope=Read|
403|?scope=rea|
403|?scope=reader|
403|?scope=|
403|?scope|
403|?scope=+|
403|?scope=read&scope=|
403|?scope=*|
403|?scope=%22|
403|?scope=%C3%A9|
403|?scope=read,models:write|
200||read
200|| read  models:write 
403||admin
403||read admin
403||READ
403||*
403||read,models:write
403|?scope=read|admin
403|?scope=admin|read
200|?scope=read|models:write
END
    # With all scopes, too, what is none is not had.
    ask "/verify?scope=anything" -H "X-Api-Key: all-scopes-and-imported-1"
    same "$code" 200
    for query in '?scope=' '?scope' '?scope=*' '?scope=%22' '?scope=%00x'; do
        echo "row: $query"
        ask "/verify$query" -H "X-Api-Key: all-scopes-and-imported-1"
        is_refusal 403 insufficient_scope
        lacks "$(header WWW-Authenticate)" "scope="
    done
    ask /verify -H "X-Required-Scope: read" -H "x-required-scope: admin" -H "X-Api-Key: $token_one"
    same "$code" 403
    ask /verify -H "X-Required-Scope: admin" -H "X-Required-Scope: read" -H "X-Api-Key: $token_one"
    same "$code" 403
}

@test "below /verify, ?scope= is the client's own and demands nothing" {
    write_kinds
    start_authd
    for path in /verify/ /verify/x /verify/verify; do
        ask "$path?scope=admin" -H "X-Api-Key: $token_one"
        same "$code" 200
        ask "$path?scope=" -H "X-Api-Key: $token_one"
        same "$code" 200
        ask "$path" -H "X-Api-Key: $token_one" -H "X-Required-Scope: admin"
        same "$code" 403
        ask "$path?scope=read" -H "X-Api-Key: $token_one" -H "X-Required-Scope: admin"
        same "$code" 403
    done
}

@test "64 scopes may be demanded, and with more nobody is let in" {
    write_kinds
    start_authd
    list=$(printf 's%d ' {1..64})
    ask /verify -H "X-Required-Scope: $list" -H "X-Api-Key: all-scopes-and-imported-1"
    same "$code" 200
    ask "/verify?scope=${list// /+}" -H "X-Api-Key: all-scopes-and-imported-1"
    same "$code" 200
    for more in "$list s65" "$list s1" "$list $list"; do
        ask /verify -H "X-Required-Scope: $more" -H "X-Api-Key: all-scopes-and-imported-1"
        is_refusal 403 insufficient_scope
        ask "/verify?scope=${more// /+}" -H "X-Api-Key: all-scopes-and-imported-1"
        is_refusal 403 insufficient_scope
    done
    ask "/verify?scope=s65" -H "X-Required-Scope: $list" -H "X-Api-Key: all-scopes-and-imported-1"
    is_refusal 403 insufficient_scope
    ask /verify -H "X-Required-Scope: $(printf 'a%.0s' {1..65})" -H "X-Api-Key: all-scopes-and-imported-1"
    is_refusal 403 insufficient_scope
    ask /verify -H "X-Required-Scope: $(printf 'a%.0s' {1..9000})" -H "X-Api-Key: all-scopes-and-imported-1"
    is_refusal 403 insufficient_scope
}

@test "a scope that is demanded gives nobody away: without a good token it is 401" {
    write_kinds
    start_authd
    for query in '?scope=admin' '?scope='; do
        ask "/verify$query"
        is_refusal 401 missing_api_key
        for credential in "$stranger" "$token_two" "$token_three"; do
            ask "/verify$query" -H "X-Api-Key: $credential"
            is_refusal 401 invalid_api_key
        done
    done
}

@test "a pre-flight request is refused like any other" {
    write_kinds
    start_authd
    ask /verify -X OPTIONS -H "Origin: https://example.com" -H "Access-Control-Request-Method: POST" \
        -H "Access-Control-Request-Headers: authorization"
    is_refusal 401 missing_api_key
}

@test "a body is ignored, whatever its size and way of coming, and is not kept in memory" {
    write_kinds
    start_authd
    head -c 24000000 /dev/zero >large
    ask /verify -H "X-Api-Key: $token_one"
    before=$(peak_memory)
    for option in "Expect:" "Expect: 100-continue" "Transfer-Encoding: chunked"; do
        for method in POST PUT GET; do
            echo "row: $option $method"
            ask /verify -X "$method" --data-binary @large -H "$option" -H "X-Api-Key: $token_one"
            same "$code" 200
            ask /verify/x -X "$method" --data-binary @large -H "$option" -H "X-Api-Key: $stranger"
            is_refusal 401 invalid_api_key
        done
    done
    ask /healthz -X POST --data-binary @large
    same "$code" 405
    after=$(peak_memory)
    [ $((after - before)) -lt 4000 ] || fail "$before KiB before, $after KiB after"
}

@test "a body gives no credential and no scope" {
    write_kinds
    start_authd
    ask /verify --data "X-Api-Key=$token_one&scope=read"
    is_refusal 401 missing_api_key
    ask /verify --data "scope=admin" -H "X-Api-Key: $token_one"
    same "$code" 200
    ask "/verify?X-Api-Key=$token_one&api_key=$token_one&key=$token_one"
    is_refusal 401 missing_api_key
    ask /verify -H "Cookie: X-Api-Key=$token_one" -H "X_Api_Key: $token_one"
    is_refusal 401 missing_api_key
}

@test "a client that asks whether to send its body is answered without it" {
    write_kinds
    start_authd
    for token in "$token_one" "$stranger"; do
        dial
        say "$fd" "POST /verify HTTP/1.1\r\nHost: x\r\nX-Api-Key: $token\r\nContent-Length: 3000000\r\n"
        say "$fd" "Expect: 100-continue\r\n\r\n"
        hear "$fd"
        same "$code $(header Connection)" "$([ "$token" = "$stranger" ] && echo 401 || echo 200) close"
        hang_up "$fd"
    done
}

@test "many requests on one connection have each its own verdict" {
    write_kinds
    start_authd
    dial
    for ((i = 0; i < 10; i++)); do
        say_verify "$fd" "$token_one"
        hear "$fd"
        same "$code" 200
        lacks "${head,,}" "connection: close"
        say_verify "$fd" "$stranger"
        hear "$fd"
        is_refusal 401 invalid_api_key
        say "$fd" "GET /verify HTTP/1.1\r\nHost: x\r\n\r\n"
        hear "$fd"
        is_refusal 401 missing_api_key
        say "$fd" "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
        hear "$fd"
        is_refusal 404 not_found
    done
}

@test "requests that are sent before the answers come are answered in their order" {
    write_kinds
    start_authd
    requests='' wanted=''
    for ((i = 0; i < 30; i++)); do
        requests+="POST /verify HTTP/1.1\r\nHost: x\r\nX-Api-Key: $token_one\r\nContent-Length: 4\r\n\r\nbody"
        requests+="GET /verify HTTP/1.1\r\nHost: x\r\nX-Api-Key: $token_two\r\n\r\n"
        requests+="PUT /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n\r\n"
        requests+="GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
        wanted+="200 401 401 404 "
    done
    dial
    say "$fd" "$requests"
    got=''
    for ((i = 0; i < 120; i++)); do
        hear "$fd"
        got+="$code "
    done
    same "$got" "$wanted"
}

@test "behind a chunked body the connection is closed, and nothing more answered" {
    write_kinds
    start_authd
    for token in "$token_one" "$stranger"; do
        dial
        say "$fd" "PUT /verify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX-Api-Key: $token\r\n\r\n"
        say "$fd" "1\r\na\r\n0\r\nX-Api-Key: $token_one\r\n\r\n"
        say_verify "$fd" "$token_one"
        hear "$fd"
        same "$code $(header Connection)" "$([ "$token" = "$stranger" ] && echo 401 || echo 200) close"
        is_over "$fd"
        hang_up "$fd"
    done
}

@test "a head of 16 KiB passes, one byte more is too large" {
    write_kinds
    start_authd
    for size in 16383 16384; do
        head_of "$size" >request
        same "$(wc -c <request)" "$size"
        send_file request
        is_refusal 401 missing_api_key
    done
    for size in 16385 20000 24000; do
        head_of "$size" >request
        send_file request
        is_refusal 431 request_too_large
    done
    same "$(metric 'requests_total{verdict="refused",reason="missing"}')" 2
}

@test "a head that is far too large is answered, not dropped" {
    write_kinds
    start_authd
    for size in 40000 200000; do
        head_of "$size" >request
        send_file request
        same "$code" 431
    done
    printf 'GET /verify/%s HTTP/1.1\r\nHost: x\r\n\r\n' "$(printf 'a%.0s' {1..20000})" >request
    send_file request
    same "${code:0:1}" 4
    printf 'GET /verify?%s HTTP/1.1\r\nHost: x\r\n\r\n' "$(printf 'a=b&%.0s' {1..50000})" >request
    send_file request
    same "${code:0:1}" 4
    ask /verify -H "X-Api-Key: $token_one"
    same "$code" 200
}

@test "a head is answered however many headers it has" {
    write_kinds
    start_authd
    for count in 100 {200..300..5} 500 1000 4000; do
        printf -v value '%*s' $(((16384 - 60) / count - 10)) ''
        {
            printf 'GET /verify HTTP/1.1\r\nHost: x\r\n'
            printf "X%04d: ${value// /a}a\r\n" $(seq "$count")
            printf '\r\n'
        } >request
        echo "row: $count headers, $(wc -c <request) bytes"
        send_file request
        [ "$code" = 401 ] || [ "$code" = 431 ] || fail "$code"
    done
}

@test "the largest identity and the largest challenge fit behind the largest head" {
    scopes=$(for i in {10..73}; do printf '"%s%062d", ' "$i" 0; done)
    name=$(printf '\U1F511%.0s' {1..100})
    write_tokens "$(record "$name" "$token_one" "\"scopes\": [${scopes%, }]")" \
        "$(record other "$token_two" '"scopes": ["other"]')"
    start_authd
    wanted=$(tr -d '",' <<<"${scopes% }")
    # Nothing but 16 KiB, with the scopes among them.
    before=$'GET /verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
    before+="X-Required-Scope: ${wanted% }"$'\r\n'
    for token in "$token_one" "$token_two"; do
        {
            printf '%sX-Api-Key: %s\r\nX-Padding: ' "$before" "$token"
            head -c $((16384 - ${#before} - ${#token} - 28)) /dev/zero | tr '\0' a
            printf '\r\n\r\n'
        } >request
        [ "$(wc -c <request)" -le 16384 ]
        send_file request
        if [ "$token" = "$token_one" ]; then
            same "$code" 200
            same "$(header X-Token-Scopes | sed 's/%20/ /g')" "${wanted% }"
            same "$(header X-Token-Name)" "$(printf '%%F0%%9F%%94%%91%.0s' {1..100})"
        else
            is_refusal 403 insufficient_scope
            says "$(header WWW-Authenticate)" "scope=\"${wanted% }\""
        fi
    done
}

@test "what is no HTTP is not let in" {
    write_kinds
    start_authd
    for request in "GET /verify\r\n\r\n" "GET /verify HTTP/2.0\r\n\r\n" "\x16\x03\x01\x02\x01\r\n\r\n" \
        "GET /verify HTTP/1.1\r\nX-Api-Key: $token_one\r\n\r\n" \
        "GET /verify HTTP/1.1${end}X-Api-Key $token_one\r\n\r\n" \
        "GET /verify HTTP/1.1${end}Content-Length: -1\r\nX-Api-Key: $token_one\r\n\r\n" \
        "GET /verify HTTP/1.1${end}Transfer-Encoding: chunked\r\nX-Api-Key: $token_one\r\n\r\nzz\r\n"; do
        echo "row: $request"
        dial
        say "$fd" "$request"
        if ! is_over "$fd"; then
            # Its first letter was read, the H.
            IFS= read -r -t 10 -u "$fd" line
            [[ $line =~ ^TTP/1\.[01]\ [45][0-9][0-9]\  ]] || fail "$line"
        fi
        hang_up "$fd"
    done
    ask /verify -H "X-Api-Key: $token_one"
    same "$code" 200
}

@test "the log has a line for each refusal, with its reason, and none for who is let in" {
    write_kinds
    start_authd
    ask /verify/a -H "X-Api-Key: $token_one"
    same "$code" 200
    ask /healthz
    ask /metrics
    same "$(logged refused)" 0
    while read -r reason status id credential; do
        echo "row: $reason"
        before=$(wc -l <"$authd_log")
        ask /verify/a/b -X POST -H "X-Api-Key: $credential"
        same "$(wc -l <"$authd_log")" $((before + 1))
        [[ $(tail -n 1 "$authd_log") =~ ^time=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z\ level=warn\  ]]
        wanted=" event=refused reason=$reason status=$status"
        [ "$id" = - ] || wanted+=" id=$id"
        says "$(tail -n 1 "$authd_log")" "$wanted method=POST path=/verify/a/b detail="
    done <<END
missing 401 -
revoked 401 $(id_of "$token_two") $token_two
expired 401 $(id_of "$token_three") $token_three
unknown 401 - $stranger
malformed 401 - ${token_one:0:40}
id_not_token 401 - $(id_of "$token_one")
jwt_not_token 401 - $jwt
digest_not_token 401 - blake2b-256:$(digest "$token_one")
END
}

@test "the log names the client that the proxy in front tells of, if it is an address" {
    write_kinds
    start_authd
    while IFS='|' read -r wanted first second; do
        echo "row: $wanted '$first' '$second'"
        ask /verify ${first:+-H "X-Forwarded-For: $first"} ${second:+-H "x-forwarded-for: $second"}
        got=$(tail -n 1 "$authd_log")
        [[ $got =~ \ client=([^ ]*)\  ]] && got=${BASH_REMATCH[1]} || got=
        same "$got" "$wanted"
    done <<'END'
192.0.2.1|192.0.2.1|
192.0.2.2|192.0.2.1, 192.0.2.2|
192.0.2.3|192.0.2.1, 192.0.2.2|192.0.2.3
2001:db8::1|x,2001:db8::1|
2001:0db8:85a3:0000:0000:8a2e:0370:7334|2001:0db8:85a3:0000:0000:8a2e:0370:7334|
|unknown|
|192.0.2.1, unknown|
|192.0.2.1|junk
|192.0.2.1,|
|"192.0.2.1"|
|192.0.2.1" level=error|
|192.0.2.1 reason=none|
|1111111111111111111111111111111111111111111111|
||
END
}

@test "no line of the log is broken by what a client sends" {
    write_kinds
    start_authd
    for path in '/verify/a"b' '/verify/a%0ab' '/verify/a%0d%0ab' '/verify/%22%20reason=none%20x=%22' \
        '/verify/a%5c' '/verify/a%5c%22' '/verify/%1b%5b31m' '/verify/%C3%A9' '/verify/%ff' '/verify/a=b' \
        "/verify/$(printf '%%22%.0s' {1..3000})" "/verify/$(printf 'a%%0a%.0s' {1..3000})" '/verify/a%00b'; do
        echo "row: ${path:0:60}"
        before=$(wc -l <"$authd_log")
        ask "$path" -X 'A"B' -H 'X-Forwarded-For: 1"2' -H "X-Api-Key: a\"b=c"
        same "$code" 401
        same "$(wc -l <"$authd_log")" $((before + 1))
    done
    ask_raw "GET /verify HTTP/1.1${end}X-Forwarded-For: 192.0.2.1\r\n level=error\r\n\r\n"
    pair='[a-z_]+=([^]["= \\[:cntrl:]]+|"([^"\\[:cntrl:]]|\\.)*")'
    run grep -Evx "$pair( $pair)*" "$authd_log"
    same "$output" ""
    same "$(LC_ALL=C grep -c '[[:cntrl:]]' "$authd_log")" 0
}

@test "the log has the path, but of what may be a secret only the beginning" {
    write_kinds
    start_authd
    for path in /verify /verify/models /verify/v1/models; do
        echo "row: $path"
        ask "$path"
        says "$(tail -n 1 "$authd_log")" " path=$path "
    done
    ask "/verify/$token_one"
    says "$(tail -n 1 "$authd_log")" " path=/verify/sk-012... "
}

@test "nothing of a credential is in an answer or in the log, wherever it stood" {
    write_kinds
    start_authd
    # Not one run of eight characters behind what is shown of a token: its prefix, and a bit.
    for token in "$token_one" "$token_two" "$stranger" "${token_one:0:40}" "${token_one%?}x"; do
        for request in "GET /verify HTTP/1.1${end}X-Api-Key: $token\r\n\r\n" \
            "GET /verify HTTP/1.1${end}Authorization: Bearer $token x\r\n\r\n" \
            "GET /verify HTTP/1.1${end}Authorization: Bearer $token, Bearer $token\r\n\r\n" \
            "GET /verify HTTP/1.1${end}Authorization: Bearer\r\n $token\r\n\r\n" \
            "GET /verify HTTP/1.1${end}Authorization Bearer $token\r\n\r\n" \
            "GET /verify HTTP/1.1${end}X-Api-Key: $token\r\nX-Api-Key: $token\r\n\r\n" \
            "GET /verify HTTP/1.1${end}X-Api-Key: ${token:0:30}\r\n ${token:30}\r\n\r\n" \
            "GET /verify HTTP/1.1${end}X-Forwarded-For: $token\r\n\r\n" \
            "GET /verify HTTP/1.1${end}X-Api-Key: $token\r\nX-Required-Scope: admin\r\n\r\n" \
            "GET /verify HTTP/1.1${end}X-Api-Key: $token_one\r\nX-Required-Scope: \"$token\r\n\r\n" \
            "GET /verify?key=$token HTTP/1.1${end}\r\n" \
            "GET /verify?$token HTTP/1.1${end}\r\n" \
            "GET /verify/$token HTTP/1.1${end}\r\n" \
            "GET /verify/a/$token/b HTTP/1.1${end}\r\n" \
            "GET /verify/key=$token HTTP/1.1${end}\r\n" \
            "GET /verify/%%73%%6b-${token:3} HTTP/1.1${end}\r\n" \
            "GET /$token HTTP/1.1${end}\r\n" \
            "$token /verify HTTP/1.1${end}\r\n" \
            "GET /verify $token${end}\r\n" \
            "$token\r\n\r\n"; do
            ask_raw "$request"
            shown="$head$body"$(<"$authd_log")
            for part in "${token:14:8}" "${token:22:8}" "${token:30:8}"; do
                [[ $shown != *"$part"* ]] || fail "$part is in it" "$request" "$shown"
            done
        done
    done
    stop_authd # with which the last of the log is written
    for part in "${token_one:14:8}" "${token_two:14:8}" "${stranger:14:8}"; do
        lacks "$(cat "$authd_log")" "$part"
    done
}

# Clients that ask for PATH and are gone before the answers: ask_and_run PATH
ask_and_run() {
    local i
    for ((i = 0; i < 20; i++)); do
        printf 'GET %s HTTP/1.1\r\nHost: x\r\n\r\n' "$1"
    done >request
    for ((i = 0; i < 150; i++)); do
        dial
        cat request >&"$fd"
        read -r -N 1 -u "$fd" _ # what is left unread makes for a reset
        cat request >&"$fd"
        hang_up "$fd"
    done
}

@test "nothing of a credential is in the log when its client is gone before the answer" {
    write_tokens "$(record one "$token_one")" "$(record two "$token_two")"
    start_authd --threads 2
    (ask_and_run "/verify/$token_one?key=$token_one") 2>/dev/null
    "$manager" revoke two # the log tells of it at a tick, as of what went wrong in HTTP
    wait_for grep -q " event=reloaded " "$authd_log"
    lacks "$(cat "$authd_log")" "${token_one:14:8}"
}

@test "what it is told in HTTP that is wrong is logged, once a second and without the request" {
    write_kinds
    start_authd
    for ((i = 0; i < 50; i++)); do
        dial
        say "$fd" "GET /verify HTTP/1.1${end}Content-Length: x\r\nX-Api-Key: $token_one\r\n\r\n"
        hear "$fd"
        same "$code" 400
        hang_up "$fd"
    done
    wait_for grep -q " event=http " "$authd_log"
    # Each line counts what came since the last: together all of it, and one a second.
    wait_for test "$(log_lines http | sed 's/.* count=\([0-9]*\) .*/\1/' | paste -sd +)" != ""
    stop_authd
    seconds=$(log_lines http | sed 's/.*time=\([^ ]*\) .*/\1/' | sort -u | wc -l)
    [ "$(logged http)" -le $((seconds + 1)) ] # a signal, too, makes it write what there is
    [ "$(($(log_lines http | sed 's/.* count=\([0-9]*\) .*/\1/' | paste -sd +)))" -ge 50 ]
    lacks "$(cat "$authd_log")" "${token_one:14:8}"
}

@test "a head that hides headers is refused, whatever stood in it: no demand is lost on the way" {
    local hidden
    write_tokens "$(record narrow "$token_one" '"scopes": ["chat"]')"
    start_authd
    for hidden in ':' ': x' ':x:y' '\0' '\0X-Foo: x' 'X-Foo: \0y' 'X-Foo: a\r\n b' 'X-Foo\0: y: z'; do
        for rest in 'X-Required-Scope: admin' "X-Api-Key: $token_one" 'X-Foo: x'; do
            echo "row: $hidden, then $rest"
            ask_raw "GET /verify HTTP/1.1${end}X-Api-Key: $token_one\r\n$hidden\r\n$rest\r\n\r\n"
            same "$code" 400
            same "$(header Connection)" close
        done
        echo "row: $hidden first"
        ask_raw "GET /verify HTTP/1.1\r\n$hidden${end#*HTTP/1.1}X-Api-Key: $token_one\r\n\r\n"
        same "$code" 400
    done
    for plain in 'X-Foo:' 'X-Foo: ' 'X-Foo: a:b' 'x:' 'Cookie: a=b; c="d"'; do
        echo "row: $plain"
        ask_raw "GET /verify HTTP/1.1${end}X-Api-Key: $token_one\r\n$plain\r\n\r\n"
        same "$code" 200
    done
    ask_raw "GET /verify HTTP/1.1\nHost: x\nConnection: close\nX-Api-Key: $token_one\n\n"
    same "$code" 200
}

@test "a query with more arguments than there is room for is answered at once" {
    local count query
    write_tokens "$(record one "$token_one")"
    start_authd --timeout 600
    for count in 1 300 301 700 5000; do
        printf -v query 'i=1&%.0s' $(seq $((count - 1)))
        ask "/verify/v1/x?${query}i=1" -H "X-Api-Key: $token_one"
        same "$count $code" "$count $((count > 300 ? 414 : 200))"
    done
    ask "/verify" -H "X-Api-Key: $token_one"
    same "$code" 200
}
