#!/usr/bin/env bats
# token_verifier stream: a verdict a line, for as long as there is input.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, verifier and run; a test is a subshell
# shellcheck disable=SC2016  # dollars in single quotes are another shell's

bats_require_minimum_version 1.5.0
load common
load verifier

teardown() {
    # Only a test that failed leaves one.
    [ -z "${pid-}" ] || kill "$pid" 2>/dev/null || true
    chmod -R u+rwX "$BATS_TEST_TMPDIR"
}

# The answers to some input: stream INPUT [OPTION...]. INPUT is for printf %b.
stream() {
    printf %b "$1" >input
    run_apart "$verifier" stream "${@:2}" <input
}

# The same to a file's bytes: stream_of FILE [OPTION...]
stream_of() {
    run_apart "$verifier" stream "${@:2}" <"$1"
}

# The stream's answer that accepts: ok SECRET NAME
ok() {
    printf 'OK %s %s' "$(id_of "$1")" "$2"
}

# answered ANSWER...: these and no others, nothing else was said, and all is well.
answered() {
    local IFS=$'\n'
    exits 0
    same "$output" "$*"
    same "$stderr" ""
}

# Starts a stream to talk to: start [COMMAND...] OPTION..., where COMMAND runs the verifier.
start() {
    coproc STREAM { exec "$@" 2>said 3>&-; }
    pid=$STREAM_PID
    eval "exec {to}>&${STREAM[1]} {from}<&${STREAM[0]} ${STREAM[1]}>&- ${STREAM[0]}<&-"
}

# Its answer to a line, in $answer: ask LINE
ask() {
    printf '%s\n' "$1" >&"$to"
    read -r -t 20 answer <&"$from" || fail "no answer to $1" "$(cat said)"
}

# asked LINE ANSWER: that is the answer.
asked() {
    ask "$1"
    same "$answer" "$2"
}

# The input ends, and the stream with it; its exit status is in $ended.
finish() {
    exec {to}>&-
    wait_for_end
}

wait_for_end() {
    eventually gone
    ended=0
    wait "$pid" || ended=$?
    pid=''
}

gone() {
    ! kill -0 "$pid" 2>/dev/null
}

# Is it so within a while? eventually COMMAND...
eventually() {
    local i
    for ((i = 0; i < 1000; i++)); do
        ! "$@" || return 0
        sleep 0.01
    done
    fail "never: $*"
}

repeat() {
    printf "%$1s" "" | tr ' ' "${2:-x}"
}

@test "each line has its answer, for every reason there is" {
    write_tokens "$(record ci "$token_one" '"scopes": ["read"]')" \
        "$(record old "$token_two" "\"revoked_at\": \"$past\"")" \
        "$(record older "$token_three" "\"expires_at\": \"$past\"")"
    jwt=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ
    stream "$token_one\n$token_two\n$token_three\n$stranger\n\n${token_one:0:40}\n${token_one%?}x
two words\n$(id_of "$token_one")\n$jwt\n$(digest "$token_one")\nblake2b-256:$(digest "$token_one")\nanything\n"
    answered "$(ok "$token_one" ci)" "ERR revoked" "ERR expired" "ERR unknown" "ERR missing" \
        "ERR malformed" "ERR malformed" "ERR malformed" "ERR id_not_token" "ERR jwt_not_token" \
        "ERR digest_not_token" "ERR digest_not_token" "ERR unknown"
    stream "$token_one\n" --scope write
    answered "ERR scope"
    echo nothing >api_tokens.json
    stream "$token_one\n\n"
    exits 6
    same "$output" $'ERR unavailable\nERR unavailable'
    same "$(grep -c "api_tokens.json:1: " <<<"$stderr")" 1
}

