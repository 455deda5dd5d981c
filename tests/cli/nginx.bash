# For the bats files about nginx in front of token_authd, loaded after common, verifier, authd and
# upstream: a server behind it that shows headers as they came, and the configuration.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034,SC2119,SC2120  # variables of the callers, and for them

# The server behind, which answers with the requests that reach it: start_upstream [SOCKET]. Sets
# upstream_port. See upstream.pl; its folder is ./upstream. With SOCKET it listens there instead, in
# the place of token_authd, and its folder is ./recorder.
start_upstream() {
    local folder=$PWD/${1:+recorder}
    [ -n "${1-}" ] || folder=$PWD/upstream
    mkdir "$folder"
    perl "${BASH_SOURCE[0]%/*}/upstream.pl" "$folder" "$@" 2>"$folder/errors" 3>&- &
    started+=("$!")
    wait_for test -e "$folder/port"
    upstream_port=$(cat "$folder/port")
}

# nothing_passed: no request came to the server behind.
nothing_passed() {
    [ ! -e upstream/requests ] || fail "this came through:" "$(cat upstream/requests)"
}

# The configuration for nginx that people copy, nginx/nginx.conf or what nginx_file says, with the port,
# our paths, and further changes; its temporary files would go to folders of the system:
# nginx_configuration PORT [FROM TO]...
nginx_configuration() {
    local port=$1 temporary='' kind
    shift
    for kind in client_body proxy fastcgi uwsgi scgi; do
        temporary+="${kind}_temp_path $PWD/temp_$kind; "
    done
    integration "${nginx_file:-nginx/nginx.conf}" \
        "listen 127.0.0.1:8080;" "listen 127.0.0.1:$port;" \
        "server 127.0.0.1:9000;" "server 127.0.0.1:$upstream_port;" \
        "server unix:/run/token_authd.sock;" "server unix:$PWD/authd.sock;" \
        "error_log /var/log/nginx/error.log error;" "error_log $PWD/error.log error;" \
        "access_log /var/log/nginx/access.log token;" "access_log $PWD/access.log token;" \
        "worker_processes auto;" "worker_processes 2;" \
        "http {" "http { $temporary" "$@"
}

# token_authd, the server behind, and nginx between us and them: start_all [FROM TO]...
start_all() {
    needs nginx token_authd curl
    start_authd --listen unix:authd.sock
    start_upstream
    start_nginx "$@"
}

# nginx with that configuration, and with further changes: start_nginx [FROM TO]... Sets nginx_pid,
# nginx_url, and authd_url to the same, so that `ask` asks there.
start_nginx() {
    local port i directives
    needs nginx curl
    directives="daemon off; pid $PWD/nginx.pid;"
    [ "$(id -u)" != 0 ] || directives+=" user root $(id -gn);" # who may enter this folder
    for ((i = 0; i < 30; i++)); do
        port=$(free_port)
        nginx_configuration "$port" "$@" >nginx.conf || return
        : >error.log
        nginx -p "$PWD" -e "$PWD/error.log" -c "$PWD/nginx.conf" -g "$directives" 2>said 3>&- &
        nginx_pid=$!
        started+=("$nginx_pid")
        wait_for nginx_has_begun
        if [ -s nginx.pid ]; then
            nginx_url=http://127.0.0.1:$port
            authd_url=$nginx_url
            return
        fi
        kill "$nginx_pid" 2>/dev/null || true
        grep -q "Address already in use" error.log || fail "$(cat said error.log)" || return
    done
    fail "no port was free"
}

# It has bound its port (the pid file comes after that), or cannot.
nginx_has_begun() {
    [ -s nginx.pid ] || grep -q emerg error.log || ! kill -0 "$nginx_pid"
}

# The value of a header as it reached the server behind, from the last answer: got NAME
got() {
    sed -n "s/^$1: *//Ip" <<<"$body"
}
