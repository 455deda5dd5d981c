# A reader as root, in the folder of nginx.conf, with one server in the place of all three.
# shellcheck shell=bash disable=SC2154 # what is loaded sets variables

prepare() {
    local port kind temporary=''
    needs nginx token_authd curl perl
    use common verifier authd upstream nginx
    mkdir my-api
    start_upstream
    port=$(free_port)
    for kind in client_body proxy fastcgi uwsgi scgi; do
        temporary+="${kind}_temp_path $PWD/temp_$kind; "
    done
    integration llm/nginx.conf 127.0.0.1:8888 "127.0.0.1:$port" \
        127.0.0.1:8080 "127.0.0.1:$upstream_port" 127.0.0.1:8000 "127.0.0.1:$upstream_port" \
        127.0.0.1:11434 "127.0.0.1:$upstream_port" /run/token_authd.sock "$PWD/authd.sock" \
        /var/log/nginx/ "$PWD/" "http {" "http { $temporary" "events {" \
        "pid $PWD/nginx.pid; $([ "$(id -u)" != 0 ] || echo "user root $(id -gn);") events {" >nginx.conf
    replace /var/lib/my-api "$PWD/my-api"
    replace /run/token_authd.sock "$PWD/authd.sock"
    replace 127.0.0.1:8888 "127.0.0.1:$port"
}

# The question came through, and was laptop's.
afterwards() {
    [ "$(grep -c "^POST /v1/chat/completions " upstream/requests)" -eq 1 ]
    grep -iq "^X-Token-Name: laptop" upstream/requests
}

at_end() {
    [ ! -e nginx.pid ] || kill "$(cat nginx.pid)"
}
