#!/usr/bin/env bats

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
bats_require_minimum_version 1.5.0
load common
load manager

# A token of each status, with every field that a record can have.
one_of_each() {
    records \
        "$(record 1 my-application sk-a1b2c3d4e5f)" \
        "$(record 2 old-ci sk-x9y8z7w6v5u "$revoked")" \
        "$(record 3 last-year sk_live_aaaaaaaaaaa "$expired")" \
        "$(record 4 everything abcd '"expires_at": "9000-01-01T00:00:00Z", "scopes": ["read", "a:b"],
            "note": "for the café, \"inside\"", "previous": [{"prefix": "sk-ppppppppppp", "hash": "'"$(
            digest_of 99)"'", "expires_at": "2004-01-01T00:00:00Z"}], "x_team": "blue"')"
    printf 'since 2001-01-01T00:00:00Z\n%s 2005-02-03T04:05:06Z\n%s 2006-02-03T04:05:06Z\n' \
        "$(id_of 1)" "$(id_of 1)" >api_tokens.json.usage
}

@test "list shows what people want to know of each token" {
    one_of_each
    exits 0 "$manager" list
    [ "$stderr" = "" ]
    # How many years depends on today.
    sed 's/([0-9]* years ago)/(N years ago)/; s/(in [0-9]* years)/(in N years)/' <<<"$output" >got
    diff - got <<'END'
Found 4 token(s):

1. sk-a1b2c3d4e5f...
   Name: my-application
   Status: Active
   Created: 2001-02-03T04:05:06Z (N years ago)
   Last used: 2006-02-03T04:05:06Z (N years ago)
   Scopes: all

2. sk-x9y8z7w6v5u...
   Name: old-ci
   Status: Revoked
   Created: 2001-02-03T04:05:06Z (N years ago)
   Revoked: 2002-02-03T04:05:06Z (N years ago)
   Last used: Never
   Scopes: all

3. sk_live_aaaaaaaaaaa...
   Name: last-year
   Status: Expired
   Created: 2001-02-03T04:05:06Z (N years ago)
   Expires: 2003-02-03T04:05:06Z (N years ago)
   Last used: Never
   Scopes: all

4. abcd...
   Name: everything
   Status: Active
   Created: 2001-02-03T04:05:06Z (N years ago)
   Expires: 9000-01-01T00:00:00Z (in N years)
   Last used: Never
   Scopes: read a:b
   Note: for the café, "inside"
END
}

@test "a token made just now is so many seconds old" {
    create ci
    exits 0 "$manager" list
    [[ ${lines[4]} =~ ^\ \ \ Created:\ [0-9T:-]{19}Z\ \((just now|[0-9]+ seconds? ago)\)$ ]]
}

@test "a token that is revoked and expired is revoked" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$expired, $revoked")"
    [ "$(status_of ci)" = revoked ]
}

@test "list without tokens says so" {
    records
    exits 0 "$manager" list
    [ "$output" = "No tokens found." ]
}

@test "list where there is no file yet says so, tells how to make one, and makes none" {
    mkdir here
    cd here
    exits 0 "$manager" list
    [ "$output" = "No tokens found." ]
    says "$PWD/api_tokens.json" 'token_manager create'
    exits 0 "$manager" list --json
    [ "$output" = "[]" ]
    [ "$(ls -A)" = "" ]
}

@test "list of a missing file that was named is no empty list" {
    exits 6 "$manager" list --file no.json
    [ "$output" = "" ]
    says "$PWD/no.json"
    API_TOKENS_FILE=no.json exits 6 "$manager" list --json
    [ "$output" = "" ]
    says "$PWD/no.json"
}

