#!/usr/bin/env bats
# P2 and P5: when a system call fails, whichever and for whatever reason, either the change is made, or
# nothing is and the message names the cause; and nobody is accepted on a guess.

# shellcheck disable=SC2154,SC2034,SC2030,SC2031 # what the loaded files set and use
bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/place
load ../cli/trace
load ../cli/authd
load promises
load faults

# Calls that touch files, by the names that machines have for them.
file_calls='^(open|openat|read|pread64|write|writev|pwrite64|fsync|close|rename|renameat|renameat2|fchmod'
file_calls+='|fchown|fchown32|flistxattr|fgetxattr|fsetxattr|fremovexattr|flock|stat|lstat|fstat|newfstatat|statx'
file_calls+='|ftruncate|ftruncate64|unlink|unlinkat|readlink|getcwd|lseek) '

changing_calls='^(write|pwrite64|fsync|close|ftruncate|ftruncate64|rename|renameat|unlinkat|fchmod|fchown|fchown32) '

# Those that a signal may interrupt, so that trying again is all there is to do.
interruptible=" open openat read pread64 write writev pwrite64 fsync close flock ftruncate ftruncate64 fchmod fchown fchown32 "

errors=(EIO ENOSPC EDQUOT EACCES EMFILE ENOMEM EINTR)
# As glibc or musl calls them.
declare -gA texts=([EIO]="@(Input/output|I/O) error" [ENOSPC]="No space left on device"
    [EDQUOT]="@(Disk quota|Quota) exceeded" [EACCES]="Permission denied"
    [EMFILE]="@(Too many open files|No file descriptors available)"
    [ENOMEM]="@(Cannot allocate|Out of) memory" [EINTR]="Interrupted system call")

# What the command did with that error. The trail is as it was where nothing was changed.
judge_failure() {
    local said trail
    slurp ../said said
    slurp api_tokens.json.audit trail
    case $code/$changed in
    0/yes) return ;;
    [16]/no)
        [[ $said == *${texts[$error]}* ]] || { complain "does not name the cause" && return 1; }
        [ "$trail" = "$old_audit" ] || { complain "leaves a line in the trail" && return 1; }
        ;;
    1/yes) [[ $said == *"could not be shown"* || $said == *"the change was made"* ]] ||
        { complain "changed all the same" && return 1; } ;;
    6/yes) [[ $said == *"may not survive a power cut"*${texts[$error]}* ]] ||
        { complain "changed all the same" && return 1; } ;;
    *) complain "ends like this" && return 1 ;;
    esac
}

# What a signal interrupted was done all the same.
tries_again() {
    [ "$error" != EINTR ] || [[ $interruptible != *" $name "* ]] || [ "$code" = "$right_code" ] ||
        { complain "does not try again" && return 1; }
}

check_writer() {
    judge && judge_failure && tries_again && only_ours && next_command
}

check_reader() {
    judge_reader "${texts[$error]}" && tries_again && only_ours
}

check_recorder() {
    check_reader && judge && judge_uses
}

# Lets each of the calls in the file ../steps fail in that way, with "+" that call and all later ones of
# its name: fail_each CHECK [+]
fail_each() {
    local name number error
    while read -r name number error <&4; do
        step="$error of $name $number${2-}"
        injected "$name" "error=$error:when=$number${2-}"
        grep -q INJECTED ../trace || { complain "did not happen" && return 1; }
        "$1" || return 1
        failures=$((failures + 1))
        [ "$code" = "$right_code" ] || refused=$((refused + 1))
    done 4<../steps
}

