# For the bats files about proxies in front of an upstream, loaded after authd: servers on free ports, an
# upstream that tells what it was sent, and what is to hold with every proxy.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # variables of the callers, and for them

integrations=$BATS_TEST_DIRNAME/../../docs/integrations

# A port of 127.0.0.1 on which nothing listens, out of the range that systems give away themselves.
free_port() {
    local port
    while port=$((10000 + RANDOM % 20000)); do
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# Starts a server on a free port; on another if that was taken in the meantime, which ends the server.
# start_on_port RUN READY, both given the port: RUN becomes the server, READY tells whether it, and no
# other, answers there. Sets port.
start_on_port() {
    local attempt i pid
    for attempt in {1..10}; do
        port=$(free_port)
        "$1" "$port" 3>&- &
        pid=$!
        started+=("$pid")
        for ((i = 0; i < 500; i++)); do
            kill -0 "$pid" 2>/dev/null || break
            "$2" "$port" && return
            sleep 0.02
        done
        [ "$i" -lt 500 ] || break
        wait "$pid" || true
        unset 'started[-1]'
    done
    fail "it did not start, at attempt $attempt" "$(tail -n 20 ./*.log)"
}

# The text of a file in docs/integrations with some of it replaced, each of which has to be there, so
# that file and test cannot drift apart: integration FILE [TEXT REPLACEMENT]...
integration() {
    local text file=$1
    text=$(cat "$integrations/$file")
    shift
    while [ "$#" -gt 0 ]; do
        [[ $text == *"$1"* ]] || fail "$file has no such text: $1" || return
        text=${text//"$1"/"$2"}
        shift 2
    done
    printf '%s\n' "$text"
}

# nginx in two steps. The first notes what it was sent. The second is sent the rest, without the identity
# headers: what it still takes for one of them had an underscore in its name.
run_upstream() {
    rm -f upstream.sock upstream.pid
    cat >upstream.conf <<END
daemon off;
master_process off;
pid upstream.pid;
error_log upstream_error.log;
events {
}
http {
    client_body_temp_path upstream_body;
    proxy_temp_path upstream_proxy;
    fastcgi_temp_path upstream_fastcgi;
    uwsgi_temp_path upstream_uwsgi;
    scgi_temp_path upstream_scgi;
    underscores_in_headers on;
    log_format uri \$request_uri;
    access_log off;
    server {
        listen 127.0.0.1:$1;
        access_log upstream.log uri;
        location / {
            proxy_pass http://unix:upstream.sock;
            proxy_set_header Seen-Id \$http_x_token_id;
            proxy_set_header Seen-Name \$http_x_token_name;
            proxy_set_header Seen-Scopes \$http_x_token_scopes;
            proxy_set_header Seen-Mode \$http_x_auth_mode;
            proxy_set_header Seen-Upgrade \$http_upgrade;
            proxy_set_header Seen-Connection \$http_connection;
            proxy_set_header Seen-Body \$request_body;
            proxy_set_header X-Token-Id "";
            proxy_set_header X-Token-Name "";
            proxy_set_header X-Token-Scopes "";
            proxy_set_header X-Auth-Mode "";
        }
    }
    server {
        listen unix:upstream.sock;
        location / {
            return 200 "uri=\$request_uri
id=\$http_seen_id
name=\$http_seen_name
scopes=\$http_seen_scopes
mode=\$http_seen_mode
underscored=\$http_x_token_id\$http_x_token_name\$http_x_token_scopes\$http_x_auth_mode
secrets=\$http_authorization\$http_x_api_key\$http_x_auth_token\$http_api_key
client=\$http_x_forwarded_for
upgrade=\$http_seen_upgrade
connection=\$http_seen_connection
body=\$http_seen_body
";
        }
    }
}
END
    exec nginx -p "$PWD" -e upstream_error.log -c upstream.conf
}

# It writes its number once it listens.
upstream_is_ready() {
    [ -s upstream.pid ]
}

# What the proxies of these tests stand between: two tokens, one of them with the scope chat alone, the
# verifier at authd.sock, and the upstream. Sets upstream_port.
start_both_ends() {
    write_tokens "$(record one "$token_one")" "$(record narrow "$token_two" '"scopes": ["chat"]')"
    start_authd --listen unix:authd.sock
    start_on_port run_upstream upstream_is_ready
    upstream_port=$port
}

# What a client gets through the proxy at proxy_port, in the variables of `ask`: through PATH [CURL OPTION...]
through() {
    local authd_url=http://127.0.0.1:$proxy_port
    ask "$@" --path-as-is
}

# Has a request of a path been answered there? Without curl, which takes long to start, as this is tried
# until it comes about: asked_at PORT PATH
asked_at() {
    local answer
    exec 7<>"/dev/tcp/127.0.0.1/$1" || return
    printf 'GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' "$2" >&7 &&
        IFS= read -r -t 10 answer <&7
    exec 7<&- 7>&-
    [ "${answer-}" != "" ]
} 2>/dev/null

# What the upstream noted of the last request: seen KEY
seen() {
    sed -n "s/^$1=//p" <<<"$body"
}

# let_through ID NAME: the last request reached the upstream, with that identity.
let_through() {
    [ "$code" = 200 ] || fail "$head" "$body"
    same "$(seen id)" "$1"
    same "$(seen name)" "$2"
}

# refused_with CODE CHALLENGE ERROR: the client got all of the verifier's refusal.
refused_with() {
    same "$code" "$1"
    same "$(header WWW-Authenticate)" "$2"
    same "$(header Content-Type)" application/json
    same "$(header Cache-Control)" no-store
    has_body_of_refusal "$3"
}

# No request has reached the upstream so far, but for those that this sends past the proxy.
upstream_was_not_reached() {
    local last=/last$RANDOM
    curl --silent --output /dev/null "http://127.0.0.1:$upstream_port$last"
    wait_for grep -qx "$last" upstream.log
    same "$(grep -v '^/last' upstream.log)" ""
}

lets_tokens_through() {
    local name
    through /v1/models?limit=2 -H "Authorization: Bearer $token_one"
    let_through "$(id_of "$token_one")" one
    same "$(seen scopes)" "*"
    same "$(seen mode)" file
    same "$(seen uri)" "/v1/models?limit=2"
    for name in X-Api-Key X-Auth-Token Api-Key; do
        through / -H "$name: $token_two"
        let_through "$(id_of "$token_two")" narrow
        same "$(seen scopes)" chat
    done
}

# A token with the longest name and scopes there may be, if not of characters that must be encoded.
lets_the_longest_through() {
    local name scopes i
    name=$(printf '\U1F511%.0s' {1..100})
    scopes=$(for i in {10..73}; do printf '"%s%062d", ' "$i" 0; done)
    write_tokens "$(record "$name" "$token_three" "\"scopes\": [${scopes%, }]")"
    through / -H "X-Api-Key: $token_three"
    let_through "$(id_of "$token_three")" "$(printf '%%F0%%9F%%94%%91%.0s' {1..100})"
    same "$(seen scopes)" "$(tr -d '",' <<<"${scopes% }" | sed 's/ $//; s/ /%20/g')"
}

lets_bodies_through() {
    through /v1/chat -H "X-Api-Key: $token_one" --data '{"model": "m"}'
    let_through "$(id_of "$token_one")" one
    same "$(seen body)" '{"model": "m"}'
}

relays_the_refusal() {
    through /
    refused_with 401 'Bearer realm="api"' missing_api_key
    through / -H "Authorization: Bearer $stranger"
    refused_with 401 'Bearer realm="api", error="invalid_token"' invalid_api_key
    through / -H "X-Api-Key: $token_one" -H "Authorization: Bearer $stranger" --data '{"model": "m"}'
    refused_with 401 'Bearer realm="api", error="invalid_token"' invalid_api_key
    upstream_was_not_reached
}

# However the path is written. What the client's own query says of scopes is between it and the upstream.
demands_the_scope() {
    local path
    for path in /admin /admin/keys /%61dmin //Admin /v1/../admin /admin/../v1 /v1/..%2fadmin; do
        through "$path?scope=chat" -H "X-Api-Key: $token_two"
        refused_with 403 'Bearer realm="api", error="insufficient_scope", scope="admin"' insufficient_scope
    done
    upstream_was_not_reached
    through /admin/keys -H "X-Api-Key: $token_one"
    let_through "$(id_of "$token_one")" one
    through /v1?scope=admin -H "X-Api-Key: $token_two"
    let_through "$(id_of "$token_two")" narrow
}

overwrites_forged_identities() {
    through / -H "X-Api-Key: $token_two" -H "X-Token-Id: forged" -H "x-token-name: forged" \
        -H "X-Token-Scopes: admin" -H "X-Auth-Mode: open"
    let_through "$(id_of "$token_two")" narrow
    same "$(seen scopes)" chat
    same "$(seen mode)" file
}

strips_underscored_identities() {
    through / -H "X-Api-Key: $token_two" -H "X_Token_Id: forged" -H "X-Token_Name: forged" \
        -H "x_token-scopes: admin" -H "X_AUTH_MODE: open"
    let_through "$(id_of "$token_two")" narrow
    same "$(seen underscored)" ""
}

# Connection names headers that a proxy is to drop, as it does with those of its own making.
keeps_the_identity() {
    through / -H "X-Api-Key: $token_two" -H "Upgrade: h2c" \
        -H "Connection: Upgrade, X-Token-Id, X-Token-Name, X-Token-Scopes, X-Auth-Mode"
    let_through "$(id_of "$token_two")" narrow
    same "$(seen scopes)" chat
    same "$(seen mode)" file
    same "$(seen upgrade)" ""
    lacks "$(seen connection)" Token
}

refuses_a_header_sent_twice() {
    local name
    for name in X-Api-Key X-Auth-Token Api-Key; do
        through / -H "$name: $token_one" -H "$name: $token_one"
        refused_with 401 'Bearer realm="api", error="invalid_token"' invalid_api_key
        says "$body" twice
    done
    through / -H "Authorization: Bearer $token_one" -H "Authorization: Bearer $stranger"
    refused_with 401 'Bearer realm="api", error="invalid_token"' invalid_api_key
    says "$body" twice
    through / -H "X-Api-Key: $token_one,$token_one"
    same "$code" 401
    upstream_was_not_reached
}

keeps_secrets_from_the_upstream() {
    through / -H "Authorization: Bearer $token_one" -H "X-Api-Key: $token_one" \
        -H "X-Auth-Token: $token_one" -H "Api-Key: $token_one"
    let_through "$(id_of "$token_one")" one
    same "$(seen secrets)" ""
}

tells_the_clients_address() {
    through / -H "X-Api-Key: $token_one" -H "X-Forwarded-For: 192.0.2.1"
    same "$(seen client)" 127.0.0.1
    through / -H "X-Api-Key: $stranger" -H "X-Forwarded-For: 192.0.2.1"
    wait_for grep -q " reason=unknown .* client=127.0.0.1 " authd.log
}

lets_nobody_through_without_verdict() {
    stop_authd
    through /one -H "X-Api-Key: $token_one"
    [[ $code == 5?? ]] || fail "$code"
    through /none
    [[ $code == 5?? ]] || fail "$code"
    upstream_was_not_reached
    start_authd --listen unix:authd.sock
    wait_for test -S authd.sock
    through / -H "X-Api-Key: $token_one"
    let_through "$(id_of "$token_one")" one
}

relays_that_there_is_no_verdict() {
    cp -p api_tokens.json good.json
    echo broken >broken.json
    mv broken.json api_tokens.json
    through / -H "X-Api-Key: $token_one"
    same "$code" 503
    same "$(jq -r .error.code <<<"$body")" verifier_unavailable
    upstream_was_not_reached
    mv good.json api_tokens.json
    through / -H "X-Api-Key: $token_one"
    let_through "$(id_of "$token_one")" one
}

# Sets code to what the connection 7 is answered.
ask_again() {
    local line size=0
    printf 'GET / HTTP/1.1\r\nHost: x\r\nX-Api-Key: %s\r\n\r\n' "$token_one" >&7
    IFS=' ' read -r -t 10 -u 7 _ code _
    while IFS= read -r -t 10 -u 7 line && [ "$line" != $'\r' ]; do
        [[ ${line,,} != content-length:* ]] || size=$(tr -dc 0-9 <<<"$line")
    done
    IFS= read -r -t 10 -u 7 -N "$size" body
}

refuses_a_revoked_token_at_once() {
    local i
    exec 7<>"/dev/tcp/127.0.0.1/$proxy_port"
    for i in 1 2 3 4 5; do
        ask_again
        same "$i $code" "$i 200"
        "$manager" revoke one 2>/dev/null
        ask_again
        same "$i $code" "$i 401"
        "$manager" restore one 2>/dev/null
    done
    exec 7<&- 7>&-
}

# writes_no_secrets LOG: whatever becomes of a request, also when something fails.
writes_no_secrets() {
    local path
    for path in let-through refused failed; do
        case $path in
        refused) write_tokens "$(record one "$token_two")" ;;
        failed) stop_authd ;;
        esac
        through "/$path?api_key=$token_one" -H "X-Api-Key: $token_one" -H "X-Auth-Token: $token_one" \
            -H "Api-Key: $token_one"
        through "/$path/again?api_key=$token_one" -H "Authorization: Bearer $token_one"
        wait_for grep -q "/$path/again" "$1"
    done
    lacks "$(cat authd.log "$1")" "${token_one:5}"
}

