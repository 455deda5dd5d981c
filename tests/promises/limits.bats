# What there is most of: sizes, counts, lengths and times at their ends, and a clock that is set.
# shellcheck disable=SC2154,SC2034,SC2030,SC2031,SC2317  # variables of the helpers, and for them, one test each

load ../cli/common
load ../cli/verifier
load ../cli/authd
load promises

bats_require_minimum_version 1.5.0

# Run something with little memory and little time, which must end with that status and say those words:
# refuses STATUS WORDS COMMAND...
refuses() {
    # Sanitizers reserve more memory than there is.
    run bash -c "${sanitized:+:} ulimit -v 400000; exec timeout 20 \"\$@\"" - "${@:3}"
    [ "$status" = "$1" ] || fail "exit status $status instead of $1: ${*:3}" "$output"
    says "$output" "$2"
}

sanitized=$(grep -o sanitize "$BIN/flags" | head -n 1 || true)

@test "a token file of 4 GiB is refused by everybody, at once and in little memory, and left alone" {
    token=$(create ci)
    cp -p api_tokens.json good
    size=$(stat -c %s good)
    # Of the first, the lower 32 bits are the size of what is good in it.
    for bytes in $(((1 << 32) + size)) $(((1 << 30) + 1)); do
        cp -p good api_tokens.json
        truncate -s "$bytes" api_tokens.json || skip "no file of 4 GiB here"
        for words in list 'create other' 'revoke ci' 'restore ci' 'rotate ci' 'delete ci' 'import api_tokens.json' \
            'import good'; do
            read -ra words <<<"$words"
            refuses 6 "api_tokens.json is larger than 1073741824 bytes" "$manager" "${words[@]}"
        done
        refuses 6 "api_tokens.json is larger than 1073741824 bytes" "$verifier" check <<<"$token"
        refuses 6 "ERR unavailable" "$verifier" stream <<<"$token"
        refuses 6 "Mode: unavailable (NOBODY IS ACCEPTED)" "$verifier" status
        [ ! -x "$BIN/token_authd" ] || refuses 6 "api_tokens.json is larger than 1073741824 bytes" \
            "$BIN/token_authd" --listen 127.0.0.1:0
        same "$(stat -c %s api_tokens.json)" "$bytes"
        same "$(head -c "$size" api_tokens.json)" "$(cat good)"
        [ ! -e api_tokens.json.tmp ]
    done
    cp -p good api_tokens.json
    run -0 "$verifier" check <<<"$token"
}

@test "every other file and input of 4 GiB is refused with its limit, or done without" {
    token=$(create ci)
    truncate -s $(((1 << 32) + 10)) huge || skip "no file of 4 GiB here"
    refuses 6 "huge is larger than 1048576 bytes" "$manager" list --env-file huge
    refuses 6 "huge is larger than 1048576 bytes" "$verifier" check --env-file huge <<<"$token"
    refuses 1 "huge is larger than 67108864 bytes" "$manager" create --batch huge
    refuses 1 "huge is larger than 268435456 bytes" "$manager" import huge
    refuses 6 "huge is larger than 1073741824 bytes" "$manager" audit --trail huge
    refuses 0 "Name: ci" "$manager" list --usage huge
    refuses 1 "standard input is longer than 67108864 bytes" "$manager" revoke - <huge
    refuses 1 "standard input is longer than 67108864 bytes" "$manager" create --batch - <huge
    refuses 6 "standard input is longer than 1048576 bytes" "$verifier" check <huge
    # A usage file past its bound tells nothing, is no reason to refuse anybody, and begins anew.
    truncate -s $(((1 << 32) + 10)) api_tokens.json.usage
    refuses 0 "Name: ci" "$manager" list
    refuses 0 "ci" "$verifier" check <<<"$token"
    same "$(wc -l <api_tokens.json.usage)" 2
    refuses 0 "Name: ci" "$manager" list
    lacks "$output" Never
    # A trail of 4 GiB is appended to at the cost of a short one.
    truncate -s $((1 << 32)) api_tokens.json.audit
    echo >>api_tokens.json.audit
    refuses 0 "Revoked" "$manager" revoke ci
    same "$(tail -c 400 api_tokens.json.audit | tail -n 1 | jq -r .action)" revoke
    [ "$(stat -c %s api_tokens.json.audit)" -lt $(((1 << 32) + 1000)) ]
    refuses 6 "api_tokens.json.audit is larger than 1073741824 bytes" "$manager" audit
}

