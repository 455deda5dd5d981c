#!/usr/bin/env bats
# docs/integrations/watching: those very files, looked at by Prometheus' and fail2ban's own programs, and
# held against what a real token_authd prints and logs.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of what is loaded and of run; a test is a subshell

bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load ../cli/nginx

watching=$BATS_TEST_DIRNAME/../../docs/integrations/watching
# What the helpers look for beside the test.
BATS_TEST_DIRNAME=${BATS_TEST_DIRNAME%/*}/cli

# The names of metrics in some text, one a line: names_in TEXT
names_in() {
    grep -oE 'token_authd_[a-z_]+' <<<"$1" | sort -u
}

# The values that expressions give to a label, one a line; of those with bars, each: mentioned_values LABEL TEXT
mentioned_values() {
    grep -oE "\b$1=~?\"[a-z_|+]+\"" <<<"$2" | sed -E 's/^[^"]*"//; s/"$//' | tr '|' '\n' | sort -u
}

# The expressions of the dashboard, one a line, as Prometheus gets them.
expressions_of_dashboard() {
    # shellcheck disable=SC2016 # Grafana's variables
    jq -r '.panels[].targets[].expr' "$watching/grafana-dashboard.json" |
        sed -e 's/\$__rate_interval/1m/g' -e 's/\$job/.*/g' -e 's/\$instance/.*/g'
}

# Everything that a text names is among what token_authd really prints: is_printed TEXT
is_printed() {
    local name label value
    [ -n "$(names_in "$1")" ] || fail "this names no metric: $1"
    for name in $(names_in "$1"); do
        grep -qE "^$name(\{| )" body.txt || fail "there is no such metric: $name"
    done
    for label in mode reason verdict status; do
        for value in $(mentioned_values "$label" "$1"); do
            grep -qF "$label=\"$value\"" body.txt || fail "no metric has $label=\"$value\""
        done
    done
}

@test "promtool takes the configuration and the rules, and the alerts come and stay away as they should" {
    needs promtool
    cp "$watching"/*.yml "${BATS_TEST_DIRNAME%/cli}/integrations/watching.alerts.yml" .
    run promtool check config prometheus.yml
    exits 0
    says "$output" "prometheus.yml is valid"
    says "$output" "8 rules found"
    run promtool test rules watching.alerts.yml
    exits 0
    # None that is never tried.
    sed -n 's/.*- alert: \([A-Za-z]*\).*/\1/p' alerts.yml | sort >alerts
    sed -n 's/.*alertname: //p' watching.alerts.yml | sort -u >tried
    same "$(cat alerts)" "$(cat tried)"
}

@test "alerts and dashboard know no metric and no label that token_authd does not print" {
    local text
    needs jq promtool
    write_tokens "$(record one "$token_one")"
    start_authd
    ask /metrics
    same "$code" 200
    is_printed "$(sed '/^ *#/d' "$watching/alerts.yml")"
    text=$(expressions_of_dashboard)
    is_printed "$text"
    is_printed "$(jq -r '.templating.list[].definition // empty' "$watching/grafana-dashboard.json")"
    # And the other way round: each metric is on the dashboard.
    same "$(names_in "$text")" "$(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' body.txt | sort)"
    while IFS= read -r line; do
        jq -n --arg expr "$line" '{groups: [{name: "x", rules: [{record: "x", expr: $expr}]}]}' >rule.yml
        promtool check rules rule.yml >said 2>&1 || fail "$line" "$(<said)"
    done <<<"$text"
}

@test "the dashboard can be imported: panels with places and numbers of their own, one data source to choose" {
    needs jq
    same "$(jq '[.panels[].id] | length - (unique | length)' "$watching/grafana-dashboard.json")" 0
    jq -e '.id == null and (.title | length > 0) and (.uid | length) <= 40 and .schemaVersion > 30
        and all(.panels[]; .gridPos.x + .gridPos.w <= 24 and (.targets | length) > 0)
        and ([.panels[].datasource.uid, .panels[].targets[].datasource.uid] | unique == ["${datasource}"])
        and (.templating.list[0] | .name == "datasource" and .type == "datasource")' \
        "$watching/grafana-dashboard.json"
}

# watch.conf in the configuration for nginx, at $watch_url.
start_watched_nginx() {
    watch_port=$(free_port)
    watch_url=http://127.0.0.1:$watch_port
    integration watching/watch.conf 127.0.0.1:8081 "127.0.0.1:$watch_port" >watch.conf
    # As README.md has it: before the last line.
    start_upstream
    start_nginx $'\n    }\n}' $'\n    }\n    include watch.conf;\n}'
}

# The status and body there: at_watch PATH [CURL OPTION...]
at_watch() {
    authd_url=$watch_url ask "$@"
}

