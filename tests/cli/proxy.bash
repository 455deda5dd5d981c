# For the bats files about proxies in front of token_authd, loaded after common, verifier and authd:
# the server behind the proxy, and the proxy's configuration.
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

# A port of 127.0.0.1 that may be free: who cannot bind it tries again with another. Below those that
# the system gives to clients.
random_port() {
    echo $((RANDOM % 20000 + 12000))
}

# The file with each FROM replaced by TO; it is an error if there is none, so that a configuration and
# its test cannot drift apart: substitute FILE [FROM TO]...
substitute() {
    local text
    text=$(cat "$1")
    shift
    while [ $# -gt 0 ]; do
        [[ $text == *"$1"* ]] || fail "this is not in the configuration: $1" || return
        text=${text//"$1"/"$2"}
        shift 2
    done
    printf '%s\n' "$text"
}
