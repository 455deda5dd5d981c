#!/usr/bin/env bats
# Authentication is off only on purpose: each way into open mode, and each way out of it.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, verifier and run; a test is a subshell
# shellcheck disable=SC2016  # dollars in single quotes belong to the .env file

bats_require_minimum_version 1.5.0
load common
load verifier

key=a-key-for-this-test

# Open for whoever comes, by check and status alike: is_open_with [OPTION...]
is_open_with() {
    for credential in '' "$stranger" 'two words' 'Authorization: Basic x'; do
        echo "row: $credential"
        verdict "$credential" "$@"
        is_open
    done
    run_apart "$verifier" status "$@"
    exits 0
    says "$output" "Mode: open"
    says "$output" "AUTHENTICATION IS OFF"
    run_apart "$verifier" status --json "$@"
    exits 0
    same "$(jq -c '[.mode, .readable, .error]' <<<"$output")" '["open",false,null]'
}

# Nobody has a verdict: is_unavailable_with WORDS [OPTION...]
is_unavailable_with() {
    for credential in '' "$token_one" "$key"; do
        echo "row: $credential"
        verdict "$credential" "${@:2}"
        unavailable "$1"
        lacks "$stderr" "AUTHENTICATION IS OFF"
    done
    run_apart "$verifier" status "${@:2}"
    exits 6
    says "$output" "Mode: unavailable"
    says "$output" "$1"
    lacks "$output" "AUTHENTICATION IS OFF"
}

# Refused, whoever comes, though a verdict is possible: is_closed_with [OPTION...]
is_closed_with() {
    verdict "" "$@"
    refused missing "no credential"
    verdict "$stranger" "$@"
    refused unknown "none in the file"
    run_apart "$verifier" status "$@"
    lacks "$output" "Mode: open"
    lacks "$output" "AUTHENTICATION IS OFF"
}

@test "no token file, no key and no .env: open" {
    is_open_with
}

@test "open mode asks for no scope" {
    verdict "" --scope admin
    is_open
}

@test "open mode reads nothing out of a .env that has nothing to say" {
    echo 'PATH=$HOME' >.env
    is_open_with
    says "$("$verifier" status)" "$PWD/.env"
}

@test "open mode leaves no file behind" {
    mkdir folder
    cd folder
    verdict ""
    is_open
    "$verifier" status
    same "$(ls -A)" ""
}

@test "the first token ends open mode, and removing the file begins it again" {
    is_open_with
    token=$(create ci)
    is_closed_with
    verdict "$token"
    exits 0
    mv api_tokens.json api_tokens.json.backup
    is_open_with
}

@test "a missing file that an option names is no open door" {
    for file in gone.json api_tokens.json ./api_tokens.json "$PWD/api_tokens.json"; do
        echo "row: $file"
        is_unavailable_with "does not exist" --file "$file"
        says "$output" "token_manager --file"
    done
}

@test "a missing file that API_TOKENS_FILE names is no open door" {
    for file in gone.json api_tokens.json "$PWD/api_tokens.json"; do
        echo "row: $file"
        export API_TOKENS_FILE=$file
        is_unavailable_with "named by API_TOKENS_FILE"
        unset API_TOKENS_FILE
        echo "API_TOKENS_FILE=$file" >.env
        is_unavailable_with "named by API_TOKENS_FILE"
        rm .env
    done
}

@test "--allow-open opens although the missing file was named" {
    is_open_with --allow-open --file gone.json
    export API_TOKENS_FILE=gone.json
    is_open_with --allow-open
    unset API_TOKENS_FILE
    echo 'API_TOKENS_FILE=gone.json' >.env
    is_open_with --allow-open
}

@test "--allow-open opens nothing that something else keeps shut" {
    export FREEGPT_API_KEY=$key
    verdict "" --allow-open --file gone.json
    refused missing "no credential"
    unset FREEGPT_API_KEY
    : >empty.json
    is_unavailable_with "the file is empty" --allow-open --file empty.json
    write_tokens
    is_closed_with --allow-open
}

@test "a link that leads nowhere in the place of the token file is a fault" {
    ln -s nowhere api_tokens.json
    is_unavailable_with "symbolic link to something that is not there"
    is_unavailable_with "symbolic link to something that is not there" --allow-open
    is_unavailable_with "symbolic link to something that is not there" --allow-open \
        --file api_tokens.json
}

@test "a folder in the place of the token file is a fault" {
    mkdir api_tokens.json
    is_unavailable_with "is a folder"
    is_unavailable_with "is a folder" --allow-open
}

@test "an empty or broken token file is a fault" {
    for text in '' '{}' '{"version": 1, "tokens": [' 'null' '[]'; do
        echo "row: $text"
        printf '%s' "$text" >api_tokens.json
        is_unavailable_with "api_tokens.json:1: "
        is_unavailable_with "api_tokens.json:1: " --allow-open
    done
}

@test "a token file that may not be read is a fault" {
    write_tokens
    [ "$(id -u)" = 0 ] || chmod 000 api_tokens.json
    share_folder
    run_apart unprivileged "$verifier" check </dev/null
    unavailable "Permission denied"
    run_apart unprivileged "$verifier" check --allow-open </dev/null
    unavailable "Permission denied"
}

