#!/usr/bin/env bats
# docs/integrations/clients: each of them, through nginx's configuration and token_authd, to an API.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154  # a test is a subshell; variables are of what is loaded, and for it

bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load ../cli/nginx
clients_tests=$BATS_TEST_DIRNAME
load clients
load npm

modules=$BIN/node/node_modules

# Runs a client with that key: client FILE KEY. Its output and standard error are in $output and $stderr.
client() {
    local run
    case $1 in
    *.sh) run='sh' ;;
    *.py) run=python3 ;;
    *.mjs) run=node ;;
    esac
    needs "$run"
    cp "$integrations/clients/$1" .
    API_KEY=$2 API_URL=$nginx_url OPENAI_API_KEY=$2 OPENAI_BASE_URL=$nginx_url/v1 \
        run_apart timeout 60 "$run" "$1"
}

# Lets a good token through, says of others what is wrong, and sends no request without a key:
# serves FILE [WORDS], which are said where there is none
serves() {
    token=$(create my-app)
    start_all_for_clients
    client "$1" "$token"
    same "$stderr" ""
    says "$output" "Hello, my-app!"
    exits 0
    lacks "$output" "$token"
    client "$1" "$stranger"
    says "$output$stderr" "Invalid API key provided"
    [ "$status" -ne 0 ]
    "$manager" revoke my-app
    client "$1" "$token"
    says "$output$stderr" "Invalid API key provided"
    lacks "$output" "Hello"
    [ "$status" -ne 0 ]
    lacks "$output$stderr" "$token"
    : >access.log
    client "$1" ""
    [ "$status" -ne 0 ]
    same "$(cat access.log)" ""
}

@test "clients: curl sends a key in each of the four headers, and shows it to nobody" {
    mkdir tools
    cat >tools/curl <<END
#!/bin/sh
echo "\$*" >>$PWD/arguments
exec $(command -v curl) "\$@"
END
    chmod +x tools/curl
    PATH=$PWD/tools:$PATH
    serves curl.sh
    same "$(grep -c ^GET api/requests) $(grep -c ^POST api/requests)" "4 1"
    lacks "$(<arguments)" sk-
    # As the API sees them without nginx.
    : >api/requests
    nginx_url=http://127.0.0.1:$api_port client curl.sh "$stranger"
    for header in "Authorization: Bearer" X-Api-Key: X-Auth-Token: Api-Key:; do
        grep "^$header $stranger" api/requests
    done >sent
    same "$(wc -l <sent)" 5
}

@test "clients: Python" {
    serves chat.py
}

@test "clients: JavaScript" {
    serves chat.mjs
}

# Debian has no package of it.
@test "clients: Python with OpenAI's client or, where that is missing, its syntax" {
    needs python3
    if python3 -c 'import openai' 2>/dev/null; then
        serves chat_openai.py
    else
        python3 -c 'import ast, sys; ast.parse(sys.stdin.read())' <"$integrations/clients/chat_openai.py"
    fi
}

@test "clients: JavaScript with OpenAI's client" {
    needs_node_modules openai
    ln -s "$modules" node_modules
    serves chat_openai.mjs
}

@test "clients: a scope that is lacking, and a server that has no verdict, are told" {
    token=$(create my-app --scope chat)
    start_all_for_clients
    client curl.sh "$token"
    exits 22
    says "$output" "This API key is not allowed to do that."
    stop_authd
    for file in chat.py chat.mjs; do
        client "$file" "$token"
        exits 1
        says "$stderr" "503: The service is unavailable"
    done
}

@test "clients: a key is not taken along to another server" {
    token=$(create my-app)
    start_api elsewhere
    start_all_for_clients "http://127.0.0.1:$api_port"
    for file in curl.sh chat.py chat.mjs; do
        : >api/requests
        client "$file" "$token"
        grep -q "^\(GET\|POST\) /v1/" api/requests
    done
    # Python's does follow.
    grep -q "^GET /v1/chat/completions" elsewhere/requests
    lacks "$(<elsewhere/requests)" sk-
}
