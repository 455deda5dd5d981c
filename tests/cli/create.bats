#!/usr/bin/env bats

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
# shellcheck disable=SC2016  # jq has variables of its own
bats_require_minimum_version 1.5.0
load common
load manager

# One character of four bytes, in any locale.
grin=$'\xf0\x9f\x98\x80'

repeat() {
    local i
    for ((i = 0; i < $2; i++)); do
        printf %s "$1"
    done
}

# Standard output a pipe that nobody reads: into_closed_pipe COMMAND...
into_closed_pipe() {
    mkfifo pipe
    exec 8<>pipe
    exec 9>pipe 8<&-
    "$@" >&9
}

@test "create prints the token and nothing else on standard output" {
    run_apart "$manager" create my-application
    [ "$status" -eq 0 ]
    [[ "$output" =~ ^sk-[0-9A-Za-z]{49}$ ]]
}

@test "the digest in the file is what b2sum says of the token" {
    token=$(create ci)
    expected=$(printf %s "$token" | b2sum -l 256 | cut -d' ' -f1)
    [ "$(field ci hash)" = "blake2b-256:$expected" ]
}

@test "create tells on standard error what was made, where, and how to use it" {
    exits 0 "$manager" create ci
    says '"ci"' "$(field ci id)" "$PWD/api_tokens.json" FREEGPT_API_KEY= 'Authorization: Bearer '
}

@test "create says that the token file is new, and only then" {
    exits 0 "$manager" create first
    says new
    exits 0 "$manager" create second
    [[ $stderr != *" is new"* ]]
}

@test "the token is in no file of the folder and not on standard error, in whole or in part" {
    mkdir here
    cd here
    token=$("$manager" create ci 2>../talk)
    secret=${token:14}
    for part in "${secret:0:12}" "${secret:12:12}" "${secret:23:12}"; do
        echo "$part"
        run -1 grep -rF -e "$part" . ../talk
    done
}

@test "the stored prefix is the scheme prefix and the next 11 characters" {
    token=$(create ci)
    [ "$(field ci prefix)" = "${token:0:14}" ]
}

@test "no two tokens and no two ids are alike" {
    for name in a b c d e f g h; do
        create "$name" >>tokens
    done
    [ "$(sort -u tokens | grep -c .)" -eq 8 ]
    [ "$(jq -r '.tokens[].id' api_tokens.json | grep -Ex 'tok_[0-9A-Za-z]{16}' | sort -u | grep -c .)" -eq 8 ]
}

@test "--prefix puts another beginning in front of the token" {
    for prefix in sk_live_ - _ a- A9-_ 0123456789abcde_; do
        exits 0 "$manager" create "for $prefix" --prefix "$prefix"
        [[ $output =~ ^${prefix}[0-9A-Za-z]{49}$ ]]
        [ "$(field "for $prefix" prefix)" = "${output:0:${#prefix}+11}" ]
        check "$output"
        [ "$status" -eq 0 ]
    done
}

@test "a bad --prefix is refused" {
    for prefix in '' sk 'sk.' 'sk -' ' sk-' sk-a $'sk\n-' $'sk\xc3\xa9-' 0123456789abcdef_ tok_; do
        exits 2 "$manager" create ci --prefix "$prefix"
        [ "$output" = "" ]
        says prefix
        [ ! -e api_tokens.json ]
    done
}

@test "--env prints a line that .env takes, and the verifier finds the key there" {
    create old --env >.env
    create ci --env >>.env
    run cat .env
    [ "${#lines[@]}" -eq 2 ]
    [[ ${lines[1]} =~ ^FREEGPT_API_KEY=(sk-[0-9A-Za-z]{49})$ ]]
    mv api_tokens.json away.json
    check "${BASH_REMATCH[1]}"
    [ "$status" -eq 0 ]
    [[ $output == *env:FREEGPT_API_KEY* ]]
}

@test "--env=VAR names another variable" {
    exits 0 "$manager" create ci --env=OPENAI_API_KEY
    [[ $output =~ ^OPENAI_API_KEY=sk-[0-9A-Za-z]{49}$ ]]
    exits 0 "$manager" create other --env=_lower9
    [[ $output =~ ^_lower9=sk-[0-9A-Za-z]{49}$ ]]
}

@test "with --env=VAR the talk is about that variable too" {
    exits 0 "$manager" create ci --env=OPENAI_API_KEY
    says OPENAI_API_KEY
    [[ $stderr != *FREEGPT_API_KEY* ]]
}