# The calls of the command and the errors, as lines of ../steps: at full scale each with each; else each
# with one, by turns: steps [EACH [CALLS]]: only each so manieth of those that match.
steps() {
    local filter=$file_calls each=1
    list_calls
    if ! full; then
        each=${1-1}
        filter=${2-$filter}
        begun=$((begun + 1))
    fi
    # To start git for `status`, musl waits for a pipe to be closed, and for ever for one that never was.
    if [ "${run[1]}" = status ] && ! grep -q GLIBC_ "$verifier"; then
        sed -i '/^close /d' ../calls
    fi
    grep -E "$filter" ../calls |
        awk -v each="$each" -v begun="${begun-0}" -v errors="${errors[*]}" -v full="$(scale 0 1)" '
            BEGIN { count = split(errors, error, " ") }
            NR % each != begun % each { next }
            full { for (i = 1; i <= count; i++) print $0, error[i] }
            !full { print $0, error[(NR + begun) % count + 1] }' >../steps
}

# At the quick scale, only what comes with the lock and after it.
from_the_lock() {
    full || sed -i '0,/^flock /{/^flock /!d}' ../steps
}

@test "failing at any system call of any command that writes, the file is whole and the exit status says which" {
    needs_injection
    trace_quickly
    make_starts
    begun=0 failures=0 refused=0
    for row in "${writers[@]}"; do
        full || [[ $row =~ ^(create|create the first|convert|rotate|revoke several|delete)\| ]] || continue
        begin "$row"
        if [ "$label" = create ]; then steps && from_the_lock; else steps 6 "$changing_calls"; fi
        fail_each check_writer || return 1
    done
    [ "$failures" -ge "$(scale 50 5000)" ] && [ "$refused" -gt $((failures / 4)) ]
    figure "failure: $failures failed system calls of $(scale 6 ${#writers[@]}) changes: $refused refused with the cause, the others done"
}

@test "what was written is not taken for written when its write, fsync or close fails" {
    local error=EIO name number
    needs_injection
    trace_quickly
    make_starts
    begin "create|tokens|manager create probe"
    list_calls
    # Of the next version and of the trail, which are opened like this and no other.
    awk '{ sub(/^[0-9]+ +/, "") }
        match($0, /^[a-z0-9_]+\(/) { name = substr($0, 1, RLENGTH - 1); number[name]++ }
        /^open.*(json.tmp|O_EXCL|O_APPEND)/ && !/ = -1 / { fd = substr($0, match($0, /[0-9]+$/)) }
        /^(write|fsync|close)\(/ && fd != "" && $0 ~ "^[a-z]+\\(" fd "[,)]" { print name, number[name], "EIO" }
        /^close\(/ { fd = "" }' ../trace >../steps
    [ "$(wc -l <../steps)" -eq 6 ]
    failures=0 refused=0
    fail_each check_writer
    [ "$refused" -eq 6 ]
}

@test "interrupted at any system call of a create, it is made all the same" {
    local error=EINTR
    needs_injection
    trace_quickly
    make_starts
    begun=0 failures=0 refused=0
    begin "create|tokens|manager create probe"
    errors=(EINTR)
    steps
    from_the_lock
    while read -r name rest; do
        [[ $interruptible != *" $name "* ]] || echo "$name $rest"
    done <../steps >../steps.interruptible
    mv ../steps.interruptible ../steps
    fail_each check_writer
    [ "$failures" -gt 15 ] && [ "$refused" = 0 ]
}

@test "failing at a system call and from then on, the file is whole and the next command finds it so" {
    local error=EIO
    needs_injection
    trace_quickly
    make_starts
    begun=0 failures=0 refused=0
    check_ruin() {
        judge && only_ours && next_command || return 1
        case $code/$changed in
        0/yes | [16]/no) ;;
        [16]/yes) [[ $(<../said) == *"may not survive"* || $name == write ]] ||
            { complain "changed all the same" && return 1; } ;;
        *) complain "ends like this" && return 1 ;;
        esac
    }
    for row in "${writers[@]}"; do
        full || [[ $row == create\|* ]] || continue
        begin "$row"
        steps 5
        sort -u -k 1,2 ../steps | sed 's/ [A-Z]*$/ EIO/' >../steps.once
        mv ../steps.once ../steps
        fail_each check_ruin + || return 1
    done
    [ "$failures" -ge "$(scale 8 800)" ] && [ "$refused" -gt $((failures / 4)) ]
    figure "failure: $failures times a kind of system call failed from one call on: $refused refused, the others done"
}

