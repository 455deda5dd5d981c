#!/usr/bin/env bats
# token_authd with many clients, slow ones and idle ones; and that dead means dead meanwhile.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, authd and run; a test is a subshell

bats_require_minimum_version 1.5.0
load common
load verifier
load authd

folders=()

teardown() {
    stop_started
    rm -rf "${folders[@]}"
}

# A process that holds connections open, after having sent the same on each (printf's escapes):
# hold COUNT [BYTES]. Sets holder, its id. The connections are there when it returns.
hold() {
    rm -f held
    (
        trap '' PIPE
        exec 3>&-
        for ((i = 0; i < $1; i++)); do
            exec {fd}<>"/dev/tcp/127.0.0.1/$authd_port" || break
            # shellcheck disable=SC2059
            { [ "${2-}" = "" ] || printf "$2" >&"$fd"; } 2>/dev/null
        done
        echo "$i" >held.new
        mv held.new held
        exec tail -f /dev/null
    ) &
    holder=$!
    started+=("$holder")
    wait_for test -e held
    same "$(cat held)" "$1"
}

# All verdicts of another client are as ever, on one connection and on new ones.
serves_others() {
    same "$(curl --silent --max-time 20 -o /dev/null -w '%{http_code}\n' -H "X-Api-Key: $token_one" \
        "$authd_url/verify?n=[1-200]" | sort | uniq -c | xargs)" "200 200"
    same "$(curl --silent --max-time 20 -o /dev/null -w '%{http_code}\n' -H "X-Api-Key: $stranger" \
        -H "Connection: close" "$authd_url/verify?n=[1-100]" | sort | uniq -c | xargs)" "100 401"
}

# Revokes tokens one by one, and asks at once on several connections: revoke_each IDS KEYS, which are
# files with a line for each.
revoke_each() {
    local connections=() between=$'\r\nHost: x\r\nX-Api-Key: ' end=$'\r\n\r\n' turn=0 i id key
    for ((i = 0; i < 8; i++)); do
        dial
        connections+=("$fd")
    done
    while read -r id <&5 && read -r key <&6; do
        # Four of the connections: two that were asked in the last turn, and two that were not.
        turn=$(((turn + 2) % 8))
        for ((i = 0; i < 4; i++)); do
            fd=${connections[(turn + i) % 8]}
            if [ "$i" = 0 ]; then
                echo -n "GET /verify HTTP/1.1$between$key$end" >&"$fd"
                hear "$fd"
                [ "$code" = 200 ] || fail "$key: $code before it was revoked"
                "$manager" revoke "$id" 2>/dev/null
            fi
            echo -n "HEAD /verify HTTP/1.1$between$key$end" >&"$fd"
            hear "$fd" without-body
            [ "$code" = 401 ] || fail "$key: $code after it was revoked"
        done
        echo -n "GET /verify HTTP/1.1$between$good$end" >&"$fd"
        hear "$fd"
        [ "$code" = 200 ] || fail "the good token: $code"
    done 5<"$1" 6<"$2"
}

@test "2,000 idle clients, and slow ones, change nothing for others" {
    allow_descriptors 3000
    write_tokens "$(record one "$token_one")"
    start_authd --threads 2
    before=$(descriptors)
    hold 2000
    hold 100 'GET /verify HTTP/1.1\r\nHost: x\r\nX-Slow: '
    hold 100 'POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nslow'
    hold 100 "GET /verify HTTP/1.1\r\nHost: x\r\nX-Api-Key: $token_one\r\n\r\n"
    wait_for has_at_least $((before + 2300))
    serves_others
    has_at_least $((before + 2000)) # they are there still
}

@test "more clients than there are places do not keep a new one out" {
    allow_descriptors 1000
    write_tokens "$(record one "$token_one")"
    start_authd --threads 2 --max-connections 64
    before=$(descriptors)
    for said in '' 'GET /verify HTTP/1.1\r\nHost: x\r\nX-Slow: ' 'GET /verify HTTP/1.1\r\nHost: x\r\n\r\n'; do
        hold 200 "$said"
        serves_others
        wait_for has_at_most $((before + 64))
    done
}

