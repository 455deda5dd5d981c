#!/usr/bin/env bats
# When tokens end: how that is said, stored, shown, and kept to by everything that gives verdicts.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034  # variables of the helpers; a test is a subshell
# shellcheck disable=SC2016  # jq has variables of its own

bats_require_minimum_version 1.5.0
load common
load verifier
load authd
load library
load life

setup_file() {
    build_ask_once
}

@test "--expires takes a length of time in each unit" {
    while read -r text seconds; do
        begun=$(date +%s)
        manages 0 create "for $text" --expires "$text"
        within "$(field "for $text" expires_at)" "$seconds"
    done <<'END'
90d 7776000
12h 43200
30m 1800
45s 45
2w 1209600
0045s 45
END
}

@test "--expires takes a date, which ends as it begins, and a time" {
    while read -r text wanted; do
        manages 0 create "until $text" --expires "$text"
        same "$(field "until $text" expires_at)" "$wanted"
    done <<'END'
2990-01-31 2990-01-31T00:00:00Z
2992-02-29 2992-02-29T00:00:00Z
2990-01-31T12:34:56Z 2990-01-31T12:34:56Z
9999-12-31T23:59:59Z 9999-12-31T23:59:59Z
END
}

@test "--expires never is no expiry, as is none" {
    manages 0 create ci --expires never
    lacks "$stderr" "Good until"
    manages 0 create other
    same "$(jq -c '[.tokens[] | has("expires_at")]' api_tokens.json)" "[false,false]"
}

@test "an expiry that cannot be understood is refused with the forms, and nothing is made" {
    for text in soon Never 90 d 90D 90y 1.5h '90 d' ' 90d' -1d +1d 1d12h P90D 2027-1-31 2027-02-30 \
        31.01.2027 2027-01-31T12:00Z 2027-01-31T12:00:00 2027-01-31T12:00:00+01:00 10000-01-01 \
        2027-01-31T24:00:00Z $'90d\n' '٣d' 99999999999999999999d 18446744073709551617s; do
        manages 2 create ci --expires "$text"
        same "$output" ""
        says "$stderr" "--expires"
        for form in 90d 12h 2027-01-31 2027-01-31T12:00:00Z never; do
            says "$stderr" "$form"
        done
        [ ! -e api_tokens.json ]
    done
}

@test "an expiry that is not in the future is refused, and nothing is made" {
    for text in 0 0s 0d 1970-01-01 2020-02-29T00:00:00Z "$(in_seconds 0)" "$(in_seconds -1)"; do
        manages 2 create ci --expires "$text"
        same "$output" ""
        says "$stderr" "not in the future"
        [ ! -e api_tokens.json ]
    done
}

@test "an expiry after the year 9999 is refused, and never is named instead" {
    for text in 2912750d 500000w 9000000000m 300000000000s; do
        manages 2 create ci --expires "$text"
        same "$output" ""
        says "$stderr" never
        [ ! -e api_tokens.json ]
    done
}

@test "--expires given twice, or without a value, is refused" {
    manages 2 create ci --expires
    manages 2 create ci --expires ''
    says "$stderr" "--expires"
    manages 2 create ci --expires 1d --expires 2d
    [ ! -e api_tokens.json ]
}

@test "create tells until when the token is good, also as JSON" {
    manages 0 create ci --expires 2990-01-31
    says "$stderr" "Good until 2990-01-31T00:00:00Z"
    manages 0 create other --expires 2990-01-31 --json
    json '.expires_at == "2990-01-31T00:00:00Z"'
    manages 0 create third --json
    json '.expires_at == null'
}

@test "list shows when a token expires, in how long, and as JSON" {
    create ci --expires 2w
    create other
    ends=$(field ci expires_at)
    manages 0 list
    [[ $output == *"   Expires: $ends (in 13 days)"* || $output == *"   Expires: $ends (in 14 days)"* ]]
    same "$(grep -c Expires: <<<"$output")" 1
    manages 0 list --json
    json --arg ends "$ends" '[.[] | [.name, .status, .expires_at]]
        == [["ci", "active", $ends], ["other", "active", null]]'
}

@test "list shows an expired token as such, and since when" {
    write_tokens "$(record old "$token_one" "\"expires_at\": \"$(in_seconds -7300)\"")"
    manages 0 list
    says "$output" "   Status: Expired"
    says "$output" "(2 hours ago)"
    manages 0 list --json
    json '.[0].status == "expired"'
    manages 0 list --status expired --json
    json 'length == 1'
    manages 0 list --status active --json
    json '. == []'
}