@test "failing at any system call, nobody is accepted on a guess" {
    needs_injection
    trace_quickly
    make_starts
    begun=0 failures=0 refused=0
    for row in "${readers[@]}"; do
        begin "$row"
        # Whether there is a .env is looked at but once.
        if [ "$start" = key ]; then steps 1 '^(newfstatat|statx) '; else steps 20; fi
        fail_each check_reader || return 1
    done
    [ "$failures" -ge "$(scale 20 3000)" ] && [ "$refused" -gt $((failures / 10)) ]
    figure "failure: $failures failed system calls of ${#readers[@]} readers: $refused without an answer, the others right"
}

@test "failing at any system call, writing down uses changes no verdict and forgets none" {
    needs_injection
    trace_quickly
    make_starts
    begun=0 failures=0 refused=0
    for row in "${recorders[@]}"; do
        begin "$row"
        remember_uses
        steps 20
        fail_each check_recorder || return 1
    done
    [ "$failures" -ge "$(scale 8 1000)" ]
    figure "failure: $failures failed system calls of verifiers that write down uses: no wrong verdict, no use forgotten"
}

@test "reads and writes that are cut short are gone on with" {
    local pieces
    needs_preload short_io
    make_starts
    tries=0
    for pieces in $(scale 7 "1 2 3 7 10 50 100 500"); do
        for row in "${writers[@]}" "${recorders[@]}" "${readers[@]}"; do
            full || [[ $row =~ ^(create|convert|check with many uses|stream|list|audit)\| ]] || continue
            begin "$row"
            enter_copy
            code=0 step="pieces of $pieces"
            SHORT_IO=$pieces LD_PRELOAD=$preloaded "${run[@]}" <"$input" >../out 2>../said || code=$?
            [ "$code" = "$right_code" ] || { complain "does not succeed" && return 1; }
            judge
            [ "$changed" = yes ] || [ "$(<../out)" = "$(head -c -1 <<<"$right_out")" ] ||
                { complain "another answer: $(<../out)" && return 1; }
            tries=$((tries + 1))
        done
    done
    figure "failure: $tries commands with reads and writes of 1 to 500 bytes at once: all as ever"
}

@test "a file that may not grow past any one size is whole" {
    local size limit error=EFBIG
    needs prlimit
    make_starts
    failures=0 done=0
    for row in "create|tokens|manager create probe" "convert|predecessor|manager import api_tokens.json"; do
        begin "$row"
        size=$((${#new_text} + 300))
        for ((limit = 0; limit < size; limit += $(scale 400 5))); do
            enter_copy
            step="files of $limit bytes"
            # Not into files, which would have the same bound.
            {
                set -o pipefail
                code=0
                prlimit --fsize=$limit "${run[@]}" 2>&1 >&4 <"$input" | cat >../said || code=$?
                echo $code >../code
            } 4>&1 | cat >../out
            read -r code <../code
            judge && judge_failure && only_ours && next_command || return 1
            if [ "$code" = 0 ]; then done=$((done + 1)); else failures=$((failures + 1)); fi
        done
    done
    [ "$failures" -gt 3 ] && [ "$done" -gt 0 ]
    figure "failure: $failures times a file could not grow past some size: nothing changed; $done times it could"
}

@test "on a disk that is full, or nearly, a change is made or it is not" {
    needs_mounts
    make_starts
    mkdir disk
    # shellcheck disable=SC2016 # for that shell
    with_mounts '
        mount -t tmpfs -o size=256k none disk
        seq -f name-%g 150 >names
        "$1" create --batch names --file disk/api_tokens.json >/dev/null 2>&1
        made=0 failed=0
        for ((free = 0; free < 160; free += 4)); do
            head -c 1M /dev/zero >disk/filler 2>/dev/null || true
            truncate -s "$(($(stat -c %s disk/filler) - free * 1024))" disk/filler
            cp disk/api_tokens.json before
            code=0
            "$1" create "free-$free" --file disk/api_tokens.json >out 2>said || code=$?
            rm disk/filler
            case $code in
            0) made=$((made + 1)) && "$2" check --file disk/api_tokens.json <out >/dev/null ;;
            6)
                failed=$((failed + 1))
                grep -q "No space left on device" said || { cat said && exit 1; }
                cmp before disk/api_tokens.json
                ;;
            *) cat said && exit 1 ;;
            esac
            [ ! -e disk/api_tokens.json.tmp ] || { echo "$free KB leave the next version" && exit 1; }
            "$1" list --file disk/api_tokens.json >/dev/null
        done
        echo "$failed $made" >counts
        [ "$failed" -gt 5 ] && [ "$made" -gt 5 ]'
    read -r failed made <counts
    figure "failure: $failed changes on a full disk refused with nothing changed, $made done as soon as there was room"
}