@test "a missing folder is a fault, not a missing file" {
    is_unavailable_with "the folder of" --file gone/api_tokens.json
    is_unavailable_with "the folder of" --file gone/api_tokens.json --allow-open
    : >file
    is_unavailable_with "file/api_tokens.json" --file file/api_tokens.json --allow-open
}

@test "a folder that may not be searched is a fault, not a missing file" {
    mkdir locked
    chmod 000 locked
    share_folder
    run_apart unprivileged "$verifier" check --file locked/api_tokens.json --allow-open \
        </dev/null
    chmod 700 locked
    unavailable "Permission denied"
}

@test "a key ends open mode, in the environment and in .env" {
    for variable in FREEGPT_API_KEY OPENAI_API_KEY; do
        echo "row: $variable"
        export "$variable=$key"
        is_closed_with
        verdict "$key"
        accepted "env:$variable" "$variable"
        unset "$variable"
        echo "$variable=$key" >.env
        is_closed_with
        verdict "$key"
        accepted "env:$variable" "$variable"
        rm .env
    done
    is_open_with
}

@test "a key variable that is set to nothing keeps the door shut, in the environment and in .env" {
    for variable in FREEGPT_API_KEY OPENAI_API_KEY; do
        for value in '' ' '; do
            echo "row: $variable='$value'"
            export "$variable=$value"
            is_closed_with
            exits 1
            says "$output" "NOBODY IS ACCEPTED"
            is_closed_with --allow-open
            unset "$variable"
            echo "$variable=$value" >.env
            is_closed_with
            exits 1
            rm .env
        done
    done
    is_open_with
}

@test "a .env that cannot be read whole keeps the door shut" {
    for text in '?' 'A="b' 'API_TOKENS_FILE=$HOME' 'FREEGPT_API_KEY=${KEY}'; do
        echo "row: $text"
        printf '# comment\n%s\n' "$text" >.env
        for command in check status; do
            run_apart "$verifier" "$command" --allow-open </dev/null
            exits 6
            same "$output" ""
            says "$stderr" ".env:2: "
            lacks "$stderr" "AUTHENTICATION IS OFF"
        done
    done
    rm .env
    ln -s nowhere .env
    verdict ""
    exits 6
    same "$output" ""
}

@test "a .env that may not be read keeps the door shut" {
    : >.env
    chmod 000 .env
    share_folder
    for command in check status; do
        run_apart unprivileged "$verifier" "$command" </dev/null
        exits 6
        same "$output" ""
        says "$stderr" ".env: Permission denied"
    done
}

@test "a file without a live token refuses everybody" {
    write_tokens
    is_closed_with
    write_tokens "$(record old "$token_one" "\"revoked_at\": \"$past\"")"
    is_closed_with
    verdict "$token_one"
    refused revoked "was revoked"
    write_tokens "$(record old "$token_one" "\"expires_at\": \"$past\"")"
    is_closed_with
    verdict "$token_one"
    refused expired "has expired"
}

@test "deleting the last token opens nothing" {
    create ci
    "$manager" delete --yes ci 2>/dev/null
    is_closed_with
}

@test "--require-auth and TOKEN_VERIFIER_REQUIRE_AUTH=1 forbid open mode" {
    is_unavailable_with "it is required" --require-auth
    is_unavailable_with "it is required" --require-auth --allow-open
    is_unavailable_with "it is required" --require-auth --allow-open --file gone.json
    echo 'TOKEN_VERIFIER_REQUIRE_AUTH=1' >.env
    is_unavailable_with "it is required"
    rm .env
    export TOKEN_VERIFIER_REQUIRE_AUTH=1
    is_unavailable_with "it is required"
    is_unavailable_with "it is required" --allow-open
}

@test "--require-auth changes nothing where there is something to decide by" {
    export FREEGPT_API_KEY=$key TOKEN_VERIFIER_REQUIRE_AUTH=1
    verdict "$key"
    accepted env:FREEGPT_API_KEY FREEGPT_API_KEY
    write_tokens "$(record ci "$token_one")"
    verdict "$token_one" --require-auth
    accepted "$(id_of "$token_one")" ci
}

@test "TOKEN_VERIFIER_REQUIRE_AUTH set to 0 or to nothing forbids nothing" {
    for value in 0 ''; do
        echo "row: '$value'"
        export TOKEN_VERIFIER_REQUIRE_AUTH=$value
        verdict ""
        is_open
        echo 'TOKEN_VERIFIER_REQUIRE_AUTH=1' >.env
        verdict ""
        is_open
        rm .env
    done
    verdict "" --require-auth
    unavailable "it is required"
}

@test "TOKEN_VERIFIER_REQUIRE_AUTH that is neither 1 nor 0 is refused" {
    write_tokens "$(record ci "$token_one")"
    for value in yes true 01 2 ' 1' on; do
        echo "row: '$value'"
        echo "TOKEN_VERIFIER_REQUIRE_AUTH='$value'" >.env
        verdict "$token_one"
        exits 6
        same "$output" ""
        says "$stderr" "TOKEN_VERIFIER_REQUIRE_AUTH must be 1 or 0"
        rm .env
        TOKEN_VERIFIER_REQUIRE_AUTH=$value run_apart "$verifier" status
        exits 6
        same "$output" ""
        says "$stderr" "TOKEN_VERIFIER_REQUIRE_AUTH must be 1 or 0"
    done
}
