#!/usr/bin/env bats
# The example files at the top of the tree.

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
bats_require_minimum_version 1.5.0
load common
load manager

# A copy of the example for NAME, as NAME.
copy() {
    local example=$BATS_TEST_DIRNAME/../../$1.example
    [ -e "$example" ] || skip "there is no $1.example"
    cp "$example" "$1"
    chmod 600 "$1"
}

@test "the manager and the verifier accept api_tokens.json.example" {
    copy api_tokens.json
    exits 0 "$manager" list
    [[ "$output" == "Found 3 token(s):"* ]]
    check sk-nobody
    [ "$status" -eq 1 ]
    exits 0 "$verifier" status --json
    json '.mode == "file" and .active + .expired == 2 and .revoked == 1'
}

@test "tokens can be added to api_tokens.json.example" {
    copy api_tokens.json
    count=$(jq '.tokens | length' api_tokens.json)
    token=$(create surely-not-in-the-example)
    check "$token"
    [ "$status" -eq 0 ]
    [ "$(jq '.tokens | length' api_tokens.json)" -eq $((count + 1)) ]
}

@test ".env.example can be read, names every variable and sets none" {
    copy .env
    run -1 grep -Ev '^(#.*)?$' .env
    for variable in FREEGPT_API_KEY OPENAI_API_KEY API_TOKENS_FILE TOKEN_VERIFIER_REQUIRE_AUTH; do
        grep -E "^# ?$variable=" .env
    done
    exits 0 "$manager" list
    exits 0 "$verifier" status --json
    json '.mode == "open"'
    says "AUTHENTICATION IS OFF"
    # Without the marks of comment it is what a .env file takes.
    sed -n 's/^# *\([A-Z_]*=.*\)/\1/p' .env >plain.env
    [ -s plain.env ]
    records
    exits 0 "$manager" list --env-file plain.env --file api_tokens.json
}