@test "a folder that cannot be synced is told of, and the token is printed, because it works" {
    local last
    needs_injection
    make_starts
    begin "create|tokens|manager create probe"
    list_calls
    last=$(grep '^fsync ' ../calls | tail -n 1 | cut -d' ' -f2)
    injected fsync "error=EIO:when=$last"
    [ "$code" -eq 6 ]
    grep "may not survive a power cut" ../said
    [ "$("$verifier" check <../out | cut -d' ' -f2)" = probe ]

    # Some network file systems cannot sync folders, and say so like this.
    injected fsync "error=EINVAL:when=$last"
    [ "$code" -eq 0 ]
    [ "$("$verifier" check <../out | cut -d' ' -f2)" = probe ]
}

# The last of these system calls that a check makes: called CALLS
called() {
    strace -e trace="$1" "$verifier" check <../secret.one 2>&1 | sed -n 's/^\([a-z]*\)(.*/\1/p' | tail -n 1
}

@test "a running token_authd that cannot read the file accepts nobody until it can" {
    local name error good attached open look
    needs token_authd curl
    needs_root # to look into a running program that hides its memory
    needs_strace
    make_starts
    cp -a start.tokens work
    cd work
    good=$(cat ../secret.one)
    authd_under=()
    start_authd --threads 1
    failures=0
    # By which of its calls the C library opens a file, and looks at one.
    open=$(called '?open,?openat')
    look=$(called '?stat,?newfstatat,?statx' | sed 's/^stat$/stat,fstat/')
    for row in $(scale "$open/EMFILE pread64/EIO $look/EACCES" \
        "$open/EMFILE $open/EACCES $open/EIO $open/ENOMEM pread64/EIO pread64/ENOMEM pread64/EACCES $look/EIO $look/EACCES $look/ENOMEM"); do
        IFS=/ read -r name error <<<"$row"
        lets_in "$good"
        keeps_out "$(cat ../secret.old)"
        strace -f -p "$authd_pid" -o ../trace -e trace="$name" -e inject="$name:error=$error" \
            2>../attached 3>&- &
        attached=$!
        started+=("$attached")
        wait_for grep -q attached ../attached
        "$manager" revoke one
        ask /verify -H "X-Api-Key: $good"
        same "$code" 503
        kill "$attached"
        wait "$attached" || true
        grep -q INJECTED ../trace
        keeps_out "$good"
        "$manager" restore one
        failures=$((failures + 1))
    done
    lets_in "$good"
    figure "failure: a running token_authd could not read the file in $failures ways: 503 each time, and right again after it"
}

teardown() {
    stop_started
    leave_memory
}
