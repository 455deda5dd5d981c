#!/usr/bin/env bats
# What tokens are good for: how that is said, kept, shown, and demanded of everything that gives verdicts.
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

@test "--scope is repeated, and the scopes are kept in the order they were given" {
    manages 0 create ci --scope models:read --scope chat --scope a --json
    json '.scopes == ["models:read", "chat", "a"]'
    jq -e '.tokens[0].scopes == ["models:read", "chat", "a"]' api_tokens.json
    manages 0 list
    says "$output" "   Scopes: models:read chat a"
    manages 0 list --json
    json '.[0].scopes == ["models:read", "chat", "a"]'
}

@test "a token without scopes has all, and list says so" {
    token=$(create ci)
    same "$(jq '.tokens[0] | has("scopes")' api_tokens.json)" false
    manages 0 list
    says "$output" "   Scopes: all"
    manages 0 list --json
    json '.[0].scopes == null'
    manages 0 create other --json
    json '.scopes == null'
    everybody_says accepted "$token" chat 'odd!#[]~scope'
}

@test "every character that RFC 6749 allows may be in a scope, and is demanded as it is" {
    # %x21 / %x23-5B / %x5D-7E
    first='!#$%&()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`{|}'
    second="~abcdefghijklmnopqrstuvwxyz'"
    token=$(create ci --scope "$first" --scope "$second" --scope '**')
    jq -e --arg a "$first" --arg b "$second" '.tokens[0].scopes == [$a, $b, "**"]' api_tokens.json
    everybody_says accepted "$token" "$first"
    everybody_says accepted "$token" "$second" '**'
    everybody_says scope "$token" "${first%?}"
}

@test "what is no scope is refused by create, and nothing is made" {
    long=$(printf 's%.0s' {1..65})
    for scope in '' '*' ' ' 'a b' ' a' 'a ' '"' 'a"b' "\\" "a\\b" $'a\tb' $'a\n' $'\e[m' $'a\x7f' é 'a b' "$long"; do
        manages 2 create ci --scope good --scope "$scope"
        same "$output" ""
        says "$stderr" --scope
        lacks "$stderr" $'\e'
        [ ! -e api_tokens.json ]
    done
    manages 0 create ci --scope "${long:1}"
}

@test "64 scopes are allowed, one more and one twice are refused" {
    options=()
    for i in {1..64}; do
        options+=(--scope "s$i")
    done
    manages 2 create ci "${options[@]}" --scope s65
    says "$stderr" 64
    manages 2 create ci --scope chat --scope other --scope chat
    says "$stderr" "twice"
    says "$stderr" chat
    [ ! -e api_tokens.json ]
    token=$(create ci "${options[@]}")
    same "$(jq '.tokens[0].scopes | length' api_tokens.json)" 64
    everybody_says accepted "$token" s1 s64 s33
    # They differ in nothing but case, and are two.
    manages 0 create other --scope chat --scope Chat
}

@test "each scope that is demanded must be there, by itself and to the letter, for everybody alike" {
    token=$(create ci --scope chat --scope models:read)
    everybody_says accepted "$token"
    everybody_says accepted "$token" chat
    everybody_says accepted "$token" models:read
    everybody_says accepted "$token" chat models:read
    everybody_says accepted "$token" models:read chat chat
    for demanded in Chat cha chats models models: models:rea models:read: admin; do
        everybody_says scope "$token" "$demanded"
        everybody_says scope "$token" chat "$demanded"
        everybody_says scope "$token" "$demanded" models:read
    done
}

@test "every secret of a token has its scopes, and a rotation keeps them" {
    write_tokens "$(record ci "$token_one" "\"scopes\": [\"chat\"], \"previous\": [$(
        previous "$token_two" "$future")]")"
    everybody_says accepted "$token_two" chat
    everybody_says scope "$token_two" admin
    new=$("$manager" rotate ci 2>/dev/null)
    everybody_says accepted "$new" chat
    everybody_says scope "$new" admin
    everybody_says scope "$token_one" admin
}

@test "what is worse than a lacking scope is said instead" {
    write_tokens "$(record revoked "$token_one" "\"scopes\": [\"chat\"], \"revoked_at\": \"$past\"")" \
        "$(record expired "$token_two" "\"scopes\": [\"chat\"], \"expires_at\": \"$past\"")"
    everybody_says revoked "$token_one" admin
    everybody_says expired "$token_two" admin
    everybody_says unknown "$stranger" admin
}

@test "a note is kept as it is, and shown by list and as JSON" {
    note='for the café, "inside" \ and 😀'
    manages 0 create ci --note "$note" --json
    json --arg note "$note" '.note == $note'
    same "$(field ci note)" "$note"
    manages 0 list
    says "$output" "   Note: $note"
    manages 0 list --json
    json --arg note "$note" '.[0].note == $note'
    manages 0 create other --json
    json '.note == null'
    manages 0 list
    same "$(grep -c Note: <<<"$output")" 1
    manages 0 rotate ci
    manages 0 revoke ci
    manages 0 restore ci
    same "$(field ci note)" "$note"
}

@test "a note has at most 500 characters, of whatever size" {
    for character in x 😀; do
        note=$(printf "$character%.0s" {1..500})
        manages 2 create ci --note "$note$character"
        same "$output" ""
        says "$stderr" 500
        [ ! -e api_tokens.json ]
        manages 0 create ci --note "$note"
        same "$(field ci note)" "$note"
        rm api_tokens.json*
    done
}

@test "a note with control characters, line ends or bad UTF-8 is refused" {
    for note in $'a\nb' $'a\n' $'\r' $'\t' $'\e[2J' $'\x7f' $'\xc2\x9b' $'\xe2\x80\xa8' $'\xe2\x80\xae' \
        $'\xff' $'a\xc3' $'\xed\xa0\x80'; do
        manages 2 create ci --note "$note"
        same "$output" ""
        says "$stderr" note
        lacks "$stderr" $'\e'
        [ ! -e api_tokens.json ]
    done
}
