#!/usr/bin/env bats
# P2: killed at any moment, the programs leave the whole old file or the whole new one, and nothing that
# the next command minds.

# shellcheck disable=SC2154,SC2034,SC2030,SC2031 # what the loaded files set and use
bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/place
load ../cli/trace
load promises
load faults

# Kills the command at each of the calls in the file ../steps.
kill_at_each() {
    local name number
    while read -r name number <&4; do
        step="killed at $name $number"
        injected "$name" "signal=KILL:when=$number"
        [ "$code" -eq 137 ] || { complain "was not killed" && return 1; }
        judge || return 1
        [ "${run[0]}" != "$verifier" ] || judge_uses || return 1
        next_command || return 1
        kills=$((kills + 1))
        [ "$changed" = no ] || new=$((new + 1))
    done 4<../steps
}

# The calls to kill the command at: all at full scale, else those that touch files. steps [EACH]: of
# those that change a file, only each so manieth, beginning elsewhere for each command.
steps() {
    list_calls
    if full; then
        mv ../calls ../steps
    elif [ $# -eq 0 ]; then
        grep -E '^(open|openat|flock|write|pwrite64|fsync|close|renameat|unlinkat|fchmod|fchown|fchown32) ' ../calls |
            awk '{ locked = locked || /^flock/ } locked' >../steps
    else
        begun=$((begun + 1))
        grep -E '^(write|pwrite64|fsync|ftruncate|ftruncate64|renameat|unlinkat) ' ../calls |
            awk -v each="$1" -v begun="$begun" 'NR % each == begun % each' >../steps
    fi
}

# Has every step been tried, with the old file after some and the new one after others?
tried() {
    [ "$kills" -ge "$1" ] && [ "$new" -gt 0 ] && [ "$new" -lt "$kills" ]
}

@test "killed at any system call of any command that writes, the file is the old one or the new one" {
    needs_injection
    make_starts
    begun=0 kills=0 new=0
    for row in "${writers[@]}"; do
        begin "$row"
        if [ "$label" = create ]; then steps; else steps 4; fi
        kill_at_each || return 1
    done
    tried "$(scale 50 2000)" # libraries differ in how many calls they make
    figure "crash: $kills kills at the system calls of ${#writers[@]} changes: $new times the new file, else the old"
}

@test "killed between the pieces of a write, the file is the old one or the new one" {
    needs_preload short_io
    needs_injection
    preload=(-E "LD_PRELOAD=$preloaded" -E "SHORT_IO=$(scale 150 20)")
    make_starts
    begun=0 kills=0 new=0
    for row in "${writers[@]}"; do
        full || [[ $row == create\|* ]] || continue
        begin "$row"
        list_calls
        grep -E '^p?write' ../calls >../steps
        kill_at_each || return 1
    done
    tried "$(scale 10 400)"
    figure "crash: $kills kills between the pieces of writes: $new times the new file, else the old"
}

@test "killed at any system call, a verifier that writes down uses forgets none and harms no file" {
    needs_injection
    make_starts
    begun=0 kills=0
    for row in "${recorders[@]}"; do
        full || [[ $row == check* ]] || continue
        begin "$row"
        remember_uses
        if [ "$start" = used ]; then steps 1; else steps 3; fi
        kill_at_each || return 1
        [ "$changed" = no ]
    done
    [ "$kills" -ge "$(scale 5 300)" ]
    figure "crash: $kills kills at the system calls of verifiers: no use forgotten, no file harmed"
}

@test "killed at a random moment of a create, the file always loads and loses nothing" {
    local times
    needs flock
    times=$(scale 25 1000)
    killer=$BIN/tests/helpers/kill_after
    # The leak sanitizer complains when it is killed itself.
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
    use_memory
    create toggle
    TIMEFORMAT=%3R
    { time for i in {1..10}; do create "timed-$i" >made; done; } 2>elapsed
    elapsed=$(tr -d '.\n' <elapsed)
    whole=$((10#$elapsed * 100 + 100)) # of one create, in microseconds

    codes=()
    next=revoke
    for ((i = 1; i <= times; i++)); do
        code=0
        killed=("$killer" $(((RANDOM * 32768 + RANDOM) % (whole * 3 / 2))))
        # However busy the machine is or was, the first is killed, for it waits; and the last is not.
        [ "$i" -gt 1 ] || killed=(flock api_tokens.json.lock "$killer" 50000)
        [ "$i" -lt "$times" ] || killed=()
        "${killed[@]}" "$manager" create "token-$i" >"printed.$i" 2>said || code=$?
        codes+=("$code")
        "$manager" list --json >>lists || { echo "$i: does not load" && cat api_tokens.json && return 1; }
        "$manager" $next toggle || { echo "$i: the next command fails" && return 1; }
        if [ $next = revoke ]; then next=restore; else next=revoke; fi
    done
    [ "$(find . -name 'api_tokens.json*' -exec basename {} \; | sort | tr '\n' ' ')" = "${our_files# .env }" ]

    # A token that was printed is in the file; one that was not may be.
    i=0
    before=11
    while read -r count last; do
        i=$((i + 1))
        code=${codes[i - 1]}
        printed=$(cat "printed.$i")
        case "$((count - before))/$last" in
        "1/token-$i") ;;
        0/*) [ -z "$printed" ] || code="lost" ;;
        *) code="lost others" ;;
        esac
        if { [ "$code" != 0 ] || [ -z "$printed" ]; } && [ "$code" != 137 ]; then
            echo "$i: $code: $before tokens, then $count, the last $last; printed $printed"
            return 1
        fi
        before=$count
        [ -z "$printed" ] || "$verifier" check <<<"$printed" >checked ||
            { echo "$i: $printed is not accepted" && return 1; }
    done < <(jq -r '"\(length) \(.[-1].name)"' lists)
    [ "$i" -eq "$times" ]
    [[ " ${codes[*]} " == *" 137 "* ]]
    [[ " ${codes[*]} " == *" 0 "* ]]
    figure "crash: $times creates killed at a random moment: nothing lost"
}
