#!/usr/bin/env bats
# token_authd while it runs: changes of the token file, signals, and the end.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034  # variables of common, authd and run, and for them; a test is a subshell

bats_require_minimum_version 1.5.0
load common
load verifier
load authd
load trace

# is_used NAME: list tells of a use.
is_used() {
    "$manager" list --json | jq -e --arg name "$1" \
        '.[] | select(.name == $name) | .last_used_at != null'
}

# Sends a signal and waits until the log tells of one more EVENT: signal_for EVENT SIGNAL
signal_for() {
    local before
    before=$(logged "$1")
    kill "-$2" "$authd_pid"
    wait_for so_often $((before + 1)) "$1"
}

# Is the server about to end? It has noticed, then.
is_ending() {
    grep -q " event=ending " "$authd_log"
}

# A request without its end, which the server has begun to read: dial_half FD_VARIABLE
dial_half() {
    dial
    printf -v "$1" %s "$fd"
    # The answer to the first tells that the second came with it.
    say "$fd" "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /verify HTTP/1.1\r\nHost: x\r\n"
    hear "$fd"
    same "$code" 200
}

@test "a request sees what create and revoke did just before, in another process" {
    start=$(create first)
    start_authd
    lets_in "$start"
    for name in a b c d e f g h; do
        token=$(create "$name")
        lets_in "$token"
        "$manager" revoke "$name" 2>/dev/null
        keeps_out "$token"
        "$manager" restore "$name" 2>/dev/null
        lets_in "$token"
        "$manager" delete --yes "$name" 2>/dev/null
        keeps_out "$token"
        lets_in "$start"
    done
}

@test "a token file that turns malformed refuses everybody until it is well again" {
    token=$(create one)
    start_authd
    lets_in "$token"
    cp api_tokens.json good.json
    printf '{"version": 1,\n"tokens": [}\n' >api_tokens.json
    for credential in "$token" "$stranger" ''; do
        keeps_out "$credential" 503
        same "$(jq -r .error.code <<<"$body")" verifier_unavailable
        same "$(jq -r .error.type <<<"$body")" server_error
        same "$(header WWW-Authenticate)" ""
        same "$(header Cache-Control)" no-store
        lacks "$body" api_tokens
    done
    ask /healthz
    same "$code" 503
    same "$(jq -r '.status, .mode' <<<"$body")" $'unavailable\nunavailable'
    says "$(jq -r .reason <<<"$body")" "api_tokens.json:2: "
    same "$(metric 'requests_total{verdict="refused",reason="unavailable"}')" 3
    same "$(metric 'mode{mode="unavailable"}')" 1
    cp good.json api_tokens.json
    lets_in "$token"
    ask /healthz
    same "$code" 200
    same "$(jq -Sc . <<<"$body")" '{"mode":"file","reason":null,"status":"ok"}'
    same "$(metric 'mode{mode="unavailable"}')" 0
    wait_for so_often 1 reloaded
}

@test "that there is no verdict is logged once, however many ask" {
    token=$(create one)
    start_authd --threads 4
    cp api_tokens.json good.json
    echo '?' >api_tokens.json
    curl --silent --parallel --parallel-max 8 -H "X-Api-Key: $token" -o /dev/null \
        "$authd_url/verify?n=[1-300]"
    same "$(metric 'requests_total{verdict="refused",reason="unavailable"}')" 300
    ask /healthz
    same "$code" 503
    same "$(logged refused)" 0
    same "$(logged mode)" 1
    says "$(log_lines mode)" " level=error "
    says "$(log_lines mode)" " mode=unavailable "
    says "$(log_lines mode)" "api_tokens.json:1: "
    cp good.json api_tokens.json
    lets_in "$token"
    same "$(logged mode)" 2
    says "$(log_lines mode | tail -n 1)" " mode=file"
}

@test "without any request, too, the log tells that the file went bad, and well again" {
    token=$(create one)
    start_authd
    cp api_tokens.json good.json
    echo '?' >api_tokens.json
    wait_for grep -q " event=mode mode=unavailable " "$authd_log"
    cp good.json api_tokens.json
    wait_for grep -q " event=mode mode=file" "$authd_log"
    wait_for so_often 1 reloaded
    same "$(logged mode)" 2
}

@test "a token file that is removed: unavailable, never open" {
    token=$(create one)
    start_authd --allow-open
    mv api_tokens.json away
    for credential in "$token" "$stranger" ''; do
        keeps_out "$credential" 503
    done
    ask /healthz
    same "$code" 503
    says "$(jq -r .reason <<<"$body")" "api_tokens.json"
    mv away api_tokens.json
    lets_in "$token"
    lacks "$(cat "$authd_log")" "AUTHENTICATION IS OFF"
    lacks "$(cat "$authd_log")" "OPEN"
}

