# For tests that look at, stop, kill or fail a program at one of its system calls.
# shellcheck shell=bash

needs_strace() {
    strace -o /dev/null true 2>/dev/null || skip "needs strace, and leave to use it"
    # A traced program cannot be looked at by the leak sanitizer.
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
}

# The system calls that matter here. Not every machine has each.
calls='?open,openat,flock,fcntl,read,pread64,write,writev,pwrite64,fsync,fdatasync,ftruncate,close,?rename'
calls+=',?renameat,?renameat2,?unlink,unlinkat,?chmod,fchmod,?chown,fchown,fsetxattr,fremovexattr'

# Each system call from the first lock on, with how many of its name there were until then, as lines
# "NAME NUMBER": steps COMMAND...
steps() {
    strace -o trace -e trace="$calls" "$@" >steps.out 2>steps.said
    awk -F'(' '/^[a-z0-9_]+\(/ {
        number[$1]++
        locked = locked || $1 == "flock"
        if (locked) print $1, number[$1]
    }' trace
}

# Starts a command in the background that strace, told INJECT, stops by a signal; returns when it
# stands still. Its output goes to the files out and said: start_stopped INJECT COMMAND...
start_stopped() {
    local inject=$1 i
    shift

    rm -f trace
    strace -f -o trace -e trace="$calls" -e "$inject" "$@" >out 2>said 3>&- &
    tracer=$!
    for ((i = 0; i < 1000; i++)); do
        stopped=$(sed -n 's/ .*--- stopped by SIGSTOP ---.*//p' trace 2>/dev/null || true)
        [ -z "$stopped" ] || return 0
        sleep 0.01
    done
    echo "never stopped: $(cat trace said)"
    kill "$tracer"
    return 1
}

# Lets it go on; its exit status.
resume() {
    kill -CONT "$stopped"
    wait "$tracer"
}