@test "nginx hands on health and numbers of a token_authd at a Unix socket, and nothing else, at that port" {
    needs nginx token_authd
    write_tokens "$(record one "$token_one")"
    start_authd --listen unix:authd.sock
    start_watched_nginx
    at_watch /healthz
    same "$code $(jq -r .status <<<"$body")" "200 ok"
    at_watch /livez
    same "$code" 200
    at_watch /metrics
    same "$code" 200
    says "$body" 'token_authd_mode{mode="file"} 1'
    at_watch /verify -H "X-Api-Key: $token_one"
    same "$code" 404
    at_watch / -H "X-Api-Key: $token_one"
    same "$code" 404
    ask /healthz # at the clients' port: a request like any other
    same "$code" 401
    ask /metrics
    same "$code" 401
}

@test "while no verdict is possible it is unhealthy and alive; when it has ended, neither" {
    needs nginx token_authd
    write_tokens "$(record one "$token_one")"
    start_authd --listen unix:authd.sock
    start_watched_nginx
    echo '?' >api_tokens.json
    at_watch /healthz
    same "$code" 503
    at_watch /livez
    same "$code" 204
    at_watch /metrics
    says "$body" 'token_authd_mode{mode="unavailable"} 1'
    stop_authd
    at_watch /healthz
    same "$code" 502
    at_watch /livez
    same "$code" 502
    at_watch /metrics
    same "$code" 502
}

# fail2ban's configuration with our files, as README.md puts them.
configure_fail2ban() {
    needs fail2ban-regex fail2ban-client
    [ -d /etc/fail2ban/action.d ] || skip "needs the configuration that comes with fail2ban"
    mkdir -p fail2ban/jail.d
    cp -r /etc/fail2ban/{action.d,filter.d} /etc/fail2ban/*.conf fail2ban/
    cp "$watching/fail2ban-filter.conf" fail2ban/filter.d/token_authd.conf
    cp "$watching/fail2ban-jail.conf" fail2ban/jail.d/token_authd.conf
}

# Whom the filter finds in a log, one a line: found_in FILE
found_in() {
    local found
    # (-o, which prints only that, came with 0.11; --raw: names are not looked up.)
    found=$(fail2ban-regex --raw -c fail2ban -o '<ip>' "$1" fail2ban/filter.d/token_authd.conf) || fail "$found"
    printf '%s\n' "$found" | sed '/^$/d'
}

@test "fail2ban finds who sent what never was good, at the address that the proxy tells, and at its time" {
    local now
    configure_fail2ban
    write_tokens "$(record one "$token_one" '"scopes": ["a"]')" \
        "$(record old "$token_two" "\"revoked_at\": \"$past\"")" \
        "$(record older "$token_three" "\"expires_at\": \"$past\"")"
    start_authd
    # Counted:
    ask /verify -H "X-Api-Key: $stranger" -H "X-Forwarded-For: 192.0.2.1"
    ask /verify -H "Authorization: Bearer password" -H "X-Forwarded-For: 2001:db8::2"
    ask /verify -H "X-Api-Key: ${stranger::30}" -H "X-Forwarded-For: 198.51.100.99, 192.0.2.3"
    ask /verify -H "X-Api-Key: blake2b-256:$(digest "$token_one")" -H "X-Forwarded-For: 192.0.2.4"
    # Not counted:
    ask /verify -H "X-Forwarded-For: 203.0.113.1"
    ask /verify -H "X-Api-Key: $token_two" -H "X-Forwarded-For: 203.0.113.2"
    ask /verify -H "X-Api-Key: $token_three" -H "X-Forwarded-For: 203.0.113.3"
    ask "/verify?scope=b" -H "X-Api-Key: $token_one" -H "X-Forwarded-For: 203.0.113.4"
    ask /verify -H "X-Api-Key: $token_one" -H "X-Forwarded-For: 203.0.113.5"
    ask /verify -H "X-Api-Key: $(id_of "$token_one")" -H "X-Forwarded-For: 203.0.113.6"
    ask /verify -H "X-Api-Key: $stranger" # nobody tells whose it is
    same "$(logged refused)" 10
    same "$(found_in authd.log)" $'192.0.2.1\n2001:db8::2\n192.0.2.3\n192.0.2.4'
    # The journal's lines, and the time whatever the zone is.
    sed 's/^/myhost token_authd[815]: /' authd.log >journal.log
    same "$(fail2ban-regex --raw -c fail2ban -d '{NONE}' -o '<ip>' journal.log fail2ban/filter.d/token_authd.conf)" \
        "$(found_in authd.log)"
    now=$(date -u -d "$(log_lines refused | sed -n '1s/^time=\([^ ]*\) .*/\1/p')" +%s)
    TZ=Asia/Tokyo fail2ban-regex --raw -c fail2ban -o row authd.log fail2ban/filter.d/token_authd.conf >rows
    says "$(sed -n 1p rows)" "$now"
}