@test "at a terminal an expired token is marked" {
    command -v script >/dev/null || skip "needs script"
    write_tokens "$(record old "$token_one" "\"expires_at\": \"$past\"")"
    export NO_COLOR=1
    run env SHELL=/bin/sh script -qec "$(printf '%q ' "$manager" list)" /dev/null </dev/null
    says "$output" "Status: ✗ Expired"
}

@test "list --expiring-within shows the active ones that end by then" {
    write_tokens "$(record never "$token_one")" \
        "$(record gone "$token_two" "\"expires_at\": \"$(in_seconds -1)\"")" \
        "$(record "in a day" a "\"expires_at\": \"$(in_seconds 86400)\"")" \
        "$(record "in a week" b "\"expires_at\": \"$(in_seconds 604800)\"")" \
        "$(record "far away" c "\"expires_at\": \"$future\"")" \
        "$(record revoked d "\"expires_at\": \"$(in_seconds 3600)\", \"revoked_at\": \"$past\"")"
    while IFS='|' read -r within names; do
        manages 0 list --expiring-within "$within" --json
        json --arg names "$names" '[.[].name] | join(",") == $names'
    done <<'END'
0|
12h|
25h|in a day
2d|in a day
14d|in a day,in a week
9999w|in a day,in a week
END
    manages 0 list --expiring-within 25h
    says "$output" "Found 1 token(s):"
    manages 0 list --expiring-within 1h
    same "$output" "No tokens found of that age or use."
    manages 0 list --expiring-within 2d --status expired --json
    same "$output" "[]"
    for bad in '' soon 2027-01-31 never 1d1h -1d; do
        manages 2 list --expiring-within "$bad"
        says "$stderr" "--expiring-within"
    done
}

@test "a token whose expiry has passed is refused everywhere, and one that has a minute is not" {
    write_tokens "$(record good "$token_one" "\"expires_at\": \"$(in_seconds 60)\"")" \
        "$(record now "$token_two" "\"expires_at\": \"$(in_seconds 0)\"")" \
        "$(record before "$token_three" "\"expires_at\": \"$past\"")"
    everybody_says accepted "$token_one"
    everybody_says expired "$token_two"
    everybody_says expired "$token_three"
}

@test "a token that create made to expire later is accepted everywhere" {
    token=$(create ci --expires 90d)
    everybody_says accepted "$token"
}

# The very second is met with the time passed in, in test_verdict.c. Here the clock goes on for one
# second of its own, and whatever is said before and after is held against it.
@test "running verifiers refuse a token once it passes, without any change of the file" {
    soon=$(in_seconds 1)
    write_tokens "$(record ci "$token_one" "\"expires_at\": \"$soon\"")" \
        "$(record rotated "$token_two" "\"previous\": [$(previous "$token_three" "$soon")]")"
    ends=$(date -u -d "$(field ci expires_at)" +%s)
    cp api_tokens.json before.json
    talk
    [ ! -x "$BIN/token_authd" ] || start_authd
    while
        asked=$EPOCHSECONDS
        printf '%s\n' "$token_one" >&"$to"
        read -r -t 20 heard <&"$from"
        [[ $heard == "OK "* || $asked -ge $ends || $EPOCHSECONDS -ge $ends ]] || fail "too early: $heard"
        [ "$asked" -lt "$ends" ]
    do
        :
    done
    same "$heard" "ERR expired"
    hears "ERR expired" "$token_three"
    hears "OK *" "$token_two"
    if [ -x "$BIN/token_authd" ]; then
        for secret in "$token_one" "$token_three"; do
            ask /verify -H "X-Api-Key: $secret"
            same "$code" 401
        done
    fi
    cmp before.json api_tokens.json
}

@test "--expires composes with what else create takes" {
    manages 0 create ci --expires 2990-01-31 --scope chat --scope models:read --note "a note" \
        --prefix sk_live_ --json
    json '(.token | startswith("sk_live_")) and .expires_at == "2990-01-31T00:00:00Z"
        and .scopes == ["chat", "models:read"] and .note == "a note" and .created == true'
    token=$(jq -r .token <<<"$output")
    manages 0 list --expiring-within 520000w --status active --json
    json 'length == 1 and .[0].expires_at == "2990-01-31T00:00:00Z"
        and .[0].scopes == ["chat", "models:read"] and .[0].note == "a note"'
    verdict "$token" --json --scope chat
    json '.expires_at == "2990-01-31T00:00:00Z"'
    manages 0 create other --expires 90d --if-not-exists --env=KEY
    [[ $output =~ ^KEY=sk- ]]
}
