#!/usr/bin/env bats
# token_authd and those who abuse HTTP: no verdict but the right one (P8), nobody let in, nothing leaked.
#
# HTTP_SEED=number makes the random parts of a full run come again.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, authd and run; a test is a subshell

bats_require_minimum_version 1.5.0
load promises
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load ../cli/nginx

# What those files find beside themselves.
BATS_TEST_DIRNAME=$BATS_TEST_DIRNAME/../cli
shapes=$BATS_TEST_DIRNAME/../data/http_shapes.txt

# One that is unknown, like the stranger.
other_stranger=sk-strangerxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx3QhVkM

# A helper says what it did in one line at the end, and complains before that: helper NAME ARGUMENT...
helper() {
    local said status=0
    said=$("$BIN/tests/helpers/$1" "${@:2}") || status=$?
    [ "$status" = 0 ] || fail "$(head -c 5000 <<<"$said")" || return
    said=$(tail -n 1 <<<"$said")
    echo "$said"
}

# Nobody is let in or kept out who should not be, and the file is still looked at.
is_well() {
    lets_in "$token_one"
    keeps_out "$stranger"
    [ "$(logged ready)" = 1 ] || fail "it was started again"
    kill -0 "$authd_pid"
}

# The memory of the server, in KiB.
memory() {
    awk '/^VmRSS/ { print $2 }' "/proc/$authd_pid/status"
}

# All of the log but that it began, as a full run would fill the disk. The server appends to it.
empty_log() {
    local begun
    begun=$(log_lines ready)
    echo "$begun" >"$authd_log"
}

seed() {
    scale 1 "${HTTP_SEED:-$((RANDOM * 32768 + RANDOM + 1))}"
}

@test "requests that can be read in two ways get no verdict, or one that does no harm, in whatever pieces they come" {
    allow_descriptors 1000
    write_tokens "$(record one "$token_one")"
    start_authd --threads 1 --timeout 3600
    said=$(helper http_shapes "$authd_port" "$token_one" "$stranger" "$(scale 97 1)" <"$shapes")
    is_well
    figure "http_abuse: $said"
}

@test "requests changed at random let nobody in whom a second reading of RFC 9112 would not" {
    local number
    allow_descriptors 1000
    write_tokens "$(record one "$token_one")"
    start_authd --threads 1 --timeout 3600
    number=$(seed)
    said=$(helper http_mutate "$authd_port" "$token_one" "$stranger" "$number" "$(scale 1000 100000)" <"$shapes")
    is_well
    figure "http_abuse: seed $number: $said"
}

@test "each request has its own verdict, however clients come, ask and go, and nothing is left of them" {
    local round rounds requests number said memory_before descriptors_before points
    allow_descriptors 1000
    write_tokens "$(record one "$token_one")" "$(record two "$token_two")" \
        "$(record narrow "$token_three" '"scopes": ["chat"]')"
    start_authd --threads 2 --timeout 3600
    rounds=$(scale 2 10)
    requests=$(scale 4000 100000)
    number=$(seed)
    for ((round = 0; round <= rounds; round++)); do
        said=$(helper http_load "$authd_port" "$requests" 64 $((number + round)) "$token_one" \
            "$(id_of "$token_one")" "$token_two" "$(id_of "$token_two")" "$token_three" "$stranger")
        figure "http_abuse: seed $((number + round)): $said, $(memory) KiB, $(descriptors) descriptors"
        empty_log
        # The first time is for what is kept from then on.
        if [ "$round" = 0 ]; then
            wait_for has_at_most 32
            descriptors_before=$(descriptors)
            memory_before=$(memory)
        fi
        wait_for has_at_most "$descriptors_before"
        points+=" $(memory)"
    done
    is_well
    [ -n "${ASAN_OPTIONS-}" ] || [ $(($(memory) - memory_before)) -le 1024 ] || fail "KiB:$points"
}

# Out of sight of bats, which would take longer to note each command than the command takes.
ask_at_once() {
    local fds=() fd i
    trap - DEBUG
    set +T
    for ((i = 0; i < $1; i++)); do
        dial
        fds+=("$fd")
    done
    say_verify "$fd" "$stranger"
    hear "$fd" # so all have been taken in
    kill -STOP "$authd_pid"
    for fd in "${fds[@]}"; do
        say_verify "$fd" "$token_one"
    done
    kill -CONT "$authd_pid"
    for fd in "${fds[@]}"; do
        hear "$fd"
        [ "$code" = 200 ] || fail "$code"
    done
}

@test "128 clients who ask at once, and wait, are all answered" {
    allow_descriptors 1000
    write_tokens "$(record one "$token_one")"
    start_authd --threads 1 --timeout 3600
    (ask_at_once 128)
}

@test "clients who take their time in whatever way are cut off, and another is served meanwhile" {
    local count
    count=$(scale 96 3200)
    allow_descriptors $((count + 200))
    write_tokens "$(record one "$token_one")"
    start_authd --threads 1 --timeout "$(scale 2 10)" --max-connections 4096
    said=$(helper http_slow "$authd_port" "$authd_pid" "$count" "$token_one" "$stranger")
    is_well
    figure "http_abuse: $said"
}

# lets_no_shape_through PORT NAME: sends them all, with nothing but bad credentials.
lets_no_shape_through() {
    said=$(helper http_shapes "$1" "$stranger" "$other_stranger" 0 <"$shapes")
    figure "http_abuse: through $2: $said"
}

@test "nginx in front lets none of these requests through with a bad credential" {
    allow_descriptors 1000
    write_tokens "$(record one "$token_one")"
    start_all
    lets_no_shape_through "${nginx_url##*:}" nginx
    nothing_passed
    ask / -H "X-Api-Key: $token_one"
    same "$code $(got X-Token-Name)" "200 one"
}

@test "HAProxy in front lets none of these requests through with a bad credential" {
    allow_descriptors 1000
    start_haproxy
    lets_no_shape_through "$proxy_port" HAProxy
    upstream_was_not_reached
    through / -H "X-Api-Key: $token_one"
    let_through "$(id_of "$token_one")" one
}

@test "Caddy in front lets none of these requests through with a bad credential" {
    allow_descriptors 1000
    start_caddy
    lets_no_shape_through "$proxy_port" Caddy
    upstream_was_not_reached
    through / -H "X-Api-Key: $token_one"
    let_through "$(id_of "$token_one")" one
}