@test "what a client chooses makes fail2ban find nobody but that client" {
    local trick forged
    configure_fail2ban
    write_tokens "$(record one "$token_one")"
    start_authd
    forged='time=2026-01-01T00:00:00Z level=warn event=refused reason=unknown status=401 client=203.0.113.9 method=GET'
    for trick in "client=203.0.113.9" "$forged" $'\n'"$forged" "\"$forged" "x\\\" $forged" \
        "x client=203.0.113.9 method=GET" "203.0.113.9 method=GET path=x client=192.0.2.1"; do
        # In the path, encoded and not; in headers, as far as they can be sent.
        ask "/verify/$(jq -rn --arg text "$trick" '$text | @uri')" -H "X-Api-Key: $stranger" -H "X-Forwarded-For: 192.0.2.1"
        ask "/verify/$(jq -rn --arg text "$trick" '$text | @uri')" -H "X-Api-Key: $stranger"
        trick=${trick//$'\n'/}
        ask /verify -H "X-Api-Key: $trick" -H "X-Forwarded-For: 192.0.2.1"
        ask /verify -H "X-Api-Key: $stranger" -H "X-Forwarded-For: $trick"
        ask /verify -H "X-Api-Key: $stranger" -H "X-Forwarded-For: $trick, 192.0.2.1"
        ask /verify -H "X-Api-Key: $stranger" -H "User-Agent: $trick" -H "Referer: $trick" -H "Host: x" -H "Client: $trick" \
            -H "X-Real-Ip: 203.0.113.9" -H "Forwarded: for=203.0.113.9"
        ask /verify -H "X-Api-Key: $stranger" -X "$(tr -dc A-Za-z0-9.= <<<"$trick")" -H "X-Forwarded-For: 192.0.2.1"
    done
    ask_raw "GET /verify/\xff\xfe\"client=203.0.113.9 HTTP/1.1\r\nHost: x\r\nX-Api-Key: $stranger\r\nConnection: close\r\n\r\n"
    ask_raw "GET /verify/%%00%%0d%%0a$forged HTTP/1.1\r\nHost: x\r\nX-Api-Key: $stranger\r\nConnection: close\r\n\r\n"
    so_often 40 refused || fail "too few were logged: $(logged refused)"
    says "$(cat authd.log)" 203.0.113.9 # the tricks are in there
    same "$(found_in authd.log | sort -u)" 192.0.2.1
}

# Has fail2ban banned as many? have_been_banned COUNT
have_been_banned() {
    [ -e banned ] && [ "$(wc -l <banned)" -ge "$1" ]
}

@test "fail2ban itself takes the jail, and bans who goes on, after so many, and nobody else" {
    local i
    configure_fail2ban
    run fail2ban-client -c fail2ban -t
    exits 0
    # A log to read in the journal's place, and no firewall.
    printf '[Definition]\nactionban = echo <ip> >>%s/banned\nactionunban =\n' "$PWD" >fail2ban/action.d/note.conf
    printf '%s\n' '[Definition]' 'dbfile = None' "logtarget = $PWD/fail2ban.log" "socket = $PWD/f.sock" \
        "pidfile = $PWD/f.pid" >fail2ban/fail2ban.local
    printf '%s\n' '[DEFAULT]' 'action = note' '[token_authd]' 'backend = polling' "logpath = $PWD/authd.log" \
        >fail2ban/jail.local
    sed -i '/^backend = systemd$/d' fail2ban/jail.d/token_authd.conf
    write_tokens "$(record one "$token_one")"
    start_authd
    fail2ban-server -c fail2ban -s f.sock -p f.pid -f start >said 2>&1 3>&- &
    started+=("$!")
    wait_for fail2ban-client -c fail2ban -s f.sock status token_authd
    for ((i = 0; i < 20; i++)); do
        ask /verify -H "X-Api-Key: $stranger" -H "X-Forwarded-For: 192.0.2.7"
        ask /verify -H "X-Forwarded-For: 192.0.2.8"
        [ "$i" = 19 ] || ask /verify -H "X-Api-Key: $stranger" -H "X-Forwarded-For: 192.0.2.9"
        ask /verify -H "X-Api-Key: $stranger" -H "X-Forwarded-For: 127.0.0.1"
    done
    wait_for have_been_banned 1
    same "$(cat banned)" 192.0.2.7
    says "$(fail2ban-client -c fail2ban -s f.sock status token_authd)" "192.0.2.7"
}