@test "a stream says what check says" {
    write_tokens "$(record "a name" "$token_one")" "$(record old "$token_two" "\"revoked_at\": \"$past\"")"
    for line in "$token_one" "  $token_one  " "$token_two" "$stranger" "Authorization: Bearer $token_one" \
        "Authorization: Basic $token_one" "X-Api-Key: $token_two" "x-unknown: $token_one" "a b" \
        "${token_one:0:20}..." "tok_x" "-" "OK" "é" '"'"$token_one"'"'; do
        echo "row: $line"
        verdict "$line"
        if [ "$status" -eq 0 ]; then
            name=${output#* }
            wanted="OK ${output%% *} ${name// /%20}"
        else
            wanted=${stderr#*refused (}
            wanted="ERR ${wanted%%)*}"
        fi
        stream_of <(printf '%s\n' "$line")
        answered "$wanted"
    done
}

@test "header lines are understood, their names and schemes in any case" {
    write_tokens "$(record ci "$token_one")"
    ok=$(ok "$token_one" ci)
    stream "Authorization: Bearer $token_one\nAUTHORIZATION:bearer \t$token_one\nX-Api-Key: $token_one
x-auth-token:$token_one\nApi-Key: $token_one \nAuthorization: Basic $token_one\nX-Api-Key:\n"
    answered "$ok" "$ok" "$ok" "$ok" "$ok" "ERR missing" "ERR missing"
}

@test "every line is judged by itself: no header is carried on to the next" {
    write_tokens "$(record ci "$token_one")" "$(record old "$token_two" "\"revoked_at\": \"$past\"")"
    stream "X-Api-Key: $token_one\nX-Api-Key: $token_one\nX-Api-Key: $token_two\nAuthorization: Basic x\n\n"
    answered "$(ok "$token_one" ci)" "$(ok "$token_one" ci)" "ERR revoked" "ERR missing" "ERR missing"
}

