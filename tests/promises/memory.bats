#!/usr/bin/env bats
# P2 and P5: whichever allocation fails, nothing crashes, the file is whole, and nobody is accepted on a
# guess.

# shellcheck disable=SC2154,SC2034,SC2030,SC2031 # what the loaded files set and use
bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/place
load ../cli/trace
load ../cli/library
load ../cli/authd
load promises
load faults

# Runs the command with its memory at an end, and takes its exit status into $code: starved AT [on]
# where AT is the number of the allocation that fails, and with "on" all after it do.
starved() {
    code=0
    rm -f ../report
    (
        ulimit -t 20 # rather than to go on for ever
        export FAIL_MALLOC_AT=$1 FAIL_MALLOC_REPORT=../report LD_PRELOAD=$preloaded
        [ $# -eq 1 ] || export FAIL_MALLOC_ON=1
        exec "${run[@]}"
    ) <"$input" >../out 2>../said || code=$?
}

# How many allocations the command makes, in $allocations.
count_allocations() {
    enter_copy
    starved 0
    [ "$code" = "$right_code" ]
    read -r allocations failed <../report
    [ "$allocations" -gt 20 ] && [ "$failed" = 0 ]
}

# What a command that ran out of memory did to the file.
judge_starved() {
    local said
    slurp ../said said
    case $code/$changed in
    0/yes) ;;
    [16]/no) [[ $said == *"out of memory"* || $said == *"Cannot allocate memory"* || $said == *"Out of memory"* ]] ||
        { complain "does not name the cause" && return 1; } ;;
    1/yes) [[ $said == *"could not be shown"* || $said == *"the change was made"* ]] || { complain "changed all the same" && return 1; } ;;
    *) complain "ends like this" && return 1 ;;
    esac
}

# Lets each allocation fail alone, and then with all after it: each EACH-th at the quick scale, beginning
# elsewhere for each command.
# starve_each EACH CHECK...
starve_each() {
    local at on each=$1
    shift
    count_allocations || return 1
    ! full || each=1
    begun=$((begun + 1))
    for ((at = 1 + begun % each; at <= allocations; at += each)); do
        for on in '' on; do
            step="allocation $at of $allocations${on:+ and all after it}"
            enter_copy
            starved "$at" $on
            # What was killed by a signal has written no report.
            [ -s ../report ] || { complain "crashed" && return 1; }
            read -r _ failed <../report
            [ "$failed" -gt 0 ] || { complain "nothing failed" && return 1; }
            "$@" || return 1
            tries=$((tries + 1))
            [ "$code" = "$right_code" ] || gave_up=$((gave_up + 1))
        done
    done
}

check_writer() {
    judge && judge_starved && only_ours && next_command
}

check_reader() {
    judge_reader memory
}

@test "without memory, any command that writes does all or nothing, and says so" {
    needs_preload fail_malloc
    set +o functrace
    make_starts
    begun=0 tries=0 gave_up=0
    for row in "${writers[@]}"; do
        begin "$row"
        starve_each 50 check_writer || return 1
    done
    [ "$tries" -ge "$(scale 60 3000)" ] && [ "$gave_up" -gt $((tries / 4)) ]
    figure "memory: $tries times without memory for ${#writers[@]} changes: $gave_up refused with nothing changed, the others done"
}

@test "without memory, nobody is accepted on a guess" {
    needs_preload fail_malloc
    set +o functrace
    make_starts
    begun=0 tries=0 gave_up=0
    for row in "${readers[@]}" "${recorders[@]}"; do
        begin "$row"
        starve_each 30 check_reader || return 1
    done
    [ "$tries" -ge "$(scale 50 2000)" ] && [ "$gave_up" -gt $((tries / 4)) ]
    figure "memory: $tries times without memory for $((${#readers[@]} + ${#recorders[@]})) commands that read: $gave_up without an answer, the others right"
}

