#!/usr/bin/env bats
# Whatever happens, the file is the whole old version or the whole new one, and the exit status says
# which.

# shellcheck disable=SC2154 # what the loaded files set
bats_require_minimum_version 1.5.0
load common
load place
load trace

ours="api_tokens.json api_tokens.json.audit api_tokens.json.lock api_tokens.json.usage "

# A folder `start` with one token, whose secret is $token, and in the file $steps the system calls of
# a create in it.
prepare() {
    needs_strace
    mkdir start
    token=$(cd start && create one)
    cp -a start work
    (cd work && steps "$manager" create probe) >steps.list
    steps=$PWD/steps.list
    [ "$(wc -l <"$steps")" -gt 10 ]
}

# Makes a new copy of `start` and enters it.
enter_copy() {
    cd "$BATS_TEST_TMPDIR" || return
    rm -rf work
    cp -a start work
    cd work || return
}

# The state after a create of the token `probe` that ended with $code, said things in the file said
# and printed into the file out; run inside `work`: whole STEP
whole() {
    local printed known changed=yes

    printed=$(cat ../out)
    known=$("$manager" list --json | jq -r '[.[].name] | join(" ")') || known="no list"
    if cmp -s api_tokens.json ../start/api_tokens.json; then
        changed=no
    fi
    case $changed/$known in
    "no/one" | "yes/one probe") ;;
    *) echo "$1: neither old nor new: $known" && return 1 ;;
    esac
    if [ -n "$printed" ] && [ $changed = no ]; then
        echo "$1: a token was printed that is not in the file: $printed"
        return 1
    fi
    if [ "$code" -eq 0 ] && [ -z "$printed" ]; then
        echo "$1: done, but no token was printed"
        return 1
    fi
    for each in $token $printed; do
        if ! "$verifier" check <<<"$each" >../checked; then
            echo "$1: $each is not accepted"
            return 1
        fi
    done
}

@test "killed at a random moment of a create, 200 times, the file always loads and loses nothing" {
    killer=$BIN/tests/helpers/kill_after
    # The leak sanitizer complains when it is killed itself.
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
    create toggle
    TIMEFORMAT=%3R
    { time for i in {1..10}; do create "timed-$i" >made; done; } 2>elapsed
    elapsed=$(tr -d '.\n' <elapsed)
    whole=$((10#$elapsed * 100 + 100)) # of one create, in microseconds

    codes=()
    next=revoke
    for i in {1..200}; do
        code=0
        "$killer" $(((RANDOM * 32768 + RANDOM) % (whole * 3 / 2))) "$manager" create "token-$i" \
            >"printed.$i" 2>said || code=$?
        codes+=("$code")
        "$manager" list --json >>lists || { echo "$i: does not load" && cat api_tokens.json && return 1; }
        "$manager" $next toggle || { echo "$i: the next command fails" && return 1; }
        if [ $next = revoke ]; then next=restore; else next=revoke; fi
    done
    [ "$(find . -name 'api_tokens.json*' -exec basename {} \; | sort | tr '\n' ' ')" = "$ours" ]

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
    [ "$i" -eq 200 ]
    [[ " ${codes[*]} " == *" 137 "* ]]
    [[ " ${codes[*]} " == *" 0 "* ]]
}

@test "killed at any system call of a create, the file is the old one or the new one" {
    prepare
    while read -r name number; do
        enter_copy
        code=0
        strace -o ../trace -e inject="$name:signal=KILL:when=$number" "$manager" create probe \
            >../out 2>../said || code=$?
        [ "$code" -ne 0 ] || { echo "$name $number: not killed" && return 1; }
        whole "killed at $name $number"
        create after || { echo "$name $number: the next command fails" && return 1; }
        [ "$(names)" = "$ours" ] || { echo "$name $number leaves $(names)" && return 1; }
    done <"$steps"
}

@test "failing at any system call of a create, the file is whole and the exit status says which" {
    prepare
    while read -r name number; do
        for error in EIO ENOSPC; do
            enter_copy
            code=0
            strace -o ../trace -e inject="$name:error=$error:when=$number" "$manager" create probe \
                >../out 2>../said || code=$?
            step="$error of $name $number (exit $code, $(head -1 ../said))"
            grep -q INJECTED ../trace || { echo "$step: did not happen" && return 1; }
            whole "$step"
            case $code in
            0) ;;
            1) grep -q "could not be shown" ../said || { echo "$step" && return 1; } ;;
            6) if ! grep -q "may not survive a power cut" ../said; then
                cmp api_tokens.json ../start/api_tokens.json || { echo "$step: changed" && return 1; }
            fi ;;
            *) echo "$step: exit" && return 1 ;;
            esac
            [ ! -e api_tokens.json.tmp ] || { echo "$step leaves the next version" && return 1; }
            create after || { echo "$step: the next command fails" && return 1; }
            [ "$(names)" = "$ours" ] || { echo "$step leaves $(names)" && return 1; }
        done
    done <"$steps"
}