@test "names are percent-encoded, so that an answer is always three words" {
    rows=('a b' a%20b '50%' 50%25 'café ✓' caf%C3%A9%20%E2%9C%93 'a%20b' a%2520b 😀 %F0%9F%98%80
        "!\$&'()*+,-./:;<=>?@[]^_{|}~" "!\$&'()*+,-./:;<=>?@[]^_{|}~" 'a\"b' 'a"b' 'a\\b' 'a\b')
    for ((row = 0; row < ${#rows[@]}; row += 2)); do
        write_tokens "$(record "${rows[row]}" "$token_one")"
        stream_of <(printf '%s\n' "$token_one")
        answered "$(ok "$token_one" "${rows[row + 1]}")"
    done
}

@test "a last line without its end is answered too" {
    write_tokens "$(record ci "$token_one")"
    stream "anything\n$token_one"
    answered "ERR unknown" "$(ok "$token_one" ci)"
    stream "$token_one"
    answered "$(ok "$token_one" ci)"
    stream " "
    answered "ERR missing"
}

@test "no input has no answer" {
    write_tokens "$(record ci "$token_one")"
    stream ""
    answered
}

@test "line ends of Windows, tabs and blanks around do not matter" {
    write_tokens "$(record ci "$token_one")"
    ok=$(ok "$token_one" ci)
    stream "$token_one\r\n\r\n \t\r\n\t$token_one \r\nX-Api-Key: $token_one\r\n$token_one\r"
    answered "$ok" "ERR missing" "ERR missing" "$ok" "$ok" "$ok"
    # A carriage return alone ends no line.
    stream "$token_one\r$token_one\n"
    answered "ERR malformed"
}

@test "a NUL ends neither a line nor a credential" {
    write_tokens "$(record ci "$token_one")"
    stream "$token_one\0\n$token_one\0$token_one\n\0$token_one\n\0\n\0\0\0\n${token_one:0:20}\0${token_one:20}
$token_one\nX-Api-Key: $token_one\0\n"
    answered "ERR malformed" "ERR malformed" "ERR malformed" "ERR malformed" "ERR malformed" \
        "ERR malformed" "$(ok "$token_one" ci)" "ERR malformed"
}

@test "bytes that are no text cost one line" {
    write_tokens "$(record ci "$token_one")"
    # Of each byte but the line end, a line.
    for ((byte = 0; byte < 256; byte++)); do
        [ $byte -eq 10 ] || printf "%b%s\n" "x\\x$(printf %02x $byte)" "$token_one"
    done >input
    echo "$token_one" >>input
    stream_of input
    exits 0
    [ "${#lines[@]}" -eq 256 ]
    same "${lines[255]}" "$(ok "$token_one" ci)"
    same "$(printf '%s\n' "${lines[@]:0:255}" | grep -c '^ERR ')" 255
}

@test "a line of any length has one answer, and the stream goes on" {
    write_tokens "$(record ci "$token_one")"
    for size in 511 512 513 4096 65534 65535 65536 65537 131071 131072 131073 200000 5000000; do
        {
            repeat "$size"
            printf '\n%s\n' "$token_one"
        } >input
        for from in "cat input" "cat input input"; do
            echo "row: $size bytes, $from"
            answer="ERR malformed"
            [ "$size" -gt 512 ] || answer="ERR unknown"
            # From a pipe, and from a file.
            same "$($from | "$verifier" stream | uniq | head -n2)" "$answer"$'\n'"$(ok "$token_one" ci)"
            same "$($from | "$verifier" stream | wc -l)" $(($(wc -w <<<"$from") * 2 - 2))
        done
        stream_of input
        answered "$answer" "$(ok "$token_one" ci)"
    done
}

@test "over-long lines of all kinds have one answer each" {
    write_tokens "$(record ci "$token_one")"
    for size in 65535 65536 131072 300000; do
        echo "row: $size bytes"
        {
            repeat $size # and a token at the end of it
            printf '%s\n' "$token_one"
            repeat $size
            printf '\n\n'
            repeat $size
            printf '\r\n'
            head -c $size /dev/zero
            printf '\n%s' "$token_one"
            repeat $size
            printf '\n'
            repeat $size
        } >input
        stream_of input
        answered "ERR malformed" "ERR malformed" "ERR missing" "ERR malformed" "ERR malformed" \
            "ERR malformed" "ERR malformed"
    done
    # Blanks make a line no shorter.
    { repeat 65536 ' ' && printf '%s\n%s\n' "$token_one" "$token_one"; } >input
    stream_of input
    answered "ERR malformed" "$(ok "$token_one" ci)"
}

@test "an over-long line that comes in pieces has one answer" {
    write_tokens "$(record ci "$token_one")"
    start "$verifier" stream
    for _ in 1 2; do
        for ((piece = 0; piece < 20; piece++)); do
            repeat 9999 >&"$to"
        done
        asked "" "ERR malformed"
        asked "$token_one" "$(ok "$token_one" ci)"
    done
    finish
    same "$ended" 0
}

@test "--scope is demanded of every line" {
    write_tokens "$(record reader "$token_one" '"scopes": ["read"]')" \
        "$(record both "$token_two" '"scopes": ["write", "read"]')" "$(record all "$token_three")"
    stream "$token_one\n$token_two\n$token_three\n" --scope read
    answered "$(ok "$token_one" reader)" "$(ok "$token_two" both)" "$(ok "$token_three" all)"
    stream "$token_one\n$token_two\n$token_three\n" --scope read --scope write
    answered "ERR scope" "$(ok "$token_two" both)" "$(ok "$token_three" all)"
    stream "$token_one\n" --scope "two words"
    exits 2
    same "$output" ""
}

@test "a stream takes no credential as an argument" {
    write_tokens "$(record ci "$token_one")"
    run_apart "$verifier" stream "$token_one" </dev/null
    exits 2
    lacks "$stderr" "${token_one:15}"
}

@test "with authentication off everybody is accepted, and that is said once" {
    stream "\n$stranger\ntwo words\n"
    exits 0
    same "$output" "OK anonymous anonymous
OK anonymous anonymous
OK anonymous anonymous"
    says "$stderr" "AUTHENTICATION IS OFF"
    same "$(grep -c "AUTHENTICATION IS OFF" <<<"$stderr")" 1
    stream "\n" --require-auth
    exits 6
    same "$output" "ERR unavailable"
    lacks "$stderr" "AUTHENTICATION IS OFF"
    stream "\n" --file gone.json
    same "$output" "ERR unavailable"
    stream "\n" --file gone.json --allow-open
    same "$output" "OK anonymous anonymous"
}

@test "a stream that was open closes with the first token, and stays closed" {
    start "$verifier" stream
    asked "" "OK anonymous anonymous"
    token=$(create ci)
    asked "" "ERR missing"
    asked "$token" "OK $(field ci id) ci"
    mv api_tokens.json away.json
    asked "$token" "ERR unavailable"
    asked "" "ERR unavailable"
    mv away.json api_tokens.json
    asked "$token" "OK $(field ci id) ci"
    finish
    same "$ended" 0
    same "$(grep -c "AUTHENTICATION IS OFF" said)" 1
}

@test "the environment key is accepted, unless the file knows better" {
    export FREEGPT_API_KEY=$token_one
    stream "$token_one\n$token_two\n"
    answered "OK env:FREEGPT_API_KEY FREEGPT_API_KEY" "ERR unknown"
    write_tokens "$(record ci "$token_one" "\"revoked_at\": \"$past\"")"
    stream "$token_one\n"
    answered "ERR revoked"
    unset FREEGPT_API_KEY
    echo "OPENAI_API_KEY=$token_two" >.env
    stream "$token_two\n$token_one\n"
    answered "OK env:OPENAI_API_KEY OPENAI_API_KEY" "ERR revoked"
}

@test "a setting that cannot be understood ends it before the first answer" {
    echo 'OPENAI_API_KEY="not closed' >.env
    stream "$token_one\n"
    exits 6
    same "$output" ""
    says "$stderr" ".env:1: "
}

@test "each answer is there before the next line is sent" {
    write_tokens "$(record ci "$token_one")"
    start "$verifier" stream
    for _ in {1..50}; do
        asked "$token_one" "$(ok "$token_one" ci)"
        asked "" "ERR missing"
    done
    # Half a line is no line yet; what came before it is answered.
    printf '%s\n%s' anything "${token_one:0:20}" >&"$to"
    read -r -t 20 answer <&"$from"
    same "$answer" "ERR unknown"
    asked "${token_one:20}" "$(ok "$token_one" ci)"
    finish
    same "$ended" 0
    same "$(cat said)" ""
}

@test "a revoke between two lines counts for the second, 300 times in a row" {
    keys=()
    names=()
    for ((i = 0; i < 50; i++)); do
        keys+=("$(printf 'sk-%064d' "$i")")
        names+=("imported-$((i + 1))")
    done
    printf '%s\n' "${keys[@]}" | "$manager" import - 2>/dev/null
    start "$verifier" stream
    for ((round = 0; round < 6; round++)); do
        for ((i = 0; i < 50; i++)); do
            ask "${keys[i]}"
            [[ $answer == "OK tok_"*" ${names[i]}" ]] || fail "round $round, key $i, before: $answer"
            "$manager" revoke "${names[i]}" 2>/dev/null >&2
            ask "${keys[i]}"
            [ "$answer" = "ERR revoked" ] || fail "round $round, key $i, after: $answer"
        done
        "$manager" restore "${names[@]}" 2>/dev/null >&2
    done
    finish
    same "$ended" 0
}

@test "what is created, restored or deleted between two lines counts for the second" {
    create other
    start "$verifier" stream
    for i in {1..25}; do
        token=$(create "token-$i")
        id=$(field "token-$i" id)
        asked "$token" "OK $id token-$i"
        "$manager" revoke "$id"
        asked "$token" "ERR revoked"
        "$manager" restore "$id"
        asked "$token" "OK $id token-$i"
        "$manager" delete --yes "$id"
        asked "$token" "ERR unknown"
    done
    finish
    same "$ended" 0
}

@test "while the token file is bad nobody is accepted, and then all is well again" {
    write_tokens "$(record ci "$token_one")"
    cp api_tokens.json good.json
    start "$verifier" stream
    asked "$token_one" "$(ok "$token_one" ci)"
    for what in empty cut garbage missing folder link newer; do
        echo "row: $what"
        case $what in
        empty) : >next ;;
        cut) head -c 100 good.json >next ;;
        garbage) head -c 1000 /dev/zero >next ;;
        missing | folder | link) rm api_tokens.json ;;
        newer) sed 's/"version": 1/"version": 2/' good.json >next ;;
        esac
        case $what in
        missing) ;;
        folder) mkdir api_tokens.json ;;
        link) ln -s nowhere api_tokens.json ;;
        *) mv next api_tokens.json ;;
        esac
        asked "$token_one" "ERR unavailable"
        asked "" "ERR unavailable"
        asked "$stranger" "ERR unavailable"
        rm -rf api_tokens.json
        cp good.json next
        mv next api_tokens.json
        asked "$token_one" "$(ok "$token_one" ci)"
        asked "$stranger" "ERR unknown"
    done
    finish
    same "$ended" 0
}

