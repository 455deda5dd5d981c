# For readers of the pages about proxies: as root, in the folder of one, with a server on port 9000.
# shellcheck shell=bash disable=SC2154 # what is loaded sets variables

# Sets upstream_port and proxy_port: prepare_proxy PROGRAM
prepare_proxy() {
    needs "$1" token_authd curl perl
    use common verifier authd upstream nginx
    mkdir my-api
    start_upstream
    proxy_port=$(free_port)
    replace /var/lib/my-api "$PWD/my-api"
    replace /run/token_authd.sock "$PWD/authd.sock"
    replace 127.0.0.1:8080 "127.0.0.1:$proxy_port"
}

# One of two requests came through, and was my-application's.
afterwards() {
    [ "$(grep -c "^GET " upstream/requests)" -eq 1 ]
    grep -iq "^X-Token-Name: my-application" upstream/requests
    printed "invalid_request_error"
}
