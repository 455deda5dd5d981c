# P1, Shown once: a token is printed by the command that makes it, and told nowhere else ever; our memory
# that held it is wiped, and there are no core files.
# shellcheck disable=SC2154,SC2034,SC2030,SC2031,SC2317  # variables of the helpers, and for them, one test each

load ../cli/common
load ../cli/verifier
load ../cli/authd
load promises

bats_require_minimum_version 1.5.0

eval "common_$(declare -f setup)"

# What may hold tokens is in the folder `known`; nothing in `place`, the working folder, may.
setup() {
    common_setup
    tests=$BATS_TEST_DIRNAME
    known=$PWD/known
    mkdir known place
    cd place || exit
    preload=$BIN/tests/preload
    found=$known/found
}

# From now on nothing may tell this, but for so many characters of its beginning: knows SECRET [SHOWN]
# Of a token of ours those are its prefix and 11 more.
knows() {
    printf '%d %s\n' "${2-$((${#1} - 38))}" "$1" >>"$known/secrets"
}

# All that was told, and the files with their names, are looked through.
nothing_is_told() {
    [ -z "$asked" ] || figure "secrets: nothing of $(wc -l <"$known/secrets") tokens and mistyped ones in what" \
        "$asked commands said, nor in any file"
    find . -type f -exec perl "$tests/leaks.pl" "$known/secrets" {} +
}

# Run something that prints that many tokens, which are in tokens then, and is silent about them
# otherwise: tells COUNT COMMAND...
tells() {
    "${@:2}" >"$known/out" 2>>said
    mapfile -t tokens < <(grep -oE '(sk-|sk_live_)[0-9A-Za-z]{49}' "$known/out")
    same "${#tokens[@]}" "$1"
    same "$(printf '%s\n' "${tokens[@]}" | sort -u | wc -l)" "$1"
    for token in "${tokens[@]}"; do
        knows "$token"
    done
}

# Run something that must not tell any: quiet STATUS COMMAND...
quiet() {
    local code=0
    asked=$((asked + 1))
    "${@:2}" >>said 2>&1 || code=$?
    [ "$code" = "$1" ] || fail "exit status $code instead of $1: ${*:2}" "$(tail -n 5 said)"
}

# A token that nobody has: as the last one with other characters in its middle.
mistyped() {
    echo "${1:0:20}zz${1:22}"
}