@test "changes of the token file are logged with the new counts" {
    create one
    start_authd
    create two
    wait_for so_often 1 reloaded
    says "$(log_lines reloaded)" " active=2 revoked=0 "
    "$manager" revoke one
    wait_for so_often 2 reloaded
    says "$(log_lines reloaded | tail -n 1)" " active=1 revoked=1 "
}

@test "last use is in list while it runs" {
    token=$(create one)
    create other
    start_authd
    lets_in "$token"
    wait_for is_used one
    run is_used other
    [ "$status" -ne 0 ]
}

@test "last use is in list after SIGTERM, and after SIGINT" {
    one=$(create one)
    two=$(create two)
    start_authd
    lets_in "$one"
    stop_authd
    same "$status" 0
    is_used one
    start_authd
    lets_in "$two"
    kill -INT "$authd_pid"
    wait_for_end
    same "$status" 0
    is_used two
}

@test "--usage puts the last uses elsewhere" {
    token=$(create one)
    before=$(cat api_tokens.json.usage)
    start_authd --usage "$PWD/elsewhere"
    lets_in "$token"
    stop_authd
    same "$(cat api_tokens.json.usage)" "$before"
    says "$(cat elsewhere)" "$(field one id) "
}

@test "a usage file that cannot be written costs no verdict" {
    token=$(create one)
    start_authd --usage "$PWD/gone/usage"
    lets_in "$token"
    stop_authd
    same "$status" 0
}

@test "SIGTERM and SIGINT end it with 0, and the log says so" {
    write_tokens "$(record one "$token_one")"
    for signal in TERM INT; do
        start_authd
        keeps_out "$stranger"
        kill "-$signal" "$authd_pid"
        wait_for_end
        same "$status" 0
        [[ $(tail -n 2 "$authd_log") =~ \ event=ending\ .*$'\n'.*\ event=ended\  ]]
    done
}

@test "a request that is under way at SIGTERM is answered, and the connection closed" {
    write_tokens "$(record one "$token_one")"
    start_authd
    dial_half half
    dial_half good
    kill "$authd_pid"
    wait_for is_ending
    say "$half" "\r\n"
    hear "$half"
    same "$code" 401
    same "$(header Connection)" close
    is_over "$half"
    say "$good" "X-Api-Key: $token_one\r\n\r\n"
    hear "$good"
    same "$code" 200
    same "$(header Connection)" close
    same "$(header X-Token-Name)" one
    is_over "$good"
    wait_for_end
    same "$status" 0
}

@test "a request whose body is under way at SIGTERM is answered" {
    write_tokens "$(record one "$token_one")"
    start_authd
    dial_half half
    say "$half" "X-Api-Key: $token_one\r\nContent-Length: 10\r\n\r\n01234"
    kill "$authd_pid"
    wait_for is_ending
    say "$half" "56789"
    hear "$half"
    same "$code" 200
    wait_for_end
    same "$status" 0
}

@test "who comes right after the start keeps its connection as others do" {
    write_tokens "$(record one "$token_one")"
    start_authd
    dial_half half
    dial
    idle=$fd
    "$manager" revoke one # the log tells of it at a tick, which cuts off who is overdue
    wait_for so_often 1 reloaded
    say "$half" "\r\n"
    hear "$half"
    same "$code" 401
    say_verify "$idle" "$stranger"
    hear "$idle"
    same "$code" 401
}

@test "no new client is let in after SIGTERM" {
    write_tokens "$(record one "$token_one")"
    start_authd
    dial_half half
    kill "$authd_pid"
    wait_for is_ending
    wait_for is_refused_or_dropped
    say "$half" "\r\n"
    hear "$half"
    same "$code" 401
    wait_for_end
    same "$status" 0
}

# Whether a new connection gets no answer.
is_refused_or_dropped() {
    ! curl --silent --max-time 1 "$authd_url/healthz"
}

@test "clients that are connected and ask nothing do not delay the end" {
    write_tokens "$(record one "$token_one")"
    start_authd --timeout 3600
    for ((i = 0; i < 20; i++)); do
        dial
        say_verify "$fd" "$token_one"
        hear "$fd"
        same "$code" 200
    done
    kill "$authd_pid"
    wait_for_end # which waits for 10 seconds at most
    same "$status" 0
    is_over "$fd"
}

@test "one who has connected, and never says a word, does not delay the end" {
    write_tokens "$(record one "$token_one")"
    start_authd --timeout 3600
    dial
    keeps_out "$stranger"
    kill "$authd_pid"
    wait_for_end
    same "$status" 0
}

