#!/usr/bin/env bats
# Who may do what with the file, when it is new and after each change.

# shellcheck disable=SC2154,SC2034 # what the loaded files set and use
bats_require_minimum_version 1.5.0
load common
load place

# Mode, owner, group, ACL and user attributes, but not what is in the file.
attributes() {
    stat -c '%a %u:%g' "$1"
    if type getfacl getfattr >/dev/null 2>&1; then
        getfacl --numeric --absolute-names "$1"
        getfattr --absolute-names -d "$1"
    fi 2>&1
}

# Every kind of change leaves the attributes of api_tokens.json alone, where tokens one, two and
# three are: kept WHAT
kept() {
    local before change
    before=$(attributes api_tokens.json)

    for change in "create four" "revoke one" "restore one" "delete two"; do
        # shellcheck disable=SC2086 # words
        "$manager" $change
        if [ "$(attributes api_tokens.json)" != "$before" ]; then
            echo "$1: $change: from $before to $(attributes api_tokens.json)"
            return 1
        fi
    done
    "$manager" delete four
    create two
}

three_tokens() {
    for name in one two three; do
        create "$name"
    done
}

needs_acl() {
    : >probe
    setfacl -m u:65534:r probe 2>/dev/null || skip "no POSIX ACLs here"
    rm probe
}

@test "new files are their owner's alone, whatever the umask" {
    for mask in 000 002 022 077 177 277 777; do
        mkdir "$mask"
        (umask "$mask" && cd "$mask" && create one >../token)
        for file in "$mask"/*; do
            mode=$(stat -c %a "$file")
            [ "$mode" = 600 ] || { echo "umask $mask: $file has mode $mode" && return 1; }
        done
        [ "$(names "$mask")" = "api_tokens.json api_tokens.json.audit api_tokens.json.lock api_tokens.json.usage " ]
        "$verifier" check --file "$mask/api_tokens.json" <token
    done
}

@test "in a set-group-id folder the group may read the tokens and note their use" {
    for mask in 000 022 077; do
        mkdir "$mask"
        chmod g+s "$mask"
        (umask "$mask" && cd "$mask" && create one && create two)
        [ "$(stat -c %a "$mask/api_tokens.json")" = 640 ]
        [ "$(stat -c %a "$mask/api_tokens.json.usage")" = 660 ]
        [ "$(stat -c %a "$mask/api_tokens.json.lock")" = 600 ]
        [ "$(stat -c %a "$mask/api_tokens.json.audit")" = 600 ]
    done
}

@test "in a set-group-id folder a new file has the group of the folder" {
    needs_root
    mkdir shared
    chown 0:65534 shared
    chmod 2770 shared
    (cd shared && create one)
    [ "$(stat -c '%a %u:%g' shared/api_tokens.json)" = "640 0:65534" ]
    [ "$(stat -c '%a %u:%g' shared/api_tokens.json.usage)" = "660 0:65534" ]
}

@test "a change keeps the mode, whatever the umask" {
    three_tokens
    for mode in 600 640 644 660 664 666 604 400 440 444 700; do
        for mask in 000 077; do
            umask $mask
            chmod $mode api_tokens.json
            kept "mode $mode, umask $mask"
        done
    done
}

@test "a set-group-id folder does not widen a file that is there" {
    chmod g+s .
    three_tokens
    chmod 600 api_tokens.json
    kept "in a set-group-id folder"
}

@test "a change keeps the owner and the group" {
    needs_root
    three_tokens
    for owner in 65534:65534 65534:0 0:65534 12345:54321; do
        chown "$owner" api_tokens.json
        for mode in 600 640 664; do
            chmod $mode api_tokens.json
            kept "owner $owner, mode $mode"
        done
    done
}

@test "root may change another's file, whose owner can still change it after that" {
    needs_root
    enter_unprivileged
    unprivileged "$manager" create one
    rm api_tokens.json.*
    "$manager" create two
    unprivileged "$manager" create three
    "$manager" revoke one
    unprivileged "$manager" revoke two
}

@test "who cannot keep the owner changes nothing" {
    needs_root
    enter_unprivileged
    token=$(create one)
    rm api_tokens.json.*
    for owner in 0:0 0:65534 65534:0; do
        chown "$owner" api_tokens.json
        chmod 666 api_tokens.json
        before=$(attributes api_tokens.json)
        fails "owner and group" unprivileged "$manager" create two
        fails "nothing was changed" unprivileged "$manager" revoke one
        fails "nothing was changed" unprivileged "$manager" delete one
        [ "$(attributes api_tokens.json)" = "$before" ]
        [ "$(names)" = "api_tokens.json api_tokens.json.lock " ]
    done
    chown 65534:65534 api_tokens.json
    unprivileged "$manager" create two
}

@test "a change keeps the ACL" {
    needs_acl
    three_tokens
    for acl in u:65534:r u:65534:rw g:65534:r u:65534:rw,m::r u:65534:r,g:12345:-,o::r g::r,u:1:rwx; do
        setfacl -b -m "$acl" api_tokens.json
        kept "ACL $acl"
    done
}

@test "a default ACL of the folder opens neither a new file nor a changed one" {
    needs_acl
    mkdir -m 700 folder
    setfacl -d -m u:65534:rwx,g:65534:rwx,o::rwx folder
    create --file folder/tokens.json one
    for file in folder/*; do
        [ "$(stat -c %a "$file")" = 600 ] || { echo "new: $(getfacl "$file")" && return 1; }
    done

    setfacl -b folder/tokens.json
    chmod 640 folder/tokens.json
    before=$(attributes folder/tokens.json)
    create --file folder/tokens.json two
    [ "$(attributes folder/tokens.json)" = "$before" ]
}

@test "a change keeps the ACL that a default ACL gave" {
    needs_acl
    setfacl -d -m u:65534:r,m::r .
    three_tokens
    setfacl -m m::r api_tokens.json
    setfacl -k .
    kept "an inherited ACL"
}

@test "a change keeps the attributes that people attached" {
    three_tokens
    setfattr -n user.comment -v "ours" api_tokens.json 2>/dev/null || skip "no user attributes here"
    setfattr -n user.empty api_tokens.json
    setfattr -n user.bytes -v 0x00ff0a api_tokens.json
    kept "user attributes"
    [ "$(getfattr --only-values -n user.comment api_tokens.json)" = ours ]
}

@test "usage may be written by whoever may read the tokens" {
    for row in 600:600 640:660 644:666 604:606 440:660; do
        create one
        chmod "${row%:*}" api_tokens.json
        rm api_tokens.json.usage
        create two
        mode=$(stat -c %a api_tokens.json.usage)
        [ "$mode" = "${row#*:}" ] || { echo "$row: $mode" && return 1; }
        rm api_tokens.json*
    done
}
