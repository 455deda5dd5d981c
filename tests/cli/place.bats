#!/usr/bin/env bats
# Where the file stands: links, folders, mounts, full disks, and what else may stand in its place.

# shellcheck disable=SC2154,SC2034,SC2016 # what the loaded files set and use; scripts for another shell
bats_require_minimum_version 1.5.0
load common
load place

@test "a file in a folder that is not there is refused, and nothing is made" {
    token=sk-none
    for file in no/api_tokens.json no/such/api_tokens.json ./no/../api_tokens.json; do
        fails "does not exist; make it, or name another file" "$manager" create --file "$file" one
        fails "" "$manager" list --file "$file"
        fails "" "$manager" revoke --file "$file" one
        fails "unavailable" "$verifier" check --file "$file"
    done
    [ "$(names)" = "" ]
}

@test "a path that names no file is refused, and nothing is made beside the folder either" {
    token=sk-none
    mkdir -p outer/inner/folder
    cd outer/inner
    for file in . .. folder/ folder/. ./; do
        fails "" "$manager" create --file "$file" one
        fails "" "$manager" list --file "$file"
        if [ "$(names ..)$(names)$(names folder)" != "inner folder " ]; then
            echo "create --file '$file' made something:"
            ls -lAR ..
            return 1
        fi
    done
}

@test "a folder in its place is refused" {
    token=sk-none
    mkdir api_tokens.json
    for command in "create one" list "revoke one" "delete one"; do
        # shellcheck disable=SC2086 # words
        fails "is a folder" "$manager" $command
    done
    fails "is a folder" "$verifier" check
    [ "$(names api_tokens.json)" = "" ]
}

@test "a pipe or a device in its place is refused without waiting" {
    mkfifo api_tokens.json
    for command in "$manager create one" "$manager list" "$manager revoke one" "$verifier check" \
        "$manager list --file /dev/null" "$verifier check --file /dev/null" \
        "$manager list --file /dev/tty" "$verifier check --file /dev/zero"; do
        # shellcheck disable=SC2086 # words
        run timeout 10 $command <<<sk-none
        [ "$status" -eq 6 ] || { echo "$command: $status: $output" && return 1; }
    done
    [ -p api_tokens.json ]
    [ ! -e api_tokens.json.tmp ]
}

@test "a file that may not be read is refused by everybody and left alone" {
    enter_unprivileged
    token=$(unprivileged "$manager" create one 2>/dev/null)
    chmod 000 api_tokens.json
    for command in "create two" list "revoke one" "delete one"; do
        # shellcheck disable=SC2086 # words
        fails "Permission denied" unprivileged "$manager" $command
    done
    fails "unavailable" unprivileged "$verifier" check
    [ ! -e api_tokens.json.tmp ]
    chmod 600 api_tokens.json
    [ "$(jq -r '.tokens | length' api_tokens.json)" = 1 ]
}

@test "a folder that may not be written can be read, but not changed" {
    enter_unprivileged
    token=$(unprivileged "$manager" create one 2>/dev/null)
    rm api_tokens.json.lock
    chmod 555 .
    fails "Permission denied" unprivileged "$manager" create two
    fails "folder" unprivileged "$manager" revoke one
    [ "$(unprivileged "$manager" list --json | jq -r '.[].name')" = one ]
    [ "$(unprivileged "$verifier" check <<<"$token" | cut -d' ' -f2)" = one ]
    [ "$(names)" = "api_tokens.json api_tokens.json.audit api_tokens.json.usage " ]
    chmod 755 .
}

@test "a folder that may be written except for its lock file is left as it was" {
    enter_unprivileged
    token=$(unprivileged "$manager" create one 2>/dev/null)
    chmod 555 .
    fails "Permission denied" unprivileged "$manager" create two
    [ ! -e api_tokens.json.tmp ]
    [ "$(wc -l <api_tokens.json.audit)" -eq 1 ]
    chmod 755 .
    unprivileged "$manager" create two
}

@test "a file that may only be read, in a folder that may be written, is changed and keeps its mode" {
    enter_unprivileged
    token=$(unprivileged "$manager" create one 2>/dev/null)
    chmod 444 api_tokens.json
    unprivileged "$manager" create two
    [ "$(jq -r '[.tokens[].name] | join(" ")' api_tokens.json)" = "one two" ]
    [ "$(stat -c %a api_tokens.json)" = 444 ]
}

