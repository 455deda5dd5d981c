#!/usr/bin/env bats
# docs/integrations/llm/nginx.conf, run by the real nginx and token_authd in front of llm.pl, which
# speaks as llama.cpp, vLLM and Ollama do, and with OpenAI's client for Node as the one who asks.
# shellcheck disable=SC2030,SC2031  # a test is a subshell

bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load ../cli/nginx
load npm

servers=(llama vllm ollama)

# The configuration that people copy, with our ports and paths: what start_nginx asks for.
nginx_configuration() {
    local port=$1 temporary='' kind
    shift
    for kind in client_body proxy fastcgi uwsgi scgi; do
        temporary+="${kind}_temp_path $PWD/temp_$kind; "
    done
    integration llm/nginx.conf \
        "listen 127.0.0.1:8888;" "listen 127.0.0.1:$port;" \
        "server 127.0.0.1:8080;" "server 127.0.0.1:$(cat llama/port);" \
        "server 127.0.0.1:8000;" "server 127.0.0.1:$(cat vllm/port);" \
        "server 127.0.0.1:11434;" "server 127.0.0.1:$(cat ollama/port);" \
        "server unix:/run/token_authd.sock;" "server unix:$PWD/authd.sock;" \
        "error_log /var/log/nginx/error.log error;" "error_log $PWD/error.log error;" \
        "access_log /var/log/nginx/access.log token;" "access_log $PWD/access.log token;" \
        "worker_processes auto;" "worker_processes 2;" \
        "http {" "http { $temporary" "$@"
}

# Three servers, token_authd and nginx, with a token that may do all, one that may embed only, and one
# that was revoked.
start_models() {
    local name
    needs nginx token_authd curl
    write_tokens "$(record one "$token_one")" "$(record few "$token_two" '"scopes": ["embeddings"]')" \
        "$(record gone "$token_three" "\"revoked_at\": \"$past\"")"
    start_authd --listen unix:authd.sock
    for name in "${servers[@]}"; do
        mkdir "$name"
        perl "$BATS_TEST_DIRNAME/llm.pl" "$PWD/$name" 2>"$name/errors" 3>&- &
        started+=("$!")
    done
    for name in "${servers[@]}"; do
        wait_for test -e "$name/port"
    done
    start_nginx "$@"
}

# What OpenAI's client says: openai SERVER KEY WHAT... Sets lines.
openai() {
    export NODE_MODULES=$BIN/node/node_modules
    node "$BATS_TEST_DIRNAME/llm.mjs" "$nginx_url/$1/v1" "$2" "$PWD/$1/next" "${@:3}" >said_by_client 2>&1 3>&- ||
        fail "$(cat said_by_client)" || return
    mapfile -t lines <said_by_client
}

needs_openai() {
    needs_node_modules openai
}

# answered COUNT STATUS: so often, each with that status, says the access log.
answered() {
    [ "$(wc -l <access.log) $(grep -c "\" $2 " access.log)" = "$1 $1" ]
}

# No request came to any server.
nothing_came() {
    local name
    for name in "${servers[@]}"; do
        [ ! -e "$name/requests" ] || fail "this came to $name:" "$(cat "$name/requests")" || return
    done
}

@test "OpenAI's client: a good key lists the models and chats, with each server" {
    local name
    needs_openai
    start_models
    for name in "${servers[@]}"; do
        openai "$name" "$token_one" models chat
        same "${lines[*]}" "small One by one."
        same "$(grep -c '^[A-Z]* /v1/' "$name/requests")" 2
        same "$(grep -ic '^X-Token-Name: one$' "$name/requests")" 2
    done
}

@test "OpenAI's client: each piece of a stream is there before the next one is made" {
    needs_openai
    start_models
    openai llama "$token_one" stream
    same "${lines[*]}" '"One" " by" " one" "."'
}

@test "OpenAI's client: when it goes away, the server behind is told" {
    needs_openai
    start_models
    openai vllm "$token_one" hang-up
    same "${lines[*]}" '"One"'
    wait_for test -e vllm/gone
}

@test "OpenAI's client: a bad key is an AuthenticationError, and not tried again" {
    local key
    needs_openai
    start_models
    for key in "$stranger" "$token_three"; do
        openai ollama "$key" chat stream
        same "${lines[0]}" "AuthenticationError 401 invalid_api_key invalid_request_error"
        says "${lines[1]}" "401 Invalid API key provided."
        same "${lines[2]}" "${lines[0]}"
    done
    nothing_came
    wait_for answered 4 401
}

@test "OpenAI's client: a key that lacks the scope is a PermissionDeniedError" {
    needs_openai
    start_models
    openai llama "$token_two" chat stream
    same "${lines[0]}" "PermissionDeniedError 403 insufficient_scope invalid_request_error"
    same "${lines[2]}" "${lines[0]}"
    nothing_came
}

@test "OpenAI's client: no verdict is an InternalServerError with 503, tried again as often as it was told" {
    needs_openai
    start_models
    stop_authd
    openai llama "$token_one" chat
    same "${lines[0]}" "InternalServerError 503 service_unavailable server_error"
    nothing_came
    wait_for answered 2 503
}

@test "OpenAI's client: a server that is down is an InternalServerError with 502" {
    needs_openai
    start_models
    kill "${started[1]}" # the first of the servers
    wait "${started[1]}" || true
    openai llama "$token_one" models
    same "${lines[0]}" "InternalServerError 502 bad_gateway server_error"
    ask /vllm/v1/models -H "X-Api-Key: $token_one"
    same "$code" 200
}