@test "a token file that may not be read any more makes it unavailable until it may" {
    write_tokens "$(record ci "$token_one")"
    chmod 644 api_tokens.json
    cp -p api_tokens.json good.json
    share_folder
    if [ "$(id -u)" = 0 ]; then
        start setpriv --reuid=65534 --regid=65534 --clear-groups -- "$verifier" stream
    else
        start "$verifier" stream
    fi
    asked "$token_one" "$(ok "$token_one" ci)"
    for _ in 1 2; do
        chmod 600 api_tokens.json
        [ "$(id -u)" = 0 ] || chmod 000 api_tokens.json
        asked "$token_one" "ERR unavailable"
        chmod 644 api_tokens.json
        asked "$token_one" "$(ok "$token_one" ci)"
    done
    finish
    same "$ended" 0
}

@test "a stream that began without a usable file serves once there is one" {
    echo garbage >api_tokens.json
    start "$verifier" stream
    asked "$token_one" "ERR unavailable"
    write_tokens "$(record ci "$token_one")"
    asked "$token_one" "$(ok "$token_one" ci)"
    finish
    same "$ended" 0
}

# Are the uses of these secrets in the usage file, once each? recorded SECRET...
recorded() {
    local secret
    for secret; do
        [ "$(grep -c "^$(id_of "$secret") 20" api_tokens.json.usage)" -eq 1 ] || return 1
    done
}

