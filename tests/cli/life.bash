# For the tests of what happens to a token in its life, loaded after common, verifier, authd and library:
# the manager with tokens whose secrets are known, and all that give verdicts, asked alike.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # variables of the callers, and for them

# Run the manager, which must end with that status: manages STATUS ARGUMENT...
manages() {
    run_apart "$manager" "${@:2}"
    printf '%q ' token_manager "${@:2}"
    printf '\n%s\n' "$output" "$stderr" "(exit status $status, and $1 is right)"
    [ "$status" -eq "$1" ]
}

# And the uses must not change either.
remembered+=(api_tokens.json.usage)

# A time so many seconds from now, as the file has it: in_seconds NUMBER
in_seconds() {
    date -u -d "@$(($(date +%s) + $1))" +%Y-%m-%dT%H:%M:%SZ
}

# Is that time so many seconds after $begun, or as many more as have passed? within TIME SECONDS
within() {
    local time
    time=$(date -u -d "$1" +%s) || return
    ((time >= begun + $2 && time <= $(date +%s) + $2)) ||
        fail "$1 is not $2 seconds after $(date -u -d "@$begun")"
}

# The program `ask`, made once a file: call it in setup_file.
build_ask_once() {
    needs_build || return
    cd "$BATS_FILE_TMPDIR" || return
    build_ask
}

# The library's word for a verdict: library_says SECRET [SCOPE...], in $answer
library_says() {
    local scope
    answer=$({
        for scope in "${@:2}"; do
            echo "scope $scope"
        done
        echo "credential $1"
    } | "$BATS_FILE_TMPDIR/ask")
    case $answer in
    accepted*) answer=accepted ;;
    *) answer=${answer#*|*|} answer=${answer%%|*} ;;
    esac
}

# ASCII for a query, all but letters and digits encoded: encoded TEXT
encoded() {
    local i
    for ((i = 0; i < ${#1}; i++)); do
        case ${1:i:1} in
        [A-Za-z0-9]) printf %s "${1:i:1}" ;;
        *) printf %%%02X "'${1:i:1}" ;;
        esac
    done
}

# Does everything that gives verdicts say this of a secret? everybody_says WORD SECRET [SCOPE...]
# where WORD is "accepted" or the reason. A server is started when it is first asked, and goes on.
everybody_says() {
    local word=$1 secret=$2 scope code wanted query='' options=()
    for scope in "${@:3}"; do
        options+=(--scope "$scope")
        query+="${query:+&}scope=$(encoded "$scope")"
    done
    verdict "$secret" "${options[@]}"
    if [ "$word" = accepted ]; then
        exits 0
    else
        exits 1
        says "$stderr" "refused ($word): "
    fi
    run_apart "$verifier" stream "${options[@]}" <<<"$secret"
    exits 0
    if [ "$word" = accepted ]; then
        says "$output" "OK tok_"
    else
        same "$output" "ERR $word"
    fi
    library_says "$secret" "${@:3}"
    same "$answer" "$word"
    [ -x "$BIN/token_authd" ] || return 0
    [ -n "${authd_pid-}" ] || start_authd
    case $word in
    accepted) wanted=200 ;;
    scope) wanted=403 ;;
    *) wanted=401 ;;
    esac
    ask "/verify${query:+?$query}" -H "Authorization: Bearer $secret"
    same "$code" "$wanted"
    ask /verify -H "Authorization: Bearer $secret" ${query:+-H "X-Required-Scope: ${*:3}"}
    same "$code" "$wanted"
    [ "$word" = accepted ] || says "$(log_lines refused | tail -n 1)" " reason=$word "
}

# Starts a stream to talk to, which ends with the test: talk [OPTION...]
talk() {
    coproc STREAM { exec "$verifier" stream "$@" 3>&-; }
    started+=("$STREAM_PID")
    eval "exec {to}>&${STREAM[1]} {from}<&${STREAM[0]}"
}

# Its answer to a line: hears WANTED LINE
hears() {
    local heard
    printf '%s\n' "$2" >&"$to"
    IFS= read -r -t 20 heard <&"$from" || fail "no answer to $2"
    # shellcheck disable=SC2053  # a pattern
    [[ $heard == $1 ]] || fail "heard:  $heard" "wanted: $1"
}
