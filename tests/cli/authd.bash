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
    stop_started
}

stop_started() {
    local pid
    # All of them before any is waited for: a server may wait for its clients.
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${started[@]}"; do
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

# A server with these options, ready: start_authd [OPTION...]. On a port of 127.0.0.1 that is free,
# unless --listen says otherwise. Sets authd_pid, authd_log, authd_url, and for TCP authd_port.
# The log goes on after that of the one before.
start_authd() {
    local before
    needs token_authd curl
    authd_log=$BATS_TEST_TMPDIR/authd.log
    [[ " $* " == *" --listen "* ]] || set -- --listen 127.0.0.1:0 "$@"
    : >>"$authd_log"
    before=$(logged ready)
    "${authd_under[@]}" "$BIN/token_authd" "$@" 2>>"$authd_log" 3>&- &
    authd_pid=$!
    started+=("$authd_pid")
    wait_for came_up_or_ended "$before"
    so_often $((before + 1)) ready || fail "$(<"$authd_log")"
    authd_port=''
    [[ ! $(log_lines ready) =~ .*\ event=ready\ listen=[^\ ]*:([0-9]+)\  ]] || authd_port=${BASH_REMATCH[1]}
    authd_url=http://${authd_port:+127.0.0.1:}${authd_port:-localhost}
}

came_up_or_ended() {
    so_often $(($1 + 1)) ready || has_ended "$authd_pid"
}

has_ended() {
    ! kill -0 "$1" 2>/dev/null
}

# Lines of the log about an event, and how many: log_lines EVENT, logged EVENT
log_lines() {
    local line
    while IFS= read -r line; do
        [[ $line != *" event=$1 "* ]] || printf '%s\n' "$line"
    done <"$authd_log"
}

logged() {
    local line count=0
    while IFS= read -r line; do
        [[ $line != *" event=$1 "* ]] || count=$((count + 1))
    done <"$authd_log"
    echo "$count"
}

# so_often NUMBER EVENT: the log tells of it as often as that, or more.
so_often() {
    [ "$(logged "$2")" -ge "$1" ]
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
    head=$(<head.txt)
    head=${head//$'\r'/}
    body=$(<body.txt)
}

# lets_in TOKEN, keeps_out TOKEN [STATUS]: so goes a request with it.
lets_in() {
    ask /verify -H "X-Api-Key: $1"
    same "$code" 200
}

keeps_out() {
    ask /verify -H "X-Api-Key: $1"
    same "$code" "${2-401}"
}

# Waits until it has ended by itself, and takes its exit status into $status.
wait_for_end() {
    wait_for has_ended "$authd_pid"
    status=0
    wait "$authd_pid" || status=$?
}

# The value of one header of the last answer, whatever its case: header NAME
header() {
    local line value
    while IFS= read -r line; do
        value=${line#*:}
        [[ ${line,,} != "${1,,}":* ]] || echo "${value#"${value%%[! ]*}"}"
    done <<<"$head"
}

# The last body is one that OpenAI's clients understand: has_body_of_refusal CODE [TYPE]
# (Looked at as text, because jq takes long to start.)
has_body_of_refusal() {
    local string='"([^"\\[:cntrl:]]|\\["\\/bfnrt])+"'
    local wanted='\{"error": ?\{"message": ?'$string', ?"type": ?"'${2-invalid_request_error}
    wanted+='", ?"param": ?null, ?"code": ?"'$1'"\}\}'
    [[ ${body%$'\n'} =~ ^$wanted$ ]] || fail "not the body of a refusal, or not $1: $body"
}

# What it answers to these very bytes (printf's escapes), which ask it to close the connection:
# ask_raw BYTES. Sets code, head and body.
ask_raw() {
    local answer
    exec 7<>"/dev/tcp/127.0.0.1/$authd_port"
    # shellcheck disable=SC2059  # the escapes are the caller's
    if [[ $1 == *'\0'* ]]; then
        printf "$1" >sent.txt # in one piece, as small ones wait for each other in TCP
        (trap '' PIPE && cat sent.txt >&7) 2>/dev/null || true # it need not read to the end
    else
        say 7 "$1"
    fi
    IFS= read -r -t 10 -d '' answer <&7 || true            # to the end
    answer=${answer//$'\r'/}
    exec 7<&- 7>&-
    head=${answer%%$'\n\n'*}
    body=${answer#"$head"$'\n\n'}
    body=${body%$'\n'}
    code=''
    [[ ! $head =~ ^HTTP/1.1\ ([0-9]+) ]] || code=${BASH_REMATCH[1]}
}

# A server with these options does not come up, and says why:
# fails_to_start STATUS WORDS [OPTION...]. What it said is in $stderr.
fails_to_start() {
    local wanted=$1 words=$2
    shift 2
    needs token_authd
    [[ " $* " == *" --listen "* ]] || set -- --listen 127.0.0.1:0 "$@"
    run_apart timeout 5 "$BIN/token_authd" "$@"
    exits "$wanted"
    same "$output" ""
    says "$stderr" "$words"
    lacks "$stderr" "event=ready"
}

# A connection of the test's own, its descriptor in $fd. What is sent (printf's escapes) may meet a
# closed one: dial, say FD BYTES
dial() {
    exec {fd}<>"/dev/tcp/127.0.0.1/$authd_port"
}

say() {
    local bytes
    # shellcheck disable=SC2059  # the escapes are the caller's
    printf -v bytes "$2"
    trap '' PIPE
    # echo writes at once, where printf would write a line at a time, and each would wait in TCP.
    { echo -n "$bytes" >&"$1"; } 2>/dev/null || true
    trap - PIPE
}

# A request for a verdict: say_verify FD CREDENTIAL
say_verify() {
    say "$1" "GET /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $2\r\n\r\n"
}

# The next answer on a connection, in code, head and body: hear FD [without-body]
hear() {
    local line LC_ALL=C
    code='' head='' body=''
    while IFS= read -r -t 10 -u "$1" line && [ "${line%$'\r'}" != "" ]; do
        head+=${line%$'\r'}$'\n'
    done
    [[ $head =~ ^HTTP/1\.1\ ([0-9]{3})\  ]] || fail "no answer" "$head"
    code=${BASH_REMATCH[1]}
    if [ "${2-}" = "" ] && [[ ${head,,} =~ content-length:\ ([1-9][0-9]*) ]]; then
        IFS= read -r -t 10 -N "${BASH_REMATCH[1]}" -u "$1" body || fail "half a body" "$head$body"
        body=${body%$'\n'}
    fi
}

# Has the server ended that connection, without another word? With a limit of seconds to find out:
# is_over FD [SECONDS]
is_over() {
    local byte got=0
    IFS= read -r -t "${2-10}" -N 1 -u "$1" byte || got=$?
    [ "$got" = 1 ] # above 128: it is silent, but there
}

hang_up() {
    eval "exec $1<&-"
}

# A number of /metrics: metric NAME, without what all names begin with
metric() {
    curl --silent --fail "$authd_url/metrics" |
        awk -v name="token_authd_$1" 'index($0, name " ") == 1 { print $NF }'
}

# How many descriptors the server has.
descriptors() {
    find "/proc/$authd_pid/fd" -mindepth 1 | wc -l
}

# has_at_least NUMBER, has_at_most NUMBER of them
has_at_least() {
    [ "$(descriptors)" -ge "$1" ]
}

has_at_most() {
    [ "$(descriptors)" -le "$1" ]
}

# Allows so many descriptors, or skips the test: allow_descriptors COUNT
allow_descriptors() {
    ulimit -Sn "$1" 2>/dev/null || skip "needs $1 file descriptors"
}
