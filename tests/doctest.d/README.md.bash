# A reader of README.md as root, with a server on port 9000, and at the end the old program's file.
# shellcheck shell=bash disable=SC2154 # what is loaded sets variables

prepare() {
    needs token_authd nginx curl pkg-config
    use common verifier authd upstream nginx
    from_tree token_manager token_verifier token_authd
    mkdir -p old docs/integrations/nginx
    cp "$tree/tests/data/predecessor_api_tokens.json" old/api_tokens.json
    echo "a-key-of-another-server" >keys.txt
    echo "WEBAPP=a-key-of-the-web-application" >old.env
    start_upstream
    nginx_port=$(free_port)
    nginx_configuration "$nginx_port" "events {" \
        "$([ "$(id -u)" != 0 ] || echo "user root $(id -gn);") events {" \
        >docs/integrations/nginx/nginx.conf
    replace /run/token_authd.sock:666 "$PWD/authd.sock:666"
    replace 127.0.0.1:8080 "127.0.0.1:$nginx_port"
    replace 127.0.0.1:8008 "127.0.0.1:$(free_port)"
    replace "-g api-tokens " "-g $(id -gn) "
    replace /var/lib/token_manager "$PWD/installed"
}

try_program() {
    local token
    token=$(token_manager --file program.json create app)
    [ "$(API_TOKENS_FILE=program.json "$1" "$token")" = "accepted app" ]
    ! API_TOKENS_FILE=program.json "$1" nonsense || return
}

afterwards() {
    grep -q "^X-Token-Name: my-application" upstream/requests
    [ "$(grep -c "^GET " upstream/requests)" -eq 1 ]
    printed "No API key was provided"
    printed "Invalid API key provided"
    printed " until "
    grep -q "^API_KEY=sk-" secrets.env
    [ "$(cut -f 1 tokens.tsv | xargs)" = "frontend backend worker" ]
    printed "not recorded for that long yet"
    printed "  rotate   tok_"
    printed "not before it is converted"
    printed "ERR unknown"
    printed "X-Token-Name: laptop"
    printed "AUTHENTICATION IS OFF"
    [ "$(stat -c %a installed installed/api_tokens.json | xargs)" = "2750 640" ]
}

at_end() {
    [ ! -e nginx.pid ] || kill "$(cat nginx.pid)"
}
