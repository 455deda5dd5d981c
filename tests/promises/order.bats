#!/usr/bin/env bats
# P1 and P2: what reaches the disk, in the order that a power cut needs; and secrets are printed when all
# of it is there.

# shellcheck disable=SC2154,SC2034,SC2030,SC2031 # what the loaded files set and use
bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/place
load ../cli/trace
load promises
load faults

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
        /^writev?\(1,/ { print "print" }
        kind[$2 + 0] == "" || (renamed && kind[$2 + 0] ~ /next|audit/) { next }
        /^write/ { print "write-" kind[$2 + 0] }
        /^f(chmod|chown|setxattr)/ { print "attributes-" kind[$2 + 0] }
        /^f(data)?sync/ { print "sync-" kind[$2 + 0] }
        /^close/ && kind[$2 + 0] == "lock" { print "unlock" }
        /^close/ { kind[$2 + 0] = "" }' "$1" | uniq | tr '\n' ' '
}

change="lock write-next attributes-next sync-next write-audit sync-audit rename sync-folder unlock "
# The first change makes the files that stand beside the token file: lock, audit trail.
first="attributes-next lock write-next attributes-next sync-next attributes-audit write-audit sync-audit "
first+="sync-folder rename sync-folder unlock "

# Runs the command, and sees that this is the order: in_order WANTED
in_order() {
    local found
    enter_copy
    code=0
    strace -o ../trace -e trace="$calls" "${run[@]}" <"$input" >../out 2>../said || code=$?
    found=$(order ../trace)
    step="its order"
    [ "$found" = "$1" ] || { complain "$found" && return 1; }
    [ "$code" = "$right_code" ]
}

@test "all is on the disk in the order that a power cut needs, and then a secret is printed" {
    local wanted
    needs_injection
    make_starts
    for row in "${writers[@]}"; do
        begin "$row"
        case $start in
        nothing | predecessor) wanted=$first ;;
        *) wanted=$change ;;
        esac
        [ ! -s ../out ] || wanted+="print "
        in_order "$wanted" || return 1
    done
    begin "list|tokens|manager list"
    in_order "print "
    begin "create what exists|tokens|manager create one --if-not-exists"
    in_order "lock unlock "
    figure "order: the system calls of ${#writers[@]} changes are in the one order that a power cut allows"
}
