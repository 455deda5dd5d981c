# For the bats files about nginx in front of token_authd, loaded after common, verifier, authd and
# upstream: a server behind it that shows headers as they came, and the configuration.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # variables of the callers, and for them

# The server behind, which answers with the requests that reach it: start_upstream [SOCKET]. Sets
# upstream_port. See upstream.pl; its folder is ./upstream. With SOCKET it listens there instead, in
# the place of token_authd, and its folder is ./recorder.
start_upstream() {
    local folder=$PWD/${1:+recorder}
    [ -n "${1-}" ] || folder=$PWD/upstream
    mkdir "$folder"
    perl "$BATS_TEST_DIRNAME/upstream.pl" "$folder" "$@" 2>"$folder/errors" 3>&- &
    started+=("$!")
    wait_for test -e "$folder/port"
    upstream_port=$(cat "$folder/port")
}

# nothing_passed: no request came to the server behind.
nothing_passed() {
    [ ! -e upstream/requests ] || fail "this came through:" "$(cat upstream/requests)"
}

# The configuration for nginx that people copy, with the port, our paths, and further changes; its
# temporary files would go to folders of the system: nginx_configuration PORT [FROM TO]...
nginx_configuration() {
    local port=$1 temporary='' kind
    shift
    for kind in client_body proxy fastcgi uwsgi scgi; do
        temporary+="${kind}_temp_path $PWD/temp_$kind; "
    done
    integration nginx/nginx.conf \
        "listen 127.0.0.1:8080;" "listen 127.0.0.1:$port;" \
        "server 127.0.0.1:9000;" "server 127.0.0.1:$upstream_port;" \
        "server unix:/run/token_authd.sock;" "server unix:$PWD/authd.sock;" \
        "error_log /var/log/nginx/error.log error;" "error_log $PWD/error.log error;" \
        "access_log /var/log/nginx/access.log token;" "access_log $PWD/access.log token;" \
        "worker_processes auto;" "worker_processes 2;" \
        "http {" "http { $temporary" "$@"
}
