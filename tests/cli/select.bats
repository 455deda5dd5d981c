#!/usr/bin/env bats
# How people name the token that a command is about.

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
bats_require_minimum_version 1.5.0
load common
load manager

ellipsis=$'\xe2\x80\xa6'

# means ID SELECTOR: the selector means this token and no other. The file is left as it was.
means() {
    remember
    exits 0 "$manager" revoke --json -- "$2"
    [ "$(grep -o '"id": "[^"]*"' <<<"$output")" = "\"id\": \"$1\"" ]
    cp before/api_tokens.json .
}

# fails STATUS SELECTOR...: the selectors are refused with that status, and nothing changes.
fails() {
    remember
    exits "$1" "$manager" revoke --json -- "${@:2}"
    [ "$output" = "" ]
    unchanged
}

@test "a token is named by its id, its name, itself or its beginning, dots or none" {
    for prefix in sk- sk_live_ - 0123456789abcde_; do
        rm -f api_tokens.json
        create other --prefix "$prefix"
        token=$(create my-application --prefix "$prefix")
        id=$(field my-application id)
        size=${#prefix}
        for selector in "$id" my-application "$token" "${token:0:size+4}" "${token:0:size+10}" \
            "${token:0:size+11}" "${token:0:size+11}..." "${token:0:size+11}$ellipsis" \
            "${token:0:size+4}..." "${token:0:size+11}." "${token:0:size+12}" "${token:0:size+30}" \
            "${token:0:size+30}..." "${token:0:size+48}"; do
            means "$id" "$selector"
        done
    done
}

@test "what means no token is refused with 3" {
    records "$(record 1 my-application sk-abcdeabcdea)"
    for selector in '' - -- sk- sk-a sk-abc sk-abc... sk-abc"$ellipsis" . ... "$ellipsis" \
        sk-abcx sk-ABCD k-abcdeabcdea abcdeabcdea My-Application my-applicatio my-application... \
        ' my-application' tok_ tok_000000000000000 tok_0000000000000002 TOK_0000000000000001 \
        "$(digest_of 1)"; do
        [ "$selector" != - ] || continue
        fails 3 "$selector"
        says 'token_manager list'
    done
}

@test "four characters count from the end of the token's own scheme prefix" {
    records "$(record 1 first sk_live_abcdeabcdea)" "$(record 2 second github-abcdeabcdea)"
    for selector in sk_live sk_live_ sk_live_abc gith github github- github-abc; do
        fails 3 "$selector"
    done
    means "$(id_of 1)" sk_live_abcd
    means "$(id_of 2)" github-abcd
}

@test "of a key whose stored beginning is short, more than that is not guessed" {
    records "$(record 1 imported abcde)" "$(record 2 schemed sk-abcdefghij)"
    means "$(id_of 1)" abcd
    means "$(id_of 1)" abcde
    fails 3 abcdef
    means "$(id_of 2)" sk-abcdefghij
    fails 3 sk-abcdefghijk
}

@test "a key whose beginning is not stored is no match for everything" {
    records "$(record 1 imported '')"
    fails 3 abcdefgh
    means "$(id_of 1)" imported
}

@test "a name means the unrevoked token of that name" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$revoked")" "$(record 2 ci sk-bbbbbbbbbbb)" \
        "$(record 3 ci sk-ccccccccccc "$revoked")"
    means "$(id_of 2)" ci
}

@test "a name means the unrevoked token even if that one has expired" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$revoked")" "$(record 2 ci sk-bbbbbbbbbbb "$expired")"
    means "$(id_of 2)" ci
}

@test "a name without unrevoked token means the only revoked one" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$revoked")"
    means "$(id_of 1)" ci
}

@test "a name of several revoked tokens is ambiguous, and the candidates are shown as revoked" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$revoked")" "$(record 2 ci sk-bbbbbbbbbbb "$revoked")"
    for command in revoke restore delete; do
        remember
        exits 4 "$manager" "$command" ci
        [ "$(grep -c '(revoked)' <<<"$stderr")" -eq 2 ]
        unchanged
    done
}

@test "a beginning of two tokens changes nothing and shows both" {
    records "$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-aaaabbbbbbb)" \
        "$(record 3 third sk-bbbbbbbbbbb)"
    for command in revoke restore delete; do
        for selector in sk-aaaa sk-aaaa... sk-aaaa"$ellipsis"; do
            remember
            exits 4 "$manager" "$command" "$selector"
            [ "$output" = "" ]
            says "$(id_of 1)" first sk-aaaaaaaaaaa "$(id_of 2)" second sk-aaaabbbbbbb
            hides "$(id_of 3)"
            unchanged
        done
    done
    means "$(id_of 1)" sk-aaaaa
}

@test "two tokens with the same stored beginning are told apart by their ids" {
    records "$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-aaaaaaaaaaa)"
    fails 4 sk-aaaaaaaaaaa
    fails 4 sk-aaaaaaaaaaabbb
    means "$(id_of 2)" "$(id_of 2)"
}

@test "a name that is also the beginning of another token is ambiguous" {
    records "$(record 1 sk-aaaa sk-bbbbbbbbbbb)" "$(record 2 second sk-aaaaaaaaaaa)"
    fails 4 sk-aaaa
    says "$(id_of 1)" "$(id_of 2)"
}

@test "of many candidates ten are shown, and that there are more" {
    list=()
    for number in {11..22}; do
        list+=("$(record "$number" "name $number" sk-aaaaaaaaa"$number")")
    done
    records "${list[@]}"
    fails 4 sk-aaaa
    says 12 $'\n  ...'
    [ "$(grep -c 'tok_' <<<"$stderr")" -eq 10 ]
}

