# For clients.bats, and for the document that it is about; loaded after what they load.
# shellcheck shell=bash disable=SC2034,SC2154 # variables of the callers, and for them

# An API: start_api FOLDER [ELSEWHERE]. Sets api_port. See clients_upstream.py.
start_api() {
    mkdir "$1"
    python3 "$clients_tests/clients_upstream.py" "$@" 2>"$1/errors" 3>&- &
    started+=("$!")
    wait_for test -e "$1/port"
    api_port=$(<"$1/port")
}

# token_authd, an API, and nginx in front of it: start_all_for_clients [ELSEWHERE]. Sets nginx_url.
start_all_for_clients() {
    needs nginx token_authd curl python3
    start_authd --listen unix:authd.sock
    start_api api "$@"
    upstream_port=$api_port
    start_nginx
}
