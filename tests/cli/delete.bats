#!/usr/bin/env bats

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
bats_require_minimum_version 1.5.0
load common
load manager

@test "a deleted token is refused and gone from the file, and the talk names it" {
    token=$(create ci)
    create other
    id=$(field ci id)
    exits 0 "$manager" delete ci
    [ "$output" = "" ]
    says '"ci"' "$id" "${token:0:14}..."
    hides "${token:14}"
    check "$token"
    [ "$status" -eq 1 ]
    [ "$(jq -r '[.tokens[].name] | join(" ")' api_tokens.json)" = other ]
    exits 3 "$manager" delete "$id"
}

@test "revoked and expired tokens can be deleted" {
    records "$(record 1 gone sk-aaaaaaaaaaa "$revoked")" "$(record 2 old sk-bbbbbbbbbbb "$expired")"
    exits 0 "$manager" delete gone old
    [ "$(jq -c .tokens api_tokens.json)" = "[]" ]
    hides 'last active'
}

@test "delete --json prints an array of what was deleted" {
    records "$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-bbbbbbbbbbb "$revoked")"
    exits 0 "$manager" delete --json first second
    json '. == [
        {"id": "tok_0000000000000001", "name": "first", "status": "deleted", "changed": true},
        {"id": "tok_0000000000000002", "name": "second", "status": "deleted", "changed": true}
    ]'
}

@test "a deleted token gives its name free" {
    create ci
    "$manager" delete ci
    exits 0 "$manager" create ci
}

@test "away from a terminal delete does not ask" {
    create ci
    exits 0 "$manager" delete ci </dev/null
    hides y/N
}

# answered ANSWER [OPTION ...]: the first of two tokens is to be deleted at a terminal.
answered() {
    needs expect
    records "$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-bbbbbbbbbbb)"
    remember
    run answering "$1" "$manager" delete first "${@:2}"
    printf 'answer %q\n%s\n' "$1" "$output"
}

@test "at a terminal delete shows the token and asks" {
    answered 'y\r'
    [[ $output == *"$(id_of 1)"*sk-aaaaaaaaaaa*first*"[y/N]"* ]]
    [[ $output != *second* ]]
}

@test "at a terminal yes deletes" {
    for answer in 'y\r' 'Y\r' 'yes\r' 'YES\r'; do
        answered "$answer"
        [ "$status" -eq 0 ]
        [[ $output == *y/N* ]]
        [ "$(jq -r '[.tokens[].name] | join(" ")' api_tokens.json)" = second ]
    done
}

@test "at a terminal everything but yes deletes nothing, and it says so" {
    for answer in 'n\r' 'no\r' '\r' 'yess\r' 'y n\r' 'yes, please do that\r' '\4'; do
        answered "$answer"
        [ "$status" -eq 1 ]
        [[ $output == *'nothing was deleted'* ]]
        unchanged
    done
}

@test "at a terminal --yes deletes without a question" {
    answered n --yes
    [ "$status" -eq 0 ]
    [[ $output != *y/N* ]]
    [ "$(jq -r '[.tokens[].name] | join(" ")' api_tokens.json)" = second ]
}

@test "at a terminal what cannot be deleted is refused without a question" {
    needs expect
    records "$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-aaaabbbbbbb)"
    remember
    run answering y "$manager" delete nobody
    [ "$status" -eq 3 ]
    [[ $output != *y/N* ]]
    run answering y "$manager" delete sk-aaaa
    [ "$status" -eq 4 ]
    [[ $output != *y/N* ]]
    unchanged
}

@test "at a terminal a missing file is what it is elsewhere" {
    needs expect
    exits 6 "$manager" delete ci
    run answering y "$manager" delete ci
    echo "$output"
    [ "$status" -eq 6 ]
}

# kept WHERE COMMAND...: the command may not delete the token "ci", because its secret is the key there.
kept() {
    remember
    exits 1 "${@:2}"
    [ "$output" = "" ]
    says '"ci"' "$(field ci id)" "$1" revoke
    hides "${token:14}"
    unchanged
}

@test "a token that is the environment key is not deleted, and the message explains it" {
    token=$(create ci)
    create other
    kept FREEGPT_API_KEY env FREEGPT_API_KEY="$token" "$manager" delete ci
    kept FREEGPT_API_KEY env FREEGPT_API_KEY=" $token " "$manager" delete ci
    kept FREEGPT_API_KEY env FREEGPT_API_KEY="$token" "$manager" delete --yes --json other ci
    kept OPENAI_API_KEY env OPENAI_API_KEY="$token" "$manager" delete ci
    kept OPENAI_API_KEY env FREEGPT_API_KEY= OPENAI_API_KEY="$token" "$manager" delete ci
    "$manager" revoke ci
    kept FREEGPT_API_KEY env FREEGPT_API_KEY="$token" "$manager" delete ci
}

@test "a token that is the key in a .env file is not deleted" {
    token=$(create ci)
    echo "FREEGPT_API_KEY='$token'" >.env
    kept FREEGPT_API_KEY "$manager" delete ci
    mv .env other.env
    kept FREEGPT_API_KEY "$manager" delete ci --env-file other.env
}

@test "the message names the .env file from which the key must be taken out" {
    token=$(create ci)
    echo "FREEGPT_API_KEY=$token" >.env
    kept "$PWD/.env" "$manager" delete ci
    mv .env other.env
    kept "$PWD/other.env" "$manager" delete ci --env-file other.env
}

@test "a token whose older secret is the environment key is not deleted" {
    token=sk-0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijkl
    records "$(record 1 ci sk-aaaaaaaaaaa "\"previous\": [{\"prefix\": \"sk-0123456789a\",
        \"hash\": \"blake2b-256:$(printf %s "$token" | b2sum -l 256 | cut -d' ' -f1)\",
        \"expires_at\": \"9000-01-01T00:00:00Z\"}]")"
    kept FREEGPT_API_KEY env FREEGPT_API_KEY="$token" "$manager" delete ci
}

@test "a key that is not this token, or not to be read, does not stop a delete" {
    # The key variables, then the content of .env, then an option. % stands for the token.
    local rows=(
        FREEGPT_API_KEY=a-key-for-this-test '' ''
        '' FREEGPT_API_KEY=% --no-env-file
        '' '# FREEGPT_API_KEY=%' ''
    )
    for ((row = 0; row < ${#rows[@]}; row += 3)); do
        token=$(create ci)
        read -ra variables <<<"${rows[row]//%/$token}"
        printf '%s\n' "${rows[row + 1]//%/$token}" >.env
        exits 0 env "${variables[@]}" "$manager" delete ci ${rows[row + 2]:+"${rows[row + 2]}"}
        rm .env
    done
}

@test "a key that is not in force today stops a delete as well, and where it stands is said" {
    local rows=(
        'FREEGPT_API_KEY=a-key-for-this-test OPENAI_API_KEY=%' '' 'OPENAI_API_KEY (the environment)'
        FREEGPT_API_KEY=a-key-for-this-test FREEGPT_API_KEY=% "FREEGPT_API_KEY ($PWD/.env)"
        FREEGPT_API_KEY=a-key-for-this-test OPENAI_API_KEY=% "OPENAI_API_KEY ($PWD/.env)"
    )
    token=$(create ci)
    for ((row = 0; row < ${#rows[@]}; row += 3)); do
        read -ra variables <<<"${rows[row]//%/$token}"
        printf '%s\n' "${rows[row + 1]//%/$token}" >.env
        exits 1 env "${variables[@]}" "$manager" delete ci
        says "${rows[row + 2]}"
    done
    rm .env
    exits 0 "$manager" delete ci
}
