#!/usr/bin/env bats
# Writers take turns, readers do not wait, and editors, who take no lock, lose nothing.

# shellcheck disable=SC2154 # what the loaded files set
bats_require_minimum_version 1.5.0
load common
load place
load trace

hold_lock() {
    exec 9<>api_tokens.json.lock
    flock 9
}

# Starts a command in the background, whose output goes to the files out and said; returns when it
# waits for the lock: start_waiting COMMAND...
start_waiting() {
    rm -f trace
    strace -o trace -e trace=flock,?open,openat "$@" >out 2>said 3>&- 9>&- &
    waiting=$!
    is_waiting 1
}

# Returns when the lock file has been opened so many times, and was found locked. It is the only file
# opened for reading and writing until then; its name may be hidden from strace.
is_waiting() {
    local i

    for ((i = 0; i < 1000; i++)); do
        if awk -v times="$1" '
            /^open.*O_RDWR.* = [0-9]+$/ { opened++ }
            /^flock.*EAGAIN/ && opened == times { found = 1 }
            END { exit !found }' trace 2>/dev/null; then
            return
        fi
        sleep 0.01
    done
    echo "not waiting: $(cat trace said)"
    kill "$waiting"
    return 1
}

@test "a lock that is held makes writers give up when their time is over, and names itself" {
    token=$(create one)
    hold_lock
    for command in "create two" "revoke one" "restore one" "delete one"; do
        # shellcheck disable=SC2086 # words
        fails "api_tokens.json.lock" "$manager" $command --lock-timeout 0
    done
    fails "api_tokens.json.lock" "$manager" create two --lock-timeout=0 --json
    [ "$(names)" = "api_tokens.json api_tokens.json.audit api_tokens.json.lock api_tokens.json.usage " ]
    [ "$(wc -l <api_tokens.json.audit)" -eq 1 ]
    flock -u 9
    "$manager" create two --lock-timeout 0
}

@test "a lock that is held makes a writer wait until it is let go" {
    needs_strace
    create one
    hold_lock
    start_waiting "$manager" create two
    [ ! -s out ]
    flock -u 9
    wait "$waiting"
    [ "$("$verifier" check <out | cut -d' ' -f2)" = two ]
}

@test "who holds a lock that was replaced meanwhile does not count as its holder" {
    needs_strace
    create one
    hold_lock
    start_waiting "$manager" create two

    mv api_tokens.json.lock old.lock
    exec 8>api_tokens.json.lock
    flock 8
    flock -u 9
    is_waiting 2
    [ ! -s out ]
    [ "$(jq '.tokens | length' api_tokens.json)" -eq 1 ]

    flock -u 8
    wait "$waiting"
    [ "$("$verifier" check <out | cut -d' ' -f2)" = two ]
}

@test "a link that was pointed elsewhere while waiting leads to the new place" {
    needs_strace
    create --file first.json one
    create --file second.json other
    ln -s first.json api_tokens.json
    exec 9<>first.json.lock
    flock 9
    cp first.json before
    start_waiting "$manager" create two
    ln -sfn second.json api_tokens.json
    flock -u 9
    wait "$waiting"
    cmp before first.json
    [ "$(jq -r '[.tokens[].name] | join(" ")' second.json)" = "other two" ]
}

@test "a lock timeout that is no number of seconds is refused" {
    for seconds in '' x -1 1.5 1s 0x1 ' 1' '1 ' +1 1e3 86401 99999999999999999999999; do
        run "$manager" create one --lock-timeout "$seconds"
        [ "$status" -eq 2 ] || { echo "'$seconds': $status: $output" && return 1; }
    done
    run "$manager" create one --lock-timeout
    [ "$status" -eq 2 ]
    [ "$(names)" = "" ]
}

@test "readers neither wait for the lock nor make one" {
    token=$(create one)
    hold_lock
    [ "$("$manager" list --json | jq -r '.[].name')" = one ]
    [ "$("$verifier" check <<<"$token" | cut -d' ' -f2)" = one ]
    rm api_tokens.json.lock
    "$manager" list
    "$verifier" check <<<"$token"
    [ ! -e api_tokens.json.lock ]
}

@test "the lock file is its owner's alone, and the same file for ever" {
    create one
    before=$(stat -c '%i %a %s' api_tokens.json.lock)
    [[ $before == *" 600 0" ]]
    create two
    "$manager" revoke one
    "$manager" delete one
    run "$manager" delete three
    [ "$(stat -c '%i %a %s' api_tokens.json.lock)" = "$before" ]
}

@test "what stands in the lock file is left there" {
    echo ours >api_tokens.json.lock
    create one
    [ "$(cat api_tokens.json.lock)" = ours ]
}

@test "what an editor did during a command is not lost" {
    needs_strace
    create one
    create two
    cp -a api_tokens.json start.json
    for edit in 'echo >>api_tokens.json' \
        'sed -i s/one/uno/ api_tokens.json' \
        'sed s/one/uno/ start.json >new.json && touch -r start.json new.json && mv new.json api_tokens.json' \
        'sed s/one/uno/ start.json | dd of=api_tokens.json conv=notrunc && touch -r start.json api_tokens.json' \
        ': >api_tokens.json' 'rm api_tokens.json' 'mv api_tokens.json away.json' \
        'rm api_tokens.json && mkdir api_tokens.json' \
        'mv api_tokens.json away.json && ln -s away.json api_tokens.json' \
        'chmod 644 api_tokens.json'; do
        for command in "create three" "revoke one" "delete two"; do
            rm -rf api_tokens.json
            cp -a start.json api_tokens.json
            # shellcheck disable=SC2086 # words
            start_stopped "inject=fsync:signal=STOP:when=1" "$manager" $command
            eval "$edit" 2>edit.said
            edited=$(ls -l api_tokens.json 2>&1 && cat api_tokens.json 2>&1) || true
            code=0
            resume || code=$?
            now=$(ls -l api_tokens.json 2>&1 && cat api_tokens.json 2>&1) || true
            if [ "$code" -ne 6 ] || [[ $(cat said) != *"changed by another program"* ]] ||
                [ -s out ] || [ "$now" != "$edited" ] || [ -e api_tokens.json.tmp ]; then
                echo "$command during $edit: exit $code: $(cat said out)"
                echo "from $edited to $now"
                return 1
            fi
        done
    done
    [ "$(wc -l <api_tokens.json.audit)" -eq 2 ]
}

@test "a file that somebody else made during the first create is not lost" {
    needs_strace
    start_stopped "inject=fsync:signal=STOP:when=1" "$manager" create one
    echo theirs >api_tokens.json
    code=0
    resume || code=$?
    [ "$code" -eq 6 ]
    grep "changed by another program" said
    [ "$(cat api_tokens.json)" = theirs ]
    [ ! -s out ]
    [ ! -e api_tokens.json.tmp ]
}

@test "what an editor did while the audit line was on its way is not lost either" {
    needs_strace
    create one
    start_stopped "inject=fsync:signal=STOP:when=2" "$manager" create two
    echo theirs >api_tokens.json
    code=0
    resume || code=$?
    [ "$(cat api_tokens.json)" = theirs ]
    [ "$code" -eq 6 ]
    [ ! -s out ]
}