@test "what can be no variable is refused by --env" {
    for variable in 9A A-B 'A B' A= $'A\n' $'\xc3\x84'; do
        exits 2 "$manager" create ci "--env=$variable"
        [ "$output" = "" ]
        says --env
        [ ! -e api_tokens.json ]
    done
}

@test "--env= with nothing behind it is refused, not guessed" {
    exits 2 "$manager" create ci --env=
    [ ! -e api_tokens.json ]
}

@test "--json prints one object with exactly the promised fields" {
    exits 0 "$manager" create 'a "b" \c' --json --prefix sk_test_
    [ "$(jq -s length <<<"$output")" -eq 1 ]
    json 'keys_unsorted == ["id", "name", "token", "prefix", "created_at", "expires_at", "scopes",
        "note", "created"]'
    json '.created == true and .name == "a \"b\" \\c"'
    json '.token | test("^sk_test_[0-9A-Za-z]{49}$")'
    json --slurpfile file api_tokens.json '
        . as $made | $file[0].tokens[0] | .id == $made.id and .name == $made.name
        and .prefix == $made.prefix and .created_at == $made.created_at'
    token=$(jq -r .token <<<"$output")
    [[ $stderr != *"${token:20}"* ]]
    check "$token"
    [ "$status" -eq 0 ]
}

@test "--env and --json exclude each other" {
    exits 2 "$manager" create ci --env --json
    says --env --json
    [ ! -e api_tokens.json ]
}

@test "--if-not-exists creates where the name is free" {
    exits 0 "$manager" create ci --if-not-exists
    check "$output"
    [ "$status" -eq 0 ]
    exits 0 "$manager" create other --if-not-exists --json
    json '.created == true and (.token | startswith("sk-"))'
}

@test "--if-not-exists changes and prints nothing where the name exists, but names the id" {
    create ci
    remember
    for option in '' --env --env=OPENAI_API_KEY; do
        exits 0 "$manager" create ci --if-not-exists ${option:+"$option"}
        [ "$output" = "" ]
        says "$(field ci id)"
        unchanged
    done
}

@test "--if-not-exists --json prints id and created, and no token, where the name exists" {
    create ci
    remember
    exits 0 "$manager" create ci --if-not-exists --json
    unchanged
    [ "$(jq -s length <<<"$output")" -eq 1 ]
    json 'keys_unsorted == ["id", "name", "prefix", "created_at", "expires_at", "scopes",
        "note", "created"]'
    json --slurpfile file api_tokens.json '
        . as $said | $said.created == false and ($file[0].tokens[0] | .id == $said.id
        and .name == $said.name and .prefix == $said.prefix
        and .created_at == $said.created_at)'
}

@test "--if-not-exists takes no revoked token for an existing one" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$revoked")"
    exits 0 "$manager" create ci --if-not-exists
    check "$output"
    [ "$status" -eq 0 ]
}

@test "--if-not-exists warns that the existing token has expired" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$expired")"
    remember
    exits 0 "$manager" create ci --if-not-exists
    [ "$output" = "" ]
    says "$(id_of 1)" expired
    exits 0 "$manager" create ci --if-not-exists --json
    json '.created == false'
    unchanged
}

@test "a name is 1 to 100 characters of UTF-8, kept as they are" {
    local names=(
        a "$(repeat a 100)" "$(repeat "$grin" 100)" 'Web application (production)' 'quote " \ / <&>'
        $'caf\xc3\xa9' my-application sk-prod tok_short App app "O'Reilly"
        $'inside\xc2\xa0it' 1234567890123456789012345 under_scores-and-dashes
    )
    for name in "${names[@]}"; do
        exits 0 "$manager" create "$name" --json
        [ "$(jq -r .name <<<"$output")" = "$name" ]
    done
    "$manager" list --json | jq -r '.[].name' >listed
    printf '%s\n' "${names[@]}" | cmp - listed
}