@test "interrupted at any system call of a create, it succeeds all the same" {
    prepare
    while read -r name number; do
        case $name in
        open | openat | flock | read | pread64 | write | pwrite64 | fsync | ftruncate | close) ;;
        *) continue ;; # those that no signal interrupts
        esac
        enter_copy
        code=0
        strace -o ../trace -e inject="$name:error=EINTR:when=$number" "$manager" create probe \
            >../out 2>../said || code=$?
        [ "$code" -eq 0 ] || { echo "$name $number: $(cat ../said)" && return 1; }
        whole "$name $number"
        [ "$(names)" = "$ours" ] || { echo "$name $number leaves $(names)" && return 1; }
    done <"$steps"
}

# What reaches the disk, in order: one word for each system call that matters. Programs that dump no
# core hide their memory from strace, names and all, so files are told apart by how they are opened.
order() {
    awk -F'[(,]' '
        / = -1 / { next }
        /^open/ { opened = substr($0, match($0, /[0-9]+$/)) + 0 }
        /^open.*O_EXCL/ { kind[opened] = "next" }
        /^open.*O_APPEND/ { kind[opened] = "audit" }
        /^open.*O_DIRECTORY/ { kind[opened] = "folder" }
        /^flock.*LOCK_EX/ && !renamed { kind[$2 + 0] = "lock"; print "lock" }
        /^rename/ { renamed = 1; print "rename" }
        /^write\(1,/ { print "print" }
        kind[$2 + 0] == "" || (renamed && kind[$2 + 0] ~ /next|audit/) { next }
        /^write/ { print "write-" kind[$2 + 0] }
        /^f(chmod|chown|setxattr)/ { print "attributes-" kind[$2 + 0] }
        /^f(data)?sync/ { print "sync-" kind[$2 + 0] }
        /^close/ && kind[$2 + 0] == "lock" { print "unlock" }
        /^close/ { kind[$2 + 0] = "" }' "$1" | uniq | tr '\n' ' '
}

@test "a token is printed last, after all is on the disk, in the order that a power cut needs" {
    needs_strace
    mkdir work
    cd work
    change="lock write-next attributes-next sync-next write-audit sync-audit rename sync-folder unlock "
    # The first change makes the files that stand beside the token file.
    first="attributes-next lock write-next attributes-next sync-next attributes-audit write-audit sync-audit "
    first+="sync-folder rename sync-folder unlock print "
    for row in "create one:$first" "create two:${change}print " "create --json three:${change}print " \
        "revoke one:$change" "restore one:$change" "delete one two:$change" "list:print "; do
        # shellcheck disable=SC2086 # words
        strace -o ../trace -e trace="$calls" "$manager" ${row%%:*} >../out 2>../said
        if [ "$(order ../trace)" != "${row#*:}" ]; then
            echo "${row%%:*}: $(order ../trace)"
            return 1
        fi
    done
}

@test "a folder that cannot be synced is told of, and the token is printed, because it works" {
    prepare
    number=$(grep -c ^fsync "$steps") # the last
    cd work
    code=0
    strace -o ../trace -e inject="fsync:error=EIO:when=$number" "$manager" create two \
        >../out 2>../said || code=$?
    [ "$code" -eq 6 ]
    grep "may not survive a power cut" ../said
    [ "$("$verifier" check <../out | cut -d' ' -f2)" = two ]

    # Some network file systems cannot sync folders, and say so like this.
    strace -o ../trace -e inject="fsync:error=EINVAL:when=$number" "$manager" create three \
        >../out 2>../said
    [ "$("$verifier" check <../out | cut -d' ' -f2)" = three ]
}

@test "a change that failed leaves no audit line" {
    prepare
    enter_copy
    for call in $(awk '/^rename/ { print $1 }' "$steps") fsync; do
        strace -o ../trace -e inject="$call:error=EIO:when=1" "$manager" create two || [ $? -eq 6 ]
        cmp api_tokens.json.audit ../start/api_tokens.json.audit || { echo "$call" && return 1; }
    done
}
