# shellcheck shell=bash disable=SC2154 # what is loaded sets variables
# shellcheck disable=SC1091 # looked at by itself
. "$here/doctest.d/proxies.bash"

prepare() {
    prepare_proxy nginx
    nginx_configuration "$proxy_port" "events {" \
        "pid $PWD/nginx.pid; $([ "$(id -u)" != 0 ] || echo "user root $(id -gn);") events {" >nginx.conf
}

at_end() {
    [ ! -e nginx.pid ] || kill "$(cat nginx.pid)"
}