@test "--status shows the tokens of that status only" {
    one_of_each
    local rows=(active 'my-application everything' revoked old-ci expired last-year)
    for ((i = 0; i < ${#rows[@]}; i += 2)); do
        exits 0 "$manager" list --status "${rows[i]}" --json
        [ "$(jq -r '[.[].name] | join(" ")' <<<"$output")" = "${rows[i + 1]}" ]
        exits 0 "$manager" list "--status=${rows[i]}"
        [ "$(sed -n 's/^   Name: //p' <<<"$output" | paste -sd' ')" = "${rows[i + 1]}" ]
        [ "${lines[0]}" = "Found $(wc -w <<<"${rows[i + 1]}" | tr -d ' ') token(s):" ]
        [[ ${lines[1]} == 1.* ]]
    done
}

@test "--status without such a token says so" {
    records
    for wanted in active revoked expired; do
        exits 0 "$manager" list --status "$wanted"
        [ "$output" = "No $wanted tokens found." ]
        exits 0 "$manager" list --status "$wanted" --json
        [ "$output" = "[]" ]
    done
}

@test "--status refuses what is no status and names those that are" {
    one_of_each
    for wanted in Active all activ; do
        exits 2 "$manager" list --status "$wanted"
        [ "$output" = "" ]
        says active revoked expired
    done
}

@test "list --json prints exactly the promised fields, null where there is nothing" {
    one_of_each
    exits 0 "$manager" list --json
    jq -c '.[]' <<<"$output" >got
    cat >wanted <<'END'
{"id":"tok_0000000000000001","name":"my-application","prefix":"sk-a1b2c3d4e5f","status":"active","created_at":"2001-02-03T04:05:06Z","expires_at":null,"revoked_at":null,"last_used_at":"2006-02-03T04:05:06Z","scopes":null,"note":null,"previous":[]}
{"id":"tok_0000000000000002","name":"old-ci","prefix":"sk-x9y8z7w6v5u","status":"revoked","created_at":"2001-02-03T04:05:06Z","expires_at":null,"revoked_at":"2002-02-03T04:05:06Z","last_used_at":null,"scopes":null,"note":null,"previous":[]}
{"id":"tok_0000000000000003","name":"last-year","prefix":"sk_live_aaaaaaaaaaa","status":"expired","created_at":"2001-02-03T04:05:06Z","expires_at":"2003-02-03T04:05:06Z","revoked_at":null,"last_used_at":null,"scopes":null,"note":null,"previous":[]}
{"id":"tok_0000000000000004","name":"everything","prefix":"abcd","status":"active","created_at":"2001-02-03T04:05:06Z","expires_at":"9000-01-01T00:00:00Z","revoked_at":null,"last_used_at":null,"scopes":["read","a:b"],"note":"for the café, \"inside\"","previous":[]}
END
    diff wanted got
}

@test "list shows neither digests nor older secrets whose grace has ended" {
    one_of_each
    for option in '' --json; do
        exits 0 "$manager" list ${option:+"$option"}
        hides blake2b 000000000063 sk-ppp hash Previous
    done
}

@test "list keeps the order of creation, whatever happens to the tokens" {
    for name in b c a; do
        create "$name"
    done
    "$manager" revoke b
    "$manager" restore b
    "$manager" revoke c
    exits 0 "$manager" list --json
    [ "$(jq -r '[.[].name] | join(" ")' <<<"$output")" = "b c a" ]
}

@test "list changes nothing and leaves nothing behind" {
    mkdir here
    cd here
    one_of_each
    cp -r . ../before
    exits 0 "$manager" list
    exits 0 "$manager" list --json --status active
    diff -r ../before .
}

@test "a check that was accepted is shown as last use" {
    token=$(create ci)
    exits 0 "$manager" list
    [ "${lines[5]}" = "   Last used: Never" ]
    check "$token"
    exits 0 "$manager" list
    [[ ${lines[5]} =~ ^\ \ \ Last\ used:\ [0-9T:-]{19}Z\ \((just now|[0-9]+ seconds? ago)\)$ ]]
    exits 0 "$manager" list --json
    json '.[0].last_used_at | test("^[0-9T:-]{19}Z$")'
}

@test "--usage reads last uses from elsewhere" {
    one_of_each
    mv api_tokens.json.usage elsewhere
    exits 0 "$manager" list --json
    json '.[0].last_used_at == null'
    exits 0 "$manager" list --json --usage elsewhere
    json '.[0].last_used_at == "2006-02-03T04:05:06Z"'
}

@test "a usage file that cannot be read costs the last uses and nothing else" {
    one_of_each
    rm api_tokens.json.usage
    mkdir api_tokens.json.usage
    exits 0 "$manager" list --json
    json 'length == 4'
    says api_tokens.json.usage
}

@test "--selectors prints each name, id and prefix with whose it is" {
    one_of_each
    exits 0 "$manager" list --selectors
    [ "$stderr" = "" ]
    diff - <(printf '%s\n' "$output" | tr '\t' '|') <<'END'
my-application|Active, sk-a1b2c3d4e5f...
tok_0000000000000001|Active, my-application
sk-a1b2c3d4e5f|Active, my-application
old-ci|Revoked, sk-x9y8z7w6v5u...
tok_0000000000000002|Revoked, old-ci
sk-x9y8z7w6v5u|Revoked, old-ci
last-year|Expired, sk_live_aaaaaaaaaaa...
tok_0000000000000003|Expired, last-year
sk_live_aaaaaaaaaaa|Expired, last-year
everything|Active, abcd...
tok_0000000000000004|Active, everything
abcd|Active, everything
END
    exits 0 "$manager" list --selectors --status revoked
    [ "$(cut -f 1 <<<"$output" | xargs)" = "old-ci tok_0000000000000002 sk-x9y8z7w6v5u" ]
    exits 0 "$manager" list --selectors --expiring-within 1d
    [ "$output" = "" ]
}

@test "--selectors offers nothing that would mean another token, several, or an option" {
    # shellcheck disable=SC2016 # nothing of it is to happen
    local evil='$(touch made) `touch made`'
    records "$(record 1 twice sk-aaaaaaaaaaa)" \
        "$(record 2 twice sk-bbbbbbbbbbb "$revoked")" \
        "$(record 3 gone sk-ccccccccccc "$revoked")" \
        "$(record 4 gone sk-ddddddddddd "$revoked")" \
        "$(record 5 back sk-eeeeeeeeeee "$revoked")" \
        "$(record 6 "$(id_of 1)" same)" \
        "$(record 7 - same)" \
        "$(record 8 --yes -dash-12345678901)" \
        "$(record 9 ' blank' sk-abc)" \
        "$(record 10 "$evil" "")" \
        "$(record 11 abcdefg "")" "$(record 12 imported abcdefgh12345678)" \
        "$(record 13 short abcdefgh12)" \
        "$(record 14 fffff "")" "$(record 15 rotated sk-fffffffffff)" \
        "$(record 16 sk-fffffffffff1 sk-ggggggggggg)" "$(record 17 dots... "")"
    exits 0 "$manager" list --selectors
    cut -f 1 <<<"$output" | grep -v '^tok_' | diff - <(printf '%s\n' twice sk-aaaaaaaaaaa \
        sk-bbbbbbbbbbb sk-ccccccccccc sk-ddddddddddd back sk-eeeeeeeeeee "$evil" imported \
        abcdefgh12345678 short fffff rotated sk-fffffffffff sk-ggggggggggg dots...)
    [ "$(grep -c '^tok_' <<<"$output")" = 17 ]
    local selector about listed=$output
    while IFS=$'\t' read -r selector about; do
        exits 0 "$manager" delete --dry-run "$selector"
        # What it says of the token has the name, the id and the prefix.
        [[ $output$stderr == *"$selector"*"${about#*, }"* || $output$stderr == *"${about#*, }"*"$selector"* ]]
        [[ $about == *same... ]] || [ "$(grep -c tok_ <<<"$output$stderr")" = 1 ]
    done <<<"$listed"
}

@test "--selectors reads no uses, waits for no lock and goes with no JSON" {
    needs flock
    one_of_each
    rm api_tokens.json.usage
    mkdir api_tokens.json.usage
    exits 0 flock api_tokens.json.lock timeout 5 "$manager" list --selectors
    [ "$stderr" = "" ]
    [ "${#lines[@]}" = 12 ]
    exits 2 "$manager" list --selectors --json
    says --selectors --json
    exits 6 "$manager" list --selectors --file no.json
    [ "$output" = "" ]
}

@test "list that cannot be written ends with 1" {
    [ -c /dev/full ] || skip "needs /dev/full"
    one_of_each
    for option in '' --json --selectors; do
        exits 1 sh -c '"$@" >/dev/full' sh "$manager" list ${option:+"$option"}
        says 'standard output'
        exits 1 sh -c '"$@" >&-' sh "$manager" list ${option:+"$option"}
        says 'standard output'
    done
}

# The status lines that a terminal with these variables shows: seen VARIABLE=VALUE...
seen() {
    run on_terminal env -u TERM "$@" "$manager" list
    printf '%s\n' "$*" "$output"
    output=$(grep ' Status: ' <<<"$output")
}

@test "a terminal shows colour and marks as far as it and its locale can" {
    needs script
    local check=$'\xe2\x9c\x93 ' cross=$'\xe2\x9c\x97 ' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
    records "$(record 1 a sk-a1b2c3d4e5f)" "$(record 2 b sk-x9y8z7w6v5u "$revoked")" \
        "$(record 3 c sk-z9y8z7w6v5u "$expired")"

    full="   Status: $green${check}Active$plain
   Status: $red${cross}Revoked$plain
   Status: $red${cross}Expired$plain"
    seen TERM=xterm LC_ALL=C.UTF-8
    [ "$output" = "$full" ]
    seen TERM=xterm LC_ALL=C.UTF-8 NO_COLOR=
    [ "$output" = "$full" ]

    marks="   Status: ${check}Active
   Status: ${cross}Revoked
   Status: ${cross}Expired"
    seen TERM=xterm LC_ALL=C.UTF-8 NO_COLOR=1
    [ "$output" = "$marks" ]
    seen TERM=dumb LC_ALL=C.UTF-8
    [ "$output" = "$marks" ]
    seen LC_ALL=C.UTF-8
    [ "$output" = "$marks" ]

    seen TERM=xterm LC_ALL=C
    [ "$output" = "   Status: ${green}Active$plain
   Status: ${red}Revoked$plain
   Status: ${red}Expired$plain" ]
    seen TERM=dumb LC_ALL=C
    [ "$output" = "   Status: Active
   Status: Revoked
   Status: Expired" ]
}

@test "what is no terminal gets neither colour nor marks, and JSON gets them nowhere" {
    needs script
    one_of_each
    export TERM=xterm LC_ALL=C.UTF-8
    exits 0 "$manager" list
    hides $'\e' $'\xe2\x9c'
    run on_terminal "$manager" list --json
    [ "$status" -eq 0 ]
    [[ $output != *$'\e'* ]]
    json 'length == 4'
}

@test "a reader that has had enough is no error to talk of" {
    create ci
    # shellcheck disable=SC2016 # for the inner shell
    exits 1 bash -c 'exec 3> >(exec true); wait $!; "$1" list >&3' list "$manager"
    [ "$stderr" = "" ]
    # shellcheck disable=SC2016 # for the inner shell
    exits 1 bash -c '"$1" list >/dev/full' list "$manager"
    says "cannot write to standard output" "No space left"
}