@test "a running server refuses everybody while the token file has 4 GiB, and then no longer" {
    write_tokens "$(record one "$token_one")"
    start_authd
    cp -p api_tokens.json good
    lets_in "$token_one"
    truncate -s $(((1 << 32) + $(stat -c %s good))) api_tokens.json || skip "no file of 4 GiB here"
    keeps_out "$token_one" 503
    says "$(log_lines mode)" "is larger than 1073741824 bytes"
    cp -p good next
    mv next api_tokens.json
    lets_in "$token_one"
}

# How many seconds the command took, in a file: timed NAME COMMAND...
timed() {
    local begun=$EPOCHREALTIME
    "${@:2}"
    begun=$((${EPOCHREALTIME/./} - ${begun/./}))
    printf '%s %d.%02d s, ' "$1" $((begun / 1000000)) $((begun / 10000 % 100)) >>times.txt
}

@test "1,000,000 tokens, or a good many: every command, stream and server does its work among them" {
    count=$(scale 5000 1000000)
    seq -f 'name%.0f' "$count" >names
    timed "create all" "$manager" create --batch names >made 2>/dev/null
    same "$(wc -l <made)" "$count"
    same "$(grep -c '"tok_' api_tokens.json)" "$count"
    for number in 1 $((count / 2)) "$count"; do
        tokens+=("$(sed -n "${number}s/.*\t//p" made)")
    done
    timed "create one" "$manager" create one-more >one 2>/dev/null
    tokens+=("$(cat one)")
    timed list "$manager" list >listed
    same "$(head -n 1 listed)" "Found $((count + 1)) token(s):"
    same "$(grep -c '^   Name: ' listed)" $((count + 1))
    "$manager" list --json >listed
    same "$(grep -c '"status": "active"' listed)" $((count + 1))
    for token in "${tokens[@]:1}"; do
        run -0 "$verifier" check <<<"$token"
    done
    timed check "$verifier" check <<<"${tokens[0]}" >/dev/null
    timed "stream of all" "$verifier" stream < <(cut -f2 made) >answers
    same "$(grep -c '^OK ' answers)" "$count"
    same "$(sort -u answers | wc -l)" "$count"
    timed revoke "$manager" revoke one-more "name$((count / 2))" "${tokens[2]}" 2>said
    same "$(grep -c '^Revoked ' said)" 3
    for token in "${tokens[@]:1}"; do
        verdict "$token"
        refused revoked "was revoked"
    done
    head -n 1000 made | cut -f2 | timed "revoke 1,000" "$manager" revoke - 2>said
    same "$(grep -c '^Revoked ' said)" 1000
    "$manager" list --status revoked >listed
    same "$(head -n 1 listed)" "Found 1003 token(s):"
    head -n 100 made | cut -f1 | timed "delete 100 by name" "$manager" delete - 2>said
    same "$(grep -c '"tok_' api_tokens.json)" $((count - 99))
    timed rotate "$manager" rotate "name$((count - 1))" --grace 0 >one 2>/dev/null
    verdict "$(cat one)"
    exits 0
    "$manager" audit one-more --json >said
    same "$(jq -c '[.[].action]' said)" '["create","revoke"]'
    "$manager" audit --since 1h --json | tail -n +2 | head -n -1 >said
    same "$(wc -l <said)" $((count + 1 + 3 + 1000 + 100 + 1))
    if [ -x "$BIN/token_authd" ]; then
        start_authd
        says "$(log_lines ready)" " active=$((count - 1002)) "
        lets_in "$(cat one)"
        keeps_out "${tokens[1]}"
        "$manager" revoke "$(cat one)" 2>/dev/null
        keeps_out "$(cat one)"
        figure "limits: token_authd with $count tokens: $(awk '/^VmHWM/ { print $2 " KB at most" }' \
            "/proc/$authd_pid/status")"
        stop_authd
    fi
    # Each that the stream accepted is there with its last use.
    "$manager" list --json >listed
    same "$(grep -c '"last_used_at": "' listed)" $((count - 100 + 1))
    figure "limits: $count tokens: $(sed 's/, $//' times.txt)"
}

@test "a token with the longest of everything goes through every command and answer" {
    name=$(printf '\U1F511%.0s' {1..100})
    note=$(printf '\U1F600%.0s' {1..500})
    options=()
    for i in {10..73}; do
        # The percent signs are the longest where they are encoded.
        scopes+=("$i$(printf '%%%.0s' {1..62})")
        options+=(--scope "${scopes[-1]}")
    done
    prefix=sk_very_long_one
    prefix=${prefix:0:15}-
    token=$(create "$name" --note "$note" --prefix "$prefix" --expires 9999-12-31T23:59:59Z "${options[@]}")
    run ! "$manager" create "${name}x" "${options[@]}"
    run ! "$manager" create x "${options[@]}" --scope one-more
    run ! "$manager" create x --scope "${scopes[0]}x"
    run ! "$manager" create x --note "${note}x"
    for i in {1..64}; do
        last=$(COLUMNS=80 "$manager" rotate "$name" --grace 520w 2>/dev/null)
    done
    run ! "$manager" rotate "$name" --grace 520w
    run -0 "$manager" list
    says "$output" "   Name: $name"
    says "$output" "   Expires: 9999-12-31T23:59:59Z (in 79"
    same "$(grep -c "$prefix" <<<"$output")" 65
    run -0 "$manager" list --json
    same "$(jq -r '.[] | [.name, .note, (.scopes | length), .expires_at] | @tsv' <<<"$output")" \
        "$name"$'\t'"$note"$'\t'64$'\t'9999-12-31T23:59:59Z
    run -0 "$manager" audit "$name" --json
    same "$(jq length <<<"$output")" 65
    same "$(jq -r '.[-1].changed.previous | length' <<<"$output")" 64
    run -0 "$manager" audit
    says "$output" "$name"
    for secret in "$token" "$last"; do
        verdict "$secret" "${options[@]}"
        exits 0
        says "$output" " $name"
        run -0 "$verifier" stream "${options[@]}" <<<"Authorization: Bearer $secret"
        same "${output#OK tok_????????????????}" " $(printf '%%F0%%9F%%94%%91%.0s' {1..100})"
        verdict "$secret" --scope "${scopes[0]%?}x"
        refused scope "lacks a scope"
    done
    verdict "$last" --json
    same "$(jq -r '[(.scopes | length), .expires_at] | @csv' <<<"$output")" '64,"9999-12-31T23:59:59Z"'
    # Its prefix and its name mean it, and revoke takes all its secrets with it.
    for selector in "$name" "${token:0:27}" "${last:0:27}"; do
        run -0 "$manager" revoke "$selector"
        run -0 "$manager" restore "$selector"
    done
    needs token_authd curl
    start_authd
    wanted=$(printf '%s ' "${scopes[@]}" | sed 's/ $//; s/%/%25/g; s/ /%20/g')
    for secret in "$token" "$last"; do
        ask /verify -H "Authorization: Bearer $secret" -H "X-Required-Scope: ${scopes[*]}"
        same "$code" 200
        same "$(header X-Token-Name)" "$(printf '%%F0%%9F%%94%%91%.0s' {1..100})"
        same "$(header X-Token-Scopes)" "$wanted"
    done
}

@test "times at the ends of what there is are taken, kept and shown, and past them refused" {
    run -0 "$manager" create a --expires 9999-12-31T23:59:59Z
    for text in 10000-01-01 10000-01-01T00:00:00Z 9999-12-31T23:59:60Z 9999-13-01 9999999d 99999999999999999999d \
        9223372036854775807s 9223372036854775808s 18446744073709551616s 18446744073709551716s 2562047788015216h -1d; do
        run -2 "$manager" create b --expires "$text"
        says "$output" "--expires"
        run -2 "$manager" rotate a --grace "$text"
        run -2 "$manager" rotate a --expires "$text"
    done
    # Around the ends of 31 and 32 bits, and what is the longest that ends in time.
    longest=$(((253402300799 - $(date +%s)) / 86400 - 1))
    for span in 2147483647s 2147483648s 4294967295s 4294967296s 35791395m 596524h 999999d "${longest}d"; do
        before=$(date +%s)
        run -0 "$manager" create "for $span" --expires "$span"
        end=$(date -u -d "$(field "for $span" expires_at)" +%s)
        case $span in
        *s) seconds=${span%s} ;;
        *m) seconds=$((60 * ${span%m})) ;;
        *h) seconds=$((3600 * ${span%h})) ;;
        *d) seconds=$((86400 * ${span%d})) ;;
        esac
        ((end >= before + seconds && end <= $(date +%s) + seconds)) || fail "$span: $end"
        run -0 "$manager" list --expiring-within "$span"
        says "$output" "Name: for $span"
    done
    # Looking back further than there are times is no mistake, and shows everything.
    for span in 999999d 3649635d 9223372036854775807s; do
        [ "$span" = 9223372036854775807s ] && code=2 || code=0
        for words in 'audit --since' 'list --unused-for' 'list --expiring-within' 'delete --yes --revoked-for'; do
            read -ra words <<<"$words"
            run "$manager" "${words[@]}" "$span"
            # No use was recorded for so long.
            [ "$status" = "$code" ] || { [[ ${words[*]} == *unused* ]] && [ "$status" = 1 ]; } ||
                fail "$status: ${words[*]} $span" "$output"
        done
    done
    run -0 "$manager" audit --since 999999d
    same "$(grep -c '  create  ' <<<"$output")" 9
}