@test "uses are recorded when the input ends" {
    write_tokens "$(record a "$token_one")" "$(record b "$token_two")" \
        "$(record c "$token_three" "\"revoked_at\": \"$past\"")"
    stream "$token_one\n$token_two\n$token_three\n$stranger\n$token_one\n"
    exits 0
    recorded "$token_one" "$token_two"
    same "$(wc -l <api_tokens.json.usage)" 3
}

@test "uses are recorded while it waits for more" {
    write_tokens "$(record a "$token_one")" "$(record b "$token_two")" "$(record c "$token_three")"
    start "$verifier" stream
    # All in one second: the later ones have to wait.
    printf '%s\n' "$token_one" "$token_two" "$token_three" >&"$to"
    for _ in 1 2 3; do
        read -r -t 20 answer <&"$from"
    done
    eventually recorded "$token_one" "$token_two" "$token_three"
    finish
    same "$ended" 0
    recorded "$token_one" "$token_two" "$token_three"
}

@test "a use that could not be recorded at once is recorded later, while it waits" {
    needs flock
    write_tokens "$(record a "$token_one")"
    start "$verifier" stream
    exec 9<>api_tokens.json.usage
    flock 9
    asked "$token_one" "$(ok "$token_one" a)"
    # It tries again meanwhile, and finds the file locked. If it does not, the test proves less.
    sleep 1.3
    exec 9>&-
    eventually recorded "$token_one"
    finish
}

