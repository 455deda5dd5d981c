#!/usr/bin/env bats
# The old token management guide, walked as a new user would.

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
bats_require_minimum_version 1.5.0
load common
load manager

# accepts CREDENTIAL, refuses CREDENTIAL: what the verifier says of it.
accepts() {
    check "$1"
    printf '%s\n' "$1" "$output"
    [ "$status" -eq 0 ]
}

refuses() {
    check "$1"
    printf '%s\n' "$1" "$output"
    [ "$status" -eq 1 ]
}

@test "the guide's walk: create, list, use, revoke, delete, the three modes, and off" {
    # No authentication: no keys configured.
    accepts anything
    exits 0 "$verifier" status
    [[ $output$stderr == *OFF* ]]
    exits 0 "$manager" list
    [ "$output" = "No tokens found." ]

    # Creating tokens for different clients.
    exits 0 "$manager" create my-application
    mine=$output
    [[ $mine == sk-* ]]
    says 'not shown again'
    mobile=$(create "mobile-app")
    for name in webapp-production mobile-ios dev-testing github-actions production-web-app \
        staging-mobile-app john-dev-testing; do
        create "$name"
    done
    exits 0 "$manager" list
    [ "${lines[0]}" = "Found 9 token(s):" ]
    [ "${lines[1]}" = "1. ${mine:0:14}..." ]
    [ "${lines[2]}" = "   Name: my-application" ]
    [ "${lines[3]}" = "   Status: Active" ]
    [[ ${lines[4]} == "   Created: "* ]]
    [ "${lines[5]}" = "   Last used: Never" ]

    # Using them: directly, and as last used.
    accepts "Authorization: Bearer $mine"
    refuses anything
    exits 0 "$manager" list
    [[ ${lines[5]} == "   Last used: 2"* ]]
    [ "${lines[11]}" = "   Last used: Never" ]

    # Revoking and deleting by the prefix that list shows, without its dots.
    prefix=$(sed -n 's/^1\. \(.*\)\.\.\.$/\1/p' <<<"$output")
    exits 0 "$manager" revoke "$prefix"
    refuses "Authorization: Bearer $mine"
    exits 0 "$manager" list
    [ "${lines[3]}" = "   Status: Revoked" ]
    exits 0 "$manager" delete "$prefix"
    refuses "Authorization: Bearer $mine"
    exits 0 "$manager" list
    [ "${lines[0]}" = "Found 8 token(s):" ]
    hides "$prefix" my-application
    exits 0 "$manager" delete "${mobile:0:14}"
    refuses "$mobile"

    # Rotating by hand: a new token, the clients updated, the old one revoked.
    old=$(jq -r '.tokens[] | select(.name == "dev-testing") | .id' api_tokens.json)
    new=$(create dev-testing-2)
    exits 0 "$manager" revoke "$old"
    accepts "$new"

    # Token file and environment variable: both are good.
    create via-env --env >>.env
    from_env=$(sed 's/^FREEGPT_API_KEY=//' .env)
    accepts "$from_env"
    accepts "$new"
    echo FREEGPT_API_KEY=a-key-for-this-test >.env
    accepts a-key-for-this-test
    accepts "$new"
    refuses anything

    # Environment variable only: no token file, and only that key.
    mv api_tokens.json api_tokens.json.backup
    accepts a-key-for-this-test
    refuses "$new"
    rm .env
    OPENAI_API_KEY=another-key-for-this-test accepts another-key-for-this-test
    OPENAI_API_KEY=another-key-for-this-test refuses a-key-for-this-test

    # Disable authentication completely.
    accepts anything
    exits 0 "$verifier" status
    [[ $output$stderr == *OFF* ]]

    # And on again: the file is put back.
    mv api_tokens.json.backup api_tokens.json
    refuses anything
    accepts "$new"
    refuses "$mine"
}
