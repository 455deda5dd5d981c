# Somebody who has installed the package, which is what this makes by hand, and Debian's nginx.
# shellcheck shell=bash disable=SC2154 # what is loaded sets variables

prepare() {
    local nginx_port
    needs nginx token_authd curl perl
    use common verifier authd upstream nginx
    mkdir installed sites-enabled examples
    echo '{"version": 1, "tokens": []}' >installed/api_tokens.json
    start_upstream
    nginx_port=$(free_port)
    nginx_configuration "$nginx_port" >whole.conf
    # As packaging/debian/rules makes it.
    sed '1,/^http {/d; /^}$/,$d' whole.conf >examples/token_authd.site
    { echo "error_log $PWD/error.log error; pid $PWD/nginx.pid;"
        [ "$(id -u)" != 0 ] || echo "user root $(id -gn);"
        echo "events {}"
        grep '^http {' whole.conf # and where temporary files go
        echo "include $PWD/sites-enabled/*; }"; } >nginx.conf
    token_authd --listen "unix:$PWD/authd.sock" --require-auth --file installed/api_tokens.json &
    replace /var/lib/token_manager "$PWD/installed"
    replace /usr/share/doc/token-manager/examples/nginx "$PWD/examples"
    replace /etc/nginx/sites-enabled "$PWD/sites-enabled"
    replace 127.0.0.1:8080 "127.0.0.1:$nginx_port"
}

systemctl() {
    if [ "$*" = "reload nginx" ]; then
        nginx -p "$PWD" -e "$PWD/error.log" -c "$PWD/nginx.conf"
    else
        command systemctl "$@"
    fi
}

afterwards() {
    [ "$(grep -c "^GET " upstream/requests)" -eq 1 ]
    grep -q "^X-Token-Name: my-application" upstream/requests
    printed "Invalid API key provided"
    [ ! -e installed ]
}

at_end() {
    [ ! -e nginx.pid ] || kill "$(cat nginx.pid)"
}