@test "a signal to end is the end of the input: uses are recorded, and all is well" {
    for signal in TERM INT TERM INT TERM INT; do
        write_tokens "$(record a "$token_one")" "$(record b "$token_two")"
        start "$verifier" stream
        printf '%s\n' "$token_one" "$token_two" >&"$to"
        for _ in 1 2; do
            read -r -t 20 answer <&"$from"
        done
        kill -"$signal" "$pid"
        wait_for_end
        same "$signal $ended" "$signal 0"
        recorded "$token_one" "$token_two"
        exec {to}>&- {from}<&-
    done
}

@test "a signal that comes while it answers is not lost" {
    write_tokens "$(record a "$token_one")"
    start "$verifier" stream
    # Read in one piece, with more answers than a pipe holds: it is writing until somebody reads.
    { echo "$token_one" && repeat 60000 '\n'; } >input
    cat input >&"$to"
    read -r -t 20 answer <&"$from"
    same "$answer" "$(ok "$token_one" a)"
    kill -TERM "$pid"
    cat <&"$from" >rest 3>&- &
    wait_for_end
    same "$ended" 0
    recorded "$token_one"
}

@test "output that nobody reads ends it with 1, while there is more to come" {
    write_tokens "$(record ci "$token_one")"
    start "$verifier" stream
    asked "$token_one" "$(ok "$token_one" ci)"
    exec {from}<&-
    echo "$token_one" >&"$to"
    wait_for_end
    same "$ended" 1
    says "$(cat said)" "cannot write to standard output"
    recorded "$token_one"
}

@test "output that cannot be written is a failure" {
    write_tokens "$(record ci "$token_one")"
    echo "$token_one" >input
    run_apart bash -c '"$1" stream <input >&-' - "$verifier"
    exits 1
    says "$stderr" "standard output"
    [ -w /dev/full ] || skip "needs /dev/full"
    run_apart bash -c '"$1" stream <input >/dev/full' - "$verifier"
    exits 1
    says "$stderr" "standard output"
}

@test "input that cannot be read is a failure" {
    write_tokens "$(record ci "$token_one")"
    run_apart bash -c '"$1" stream <&-' - "$verifier"
    exits 1
    says "$stderr" "standard input"
    run_apart bash -c '"$1" stream <.' - "$verifier"
    exits 1
    says "$stderr" "standard input"
}

@test "200,000 lines sent in one go have 200,000 answers, in their order" {
    for ((i = 0; i < 100; i++)); do
        printf 'sk-%064d\n' "$i"
    done | "$manager" import - 2>said
    for i in 3 33 66; do
        "$manager" revoke "imported-$i" 2>said
    done
    "$manager" list --json | jq -r '.[] | if .status == "active" then "OK \(.id) \(.name)" else "ERR revoked" end' >known
    awk -v known=known 'BEGIN {
        srand(1)
        while ((getline line <known) > 0) answer[n++] = line
        for (i = 0; i < 200000; i++) {
            which = int(rand() * (n + 2))
            if (which == n) {
                print "" >"lines"
                print "ERR missing" >"wanted"
            } else if (which > n) {
                printf "line-%d\n", i >"lines"
                print "ERR unknown" >"wanted"
            } else {
                printf "%ssk-%064d\n", i % 3 ? "" : "Authorization: Bearer ", which >"lines"
                print answer[which] >"wanted"
            }
        }
    }'
    [ "$(wc -l <lines)" -eq 200000 ]
    "$verifier" stream <lines >answers
    cmp answers wanted
    # Through pipes, whose pieces end anywhere.
    # shellcheck disable=SC2002  # a pipe is what is wanted
    cat lines | "$verifier" stream | cmp - wanted
}
