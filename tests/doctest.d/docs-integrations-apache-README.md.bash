# shellcheck shell=bash disable=SC2154 # what is loaded sets variables
# shellcheck disable=SC1091 # looked at by itself
. "$here/doctest.d/proxies.bash"

# The page leaves it to the reader how httpd is started.
prepare() {
    prepare_proxy apache2
    # shellcheck disable=SC1091 # looked at by itself
    . "$here/integrations/apache.bash"
    needs_apache
    let_workers_in
    run_apache "$proxy_port" 3>&- &
    started+=("$!")
    wait_for apache_is_ready "$proxy_port"
}
