# For the bats files about token_authd, loaded after common and verifier: servers that are started for
# one test and stopped after it, and what they answer.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # variables of the callers, and for them

PATH=$PATH:/usr/sbin:/sbin # where servers are

# The processes that the test started, to be ended by their ids.
started=()

# What token_authd is started under: a command that puts it in its own place.
authd_under=()

teardown() {
    local pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

# Until a command succeeds, at most ten seconds: wait_for COMMAND...
wait_for() {
    local i
    for ((i = 0; i < 500; i++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.02
    done
    fail "this did not come about: $*"
}

# Skips the test, by name, where a program is missing: needs PROGRAM...
needs() {
    local program
    for program in "$@"; do
        if [ "$program" = token_authd ]; then
            [ -x "$BIN/token_authd" ] || skip "needs token_authd, which was left out"
        else
            command -v "$program" >/dev/null || skip "needs $program (make deps-test)"
        fi
    done
}

# A server with these options, ready: start_authd [OPTION...]. On a port of 127.0.0.1 that is free,
# unless --listen says otherwise. Sets authd_pid, authd_log, and for TCP authd_port and authd_url.
start_authd() {
    needs token_authd curl
    authd_log=$BATS_TEST_TMPDIR/authd.log
    [[ " $*" == *" --listen"* ]] || set -- --listen 127.0.0.1:0 "$@"
    "${authd_under[@]}" "$BIN/token_authd" "$@" 2>>"$authd_log" 3>&- &
    authd_pid=$!
    started+=("$authd_pid")
    wait_for grep -q " event=ready " "$authd_log" || fail "$(cat "$authd_log")"
    authd_port=$(sed -n 's/.* event=ready listen=[^ ]*:\([0-9]*\) .*/\1/p' "$authd_log" | tail -n 1)
    authd_url=http://127.0.0.1:$authd_port
}

# SIGTERM, and its exit status in $status.
stop_authd() {
    kill "$authd_pid"
    status=0
    wait "$authd_pid" || status=$?
}

# What it answers: ask PATH [CURL OPTION...]. Sets code, head (without CR) and body.
ask() {
    local path=$1
    shift
    code=$(curl --silent --show-error --max-time 10 --dump-header head.txt --output body.txt \
        --write-out '%{http_code}' "$@" "$authd_url$path")
    head=$(tr -d '\r' <head.txt)
    body=$(cat body.txt)
}

# The value of one header of the last answer, whatever its case: header NAME
header() {
    sed -n "s/^$1: *//Ip" <<<"$head"
}

# What it answers to these very bytes (printf's escapes), which ask it to close the connection:
# ask_raw BYTES. Sets code, head and body.
ask_raw() {
    local answer
    exec 7<>"/dev/tcp/127.0.0.1/$authd_port"
    # shellcheck disable=SC2059  # the escapes are the caller's
    printf "$1" >&7
    IFS= read -r -t 10 -d '' answer <&7 || true # to the end
    answer=${answer//$'\r'/}
    exec 7<&- 7>&-
    head=${answer%%$'\n\n'*}
    body=${answer#"$head"$'\n\n'}
    body=${body%$'\n'}
    code=''
    [[ ! $head =~ ^HTTP/1.1\ ([0-9]+) ]] || code=${BASH_REMATCH[1]}
}
