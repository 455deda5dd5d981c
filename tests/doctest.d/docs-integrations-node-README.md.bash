# A reader in the folder with the files.
# shellcheck shell=bash disable=SC2154 # what is loaded sets variables

prepare() {
    local port
    needs node curl token_authd
    use common verifier authd upstream
    port=$(free_port)
    mkdir my-api
    integration node/app.mjs "listen(9000," "listen($port," /run/token_authd.sock "$PWD/authd.sock" >app.mjs
    from_tree docs/integrations/node
    cp docs/integrations/node/token_auth.cjs .
    replace /var/lib/my-api "$PWD/my-api"
    replace /run/token_authd.sock "$PWD/authd.sock"
    replace 127.0.0.1:9000 "127.0.0.1:$port"
}

afterwards() {
    printed '"name":"my-application"'
    printed "Invalid API key provided"
}