@test "candidates with the longest of names are all shown" {
    name=$(printf '\xf0\x9f\x98\x80%.0s' {4..100})
    list=()
    for number in {11..20}; do
        list+=("$(record "$number" "$number $name" sk-aaaaaaaaa"$number")")
    done
    records "${list[@]}"
    fails 4 sk-aaaa
    for number in {11..20}; do
        says "$(id_of "$number")"
    done
}

@test "several tokens are changed at once" {
    records "$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-bbbbbbbbbbb)" \
        "$(record 3 third sk-ccccccccccc)"
    exits 0 "$manager" revoke --json third sk-aaaa
    [ "$(jq -r '[.[].name] | join(" ")' <<<"$output")" = "third first" ]
    [ "$(status_of first) $(status_of second) $(status_of third)" = "revoked active revoked" ]
}

@test "if one of several selectors fails, nothing changes" {
    records "$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-aaaabbbbbbb)" \
        "$(record 3 third sk-ccccccccccc)"
    for command in revoke restore delete; do
        remember
        exits 3 "$manager" "$command" third nobody first
        says nobody
        unchanged
        exits 4 "$manager" "$command" third sk-aaaa
        unchanged
    done
}

@test "a token that is named twice is changed once" {
    records "$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-bbbbbbbbbbb)"
    for command in revoke restore delete; do
        exits 0 "$manager" "$command" --json first sk-aaaa... "$(id_of 1)" first
        json 'length == 1'
    done
    [ "$(wc -l <api_tokens.json.audit)" -eq 3 ]
}

@test "- reads selectors from standard input, a line each" {
    five=("$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-bbbbbbbbbbb)"
        "$(record 3 'the third' sk-ccccccccccc)" "$(record 4 - sk-ddddddddddd)"
        "$(record 5 --yes sk-eeeeeeeeeee)")
    records "${five[@]}"
    exits 0 "$manager" revoke --json - < <(printf 'first\r\n\n  sk-bbbb...\t\n \nthe third')
    [ "$(jq -r '[.[].name] | join(" ")' <<<"$output")" = "first second the third" ]
    records "${five[@]}"
    exits 0 "$manager" delete --json second - 'the third' <<<first
    [ "$(jq -r '[.[].name] | join(" ")' <<<"$output")" = "second first the third" ]
    exits 0 "$manager" delete --json - <<<$'-\n--yes'
    [ "$(jq '.tokens | length' api_tokens.json)" -eq 0 ]
}

@test "selectors from standard input are all or none too" {
    records "$(record 1 first sk-aaaaaaaaaaa)"
    remember
    exits 3 "$manager" revoke - <<<$'first\nnobody'
    says nobody
    unchanged
}

@test "standard input that names no token is a usage error" {
    records "$(record 1 first sk-aaaaaaaaaaa)"
    remember
    for input in '' $'\n' $' \r\n\t\n'; do
        exits 2 "$manager" revoke - < <(printf %s "$input")
        says 'standard input'
        unchanged
    done
}

@test "standard input that cannot be read fails" {
    records "$(record 1 first sk-aaaaaaaaaaa)"
    remember
    exits 1 "$manager" revoke first - <.
    says 'standard input'
    exits 1 sh -c '"$@" <&-' sh "$manager" revoke first -
    says 'standard input'
    unchanged
}

@test "a line of standard input that is too long, or not text, is refused with its number" {
    records "$(record 1 first sk-aaaaaaaaaaa)"
    remember
    exits 2 "$manager" revoke - < <(printf 'first\n%05000d\n' 0)
    says 'standard input:2'
    unchanged
    exits 2 "$manager" revoke - < <(printf '\nfirst\0nobody\n')
    says 'standard input:2'
    unchanged
}

# A token that is in its grace: its older secret is given, and as $old what is stored of it.
with_older_secret() {
    old="{\"prefix\": \"${1:0:14}\", \"hash\": \"blake2b-256:$(
        printf %s "$1" | b2sum -l 256 | cut -d' ' -f1)\", \"expires_at\": \"9000-01-01T00:00:00Z\"}"
}

@test "an older secret in its grace names its token too, whole or by its beginning" {
    secret=sk-0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijkl
    with_older_secret "$secret"
    records "$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-bbbbbbbbbbb "\"previous\": [$old]")"
    means "$(id_of 2)" "$secret"
    means "$(id_of 2)" "${secret:0:7}"
    means "$(id_of 2)" "${secret:0:14}..."
    means "$(id_of 2)" "${secret:0:30}"
    means "$(id_of 2)" sk-bbbb
    fails 3 "${secret:0:6}"
}

@test "a beginning of one token's secret and another's older one is ambiguous" {
    with_older_secret sk-aaaabbbbcccc
    records "$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-bbbbbbbbbbb "\"previous\": [$old]")"
    fails 4 sk-aaaa
    says "$(id_of 1)" "$(id_of 2)"
    means "$(id_of 2)" sk-aaaab
}

@test "a beginning of a token's secret and its own older one is not ambiguous" {
    with_older_secret sk-aaaabbbbcccc
    records "$(record 1 first sk-aaaaccccccc "\"previous\": [$old]")"
    means "$(id_of 1)" sk-aaaa
}

@test "revoke and restore keep the older secrets" {
    with_older_secret sk-aaaabbbbcccc
    records "$(record 1 first sk-ccccccccccc "\"previous\": [$old]")"
    "$manager" revoke first
    "$manager" restore first
    [ "$(jq -c '.tokens[0].previous' api_tokens.json)" = "$(jq -c '[.]' <<<"$old")" ]
}
