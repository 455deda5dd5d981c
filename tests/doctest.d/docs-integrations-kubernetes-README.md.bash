# In the folder of the page.
# shellcheck shell=bash disable=SC2154 # what is loaded sets variables

prepare() {
    from_tree docs/integrations/nginx docs/integrations/watching
    mkdir -p docs/integrations/kubernetes
    cd docs/integrations/kubernetes || return
}

afterwards() {
    [ "$(grep -cE '^ *(listen 8080|server unix:/sockets/token_authd.sock|include watch.conf);$' nginx.conf)" = 3 ]
    grep -q '^ *listen 8081;$' watch.conf
}