@test "64 fields of other people are kept at each level, and one more is refused" {
    fields() {
        printf '"x_%d": null, ' $(seq "$1")
    }
    for count in 64 65; do
        for place in '' 's/{"version"/{'"$(fields $count)"'"version"/' 's/{"id"/{'"$(fields $count)"'"id"/' \
            's/{"prefix"/{'"$(fields $count)"'"prefix"/'; do
            write_tokens "$(record one "$token_one" "\"previous\": [$(previous "$token_two" "$future")]")"
            sed -i "$place" api_tokens.json
            verdict "$token_two"
            if [ "$count" = 64 ] || [ "$place" = '' ]; then
                exits 0
                run -0 "$manager" revoke one
                [ "$place" = '' ] || same "$(grep -o '"x_[0-9]*": null' api_tokens.json | sort -u | wc -l)" 64
            else
                unavailable "more than 64 fields that begin with x_"
                run -6 "$manager" revoke one
            fi
        done
    done
}

@test "a change that would make the file larger than is read is refused, and the file stays as it is" {
    full || skip "a file of 1 GiB: at full scale only"
    limit=$((1 << 30))
    write_tokens "$(record one "$token_one")" "$(record two "$token_two")"
    # A field of others fills it up to a few bytes less.
    size=$(stat -c %s api_tokens.json)
    {
        printf '{"x_fill": "'
        head -c $((limit - size - 50)) /dev/zero | tr '\0' x
        printf '", '
        tail -c +2 api_tokens.json
    } >filled
    chmod 600 filled
    mv filled api_tokens.json
    before=$(b2sum <api_tokens.json)
    [ "$(stat -c %s api_tokens.json)" -gt $((limit - 50)) ]
    run -0 "$verifier" check <<<"$token_one"
    run -6 "$manager" create three
    says "$output" "would grow to"
    says "$output" "(nothing was changed)"
    run -6 "$manager" rotate one
    lacks "$output" sk-
    same "$(b2sum <api_tokens.json)" "$before"
    [ ! -e api_tokens.json.tmp ]
    [ ! -s api_tokens.json.audit ]
    # What makes it smaller is done.
    run -0 "$manager" delete two
    run -0 "$verifier" check <<<"$token_one"
    # Up to the limit, to the byte.
    size=$(stat -c %s api_tokens.json)
    truncate -s "$limit" api_tokens.json
    head -c $((limit - size)) /dev/zero | tr '\0' ' ' | dd of=api_tokens.json bs=1M seek="$size" \
        oflag=seek_bytes conv=notrunc status=none
    run -0 "$verifier" check <<<"$token_one"
    run -0 "$manager" list
    echo >>api_tokens.json
    run -6 "$verifier" check <<<"$token_one"
    figure "limits: a file of 1 GiB to the byte is read and kept, one byte more is refused"
}