@test "a token is on standard output once, and told nowhere else by anything that comes after" {
    tells 1 "$manager" create plain
    first=$token
    tells 1 "$manager" create --json as-json --scope a --note "a note" --expires 90d
    tells 1 "$manager" create --env in-env
    tells 1 "$manager" create --env=MY_KEY other-env
    tells 1 "$manager" create --prefix sk_live_ live
    tells 3 "$manager" create --batch - <<<$'one\ntwo\nthree'
    tells 2 "$manager" create --batch - --json <<<$'four\nfive'
    tells 1 "$manager" create old
    old=$token
    tells 1 "$manager" rotate old --grace 1h
    tells 1 "$manager" rotate "$token" --json --grace 1h
    tells 1 "$manager" rotate - --env --grace 0 <<<"$token"
    current=$token
    tells 1 "$manager" create gone
    gone=$token
    for token in "$first" "$current" "$gone" "$(mistyped "$first")" "${first:0:40}"; do
        knows "$token" 14
        code=0
        [ "$token" = "$first" ] || [ "$token" = "$gone" ] || [ "$token" = "$current" ] || code=1
        quiet "$code" "$verifier" check <<<"$token"
        quiet "$code" "$verifier" check --json <<<"Authorization: Bearer $token"
        quiet 1 "$verifier" check --scope x/y <<<"$token x"
        quiet 1 "$verifier" check <<<"\"$token\""
        quiet 0 "$verifier" stream <<<$"$token"$'\n'"X-Api-Key: $token"$'\n'"$token,$token"
        # A token is meant by its beginning, whatever the rest.
        quiet 0 "$manager" revoke "$token"
        quiet 0 "$manager" restore - <<<"$token"
        quiet 0 "$manager" audit "$token" --json
        quiet 0 "$manager" revoke "$token" --dry-run --json
        quiet 3 "$manager" revoke "x$token"
        quiet 3 "$manager" revoke "$first" "Bearer $token"
        quiet 3 "$manager" revoke - <<<$'plain\nAuthorization: Bearer '"$token"
        # In the place of something else.
        quiet 2 "$manager" create "$token"
        quiet 2 "$manager" create "my $token"
        quiet 2 "$manager" create x --note "$token"
        quiet 2 "$manager" create x --scope "$token"
        quiet 2 "$manager" create x --prefix "$token"
        quiet 2 "$manager" create x --expires "$token"
        quiet 2 "$manager" create x "--env=${token//-/_}-"
        quiet 2 "$manager" create "x$token" --batch -
        quiet 1 "$manager" create --batch "$token"
        quiet 2 "$manager" create --batch - <<<"$token"
        quiet 2 "$manager" "$token"
        quiet 2 "$manager" "--$token"
        quiet 2 "$manager" list "$token"
        quiet 2 "$manager" list --status "$token"
        quiet 2 "$manager" rotate plain --grace "$token"
        quiet 2 "$verifier" check "$token"
        quiet 2 "$verifier" check --scope "\"$token\"" </dev/null
        quiet 2 "$verifier" stream "$token"
    done
    # The whole of a token as a file's name.
    for token in "$first" "$current"; do
        quiet 1 "$manager" import "$token"
        for option in --file --env-file --usage; do
            quiet 2 "$manager" list "$option" "/etc/$token"
            quiet 2 "$verifier" status "$option" "$token"
        done
        API_TOKENS_FILE=$token quiet 2 "$manager" list
        API_TOKENS_FILE=$token quiet 2 "$verifier" check </dev/null
    done
    quiet 0 "$manager" delete "$gone"
    for command in revoke restore delete rotate audit; do
        quiet 3 "$manager" "$command" "$gone"
    done
    quiet 1 "$verifier" check <<<"$gone"
    quiet 1 "$verifier" check <<<"$old"
    quiet 0 "$manager" list
    quiet 0 "$manager" list --json
    quiet 0 "$manager" audit
    quiet 0 "$manager" audit --json
    quiet 0 "$verifier" status --json
    nothing_is_told
}

@test "imported keys are told nowhere, whatever is wrong with them or their source" {
    local format
    for i in {1..6}; do
        keys[i]=$(head -c 30 /dev/urandom | base64 | tr '+/' xy)
        knows "${keys[i]}" 10
    done
    tells 1 "$manager" create ours --file "$known/other.json"
    ours=$token
    printf '%s\n' "${keys[1]}" "$ours" >"$known/list"
    printf 'A=%s\nexport B="%s"\n' "${keys[2]}" "${keys[3]}" >"$known/env"
    printf '{"%s": {"name": "%s", "active": true}, "%s": {"name": "b", "active": false}}' \
        "${keys[4]}" "${keys[4]}" "${keys[5]}" >"$known/old.json"
    quiet 0 "$manager" import "$known/list"
    quiet 0 "$manager" import - <"$known/env"
    quiet 0 "$manager" import "$known/old.json" --json
    quiet 0 "$manager" import "$known/old.json" # which is there already
    quiet 0 "$verifier" check <<<"${keys[1]}"
    quiet 0 "$manager" list --json
    key=${keys[6]}
    for wrong in "$key $key" "$key"$'\n'"A=$key" "A=$key"$'\n'"$key" "$key:x" "A='$key" "A=\"$key\" $key" \
        "A=\$$key" "$key"$'\x01' "$key$key$key$key$key$key$key$key$key$key$key$key$key" \
        "{\"$key\": 1}" "{\"$key\": {\"name\": 1, \"created_at\": \"$key\"}}" "{\"$key\": {\"$key\": 1}}" \
        "{\"$key\": {}, \"$key\": {}}" "{\"$key\": {\"name\": \"x\"" "{$key}" "{\"tokens\": [\"$key\"]}"; do
        for format in '' token_manager.py list env; do
            code=0
            # An odd line may well be a key of a list, or a value.
            "$manager" import - ${format:+--format "$format"} --file "$PWD/scratch.json" \
                <<<"$wrong" >>said 2>&1 || code=$?
            [ "$code" -le 1 ] || fail "$code: $wrong"
            [ "$code" != 0 ] || [ "$format" = list ] || [ "$format" = env ]
        done
    done
    # As another program's file, at the place of ours.
    for text in "{\"$key\": {\"name\": \"x\", \"active\": true}}" "{\"$key\": 1}" "$key" \
        "{\"version\": 1, \"tokens\": [{\"id\": \"$key\"}]}" "{\"version\": \"$key\", \"tokens\": []}" \
        "{\"version\": 1, \"tokens\": [], \"$key\": 1}" \
        "{\"version\": 1, \"tokens\": [{\"name\": \"$key\", \"hash\": \"$key\", \"prefix\": \"$key\"}]}"; do
        printf %s "$text" >"$known/bad.json"
        quiet 6 "$manager" list --file "$known/bad.json"
        quiet 6 "$manager" create x --file "$known/bad.json"
        quiet 6 "$verifier" check --file "$known/bad.json" <<<"$key"
        quiet 6 "$verifier" stream --file "$known/bad.json" <<<"$key"
        quiet 6 "$verifier" status --file "$known/bad.json"
        [ ! -x "$BIN/token_authd" ] ||
            quiet 6 "$BIN/token_authd" --file "$known/bad.json" --listen 127.0.0.1:0
    done
    # The old format is converted in its place, and nothing of it is left.
    printf '{"%s": {"name": "%s", "active": true}}' "${keys[6]}" "${keys[6]}" >converted.json
    quiet 0 "$manager" import converted.json --file converted.json
    quiet 0 "$verifier" check --file converted.json <<<"${keys[6]}"
    nothing_is_told
}