@test "without memory, the library accepts nobody on a guess" {
    needs_preload fail_malloc
    make_starts
    build_ask
    ask=$PWD/ask
    sed 's/^/credential /' known >asked
    begun=0 tries=0 gave_up=0
    # An answer is "accepted|…" or "refused|…|REASON|…", and must be the right one or none.
    check_answers() {
        local line right i=0
        mapfile -t right <<<"$right_out"
        while IFS= read -r line; do
            [ "$line" = "${right[i]}" ] || [[ $line == "refused|"*"|unavailable|"* || $line == "not opened: "* ]] ||
                { complain "wrong answer: $line, not ${right[i]}" && return 1; }
            i=$((i + 1))
        done <../out
        [ "$code" -lt 7 ] || { complain "ends like this" && return 1; }
    }
    begin "the library|environment|ask|asked"
    [ "$right_code" = 0 ] && [[ $right_out == "accepted|"*"refused|"* ]]
    starve_each 30 check_answers
    figure "memory: $tries times without memory for the library: no wrong answer"
}

# A server, asked for two verdicts and its numbers: what it answers, in $answers; how it ended, in $code.
# serve AT [on]
serve() {
    local i
    rm -f ../report ../log ../socket
    (
        export FAIL_MALLOC_AT=$1 FAIL_MALLOC_REPORT=../report LD_PRELOAD=$preloaded
        [ $# -eq 1 ] || export FAIL_MALLOC_ON=1
        exec "$BIN/token_authd" --listen unix:../socket --threads 1 --sandbox=off # to leave a report
    ) 2>../log 3>&- &
    authd_pid=$!
    started+=("$authd_pid")
    for ((i = 0; i < 1000; i++)); do
        ! grep -q ' event=ready ' ../log || break
        kill -0 "$authd_pid" 2>/dev/null || break
        sleep 0.01
    done
    answers=$(curl --silent --max-time 5 --unix-socket ../socket --output /dev/null --write-out '%{http_code} ' \
        -H "X-Api-Key: $good" http://localhost/verify --next \
        --silent --max-time 5 --unix-socket ../socket --output /dev/null --write-out '%{http_code} ' \
        -H "X-Api-Key: $bad" http://localhost/verify --next \
        --silent --max-time 5 --unix-socket ../socket --output /dev/null --write-out '%{http_code}' \
        http://localhost/metrics) || true
    kill "$authd_pid" 2>/dev/null || true
    code=0
    wait "$authd_pid" || code=$?
    started=()
}

@test "without memory, token_authd accepts nobody on a guess, and does not crash" {
    local at on each
    needs token_authd curl
    needs_preload fail_malloc
    set +o functrace
    make_starts
    start=tokens label=token_authd
    good=$(<secret.one) bad=$(<secret.old)
    enter_copy
    serve 0
    [ "$answers" = "200 401 200" ] && [ "$code" = 0 ]
    read -r allocations _ <../report
    tries=0 refused=0
    each=$(scale $((allocations / 8)) 1)
    for ((at = 1 + each / 2; at <= allocations; at += each)); do
        for on in '' on; do
            step="allocation $at of $allocations${on:+ and all after it}"
            enter_copy
            serve "$at" $on
            cp ../log ../said
            [ -s ../report ] || { complain "crashed" && return 1; }
            # Without an answer it is 000; some proxies would take 5xx for that, none for a 200.
            [[ $answers =~ ^(200|500|503|000)\ (401|500|503|000)\ (200|500|503|000)$ ]] ||
                { complain "answers $answers" && return 1; }
            [ "$code" -lt 7 ] || { complain "ends like this" && return 1; }
            tries=$((tries + 1))
            [[ $answers == 200* ]] || refused=$((refused + 1))
        done
    done
    figure "memory: $tries times without memory for token_authd: $refused times no verdict, else the right one"
}

teardown() {
    stop_started
    leave_memory
}