# From here on, $(ahead) seconds ahead, or behind: the clock of what runs under `clocked`.
set_clock() {
    echo "$1" >ahead
}

clocked() {
    LD_PRELOAD=$BIN/tests/preload/fake_clock.so FAKE_CLOCK=$PWD/ahead "$@"
}

# Starts a stream and a server under that clock.
start_clocked() {
    export FAKE_CLOCK=$PWD/ahead
    coproc STREAM { exec env LD_PRELOAD="$BIN/tests/preload/fake_clock.so" "$verifier" stream 3>&-; }
    started+=("$STREAM_PID")
    eval "exec {to}>&${STREAM[1]} {from}<&${STREAM[0]}"
    authd_under=(env LD_PRELOAD="$BIN/tests/preload/fake_clock.so")
    [ ! -x "$BIN/token_authd" ] || start_authd "$@"
}

# Everything that runs, and what starts now, says so of a token: all_say WORD TOKEN
all_say() {
    local heard code=0
    printf '%s\n' "$2" >&"$to"
    IFS= read -r -t 20 heard <&"$from"
    run clocked "$verifier" check <<<"$2"
    if [ "$1" = accepted ]; then
        says "$heard" "OK "
        same "$status" 0
        [ -z "${authd_pid-}" ] || lets_in "$2"
    else
        same "$heard" "ERR $1"
        says "$output" "refused ($1)"
        [ -z "${authd_pid-}" ] || keeps_out "$2"
    fi
}