@test "a key of the environment or of .env is told nowhere, good or not, broken line or whole" {
    tells 1 "$manager" create ours
    printf -v long '%s' "$token"{,}{,}{,}{,}
    for text in "FREEGPT_API_KEY=$token" "FREEGPT_API_KEY='$token" "FREEGPT_API_KEY=\"$token" \
        "FREEGPT_API_KEY=\"$token\" $token" "FREEGPT_API_KEY $token" "FREEGPT_API_KEY: $token" "$token" \
        "$token=x" "=$token" "FREEGPT_API_KEY=\${$token}" "FREEGPT_API_KEY=$token\$x" "export $token" \
        "FREEGPT_API_KEY=$token"$'\rX=1' "FREEGPT_API_KEY=$token $token" "FREEGPT_API_KEY=$long" \
        "TOKEN_VERIFIER_REQUIRE_AUTH=$token" "API_TOKENS_FILE=$token" "API_TOKENS_FILE=/etc/$token"; do
        printf '%s\n' "$text" >"$known/env"
        for command in "$manager list" "$manager create ours" "$manager delete ours --dry-run" \
            "$verifier check" "$verifier stream" "$verifier status" "$BIN/token_authd --listen ${token}x"; do
            read -ra words <<<"$command"
            "${words[@]}" --env-file "$known/env" >>said 2>&1 <<<"${token}x" || true
        done
    done
    for value in "$token" "${token}x" "$token $token" "$long"; do
        for command in "$manager list" "$manager delete ours --dry-run" "$verifier check" "$verifier status"; do
            read -ra words <<<"$command"
            FREEGPT_API_KEY=$value "${words[@]}" >>said 2>&1 <<<"${token}x" || true
        done
    done
    nothing_is_told
}

@test "a create that fails, or is killed, leaves nothing of the token" {
    needs_preload fixed_random
    command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null || skip "needs strace, and leave to use it"
    calls='rename,renameat,?renameat2'
    # Which token it is, when it is made in peace.
    tells 1 env LD_PRELOAD="$preload/fixed_random.so" "$manager" create ci --file "$known/peace.json"
    mkdir killed failed no-audit full
    quiet 137 strace -o /dev/null -E LD_PRELOAD="$preload/fixed_random.so" -e inject="$calls":signal=KILL \
        "$manager" create ci --file killed/api_tokens.json
    [ -s killed/api_tokens.json.tmp ]
    quiet 6 strace -o /dev/null -E LD_PRELOAD="$preload/fixed_random.so" -e inject="$calls":error=EIO \
        "$manager" create ci --file failed/api_tokens.json
    mkdir no-audit/api_tokens.json.audit
    quiet 6 env LD_PRELOAD="$preload/fixed_random.so" "$manager" create ci --file no-audit/api_tokens.json
    # shellcheck disable=SC2016 # for that bash
    quiet 1 bash -c 'LD_PRELOAD=$1 "${@:2}" >/dev/full' - "$preload/fixed_random.so" \
        "$manager" create ci --file full/api_tokens.json
    grep -q "\"${token:0:14}\"" full/api_tokens.json # it was that token indeed
    nothing_is_told
}

