# For apache.bats, loaded after ../cli/common, verifier, authd and upstream: the real httpd with the files
# of docs/integrations/apache.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # variables of the callers, and for them

modules=/usr/lib/apache2/modules

needs_apache() {
    needs token_authd
    command -v apache2 >/dev/null || skip "needs apache2 (make deps-integrations)"
    [ -e /usr/share/lua/5.3/socket.lua ] || skip "needs lua-socket (make deps-integrations)"
}

# The modules that api.conf is for, and what Debian's own configuration says besides; what
# else is replaced in the files is in conf_change and lua_change.
run_apache() {
    local name
    integration apache/api.conf 127.0.0.1:8080 "127.0.0.1:$1" 127.0.0.1:9000 "127.0.0.1:$upstream_port" \
        /etc/apache2/token_auth.lua "$PWD/token_auth.lua" /var/log/apache2 "$PWD" "${conf_change[@]}" \
        >api.conf || exit
    integration apache/token_auth.lua /run/token_authd.sock "$PWD/authd.sock" "${lua_change[@]}" \
        >token_auth.lua || exit
    chmod a+r token_auth.lua
    {
        echo "ServerRoot $PWD"
        for name in mpm_event authn_core authz_core authz_host authz_user headers lua proxy proxy_http rewrite; do
            echo "LoadModule ${name}_module $modules/mod_$name.so"
        done
        printf '%s\n' "ServerName localhost" "PidFile $PWD/apache.pid" "DefaultRuntimeDir $PWD" \
            "ErrorLog $PWD/error.log" "StartServers 1" "ThreadsPerChild 8" "MaxRequestWorkers 16" \
            "ServerLimit 2" "MinSpareThreads 1" "MaxSpareThreads 16" "<Directory />" "Require all denied" \
            "</Directory>" "Include $PWD/api.conf"
        # httpd's workers are never root; their group is that of the socket.
        [ "$(id -u)" != 0 ] || printf '%s\n' "User #65534" "Group #$(id -g)"
    } >httpd.conf
    exec apache2 -f "$PWD/httpd.conf" -D FOREGROUND >>apache.log 2>&1
}

# It has logged a request.
apache_is_ready() {
    asked_at "$1" /ready && grep -q '"GET /ready"' api_access.log
} 2>/dev/null

start_apache() {
    needs_apache
    let_workers_in
    if [ "${upstream_port:-}" = "" ]; then
        needs nginx jq curl
        start_both_ends
    fi
    start_on_port run_apache apache_is_ready
    proxy_port=$port
    apache_pid=${started[-1]}
}

# They may be another user, who has to reach the files.
let_workers_in() {
    local folder=$PWD
    while [ "$folder" != / ] && [[ $folder == "${BATS_RUN_TMPDIR:-$BATS_TEST_TMPDIR}"* ]]; do
        chmod a+x "$folder"
        folder=${folder%/*}
    done
}