@test "an expiry and a grace follow the clock, back and forth, in what runs as in what starts" {
    needs_preload fake_clock
    set_clock 0
    token=$(create ci --expires 2h)
    next=$(clocked "$manager" rotate ci --grace 1h 2>/dev/null)
    start_clocked
    while read -r seconds old new; do
        echo "row: $seconds"
        set_clock "$seconds"
        all_say "$old" "$token"
        all_say "$new" "$next"
    done <<END
0 accepted accepted
3500 accepted accepted
3700 expired accepted
3500 accepted accepted
7300 expired expired
3700 expired accepted
-100000000 accepted accepted
7300 expired expired
0 accepted accepted
END
}

@test "what is dead by a command stays dead, whatever the clock is set to" {
    needs_preload fake_clock
    set_clock 0
    revoked=$(create revoked)
    deleted=$(create deleted)
    old=$(create rotated)
    keys=$(create kept)
    start_clocked
    set_clock 864000
    clocked "$manager" revoke revoked 2>/dev/null
    clocked "$manager" delete deleted 2>/dev/null
    new=$(clocked "$manager" rotate rotated --grace 0 2>/dev/null)
    for seconds in 864000 0 -1700000000 100000000; do
        echo "row: $seconds"
        set_clock "$seconds"
        all_say revoked "$revoked"
        all_say unknown "$deleted"
        all_say unknown "$old"
        all_say accepted "$new"
        all_say accepted "$keys"
    done
}

@test "tokens from the future are good and can be changed, and what is wrong with the clock is said" {
    needs_preload fake_clock
    set_clock 864000
    token=$(clocked "$manager" create ahead --expires 20d 2>/dev/null)
    clocked "$manager" create gone >/dev/null 2>&1
    clocked "$manager" revoke gone 2>/dev/null
    set_clock 0
    run -0 clocked "$verifier" check <<<"$token"
    run clocked "$verifier" status
    says "$output" "set the clock"
    run -0 clocked "$manager" list
    [[ $output =~ Created:\ [^\ ]*\ \(in\ (9|10)\ days\) ]]
    run -0 clocked "$manager" audit --since 1h
    same "$(grep -c . <<<"$output")" 3
    # Nothing is taken for unused, or revoked for long, by a clock that goes wrong.
    run clocked "$manager" revoke --unused-for 1s
    [ "$status" = 1 ]
    says "$output" "since"
    run -0 clocked "$manager" delete --revoked-for 1s --yes
    says "$output" "nothing was changed"
    # Changes that are made before the creation.
    run -0 clocked "$manager" revoke ahead
    run -1 clocked "$verifier" check <<<"$token"
    run -0 clocked "$manager" restore ahead gone
    next=$(clocked "$manager" rotate ahead --grace 1h 2>/dev/null)
    run -0 clocked "$verifier" check <<<"$token"
    run -0 clocked "$verifier" check <<<"$next"
    run -0 clocked "$manager" audit ahead --json
    same "$(jq -c '[.[].action]' <<<"$output")" '["create","revoke","restore","rotate"]'
    # Before the epoch, and where no clock goes.
    for seconds in -1900000000 252000000000 9000000000000; do
        set_clock "$seconds"
        run -0 clocked "$manager" list
        run clocked "$manager" create "at $seconds"
        [ "$status" -le 2 ]
        set_clock 0
        run -0 clocked "$manager" list
        run -0 clocked "$verifier" check <<<"$next"
    done
}