@test "what is not listed is closed, however the path is written" {
    local path
    start_models
    for path in / /v1/models /llama /llama/ /llama/v1 /llama/v1/models/ \
        /llama/{slots,slots/0,props,metrics,health,lora-adapters,completion,infill,tools,cors-proxy,models/load} \
        /llama/v1/{streams,stream/1,chat/completions/control,models/small} \
        /vllm/{metrics,invocations,tokenize,pause,sleep,collective_rpc,update_weights,docs,version,load} \
        /vllm/v1/{load_lora_adapter,unload_lora_adapter,responses/resp_1} \
        /ollama/api/{pull,push,delete,create,copy,show,ps,blobs/sha256:0,me,signout,experimental/web_fetch} \
        /ollama/debug/pprof/ \
        /ollama/v1/models/../../api/pull /ollama/v1/models/..%2f..%2fapi/pull /llama/v1/models%2f..%2f..%2fslots \
        /llama/v1/models%0a /llama/v1/models%00 '/llama/v1/models;/../slots' /LLAMA/v1/models/../slots \
        /_verify/any /_verify/chat; do
        ask "$path" --path-as-is -H "Authorization: Bearer $token_one" -X POST --data '{}'
        [[ $code == 40[04] ]] || fail "$path: $code" "$body"
    done
    nothing_came
    ask /ollama/api/pull -X POST
    same "$code $(header Content-Type)" "404 application/json"
    has_body_of_refusal unknown_url
}

@test "what is listed is passed on under its own name, and each demands its scope" {
    local path query count=0
    start_models
    while read -r path; do
        count=$((count + 1))
        query='?a=b'
        [ "$path" != /llama/v1/models ] || query='' # ?reload=1 would change what runs
        ask "$path?a=b" -H "X-Api-Key: $token_one"
        same "$path $code" "$path 200"
        same "$(sed -n 2p "$(cut -d/ -f2 <<<"$path")/requests")" "GET /${path#/*/}$query HTTP/1.1"
        ask "$path" -H "X-Api-Key: $token_two"
        case $path in
        */models | */tags | */embeddings | */embed) same "$path $code" "$path 200" ;;
        *) same "$path $code" "$path 403" ;;
        esac
        ask "$path"
        same "$path $code" "$path 401"
        rm -f ./*/requests
        ask "$path" -H "X-Api-Key: $token_three"
        same "$path $code" "$path 401"
        nothing_came
    done < <(sed -n 's/.*location = \(\/[^_][^ ]*\) .*proxy_pass.*/\1/p' nginx.conf)
    same "$count" 19
}

@test "the servers see whose request it is, no key, no origin, and a host that Ollama knows" {
    start_models
    ask /ollama/v1/models -H "Authorization: Bearer $token_one" -H "X-Api-Key: $token_one" \
        -H "X-Auth-Token: $token_one" -H "Api-Key: $token_one" -H "Origin: https://example.org" \
        -H "Host: api.example.org" -H "X-Token-Id: forged" -H "X_Token_Id: forged" -H "X-Auth-Mode: forged"
    same "$code" 200
    body=$(cat ollama/requests)
    same "$(got X-Token-Id) $(got X-Token-Name) $(got X-Token-Scopes) $(got X-Auth-Mode) $(got Host)" \
        "$(id_of "$token_one") one * file localhost"
    lacks "$body" "${token_one:8:16}"
    lacks "$body" forged
    lacks "$body" example.org
}

@test "connections to the servers are kept, also after a stream" {
    # Each process has its own; and none is closed while a slow machine thinks.
    start_models "worker_processes 2;" "worker_processes 1;" "keepalive_timeout 3s;" "keepalive_timeout 60s;"
    exec 8<>llama/next
    printf .... >&8
    ask /llama/v1/models -H "X-Api-Key: $token_one"
    ask /llama/v1/chat/completions -H "X-Api-Key: $token_one" --data '{"stream": true}'
    says "$body" "[DONE]"
    ask /llama/v1/models -H "X-Api-Key: $token_one"
    exec 8>&-
    same "$(grep '^connection: ' llama/requests)" $'connection: 1\nconnection: 1\nconnection: 1'
}

@test "large prompts pass whole, and too large ones are told so" {
    start_models
    head -c 5000000 /dev/zero >big
    ask /vllm/v1/chat/completions -H "X-Api-Key: $token_one" --data-binary @big -H "Expect:"
    same "$code $(sed -n 's/^body: //p' vllm/requests)" "200 5000000"
    truncate -s 65M big
    ask /vllm/v1/chat/completions -H "X-Api-Key: $token_one" --data-binary @big
    same "$code" 413
    same "$(grep -c ^POST vllm/requests)" 1
}

@test "refusals, no verdict and logs are as with nginx.conf beside it" {
    start_models
    ask /llama/v1/models
    same "$code $(header WWW-Authenticate)" '401 Bearer realm="api"'
    has_body_of_refusal missing_api_key
    ask "/vllm/v1/chat/completions?key=$token_one" -H "X-Api-Key: $token_two"
    same "$code $(header WWW-Authenticate)" \
        '403 Bearer realm="api", error="insufficient_scope", scope="chat"'
    echo nonsense >api_tokens.json
    ask /vllm/v1/models -H "X-Api-Key: $token_one"
    same "$code" 503
    has_body_of_refusal verifier_unavailable server_error
    kill -KILL "$authd_pid"
    wait "$authd_pid" || true
    ask /vllm/v1/models -H "X-Api-Key: $token_one"
    same "$code" 503
    has_body_of_refusal service_unavailable server_error
    nothing_came
    wait_for grep -q "connect() to unix:" error.log
    same "$(cat error.log access.log authd.log | grep -c "${token_one:8:16}")" 0
}
