# As root, in the folder of the page.
# shellcheck shell=bash disable=SC2154 # what is loaded sets variables

prepare() {
    from_tree docs/integrations/nginx docs/integrations/watching
    mkdir -p docs/integrations/containers
    cd docs/integrations/containers || return
    replace "-o 10001 -g 10001" "-o $(id -u) -g $(id -g)"
}

afterwards() {
    [ -d tokens ] && [ -d usage ] && [ -e watch.conf ]
    [ "$(grep -cE '^ *(listen 8080|server api:9000|server unix:/sockets/token_authd.sock|include watch.conf);$' nginx.conf)" = 4 ]
}
