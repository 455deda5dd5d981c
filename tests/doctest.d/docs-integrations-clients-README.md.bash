# Somebody who was given a key for an API on this machine.
# shellcheck shell=bash disable=SC2154 # what is loaded sets variables

prepare() {
    needs nginx token_authd curl python3 node
    use common verifier authd upstream nginx
    clients_tests=$here/integrations
    # shellcheck disable=SC1091 # looked at by itself
    . "$clients_tests/clients.bash"
    token_manager create my-application >my-api-key
    start_all_for_clients
    from_tree docs/integrations/clients
    cp docs/integrations/clients/* .
    # shellcheck disable=SC2154 # of nginx.bash
    replace http://127.0.0.1:8080 "$nginx_url"
}

afterwards() {
    [ "$(cat ./*/requests | grep -c '^X-Token-Name: my-application')" -eq 7 ]
    printed "Hello, my-application!"
}
