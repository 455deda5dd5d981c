#!/usr/bin/env bats
# When tokens were last used: what records it, what does not, and that it never costs a verdict.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, verifier and run; a test is a subshell

bats_require_minimum_version 1.5.0
load common
load verifier

time_pattern='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z'

teardown() {
    chmod -R u+rwX "$BATS_TEST_TMPDIR"
}

# The last use of a token, by its name, or null: last_used NAME [OPTION of list...]
last_used() {
    "$manager" list --json "${@:2}" |
        jq -r --arg name "$1" '.[] | select(.name == $name) | .last_used_at // "null"'
}

# is_recorded NAME [OPTION of list...]
is_recorded() {
    [[ $(last_used "$@") =~ ^$time_pattern$ ]] || fail "no use of $1 is recorded"
}

mode_of() {
    stat -c %a "$1"
}

# Whether some user but the owner may do without write access here.
good_for_others() {
    share_folder
    chmod 644 api_tokens.json
}

@test "an accepted check is what list shows as last used" {
    token=$(create ci)
    create other
    same "$(last_used ci)" null
    [ "$("$manager" list | grep -c 'Last used: Never')" -eq 2 ]
    verdict "$token"
    accepted "$(field ci id)" ci
    is_recorded ci
    same "$(last_used other)" null
    same "$("$manager" list | sed -n 's/^ *Last used: \([^ ]*\).*/\1/p')" "$(last_used ci)"$'\n'Never
}

@test "the usage file is a since line and a line for each use" {
    token=$(create ci)
    [[ $(cat api_tokens.json.usage) =~ ^since\ $time_pattern$ ]]
    verdict "$token"
    accepted "$(field ci id)" ci
    [[ $(cat api_tokens.json.usage) =~ ^since\ $time_pattern$'\n'$(field ci id)\ $time_pattern$ ]]
    same "$(tail -n 1 api_tokens.json.usage)" "$(field ci id) $(last_used ci)"
}

@test "the use of an older secret is the token's use" {
    write_tokens "$(record ci "$token_one" "\"previous\": [$(previous "$token_two" "$future")]")"
    verdict "$token_two"
    accepted "$(id_of "$token_one")" ci
    is_recorded ci
}

@test "the use of a token that is the environment key is the token's use" {
    write_tokens "$(record ci "$token_one")"
    export FREEGPT_API_KEY=$token_one
    verdict "$token_one"
    accepted "$(id_of "$token_one")" ci
    is_recorded ci
}

@test "refused checks record nothing" {
    write_tokens "$(record ci "$token_one" '"scopes": ["read"]')" \
        "$(record old "$token_two" "\"revoked_at\": \"$past\"")" \
        "$(record older "$token_three" "\"expires_at\": \"$past\"")"
    echo "since $past" >api_tokens.json.usage
    for line in "$token_one" "$token_two" "$token_three" "$stranger" "${token_one:0:40}" \
        "$(id_of "$token_one")" "$(digest "$token_one")" ''; do
        echo "row: $line"
        verdict "$line" --scope write
        exits 1
        same "$(cat api_tokens.json.usage)" "since $past"
    done
    same "$(last_used ci)$(last_used old)$(last_used older)" nullnullnull
}

@test "the environment key's use is not recorded, nor is status" {
    write_tokens "$(record ci "$token_one")"
    echo "since $past" >api_tokens.json.usage
    export FREEGPT_API_KEY=a-key-for-this-test
    verdict "$FREEGPT_API_KEY"
    accepted env:FREEGPT_API_KEY FREEGPT_API_KEY
    "$verifier" status
    same "$(cat api_tokens.json.usage)" "since $past"
}

@test "a usage file that is missing is not made, and costs no verdict" {
    token=$(create ci)
    rm api_tokens.json.usage
    before=$(ls -A api_tokens.json*)
    verdict "$token"
    accepted "$(field ci id)" ci
    same "$(ls -A api_tokens.json*)" "$before"
    same "$(last_used ci)" null
}

@test "the manager makes a missing usage file again" {
    token=$(create ci)
    rm api_tokens.json.usage
    create other
    verdict "$token"
    accepted "$(field ci id)" ci
    is_recorded ci
}

@test "what is no file in the usage file's place costs no verdict" {
    token=$(create ci)
    echo "since $past" >target
    for kind in folder link pipe; do
        echo "row: $kind"
        rm -rf api_tokens.json.usage
        case $kind in
        folder) mkdir api_tokens.json.usage ;;
        link) ln -s target api_tokens.json.usage ;;
        pipe) mkfifo api_tokens.json.usage ;;
        esac
        verdict "$token"
        accepted "$(field ci id)" ci
        same "$(cat target)" "since $past"
        run "$manager" list
        exits 0
        [[ $output == *"Last used: "@(Never|Unknown)$'\n'* ]]
    done
}