@test "a symbolic link is followed: its target changes and keeps the companions" {
    mkdir real
    for link in real/tokens.json ./real/../real/tokens.json "$PWD/real/tokens.json"; do
        rm -rf real/* api_tokens.json
        create --file real/tokens.json one
        ln -s "$link" api_tokens.json
        token=$(create two)
        [ "$(readlink api_tokens.json)" = "$link" ]
        [ "$(jq -r '[.tokens[].name] | join(" ")' real/tokens.json)" = "one two" ]
        [ "$(names real)" = "tokens.json tokens.json.audit tokens.json.lock tokens.json.usage " ]
        [ "$(names)" = "api_tokens.json real " ]
        [ "$("$verifier" check <<<"$token" | cut -d' ' -f2)" = two ]
    done
}

@test "a chain of links and linked folders leads to one file and one lock" {
    mkdir -p real deep/er
    create --file real/tokens.json one
    ln -s real folder
    ln -s ../folder/tokens.json deep/second
    ln -s ../second deep/er/third
    ln -s deep/er/third api_tokens.json
    exec 9<real/tokens.json.lock
    flock 9
    for file in api_tokens.json folder/tokens.json deep/er/third "$PWD/folder/tokens.json"; do
        run "$manager" create --file "$file" --lock-timeout 0 two
        [ "$status" -eq 6 ] || { echo "$file: $status: $output" && return 1; }
    done
    flock -u 9
    create two
    create --file folder/tokens.json three
    create --file deep/second four
    [ "$(jq -r '[.tokens[].name] | join(" ")' real/tokens.json)" = "one two three four" ]
    [ "$(names real)" = "tokens.json tokens.json.audit tokens.json.lock tokens.json.usage " ]
    [ "$(names deep)$(names deep/er)" = "er second third " ]
}

@test "a link to nothing is a fault for everybody, and nothing is made of it" {
    token=sk-none
    for target in gone.json gone/tokens.json api_tokens.json; do
        rm -f api_tokens.json
        ln -s "$target" api_tokens.json
        fails "api_tokens.json" "$manager" create one
        fails "api_tokens.json" "$manager" list
        fails "api_tokens.json" "$manager" revoke one
        fails "unavailable" "$verifier" check
        [ "$(readlink api_tokens.json)" = "$target" ]
    done
    [ "$(names)" = "api_tokens.json " ]
}

@test "a single file that is mounted cannot be replaced: the message says to mount its folder" {
    needs_mounts
    mkdir host
    create --file host/tokens.json one
    create --file host/tokens.json two
    : >api_tokens.json
    run with_mounts 'cp host/tokens.json before
        mount --bind host/tokens.json api_tokens.json
        "$1" create three >out 2>said && exit 1 || [ $? -eq 6 ]
        "$1" revoke one 2>>said && exit 1 || [ $? -eq 6 ]
        cmp before api_tokens.json
        "$1" list'
    echo "$output"
    [ "$status" -eq 0 ]
    [ ! -s out ]
    [ "$(grep -c "mount its folder" said)" -eq 2 ]
    cmp before host/tokens.json
    [ ! -e api_tokens.json.tmp ]
}

@test "a mounted file whose source was replaced is refused: the message says to mount the folder" {
    needs_mounts
    mkdir host
    token=$(create --file host/tokens.json one)
    : >api_tokens.json
    run with_mounts 'mount --bind host/tokens.json api_tokens.json
        "$2" check <<<"$3" >checked
        "$1" --file host/tokens.json revoke one
        "$2" check <<<"$3" && exit 1 || [ $? -eq 6 ]
        "$1" list && exit 1 || [ $? -eq 6 ]' "$token"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(cut -d' ' -f2 checked)" = one ]
    [ "$(grep -c "mount .*folder" <<<"$output")" -eq 2 ]
}

@test "a full disk leaves the old version and no traces" {
    needs_mounts
    mkdir disk
    run with_mounts 'mount -t tmpfs -o size=64k none disk
        cd disk
        "$1" create one >token
        mkdir new
        cp api_tokens.json api_tokens.json.audit ..
        cat /dev/zero >filler 2>../filled || true
        for change in "create two" "revoke one" "delete one"; do
            "$1" $change >>../out 2>>../said && exit 1 || [ $? -eq 6 ]
            cmp api_tokens.json ../api_tokens.json
            cmp api_tokens.json.audit ../api_tokens.json.audit
            [ ! -e api_tokens.json.tmp ]
        done
        "$1" create --file new/tokens.json one >>../out 2>>../said && exit 1 || [ $? -eq 6 ]
        [ ! -e new/tokens.json ]
        [ ! -e new/tokens.json.tmp ]
        "$2" check <token
        rm filler
        "$1" create two'
    echo "$output"
    [ "$status" -eq 0 ]
    [ ! -s out ]
    [ "$(grep -c "No space left" said)" -eq 4 ]
}

@test "a disk that is full when the audit line is due leaves everything as it was" {
    needs_mounts
    mkdir disk
    run with_mounts 'mount -t tmpfs -o size=64k none disk
        cd disk
        "$1" create one >token
        printf "%4095s\n" x >api_tokens.json.audit
        cp api_tokens.json api_tokens.json.audit ..
        cat /dev/zero >filler 2>../filled || true
        truncate -s -4096 filler
        "$1" create two >../out 2>../said && exit 1 || [ $? -eq 6 ]
        cmp api_tokens.json ../api_tokens.json
        cmp api_tokens.json.audit ../api_tokens.json.audit
        [ ! -e api_tokens.json.tmp ]'
    echo "$output"
    cat said
    [ "$status" -eq 0 ]
    [ ! -s out ]
    grep "audit trail .*No space left" said
}

@test "a folder in the place of the next version is refused" {
    token=$(create one)
    mkdir api_tokens.json.tmp
    fails "api_tokens.json.tmp" "$manager" create two
    [ "$(names api_tokens.json.tmp)" = "" ]
    [ "$(wc -l <api_tokens.json.audit)" -eq 1 ]
    rmdir api_tokens.json.tmp
    create two
}

@test "what a crash or an attacker left in the place of the next version is never written to" {
    create one
    for kind in file link dangling hard pipe; do
        echo precious >victim
        case $kind in
        file) echo half >api_tokens.json.tmp && chmod 666 api_tokens.json.tmp ;;
        link) ln -s victim api_tokens.json.tmp ;;
        dangling) ln -s made api_tokens.json.tmp ;;
        hard) ln victim api_tokens.json.tmp ;;
        pipe) mkfifo api_tokens.json.tmp ;;
        esac
        timeout 10 "$manager" create "$kind"
        if [ "$(cat victim)" != precious ] || [ -e made ] || [ -e api_tokens.json.tmp ] ||
            [ -L api_tokens.json ] || [ "$(stat -c '%a %F' api_tokens.json)" != "600 regular file" ] ||
            [ "$(jq -r '.tokens[-1].name' api_tokens.json)" != "$kind" ]; then
            echo "$kind" && ls -l && return 1
        fi
    done
}

@test "a lock file that is a link or a folder is refused and not followed" {
    token=$(create one)
    rm api_tokens.json.lock
    echo precious >victim
    for kind in link dangling folder; do
        case $kind in
        link) ln -s victim api_tokens.json.lock ;;
        dangling) ln -s made api_tokens.json.lock ;;
        folder) mkdir api_tokens.json.lock ;;
        esac
        fails "api_tokens.json.lock" timeout 10 "$manager" create two
        fails "api_tokens.json.lock" timeout 10 "$manager" revoke one
        if [ "$(cat victim)" != precious ] || [ -e made ]; then
            echo "$kind" && ls -l && return 1
        fi
        rm -d api_tokens.json.lock
    done
}

@test "an audit trail that is no file is refused, not followed, and nothing changes" {
    token=$(create one)
    rm api_tokens.json.audit
    echo precious >victim
    for kind in link dangling folder pipe; do
        case $kind in
        link) ln -s victim api_tokens.json.audit ;;
        dangling) ln -s made api_tokens.json.audit ;;
        folder) mkdir api_tokens.json.audit ;;
        pipe) mkfifo api_tokens.json.audit ;;
        esac
        fails "nothing was changed" timeout 10 "$manager" create two
        fails "nothing was changed" timeout 10 "$manager" revoke one
        if [ "$(cat victim)" != precious ] || [ -e made ] || [ -e api_tokens.json.tmp ]; then
            echo "$kind" && ls -l && return 1
        fi
        rm -d api_tokens.json.audit
    done
}

@test "an audit trail that may not be written keeps everything as it was" {
    enter_unprivileged
    token=$(unprivileged "$manager" create one 2>/dev/null)
    chmod 400 api_tokens.json.audit
    fails "audit" unprivileged "$manager" create two
    [ ! -e api_tokens.json.tmp ]
    [ "$(wc -l <api_tokens.json.audit)" -eq 1 ]
}

@test "a usage file that is a link is not followed, and stands in nobody's way" {
    echo precious >victim
    ln -s victim api_tokens.json.usage
    token=$(create one)
    "$manager" create two
    [ "$("$verifier" check <<<"$token" | cut -d' ' -f2)" = one ]
    [ "$(cat victim)" = precious ]

    ln -sf made api_tokens.json.usage
    "$manager" create three
    [ ! -e made ]
    [ "$(readlink api_tokens.json.usage)" = made ]
}

@test "an audit line that a crash cut short is closed off by the next" {
    create one
    printf '{"time": "2026-' >>api_tokens.json.audit
    create two
    [ "$(sed -n 2p api_tokens.json.audit)" = '{"time": "2026-' ]
    [ "$(sed -n '1p;3p' api_tokens.json.audit | jq -r .name)" = $'one\ntwo' ]
    [ "$(wc -l <api_tokens.json.audit)" -eq 3 ]
}