@test "times after 2038 are like others, of the clock, of files and of tokens" {
    needs_preload fake_clock
    set_clock '=2209032000' # 2040-01-01T12:00:00Z
    token=$(clocked "$manager" create ci --expires 2h 2>/dev/null)
    touch -t 204001011200 api_tokens.json
    start_clocked
    all_say accepted "$token"
    run -0 clocked "$manager" list
    says "$output" "Created: 2040-01-01T12:00:00Z (just now)"
    says "$output" "Expires: 2040-01-01T14:00:00Z (in 2 hours)"
    says "$output" "Last used: 2040-01-01T12:00:00Z (just now)"
    set_clock '=2209039200'
    all_say expired "$token"
    next=$(clocked "$manager" rotate ci --expires 2041-01-01 2>/dev/null)
    all_say accepted "$next"
}

@test "last uses only grow, and are recorded at once after the clock was set back" {
    needs_preload fake_clock
    set_clock 0
    token=$(create ci)
    start_clocked
    uses() {
        grep -c '^tok_' api_tokens.json.usage
    }
    for seconds in 0 -3600 -7200 7200 3600; do
        set_clock "$seconds"
        before=$(uses || true)
        # It is kept busy: what it writes down while it waits would hide that it does not otherwise.
        is_recorded() {
            printf '%s\n' "$token" >&"$to"
            IFS= read -r -t 20 heard <&"$from" && [ "$(uses)" -gt "$before" ]
        }
        wait_for is_recorded
        now=$(date +%s)
        recorded=$(date -u -d "$(tail -n 1 api_tokens.json.usage | cut -d ' ' -f 2)" +%s)
        ((recorded >= now + seconds - 20 && recorded <= now + seconds)) || fail "$recorded at $now + $seconds"
        # What is shown is the latest of all.
        ((seconds < 0)) || latest=$((latest > recorded ? latest : recorded))
        same "$(date -u -d "$("$manager" list --json | jq -r '.[0].last_used_at')" +%s)" "$latest"
    done
}

@test "uses of more tokens in a second than are kept in memory are recorded, and cost no verdict if they cannot be" {
    needs_preload fake_clock
    set_clock "=$(date +%s)" # a second that does not end
    count=$(scale 70000 200000)
    seq -f 'the-key-with-the-number-%.0f' "$count" >keys
    run -0 "$manager" import keys
    clocked "$verifier" stream <keys >answers
    same "$(grep -c '^OK ' answers)" "$count"
    same "$(grep -o '^tok_[^ ]*' api_tokens.json.usage | sort -u | wc -l)" "$count"
    full || return 0
    rm api_tokens.json.usage
    mkdir api_tokens.json.usage
    clocked "$verifier" stream <keys >answers
    same "$(grep -c '^OK ' answers)" "$count"
}

@test "a server's patience with its clients is not measured by a clock that is set" {
    needs_preload fake_clock
    needs token_authd
    set_clock 0
    write_tokens "$(record one "$token_one")"
    start_clocked --timeout 6
    dial
    for seconds in 864000 -864000 0; do
        set_clock "$seconds"
        sleep 1.1 # it looks at its clients once a second
        say_verify "$fd" "$token_one"
        hear "$fd"
        same "$code" 200
    done
    dial # who says nothing is cut off all the same
    sleep 1.1
    set_clock -864000
    is_over "$fd" 20
}