@test "a usage file that may not be written costs no verdict" {
    token=$(create ci)
    good_for_others
    for mode in 444 000; do
        echo "row: $mode"
        chmod "$mode" api_tokens.json.usage
        before=$(unprivileged stat -c '%s %Y' api_tokens.json.usage)
        run_apart unprivileged "$verifier" check <<<"$token"
        accepted "$(field ci id)" ci
        same "$(unprivileged stat -c '%s %Y' api_tokens.json.usage)" "$before"
    done
}

@test "a use that cannot be recorded does not keep the caller waiting" {
    token=$(create ci)
    rm api_tokens.json.usage
    began=$EPOCHREALTIME
    for _ in 1 2; do
        verdict "$token"
        accepted "$(field ci id)" ci
    done
    took=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
    # Without waiting, they take some 10 ms.
    [ "$took" -lt 1500 ] || fail "two checks took $took ms"
}

@test "a verifier that may only read works, and leaves nothing behind" {
    mkdir readonly
    cd readonly
    token=$(create ci)
    rm api_tokens.json.*
    good_for_others
    chmod 444 api_tokens.json
    chmod 555 .
    before=$(ls -lA --time-style=full-iso)
    run_apart unprivileged "$verifier" check <<<"$token"
    accepted "$(field ci id)" ci
    run_apart unprivileged "$verifier" check --json <<<"$token"
    exits 0
    run_apart unprivileged "$verifier" check <<<"$stranger"
    refused unknown "none in the file"
    run_apart unprivileged "$verifier" status
    says "$output" "1 active"
    same "$(ls -lA --time-style=full-iso)" "$before"
}

@test "a verifier that may write the usage file alone records there" {
    mkdir readonly
    cd readonly
    token=$(create ci)
    good_for_others
    chmod 444 api_tokens.json
    chmod 666 api_tokens.json.usage
    chmod 555 .
    before=$(ls -A)
    run_apart unprivileged "$verifier" check <<<"$token"
    accepted "$(field ci id)" ci
    same "$(ls -A)" "$before"
    is_recorded ci
}

@test "--usage is made and used elsewhere, and list reads it there" {
    token=$(create ci)
    mkdir state
    cp api_tokens.json.usage before
    verdict "$token" --usage state/uses
    accepted "$(field ci id)" ci
    cmp api_tokens.json.usage before
    [[ $(cat state/uses) =~ ^since\ $time_pattern$'\n'$(field ci id)\ $time_pattern$ ]]
    same "$(mode_of state/uses)" 600
    same "$(last_used ci)" null
    is_recorded ci --usage state/uses
    same "$(last_used ci --usage state/nothing)" null
}

@test "--usage works where the token file's folder may not be written" {
    mkdir readonly state
    cd readonly
    token=$(create ci)
    rm api_tokens.json.*
    good_for_others
    chmod 444 api_tokens.json
    chmod 555 .
    chmod 777 ../state
    run_apart unprivileged "$verifier" check --usage ../state/uses <<<"$token"
    accepted "$(field ci id)" ci
    same "$(ls -A)" api_tokens.json
    run_apart unprivileged "$manager" list --json --usage ../state/uses
    exits 0
    [[ $(jq -r '.[].last_used_at' <<<"$output") =~ ^$time_pattern$ ]]
}

@test "--usage that cannot be made costs no verdict" {
    token=$(create ci)
    mkdir folder
    for path in gone/uses folder; do
        echo "row: $path"
        verdict "$token" --usage "$path"
        accepted "$(field ci id)" ci
    done
}

@test "a use behind a link is recorded beside the file that the link means" {
    mkdir data
    token=$("$manager" --file data/tokens.json create ci 2>/dev/null)
    ln -s data/tokens.json api_tokens.json
    verdict "$token"
    exits 0
    is_recorded ci
    is_recorded ci --file data/tokens.json
    same "$(ls -d -- *.usage 2>/dev/null)" ""
}

