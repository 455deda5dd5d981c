# shellcheck shell=bash disable=SC2154 # what is loaded sets variables
# shellcheck disable=SC1091 # looked at by itself
. "$here/doctest.d/proxies.bash"

prepare() {
    prepare_proxy caddy
    integration caddy/Caddyfile :8080 ":$proxy_port" 127.0.0.1:9000 "127.0.0.1:$upstream_port" \
        unix//run/token_authd.sock "unix/$PWD/authd.sock" >Caddyfile
}

# What is to be put in the place of a line, there.
compose() {
    local file=$tree/docs/integrations/caddy/Caddyfile
    grep -q 'request_header -Connection$' "$file" || return
    sed -e '/request_header -Connection$/ { r '"$1" -e 'd; }' "$file"
}
