# shellcheck shell=bash disable=SC2154 # what is loaded sets variables
# shellcheck disable=SC1091 # looked at by itself
. "$here/doctest.d/proxies.bash"

prepare() {
    prepare_proxy haproxy
    integration haproxy/haproxy.cfg 127.0.0.1:8080 "127.0.0.1:$proxy_port" \
        127.0.0.1:9000 "127.0.0.1:$upstream_port" unix@/run/token_authd.sock "unix@$PWD/authd.sock" >haproxy.cfg
    from_tree docs/integrations/haproxy/token_auth.lua
    mv docs/integrations/haproxy/token_auth.lua .
}

# What is to be put in the place of two lines, there.
compose() {
    local file=$tree/docs/integrations/haproxy/haproxy.cfg
    [ "$(grep -cE 'del-header (Upgrade|Connection)$' "$file")" = 2 ] || return
    cp "${file%/*}/token_auth.lua" .
    sed -e '/del-header Upgrade$/d' -e '/del-header Connection$/ { r '"$1" -e 'd; }' "$file"
}