@test "lines that are none are skipped, the latest use of a token counts" {
    write_tokens "$(record a "$token_one")" "$(record b "$token_two")" "$(record c "$token_three")"
    {
        echo "since $past"
        echo "$(id_of "$token_one") 2022-02-02T02:02:02Z"
        echo "$(id_of "$token_one") 2021-01-01T01:01:01Z"
        echo garbage
        printf 'binary \0\377\n'
        echo
        id_of "$token_two"
        echo "$(id_of "$token_two") 2022-02-30T02:02:02Z"
        echo "$(id_of "$token_two")  2022-02-02T02:02:02Z"
        echo "$(id_of "$token_two") 2022-02-02T02:02:02Z "
        echo "x$(id_of "$token_two") 2022-02-02T02:02:02Z"
        echo "$(id_of "$token_two") 2022-02-02T02:02:02"
        echo "since yesterday"
        printf '%099999d\n' 0
        echo "tok_0000000000000000 2022-02-02T02:02:02Z"
        echo "$(id_of "$token_three") 2023-03-03T03:03:03Z"
        printf '%s 2022-02-0' "$(id_of "$token_two")"
    } >api_tokens.json.usage
    run_apart "$manager" list --json
    exits 0
    same "$stderr" ""
    same "$(jq -c 'map(.last_used_at)' <<<"$output")" \
        '["2022-02-02T02:02:02Z",null,"2023-03-03T03:03:03Z"]'
}

@test "a last line that is torn is closed off, and not taken for whole" {
    write_tokens "$(record a "$token_one")" "$(record b "$token_two")"
    # As far as it goes it is whole: only the line end tells.
    printf 'since %s\n%s 2022-02-02T02:02:02Z' "$past" "$(id_of "$token_two")" >api_tokens.json.usage
    same "$(last_used b)" null
    printf 'since %s\n%s 2022-02-0' "$past" "$(id_of "$token_two")" >api_tokens.json.usage
    verdict "$token_one"
    accepted "$(id_of "$token_one")" a
    same "$(sed '$d' api_tokens.json.usage)" "since $past"$'\n'"$(id_of "$token_two") 2022-02-0"
    is_recorded a
    same "$(last_used b)" null
}

@test "a lock that is held on the usage file holds up neither verdict nor list" {
    needs flock
    token=$(create ci)
    cp api_tokens.json.usage before
    exec 9<>api_tokens.json.usage
    flock 9
    run_apart timeout 20 "$verifier" check <<<"$token"
    accepted "$(field ci id)" ci
    cmp api_tokens.json.usage before
    run timeout 20 "$manager" list
    exits 0
    says "$output" "Last used: Never"
    exec 9<&-
    verdict "$token"
    accepted "$(field ci id)" ci
    is_recorded ci
}

@test "a usage file full of repetition is compacted in its place, and no last use is lost" {
    write_tokens "$(record a "$token_one")" "$(record b "$token_two")"
    chmod 640 api_tokens.json.usage
    {
        echo "since $past"
        yes "$(id_of "$token_two") 2022-02-02T02:02:02Z" | head -n 2000
        echo "$(id_of "$token_two") 2023-03-03T03:03:03Z"
    } >api_tokens.json.usage
    before=$(stat -c '%i %a' api_tokens.json.usage)
    verdict "$token_one"
    accepted "$(id_of "$token_one")" a
    same "$(wc -l <api_tokens.json.usage)" 3
    same "$(stat -c '%i %a' api_tokens.json.usage)" "$before"
    same "$(head -n 1 api_tokens.json.usage)" "since $past"
    same "$(last_used b)" 2023-03-03T03:03:03Z
    is_recorded a
}

@test "uses at once are all recorded" {
    token=$(create ci)
    for _ in 1 2 3 4 5 6 7 8; do
        "$verifier" check <<<"$token" >/dev/null &
    done
    wait
    same "$(grep -cE "^$(field ci id) $time_pattern$" api_tokens.json.usage)" 8
    same "$(wc -l <api_tokens.json.usage)" 9
}

@test "new files are for their owner alone" {
    mkdir folder
    chmod 0755 folder
    cd folder
    create ci
    same "$(mode_of api_tokens.json) $(mode_of api_tokens.json.usage)" "600 600"
}

@test "in a set-group-id folder the group may read the tokens and write the uses" {
    mkdir folder
    chmod 2750 folder
    cd folder
    create ci
    same "$(mode_of api_tokens.json) $(mode_of api_tokens.json.usage)" "640 660"
}

@test "a verifier in the group of a set-group-id folder reads the tokens and records the uses" {
    needs_root
    mkdir folder
    chgrp 65534 folder
    chmod 2750 folder
    cd folder
    token=$(create ci)
    share_folder
    chmod 2750 .
    run_apart as_nobody "$verifier" check <<<"$token"
    accepted "$(field ci id)" ci
    is_recorded ci
    run as_nobody touch new-file
    exits 1
}