@test "a name that breaks a rule is refused with the reason, and nothing is made" {
    # What is wrong, then the name itself.
    local rows=(
        'is empty' ''
        '101 characters' "$(repeat a 101)"
        '101 characters' "$(repeat "$grin" 101)"
        'control character' $'a\nb'
        'control character' $'a\tb'
        'control character' $'a\x01b'
        'control character' $'a\x1b[31mb'
        'control character' $'a\x7fb'
        'control character' $'a\xc2\x85b'
        'control character' $'a\xe2\x80\xaeb'
        'not valid UTF-8' $'a\xff'
        'not valid UTF-8' $'a\xc3'
        'not valid UTF-8' $'\xc0\xafa'
        'not valid UTF-8' $'\xed\xa0\x80a'
        'blank' ' a'
        'blank' 'a '
        'blank' ' '
        'blank' $'a\xc2\xa0'
        'blank' $'\xc2\xa0a'
        'blank' $'\xe3\x80\x80a'
        'blank' $'a\xe2\x80\x89'
        'id of a token' tok_0123456789abcdef
        'like a token' "sk-$(repeat aB3 16)a"
        'like a token' "sk_live_$(repeat aB3 16)a"
        'like a token' sk-a1b2c3d4e5f
        'like a token' sk-a1b2c3d4e5f6g7h8i9
        'like a token' "$(digest_of 12345)"
        'like a token' eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl
    )
    for ((i = 0; i < ${#rows[@]}; i += 2)); do
        exits 2 "$manager" create -- "${rows[i + 1]}"
        [ "$output" = "" ]
        says "${rows[i]}"
        [ ! -e api_tokens.json ]
    done
}

@test "a name shaped like what list shows of a token is refused, dots and all" {
    for name in sk-a1b2c3d4e5f... sk-a1b2c3d4e5f$'\xe2\x80\xa6' sk_live_a1b2c3d4e5f...; do
        exits 2 "$manager" create "$name"
        says 'like a token'
        [ ! -e api_tokens.json ]
    done
}

@test "a name with a whole token in it is refused, and the token stays out of every file" {
    token=$(create app)
    remember
    for name in "Bearer $token" "Authorization: Bearer $token" "FREEGPT_API_KEY=$token" "my-$token" \
        "\"$token\""; do
        exits 2 "$manager" create "$name"
        hides "${token:14}"
        unchanged
    done
    run -1 grep -rF -e "${token:14}" .
}

@test "a name that an unrevoked token has is refused with 5 and the token's id" {
    create ci
    remember
    for option in '' --json --env; do
        exits 5 "$manager" create ci ${option:+"$option"}
        [ "$output" = "" ]
        says '"ci"' "$(field ci id)" active
        unchanged
    done
}

@test "a name that an expired token has is refused, and the message says what can be done" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$expired")"
    remember
    exits 5 "$manager" create ci
    says "$(id_of 1)" expired revoke delete
    unchanged
}

@test "a revoked token leaves its name to others" {
    records "$(record 1 ci sk-aaaaaaaaaaa "$revoked")" "$(record 2 ci sk-bbbbbbbbbbb "$revoked")"
    exits 0 "$manager" create ci
    [ "$(status_of ci)" = $'revoked\nrevoked\nactive' ]
}

@test "with standard output closed nothing is made" {
    create ci
    remember
    for option in '' --json --env; do
        exits 1 sh -c '"$@" >&-' sh "$manager" create other ${option:+"$option"}
        says 'standard output' 'nothing was changed'
        unchanged
    done
}

@test "with standard output open for reading only nothing is made" {
    create ci
    remember
    exits 1 sh -c '"$@" 1</dev/null' sh "$manager" create other
    says 'nothing was changed'
    unchanged
}

@test "with standard error closed the token is still made and shown" {
    token=$("$manager" create ci 2>&-)
    check "$token"
    [ "$status" -eq 0 ]
    [ "$(jq '.tokens | length' api_tokens.json)" -eq 1 ]
}

# The talk names the token that was made but not shown, and the command that it gives as remedy works.
can_be_remedied() {
    says "$(field lost id)"
    [[ $stderr =~ \`token_manager\ ([^\`]*)\` ]]
    read -ra remedy <<<"${BASH_REMATCH[1]}"
    exits 0 "$manager" "${remedy[@]}"
    [ "$(jq '.tokens | length' api_tokens.json)" -eq 0 ]
}

@test "a token that does not fit on a full disk is named with its remedy" {
    [ -c /dev/full ] || skip "needs /dev/full"
    for option in '' --json --env; do
        exits 1 sh -c '"$@" >/dev/full' sh "$manager" create lost ${option:+"$option"}
        can_be_remedied
    done
}

@test "a token that nobody reads from the pipe is named with its remedy" {
    exits 1 into_closed_pipe "$manager" create lost
    can_be_remedied
}

@test "the remedy for a token that was not shown is for the file that was named" {
    [ -c /dev/full ] || skip "needs /dev/full"
    exits 1 sh -c '"$@" >/dev/full' sh "$manager" create lost --file elsewhere.json
    [[ $stderr =~ \`token_manager\ ([^\`]*)\` ]]
    read -ra remedy <<<"${BASH_REMATCH[1]}"
    exits 0 "$manager" "${remedy[@]}"
    [ "$(jq '.tokens | length' elsewhere.json)" -eq 0 ]
}
