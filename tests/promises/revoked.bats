#!/usr/bin/env bats
# Dead means dead: twelve readers of three kinds ask without end while a writer kills tokens, or the
# file changes in whatever way files change. See tests/helpers/storm.c.

# shellcheck disable=SC2154 # what the loaded files set
bats_require_minimum_version 1.5.0
load promises
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/place
load ../cli/trace

folders=()
rest=$(scale 400 100) # microseconds between a reader's questions, if it is not behind
under=() # what programs are run under …
when=''  # … or where the file is, in words

teardown() {
    stop_started
    rm -rf "${folders[@]}"
}

# A folder with the two tokens, and token_authd at its socket, which is entered: prepare [PARENT]
prepare() {
    local folder
    folder=$(mktemp -d "${1-$BATS_TEST_TMPDIR}/revoked.XXXXXX")
    folders+=("$folder")
    cd "$folder" || return
    create "victim" >victim
    create "steady" >steady
}

# Nothing was wrong in a storm, the file said: calm PLAY
calm() {
    local said
    said=$(cat said)
    says "$said" ", 0 wrong"
    # A reader that never saw a live token accepted, or that never saw it refused, would prove nothing.
    same "$(grep -c ' checks, [1-9]' said)" 3
    same "$(grep -c ' 0 accepted' said)" 0
    same "$(grep -c ' 0 refused.* 0 unavailable' said)" 0
    figure "revoked: $1$when: $(tac said | paste -sd';' | sed 's/;/; /g; s/, 0 [a-z]* while [a-z]*//g')"
}

# A whole test: play PLAY ROUNDS [PARENT]
play() {
    prepare "${@:3}"
    # shellcheck disable=SC2034 # for start_authd
    authd_under=("${under[@]}")
    start_authd --listen unix:authd.sock --timeout 3600 --threads 4
    "${under[@]}" timeout $((100 + $2)) "$BIN/tests/helpers/storm" "$BIN" "$1" "$2" "$rest" \
        >said 2>talk.txt || fail "$(cat said)" "$(tail -n 5 talk.txt)"
    calm "$1"
}

# A folder in memory, where there is one, as each command of the writer waits for the disk.
in_memory() {
    if [ -d /dev/shm ] && [ -w /dev/shm ]; then
        echo /dev/shm
    else
        echo "$BATS_TEST_TMPDIR"
    fi
}

# From here on, all times of all files are the same.
stop_clocks() {
    ! grep -q fsanitize "$BIN/flags" || skip "a sanitizer must be the first library"
    under=(env "LD_PRELOAD=$BIN/tests/preload/one_tick.so")
    when=" within one tick"
    touch -d 2001-01-01 old
    touch new
    "${under[@]}" bash -c '! [ new -nt old ]' || skip "files are examined by other calls here"
}

@test "no token is accepted after its revoke has returned, on a disk" {
    play revoke "$(scale 5 1000)"
}

@test "no token is accepted after its revoke has returned, in memory" {
    when=" in memory"
    play revoke "$(scale 40 9000)" "$(in_memory)"
}

@test "no secret is accepted after a rotate without grace has returned" {
    play rotate "$(scale 15 1000)" "$(in_memory)"
}

@test "no token is accepted after its delete has returned" {
    play delete "$(scale 10 1000)" "$(in_memory)"
}

@test "no token is accepted after its revoke has returned, when no time of a file tells" {
    stop_clocks
    play revoke "$(scale 10 1000)"
}

@test "a version of the same size, made within the same tick of the clock, counts" {
    stop_clocks
    play replace "$(scale 20 5000)"
}

# Does an inode number come back on this file system when a file is replaced twice?
inodes_come_back() {
    local i number
    echo first >probe
    for ((i = 0; i < 50; i++)); do
        number=$(stat -c %i probe)
        echo second >probe.next && mv probe.next probe
        echo third >probe.next && mv probe.next probe
        [ "$(stat -c %i probe)" != "$number" ] || return 0
    done
    return 1
}

@test "a file that is replaced twice does not come back with the inode number that readers know" {
    inodes_come_back || skip "inode numbers do not come back on this file system"
    stop_clocks
    play twice "$(scale 20 5000)"
}

@test "an edit in place is seen by its time, and by its size" {
    play edit "$(scale 10 1000)"
}

@test "a file that is away for a moment is unavailable, and opens no door" {
    play away "$(scale 10 2000)"
}

@test "links that are swapped, as Kubernetes does, lead to the new version from then on" {
    play links "$(scale 10 2000)"
}

@test "a link whose target is not there when it is opened, and is again, is no missing file" {
    needs_strace
    prepare
    mkdir ..data
    mv api_tokens.json ..data/
    ln -s ..data/api_tokens.json .
    # Which of the files that it opens; their names may be hidden from strace.
    strace -o trace -e trace="?open,openat" "$verifier" check <victim
    open=$(sed -n 's/(.*O_NONBLOCK.* = [0-9]*$//p' trace | head -n 1)
    strace -o trace -e trace="$open" "$verifier" check <victim
    number=$(awk '/O_NONBLOCK/ && / = [0-9]+$/ { print NR; exit }' trace)
    # The first time, and every time.
    for times in "$number" "$number+"; do
        run --separate-stderr strace -o trace -e trace="$open" \
            -e "inject=$open:error=ENOENT:when=$times" "$verifier" check <victim
        grep -q INJECTED trace
        lacks "$output$stderr" "AUTHENTICATION IS OFF"
        case $times in
        *+) unavailable "comes and goes" ;;
        *) exits 0 && says "$output" " victim" ;;
        esac
    done
}

# A mount is seen by nobody else, so all is in there.
play_mount() {
    needs token_authd
    needs_mounts
    prepare
    # shellcheck disable=SC2016 # for that shell
    "${unshare[@]}" "${under[@]}" bash -eu -c '
        "$1/token_authd" --listen unix:authd.sock --timeout 3600 2>authd.log &
        trap "kill $!" EXIT
        for ((i = 0; i < 500; i++)); do
            [ ! -S authd.sock ] || break
            sleep 0.02
        done
        timeout 600 "$1/tests/helpers/storm" "$1" mount "$2" "$3" 2>talk.txt' \
        - "$BIN" "$1" "$rest" 3>&- >said ||
        fail "$(cat said)" "$(tail -n 5 talk.txt)"
    calm mount
}

@test "a mounted file whose source was replaced is unavailable until it is mounted anew" {
    play_mount "$(scale 2 100)"
}

@test "a mounted file whose source was replaced is unavailable when no time tells, too" {
    stop_clocks
    play_mount "$(scale 2 100)"
}
