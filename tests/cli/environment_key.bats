#!/usr/bin/env bats
# The key in FREEGPT_API_KEY or OPENAI_API_KEY, and what the token file says against it.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, verifier and run; a test is a subshell

bats_require_minimum_version 1.5.0
load common
load verifier

key=a-key-for-this-test

@test "without a token file the key of either variable is accepted, and nothing else" {
    for variable in FREEGPT_API_KEY OPENAI_API_KEY; do
        echo "row: $variable"
        export "$variable=$key"
        verdict "$key"
        accepted "env:$variable" "$variable"
        verdict "authorization: bearer $key "
        accepted "env:$variable" "$variable"
        for credential in "${key}x" "${key%?}" "${key^^}" "$variable" "$token_one"; do
            echo "row: $credential"
            verdict "$credential"
            refused unknown "no"
            lacks "$stderr" "$key"
        done
        verdict ""
        refused missing "no credential"
        unset "$variable"
    done
}

@test "FREEGPT_API_KEY comes first: OPENAI_API_KEY is no key beside it" {
    export FREEGPT_API_KEY=$key OPENAI_API_KEY=another-key-of-mine
    verdict "$key"
    accepted env:FREEGPT_API_KEY FREEGPT_API_KEY
    verdict another-key-of-mine
    refused unknown "no token"
}

@test "where FREEGPT_API_KEY is set to nothing, OPENAI_API_KEY is the key" {
    export OPENAI_API_KEY=$key
    for nothing in '' ' ' $'\t\n '; do
        echo "row: '$nothing'"
        export FREEGPT_API_KEY=$nothing
        verdict "$key"
        accepted env:OPENAI_API_KEY OPENAI_API_KEY
    done
}

@test "the file's tokens and the key are valid side by side" {
    write_tokens "$(record ci "$token_one")"
    export FREEGPT_API_KEY=$key
    verdict "$token_one"
    accepted "$(id_of "$token_one")" ci
    verdict "$key"
    accepted env:FREEGPT_API_KEY FREEGPT_API_KEY
    verdict "$token_two"
    refused unknown "none in the file"
}

@test "a file without tokens leaves the key valid" {
    write_tokens
    export FREEGPT_API_KEY=$key
    verdict "$key"
    accepted env:FREEGPT_API_KEY FREEGPT_API_KEY
}

@test "a file that cannot be understood takes the key down with it" {
    export FREEGPT_API_KEY=$key
    : >api_tokens.json
    verdict "$key"
    unavailable "the file is empty"
    rm api_tokens.json
    verdict "$key" --file api_tokens.json
    unavailable "does not exist"
}

@test "blanks around a key do not belong to it" {
    for value in " $key" "$key " $'\t'"$key"$'\r\n' "  $key  "; do
        printf 'row: %q\n' "$value"
        export FREEGPT_API_KEY=$value
        verdict "$key"
        accepted env:FREEGPT_API_KEY FREEGPT_API_KEY
    done
}

@test "a key that is a revoked token of the file is refused" {
    write_tokens "$(record old "$token_one" "\"revoked_at\": \"$past\"")"
    for variable in FREEGPT_API_KEY OPENAI_API_KEY; do
        echo "row: $variable"
        export "$variable=$token_one"
        verdict "$token_one"
        refused revoked "was revoked"
        unset "$variable"
    done
}

@test "revoking a token by hand of the manager refuses it also as key" {
    token=$(create ci)
    export FREEGPT_API_KEY=$token
    verdict "$token"
    accepted "$(field ci id)" ci
    "$manager" revoke ci 2>/dev/null
    verdict "$token"
    refused revoked "was revoked"
}

@test "what the file says of a token is said also of the key that equals it" {
    while IFS='|' read -r fields reason; do
        echo "row: $fields"
        write_tokens "$(record ci "$token_one" "$fields")"
        export FREEGPT_API_KEY=$token_one
        verdict "$token_one" --scope write
        refused "$reason" "the token"
    done <<END
"expires_at": "$past"|expired
"revoked_at": "$past", "expires_at": "$past"|revoked
"scopes": ["read"]|scope
END
    write_tokens "$(record ci "$token_two" "\"previous\": [$(previous "$token_one" "$past")]")"
    verdict "$token_one"
    refused expired "the token"
}

@test "a key that is a good token of the file is accepted as that token" {
    write_tokens "$(record ci "$token_one")"
    export FREEGPT_API_KEY=$token_one
    verdict "$token_one"
    accepted "$(id_of "$token_one")" ci
}

@test "the key has all scopes" {
    export FREEGPT_API_KEY=$key
    verdict "$key" --scope admin --scope read
    accepted env:FREEGPT_API_KEY FREEGPT_API_KEY
}

@test "a key of 512 characters can be sent, a longer one cannot" {
    long=$(printf '%512s' '' | tr ' ' k)
    export FREEGPT_API_KEY=$long
    verdict "$long"
    accepted env:FREEGPT_API_KEY FREEGPT_API_KEY
    export FREEGPT_API_KEY=${long}k
    verdict "${long}k"
    refused malformed "too long"
}

@test "a key with blanks or other characters than visible ASCII in it never matches" {
    for value in "two words of a key" $'a-key\nwith-two-lines' "clé-für-diesen-test" $'tab\tin-a-key'; do
        printf 'row: %q\n' "$value"
        export FREEGPT_API_KEY=$value OPENAI_API_KEY=$key
        printf '%s' "$value" >input
        verdict_on input
        refused malformed ""
        # It was meant as the key: another does not slip into its place.
        verdict "$key"
        refused unknown "no token"
    done
}