@test "no command line and no process's name has a token, once it has been read" {
    [ -r /proc/self/cmdline ] || skip "needs /proc"
    tells 1 "$manager" create ci
    : >api_tokens.json.lock
    exec {lock}<api_tokens.json.lock
    flock "$lock"
    for command in revoke restore delete rotate; do
        "$manager" "$command" --lock-timeout 600 "$token" >/dev/null 2>&1 3>&- {lock}<&- &
        started+=($!)
    done
    for words in "$manager create ci2 --lock-timeout 600" "$manager import -" "$verifier check" "$verifier stream" \
        "$manager audit $token --trail -"; do
        mkfifo "input.${#started[@]}"
        exec {input}<>"input.${#started[@]}"
        printf '%s\n' "$token" >&"$input"
        # shellcheck disable=SC2086
        $words <&"$input" >/dev/null 2>&1 3>&- {lock}<&- &
        started+=($!)
    done
    sees_none() {
        for pid in "${started[@]}"; do
            tr '\0' ' ' <"/proc/$pid/cmdline" >"cmdline.$pid" || return
            cat /proc/"$pid"/task/*/comm >"comm.$pid" || return
        done
        nothing_is_told
    }
    wait_for sees_none
    grep -q "revoke --lock-timeout 600 ${token:0:14} " cmdline.*
}

# Credentials of each kind for requests.pl; so many of each.
credentials() {
    local i kind
    "$manager" create --batch - 2>>said < <(printf 'good%d\n' $(seq "$1")) | cut -f2 >"$known/good"
    "$manager" create --batch - 2>>said < <(printf 'revoked%d\n' $(seq "$1")) | cut -f2 >"$known/revoked"
    "$manager" revoke - <"$known/revoked" 2>>said
    "$manager" create --batch - --file "$known/other.json" 2>>said < <(seq "$1") |
        cut -f2 >"$known/stranger"
    while read -r token; do
        mistyped "$token"
    done <"$known/good" >"$known/mistyped"
    cut -c -45 "$known/good" >"$known/cut"
    for kind in good revoked stranger mistyped cut; do
        sed 's/^/14 /' "$known/$kind" >>"$known/secrets"
    done
    paste -d '\n' "$known"/{good,revoked,stranger,mistyped,cut} | awk '
        BEGIN { split("good revoked stranger mistyped cut", kind) }
        { print kind[(NR - 1) % 5 + 1], $0 }' >"$known/credentials"
}

# What a process found in its memory when it is asked to look, in looked: looks PID
looks() {
    rm -f "$found"
    kill -USR2 "$1"
    wait_for grep -q '^signal done' "$found"
    looked=$(sed 's/+.*//; /^signal done/d' "$found" | sort | uniq -c)
}

# What that library needs of a C library, glibc alone does.
has_scanner() {
    [ -e "$preload/scan_memory.so" ] && grep -q GLIBC_ "$manager"
}

needs_scanner() {
    needs_preload scan_memory
    has_scanner || skip "needs glibc"
}

# A library that looks for the secrets in the program's memory: run this before it, with `env`.
scanner() {
    # With eight characters in a row, of which one at least is not to be seen.
    perl -ne '/^(\d+) (.*)/; print unpack("H*", substr $2, $1 > 7 ? $1 - 7 : 0), "\n"' \
        "$known/secrets" | head -n 150 >"$known/scanned"
    scanner=(LD_PRELOAD="$preload/scan_memory.so" SCAN_SECRETS="$known/scanned" SCAN_FOUND="$found")
}

@test "token_authd tells nothing of what is sent to it, anywhere, and keeps none of it" {
    needs token_authd curl
    count=$(scale 1000 100000)
    credentials "$(scale 5 100)"
    plain=''
    if has_scanner && ! grep -q sanitize "$BIN/flags"; then
        scanner
        authd_under=(env "${scanner[@]}")
    else
        plain='not under the scanner'
    fi
    start_authd --sandbox=off # in which the scanner could not write down what it finds
    run perl "$tests/requests.pl" "$authd_port" "$count" answers <"$known/credentials"
    echo "$output"; [ "$status" = 0 ]
    figure "secrets: $count requests to token_authd ($output), nothing of a credential in the log," \
        "the answers, the files and the process's name"
    ask /metrics
    tr '\0' ' ' <"/proc/$authd_pid/cmdline" >cmdline
    cat /proc/"$authd_pid"/task/*/comm >comm.authd
    if [ -z "$plain" ]; then
        looks "$authd_pid"
        same "$looked" ""
        # A head that is not whole yet is in libmicrohttpd's hands, and seen there: this one looks well.
        dial
        say "$fd" "GET /verify HTTP/1.1\r\nHost: x\r\nX-Api-Key: $(head -n 1 "$known/good")\r\nX-"
        waits() { looks "$authd_pid" && [ -n "$looked" ]; }
        wait_for waits
        same "$(awk '{ print $2, $3 }' <<<"$looked")" "signal connection"
        # Once it is answered it is gone from there, too, while the connection is kept.
        say "$fd" "X: x\r\n\r\n"
        hear "$fd"
        same "$code" 200
        looks "$authd_pid"
        same "$looked" ""
        hang_up "$fd"
    fi
    rm -f "$found"
    stop_authd
    same "$status" 0
    [ -n "$plain" ] || same "$(cat "$found")" "end done"
    same "$(grep -o 'tok_[^ ]*' api_tokens.json.usage | sort -u | wc -l)" "$(scale 5 100)"
    cp "$authd_log" log
    [ "$(grep -c event=refused log)" -gt $((count / 2)) ]
    nothing_is_told
}

# Does a program wipe what it gives back, and leave none at its end but in these places?
# leaves PLACES STATUS COMMAND...
leaves() {
    local code=0 line places=' ' looked=
    asked=$((asked + 1))
    : >"$found"
    env "${scanner[@]}" "${@:3}" >>"$known/said" 2>&1 || code=$?
    [ "$code" = "$2" ] || fail "exit status $code instead of $2: ${*:3}" "$(tail -n 5 "$known/said")"
    while IFS= read -r line; do
        case $line in
        'end done') looked=yes ;;
        'end '*)
            line=${line#end }
            [[ $places == *" ${line%+*} "* ]] || places+="${line%+*} "
            ;;
        *) places+="$line " ;;
        esac
    done <"$found"
    [ "$looked" = yes ] || fail "it was not looked at: ${*:3}"
    places=${places# }
    same "${*:3}: ${places% }" "${*:3}: $1"
}

@test "the scanner sees what a program leaves that does not care" {
    needs_scanner
    knows "$token_one" 14
    scanner
    rm -f "$found"
    env "${scanner[@]}" sort <<<"$token_one" >/dev/null
    grep -q '^end \[heap\]' "$found"
    grep -q '^free ' "$found"
    FREEGPT_API_KEY=$token_one leaves environment 0 "$verifier" status
}

@test "programs wipe the tokens that they are given" {
    needs_scanner
    tells 1 "$manager" create ci
    second=$token
    tells 1 "$manager" rotate ci
    scanner
    for line in "$token" "$second" "X-Api-Key: $token" "Authorization: Bearer $token" "${token}x" "$token $token" \
        "${token:0:45}"; do
        code=0
        [[ $line == *"$token" && $line != *" $token" || $line == "$second" || $line == *": $token" || \
            $line == *"Bearer $token" ]] || code=1
        leaves '' "$code" "$verifier" check <<<"$line"
        leaves '' "$code" "$verifier" check --json <<<"$line"
        leaves '' 0 "$verifier" stream <<<"$line"
    done
    leaves '' 0 "$BIN/tests/helpers/ask_library" < <(printf %s "$token")
    leaves '' 0 "$verifier" stream < <(printf '%s' "x $token") # a last line without its end
    for selector in "$token" "$second"; do
        for command in revoke restore audit; do
            leaves '' 0 "$manager" "$command" "$selector"
            [ "$command" = audit ] || leaves '' 0 "$manager" "$command" - <<<"$selector"
        done
    done
    leaves '' 3 "$manager" revoke "x$token" ci
    leaves '' 3 "$manager" revoke "Bearer $token"
    leaves '' 2 "$manager" create "my $token"
    leaves '' 2 "$manager" create "$token"
    leaves '' 2 "$manager" create --batch - <<<"$token"
    leaves '' 1 "$manager" import "$token"
    leaves '' 2 "$verifier" check "$token"
    leaves '' 2 "$manager" create x --note "$token"
    leaves '' 2 "$manager" list --file "$token"
    leaves '' 2 "$manager" list --status "$token"
    leaves '' 2 "$manager" list --selectors="$token"
    leaves '' 2 "$manager" "$token"
    leaves '' 2 "$manager" "$token" --help
    leaves '' 2 "$manager" help "$token"
    for text in "FREEGPT_API_KEY=$token" "FREEGPT_API_KEY='$token'" "FREEGPT_API_KEY=\"$token\"" \
        "FREEGPT_API_KEY='$token" "$token" "FREEGPT_API_KEY=\$$token" "API_TOKENS_FILE=$token"; do
        printf '%s\n' "$text" >"$known/env"
        code=0
        [[ $text != *"'$token" && $text != "$token" && $text != *\$* ]] || code=6
        [[ $text != *FILE* ]] || code=2
        leaves '' "$code" "$manager" list --env-file "$known/env"
        leaves '' "$code" "$verifier" stream --env-file "$known/env" </dev/null
    done
    leaves '' 0 "$manager" delete "$token"
    figure "secrets: $asked commands that were given a token left no copy of it in their memory"
}

@test "an import wipes the keys, and a reader what it finds in the old format" {
    needs_scanner
    knows "$token_one" 14
    knows "$token_two" 14
    scanner
    printf '%s\n%s\n' "$token_one" "$token_two" >"$known/list"
    printf 'A=%s\nexport B="%s"\n' "$token_one" "$token_two" >"$known/env"
    printf '{"%s": {"name": "%s", "active": true}, "%s": {"name": "b"}}' \
        "$token_one" "$token_one" "$token_two" >"$known/old.json"
    for source in list env old.json; do
        rm -f api_tokens.json*
        leaves '' 0 "$manager" import "$known/$source"
        leaves '' 0 "$manager" import - <"$known/$source" # they are there already
    done
    cp "$known/old.json" api_tokens.json
    leaves '' 6 "$manager" list
    leaves '' 6 "$manager" create x
    leaves '' 6 "$verifier" check <<<"$token_one"
    leaves '' 6 "$verifier" stream <<<"$token_one"
    leaves '' 6 "$verifier" status
    leaves '' 0 "$manager" import api_tokens.json
    for text in "$token_one $token_two" "{\"$token_one\": {\"name\": 1, \"created_at\": \"$token_two\"}}" \
        "A='$token_one" "$token_one"$'\n'"A=$token_two" "{\"$token_one\": {}, \"$token_one\": {}}"; do
        leaves '' 1 "$manager" import - <<<"$text"
    done
    figure "secrets: $asked commands that met keys of other programs left no copy of them in their memory"
}

@test "a new token is wiped once it is shown, in every form, and when it cannot be" {
    needs_scanner
    dice=$preload/fixed_random.so
    seq 500 >"$known/names"
    for words in 'create ci' 'create ci --json' 'create ci --env' 'create ci --prefix sk_live_' \
        "create --batch $known/names" "create --batch $known/names --json" 'rotate old' 'rotate old --json' \
        'rotate old --grace 0 --env' 'full create ci' 'full rotate old' 'unwritten create ci'; do
        echo "row: $words"
        read -ra words <<<"$words"
        rm -rf api_tokens.json* "$known/secrets" "$known/peace.json"
        [[ ${words[*]} != *old* ]] || "$manager" create old >/dev/null 2>&1
        cp -f api_tokens.json "$known/peace.json" || true
        under=()
        code=0
        case ${words[0]} in
        full)
            under=(bash -c 'exec "$@" >/dev/full' -)
            code=1
            ;;
        unwritten)
            mkdir api_tokens.json.audit
            code=6
            ;;
        esac
        [ "$code" = 0 ] || words=("${words[@]:1}")
        # Once in peace, to know which it will be.
        LD_PRELOAD=$dice "$manager" "${words[@]}" --file "$known/peace.json" >"$known/out" 2>/dev/null
        grep -oE '(sk-|sk_live_)[0-9A-Za-z]{49}' "$known/out" | while read -r token; do
            knows "$token"
        done
        scanner
        scanner[0]+=":$dice"
        : >"$known/said"
        leaves '' "$code" "${under[@]}" "$manager" "${words[@]}"
        [ "$code" != 0 ] || grep -qF "$(tail -n 1 "$known/secrets" | cut -d ' ' -f 2)" "$known/said"
    done
    figure "secrets: $asked commands that made tokens left no copy of them in their memory"
}

@test "a stream wipes each line once it is answered, while it goes on" {
    needs_scanner
    knows "$token_one" 14
    knows "$stranger" 14
    write_tokens "$(record one "$token_one")"
    scanner
    coproc STREAM { exec env "${scanner[@]}" "$verifier" stream 3>&-; }
    started+=("$STREAM_PID")
    for line in "$token_one" "$stranger" "$token_one $stranger" "Api-Key: $stranger"; do
        printf '%s\n' "$line" >&"${STREAM[1]}"
        IFS= read -r -t 20 heard <&"${STREAM[0]}"
        looks "$STREAM_PID"
        same "$line: $looked" "$line: "
    done
    # Half a line must be kept, so this shows that it looks where lines are.
    printf '%s' "$token_one" >&"${STREAM[1]}"
    waits() { looks "$STREAM_PID" && [[ $looked == *" signal "* ]]; }
    wait_for waits
    same "$heard" "ERR unknown"
}

# Runs a program, which may leave a core file and waits for input, until SIGABRT. Its process is in pid, and
# how it ended in the file ended: "6 1" is by that signal, with a core.
abort_later() {
    (
        ulimit -S -c "$(ulimit -H -c)"
        # shellcheck disable=SC2016  # Perl's
        exec perl -e 'my $pid = fork; exec @ARGV or exit 127 if !$pid;
            open my $out, ">", "pid"; print $out "$pid\n"; close $out;
            waitpid $pid, 0; open $out, ">", "ended"; print $out $? & 127, " ", $? >> 7 & 1, "\n"' "$@"
    ) <&"$input" >/dev/null 2>&1 3>&- &
    started+=($!)
    wait_for test -s pid
    pid=$(cat pid)
    started+=("$pid")
}

@test "no program leaves a core file, nor lets its memory be read by its user's other processes" {
    [ -r /proc/self/limits ] || skip "needs /proc"
    ! grep -q sanitize "$BIN/flags" || skip "the sanitizers need to trace themselves"
    [ "$(ulimit -H -c)" != 0 ] || skip "no core files here at all"
    cp "$manager" "$verifier" .
    verifier=$PWD/token_verifier
    [ ! -x "$BIN/token_authd" ] || cp "$BIN/token_authd" .
    as=()
    if [ "$(id -u)" = 0 ]; then
        # Whose processes are root's anyway shows nothing.
        share_folder
        chmod 777 .
        as=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
    fi
    "${as[@]}" ./token_manager create ci >/dev/null 2>&1
    : >"$known/lock"
    "${as[@]}" flock api_tokens.json.lock sleep 60 3>&- &
    started+=($!)
    mkfifo input
    exec {input}<>input
    # What ends with a core otherwise: this one has to, or the rest shows nothing.
    abort_later "${as[@]}" sleep 60
    wait_for grep -qx sleep "/proc/$pid/comm"
    kill -ABRT "$pid"
    wait_for test -s ended
    [ "$(cat ended)" = "6 1" ] || skip "no core files here"
    find . -name 'core*' -delete
    for words in './token_manager create other' './token_manager import -' './token_manager revoke -' \
        './token_verifier check' './token_verifier stream' './token_authd --listen 127.0.0.1:0'; do
        read -ra words <<<"$words"
        [ -x "${words[0]}" ] || continue
        echo "row: ${words[*]}"
        rm -f pid ended
        abort_later "${as[@]}" "${words[@]}"
        wait_for grep -qx "${words[0]#./}" "/proc/$pid/comm"
        wait_for grep -qE '^Max core file size +0 +0 ' "/proc/$pid/limits"
        is_roots() { [ "$(stat -c %u "/proc/$pid/stat")" = 0 ]; }
        wait_for is_roots
        [ "$(awk '$1 == "Uid:" { print $2 }' "/proc/$pid/status")" != 0 ]
        kill -ABRT "$pid"
        wait_for test -s ended
        same "$(cat ended)" "6 0"
    done
    same "$(find . -name 'core*')" ""
}