@test "a second SIGTERM ends it at once, though a client is slow" {
    token=$(create one)
    start_authd --timeout 3600
    lets_in "$token"
    dial_half half
    kill "$authd_pid"
    wait_for is_ending
    kill -0 "$authd_pid"
    kill "$authd_pid"
    wait_for_end
    same "$status" 0
    is_over "$half"
    is_used one
}

@test "a slow client delays the end by no more than --timeout" {
    write_tokens "$(record one "$token_one")"
    start_authd --timeout 1
    dial_half half
    kill "$authd_pid"
    wait_for_end
    same "$status" 0
}

@test "SIGHUP reads .env anew: the new key is let in, the old one no longer" {
    write_tokens "$(record one "$token_one")"
    echo "FREEGPT_API_KEY=the-old-key" >.env
    start_authd
    lets_in the-old-key
    keeps_out the-new-key
    echo "FREEGPT_API_KEY=the-new-key" >.env
    lets_in the-old-key
    signal_for reread HUP
    lets_in the-new-key
    keeps_out the-old-key
    lets_in "$token_one"
    says "$(log_lines reread)" " mode=file+environment file=$PWD/api_tokens.json active=1 "
    echo "# none" >.env
    signal_for reread HUP
    keeps_out the-new-key
    says "$(log_lines reread | tail -n 1)" " mode=file "
    lacks "$(cat "$authd_log")" the-new-key
}

@test "SIGHUP follows .env to another token file" {
    token_file=a.json write_tokens "$(record one "$token_one")"
    token_file=b.json write_tokens "$(record two "$token_two")"
    echo API_TOKENS_FILE=a.json >.env
    start_authd
    lets_in "$token_one"
    echo API_TOKENS_FILE=b.json >.env
    signal_for reread HUP
    lets_in "$token_two"
    keeps_out "$token_one"
    says "$(log_lines reread)" " file=$PWD/b.json "
}

@test "a .env that SIGHUP finds malformed leaves the settings as they were, and is logged" {
    write_tokens "$(record one "$token_one")"
    echo "FREEGPT_API_KEY=the-old-key" >.env
    start_authd
    printf 'FREEGPT_API_KEY=the-new-key\n?\n' >.env
    signal_for reread-failed HUP
    says "$(log_lines reread-failed)" " level=error "
    says "$(log_lines reread-failed)" ".env:2: "
    lets_in the-old-key
    keeps_out the-new-key
    lets_in "$token_one"
    ask /healthz
    same "$code" 200
}

@test "a key that goes while there is no token file does not open the door" {
    echo "FREEGPT_API_KEY=the-old-key" >.env
    start_authd
    lets_in the-old-key
    rm .env
    signal_for reread HUP
    keeps_out the-old-key 503
    ask /verify
    same "$code" 503
    ask /healthz
    same "$code" 503
    lacks "$(cat "$authd_log")" OPEN
}

@test "a token file that SIGHUP finds gone does not open the door" {
    write_tokens "$(record one "$token_one")"
    start_authd --allow-open
    rm api_tokens.json
    signal_for reread HUP
    keeps_out "$token_one" 503
    says "$(log_lines reread)" " mode=unavailable "
}

@test "requests are answered while SIGHUPs come" {
    write_tokens "$(record one "$token_one")"
    echo "FREEGPT_API_KEY=the-key" >.env
    start_authd --threads 2
    curl --silent --show-error -H "X-Api-Key: the-key" -o /dev/null -w '%{http_code}\n' \
        "$authd_url/verify?n=[1-3000]" >codes.txt 3>&- &
    asking=$!
    started+=("$asking")
    until has_ended "$asking"; do
        signal_for reread HUP
    done
    wait "$asking"
    same "$(sort codes.txt | uniq -c | xargs)" "3000 200"
    [ "$(logged reread)" -ge 1 ]
    lets_in "$token_one"
}

@test "told to end, each thread looks after its own list of sockets, and no other one meddles with it" {
    needs_strace
    write_tokens "$(record one "$token_one")"
    # libmicrohttpd aborts when two do so at once.
    authd_under=(strace -D -f -o trace.txt -e trace=epoll_ctl)
    start_authd --threads 4
    lets_in "$token_one"
    stop_authd
    same "$(grep -c "EPOLL_CTL_ADD.*events=EPOLLIN," trace.txt)" 4 # by the main thread, at the start
    [ "$(grep -c EPOLL_CTL_DEL trace.txt)" -ge 4 ]
    lacks "$(grep "^$authd_pid " trace.txt)" EPOLL_CTL_DEL
}