# The address of the verifier is in verifier_at, and what is replaced in Lua's file in lua_change.
run_haproxy() {
    integration haproxy/haproxy.cfg 127.0.0.1:8080 "127.0.0.1:$1" \
        127.0.0.1:9000 "127.0.0.1:$upstream_port" \
        unix@/run/token_authd.sock "${verifier_at:-unix@authd.sock}" >haproxy.cfg || exit
    integration haproxy/token_auth.lua "${lua_change[@]}" >token_auth.lua || exit
    exec haproxy -dR -db -f haproxy.cfg >>haproxy.log 2>&1 # -dR: no port is shared with another HAProxy
}

# It has logged a request.
haproxy_is_ready() {
    asked_at "$1" /ready && grep -q ' GET /ready ' haproxy.log
}

start_haproxy() {
    needs haproxy nginx jq
    [ -n "${upstream_port:-}" ] || start_both_ends
    start_on_port run_haproxy haproxy_is_ready
    proxy_port=$port
}

run_caddy() {
    integration caddy/Caddyfile :8080 ":$1" 127.0.0.1:9000 "127.0.0.1:$upstream_port" \
        unix//run/token_authd.sock unix/authd.sock >Caddyfile || exit
    export HOME=$PWD XDG_CONFIG_HOME=$PWD XDG_DATA_HOME=$PWD
    exec caddy run --config Caddyfile --adapter caddyfile >>caddy.log 2>&1
}

# It has logged a request.
caddy_is_ready() {
    asked_at "$1" /ready && grep -q '"uri":"/ready"' caddy.log
}

start_caddy() {
    needs caddy nginx jq
    start_both_ends
    start_on_port run_caddy caddy_is_ready
    proxy_port=$port
}
