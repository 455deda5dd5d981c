#!/usr/bin/env bats
# The units of packaging/systemd. No systemd runs where tests run, but its tools do.

load common
load verifier
load authd
load trace

units=$BATS_TEST_DIRNAME/../../packaging/systemd

# With our program where the unit says it is.
copy_units() {
    needs token_authd systemd-analyze
    cp "$units"/token_authd.* .
    sed -i "s#^ExecStart=/usr/local/bin/token_authd#ExecStart=$BIN/token_authd#" token_authd.service
    grep -q "^ExecStart=$BIN/token_authd " token_authd.service
}

@test "systemd understands the units" {
    copy_units
    run systemd-analyze verify --man=no ./token_authd.service ./token_authd.socket
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$output" = "" ]
}

@test "systemd counts the service among those with the least exposure" {
    copy_units
    run systemd-analyze security --offline=true --threshold=10 ./token_authd.service
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "the command of the service is one that token_authd takes" {
    copy_units
    write_tokens "$(record one "$token_one")"
    read -ra command < <(sed -n 's/^ExecStart=//p' token_authd.service)
    [[ " ${command[*]} " == *" --require-auth "* ]]
    start_authd "${command[@]:1:${#command[@]}-2}" api_tokens.json
    ask /verify -H "X-Api-Key: $token_one"
    same "$code" 200
}

# The system calls of a set, with those of the sets in it, one a line; a call is itself: expand SET
expand() {
    local member
    if [[ $1 != @* ]]; then
        echo "$1"
        return
    fi
    for member in $(systemd-analyze syscall-filter "$1" | sed -n 's/^    \([^#]\)/\1/p'); do
        case $member in
        @*) expand "$member" ;;
        *) echo "$member" ;;
        esac
    done
}

# The sets and calls that the service's filter allows, or not: sets "" or sets "~"
sets() {
    sed -n "s/^SystemCallFilter=$1\\([@a-z]\\)/\\1/p" token_authd.service
}

@test "every system call that token_authd makes is one that the service may make" {
    copy_units
    needs_strace
    write_tokens "$(record one "$token_one")"
    # shellcheck disable=SC2034  # start_authd looks at it
    authd_under=(strace -D -f -o trace.txt)
    start_authd
    ask /verify -H "X-Api-Key: $token_one"
    same "$code" 200
    ask /verify -H "X-Api-Key: $token_two"
    same "$code" 401
    stop_authd
    same "$status" 0
    # The first is the one that starts it; the rest is its own.
    sed -n 's/^[0-9 ]*\([a-z][a-z0-9_]*\)(.*/\1/p' trace.txt | sort -u >called
    grep -q accept called
    # shellcheck disable=SC2046 # each is a word
    comm -23 <(for set in $(sets ""); do expand "$set"; done | sort -u) \
        <(for set in $(sets "~"); do expand "$set"; done | sort -u) >allowed
    grep -q accept allowed
    same "$(comm -23 called allowed)" ""
}