@test "who is served keeps the place while others flood in" {
    allow_descriptors 1000
    write_tokens "$(record one "$token_one")"
    start_authd --threads 2 --max-connections 64
    dial
    good=$fd
    for ((i = 0; i < 20; i++)); do
        hold 40
        say_verify "$good" "$token_one"
        hear "$good"
        same "$code" 200
    done
}

@test "who says nothing, says it drop by drop, or has no more to ask is cut off; others are not" {
    write_tokens "$(record one "$token_one")"
    start_authd --timeout 3 # long enough for a busy machine to ask within
    for name in silent dripping kept body good; do
        dial
        printf -v "$name" %s "$fd"
    done
    say_verify "$kept" "$token_one"
    hear "$kept"
    same "$code" 200
    say "$dripping" "GET /verify HTTP/1.1\r\nHost: x\r\nX-Drip: "
    say "$body" "POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    declare -A over=()
    for ((round = 0; round < 1000 && ${#over[@]} < 4; round++)); do
        say "$dripping" x
        say "$body" x
        for name in silent dripping kept body; do
            if is_over "${!name}" 0.01; then
                over[$name]=1
            fi
        done
        say_verify "$good" "$token_one"
        hear "$good"
        same "$code" 200
    done
    same "${#over[@]}" 4
}

@test "a client that is slow, but not too slow, gets its answer" {
    write_tokens "$(record one "$token_one")"
    start_authd --timeout 60
    dial
    request="GET /verify HTTP/1.1;Host: x;X-Api-Key: $token_one;;"
    for ((i = 0; i < ${#request}; i++)); do
        byte=${request:i:1}
        say "$fd" "${byte/;/\\r\\n}"
    done
    hear "$fd"
    same "$code" 200
}

@test "clients that leave in the middle leave nothing behind" {
    allow_descriptors 1000
    write_tokens "$(record one "$token_one")"
    start_authd --timeout 3600
    before=$(descriptors)
    hold 200 'GET /verify HTTP/1.1\r\nHost: x\r\nX-Slow: '
    wait_for has_at_least $((before + 200))
    kill "$holder"
    wait_for has_at_most $((before + 2))
    serves_others
}

@test "several threads answer, and each has all verdicts" {
    write_tokens "$(record one "$token_one")" "$(record two "$token_two" "\"revoked_at\": \"$past\"")"
    start_authd --threads 4
    connections=()
    for ((i = 0; i < 32; i++)); do
        dial
        connections+=("$fd")
        say_verify "$fd" "$token_one"
    done
    for fd in "${connections[@]}"; do
        hear "$fd"
        same "$code" 200
        same "$(header X-Token-Name)" one
    done
    [ "$(find "/proc/$authd_pid/task" -mindepth 1 -maxdepth 1 | wc -l)" -ge 4 ]
    for fd in "${connections[@]}"; do
        say_verify "$fd" "$token_two"
    done
    for fd in "${connections[@]}"; do
        hear "$fd"
        same "$code" 401
    done
    same "$(metric 'requests_total{verdict="accepted",reason="none"}')" 32
    same "$(metric 'requests_total{verdict="refused",reason="revoked"}')" 32
}

@test "dead means dead: 200 tokens revoked, each refused by the next request, at four threads" {
    # In memory where that can be, as each revoke waits for the disk.
    folder=$(mktemp -d "$({ [ -w /dev/shm ] && echo /dev/shm || pwd; })/authd.XXXXXX")
    folders+=("$folder")
    cd "$folder"
    good=$(create good)
    for i in {1000..1199}; do
        echo "imported-$i-abcdefghijklmnopq"
    done >keys
    "$manager" import keys --format list >imported.txt 2>&1
    "$manager" list --json | jq -r '.[] | select(.name != "good") | .id' >ids
    same "$(wc -l <ids)" 200
    start_authd --threads 4
    split -l 100 -d -a 1 ids ids.
    split -l 100 -d -a 1 keys keys.
    revokers=()
    for part in 0 1; do
        revoke_each "ids.$part" "keys.$part" 3>&- &
        revokers+=("$!")
        started+=("$!")
    done
    for pid in "${revokers[@]}"; do
        wait "$pid"
    done
    same "$(metric 'requests_total{verdict="refused",reason="revoked"}')" 800
    same "$(metric 'requests_total{verdict="accepted",reason="none"}')" 400
    for reason in unavailable unknown missing malformed; do
        same "$(metric "requests_total{verdict=\"refused\",reason=\"$reason\"}")" 0
    done
}

@test "a log that nobody reads stops no verdict and no end, and what was lost is counted" {
    write_tokens "$(record one "$token_one")"
    needs token_authd curl
    mkfifo log.pipe
    exec {held}<>log.pipe # so that it can be opened, and is never read
    "$BIN/token_authd" --listen unix:authd.sock 2>log.pipe 3>&- {held}>&- &
    authd_pid=$!
    started+=("$authd_pid")
    wait_for test -S authd.sock
    authd_url=http://authd
    curl --silent --unix-socket authd.sock --output /dev/null "http://authd/verify?[1-1000]"
    ask /verify --unix-socket authd.sock -H "X-Api-Key: $token_one"
    same "$code" 200
    ask /metrics --unix-socket authd.sock
    [ "$(sed -n 's/^token_authd_log_lines_dropped_total //p' <<<"$body")" -gt 100 ]
    stop_authd
    same "$status" 0
    exec {held}>&-
}

@test "with every place taken there are descriptors left to read a changed file" {
    local i
    write_tokens "$(record one "$token_one")" "$(record two "$token_two")"
    ulimit -Sn 60
    start_authd --max-connections 16 --threads 1
    dial
    kept=$fd
    say_verify "$kept" "$token_one"
    hear "$kept"
    same "$code" 200
    for ((i = 0; i < 13; i++)); do
        dial
    done
    "$manager" revoke one 2>/dev/null
    say_verify "$kept" "$token_one"
    hear "$kept"
    same "$code" 401
    say_verify "$kept" "$token_two"
    hear "$kept"
    same "$code" 200
    [ "$(sed -n 's/^Max open files *\([0-9]*\).*/\1/p' "/proc/$authd_pid/limits")" -ge 80 ]
}

@test "by default there are descriptors for 4,096 clients and more" {
    write_tokens "$(record one "$token_one")"
    [ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge 4200 ] || skip "the limit of files is low"
    ulimit -Sn 256
    start_authd
    [ "$(sed -n 's/^Max open files *\([0-9]*\).*/\1/p' "/proc/$authd_pid/limits")" -gt 4096 ]
}

@test "heads that are far too large, one after the other, change nothing for others" {
    local i pid
    write_tokens "$(record one "$token_one")"
    start_authd
    head -c 200000 /dev/zero | tr '\0' a >pad
    for i in 1 2 3 4; do
        while :; do
            curl --silent --output /dev/null -H "X-Api-Key: $token_one" -H "X-Pad: $(head -c 60000 pad)" \
                "$authd_url/verify" || true
        done 3>&- &
        started+=("$!")
    done
    dial
    for ((i = 0; i < 200; i++)); do
        say_verify "$fd" "$token_one"
        hear "$fd"
        same "$i $code" "$i 200"
    done
}

@test "the answer to an accepted token is made once and used again" {
    write_tokens "$(record one "$token_one")" "$(record two "$token_two")"
    needs token_authd curl
    [ -z "${ASAN_OPTIONS-}" ] || skip "the sanitizers want to be loaded first"
    # What libmicrohttpd is asked for, counted between it and token_authd.
    cat >count.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <unistd.h>

void *MHD_create_response_from_buffer(size_t size, void *buffer, int mode);

void *MHD_create_response_from_buffer(size_t size, void *buffer, int mode)
{
    void *(*create)(size_t, void *, int) = (void *(*)(size_t, void *, int))dlsym(
        RTLD_NEXT, "MHD_create_response_from_buffer");

    (void)!write(2, "made\n", 5);
    return create(size, buffer, mode);
}
END
    "${CC:-cc}" -shared -fPIC -o count.so count.c -ldl
    # shellcheck disable=SC2034  # start_authd looks at it
    authd_under=(env LD_PRELOAD="$PWD/count.so")
    start_authd --threads 1
    dial
    for token in "$token_one" "$token_two" "$token_one" "$token_two" "$token_one"; do
        say_verify "$fd" "$token"
        hear "$fd"
        same "$code $(header X-Token-Id)" "200 $(id_of "$token")"
    done
    same "$(grep -c '^made$' "$authd_log")" 2
}
