#!/usr/bin/env bats
# P5: of all documents that come of breaking the grammar of JSON (RFC 8259) in one place, none is taken
# for a token file; and no well-formed one is misread.

# shellcheck disable=SC2154 # what the loaded files set
bats_require_minimum_version 1.5.0
load ../cli/common
load promises

@test "a document that is broken in any way at any place is refused, with its line" {
    run "$BIN/tests/helpers/bad_documents" "$(scale 97 1)" "$BIN" "$(scale 600 200)"
    tail -n 30 <<<"$output"
    [ "$status" -eq 0 ]
    [[ "$output" =~ ^[1-9][0-9]{4,}\ by\ the\ reader,\ [1-9][0-9]+\ by\ the\ programs$ ]]
    figure "documents: malformed ones refused with the right line: $output"
}

@test "however well-formed a document is, it is read as it is meant, and other people's values are kept" {
    run "$BIN/tests/helpers/good_documents" "$(scale 37 1)"
    tail -n 30 <<<"$output"
    [ "$status" -eq 0 ]
    [[ "$output" =~ ^[1-9][0-9]+\ values\ kept,\ [1-9][0-9]{4,}\ texts\ and\ [1-9][0-9]{3}\ spellings\ read$ ]]
    figure "documents: well-formed ones: $output"
}

@test "jq reads other people's values alike before and after the records around them were changed" {
    mkdir good
    "$BIN/tests/helpers/good_documents" "$(scale 9999 1)" good
    FUZZ_EXACT=1 FUZZ_VIEWS=$PWD/views "$BIN/tests/fuzz_token_file" good
    run jq -rn -f "$BATS_TEST_DIRNAME/../fuzz/same.jq" views
    tail -n 20 <<<"$output"
    [ "$status" -eq 0 ]
    # Some it cannot read: half of a surrogate pair, brackets deeper than 256.
    [[ "$output" =~ ^[1-9][0-9]+\ files$ ]]
    [ "${output% files}" -gt $(($(find good -type f | wc -l) - 20)) ]
    figure "documents: well-formed ones read alike by jq before and after changes: $output"
}

@test "the programs take what is well-formed, too" {
    mkdir good
    "$BIN/tests/helpers/good_documents" 9999 good
    for file in $(printf '%s\n' good/* | awk -v every="$(scale 9 1)" 'NR % every == 0'); do
        cp "$file" api_tokens.json
        "$manager" revoke first
        "$manager" restore second
        run --separate-stderr "$verifier" check <<<sk-nobodys
        echo "$file: $status $stderr"
        [ "$status" -eq 1 ]
        [[ "$stderr" == *"refused (malformed)"* ]]
        [ "$("$manager" list --json | jq -r 'map("\(.name) \(.status)") | join(", ")')" = \
            "first revoked, second active" ]
    done
}
