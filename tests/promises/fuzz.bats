#!/usr/bin/env bats
# P5: whatever the bytes, each reader says what it must. `make fuzz` looks for bytes that break one; here
# those that were kept, by hand or because they once did, and all that is one byte from them.

# shellcheck disable=SC2154 # what the loaded files set
bats_require_minimum_version 1.5.0
load ../cli/common

fuzz=$BATS_TEST_DIRNAME/../fuzz

# Runs a harness on what is kept for it.
replay() {
    local folder kept=()

    for folder in corpus found; do
        [ ! -d "$fuzz/$folder/$1" ] || kept+=("$fuzz/$folder/$1")
    done
    TMPDIR=$PWD "$BIN/tests/fuzz_$1" "${kept[@]}"
}

@test "each reader keeps to its rules with all that is kept for it, and with what is near" {
    for harness in "$fuzz"/fuzz_*.c; do
        name=${harness##*/fuzz_}
        name=${name%.c}
        run --separate-stderr replay "$name"
        echo "$name: $output"
        if [ "$status" -ne 0 ] || ! [[ $output =~ ^[1-9][0-9]*\ files,\ [0-9]{3,}\ runs$ ]]; then
            tail -n 20 <<<"$stderr"
            return 1
        fi
    done
}

@test "jq reads in a token file, before and after it was changed, what we do" {
    FUZZ_VIEWS=$PWD/views "$BIN/tests/fuzz_token_file" "$fuzz/corpus/token_file/three"
    run jq -rn -f "$fuzz/same.jq" views
    tail -n 20 <<<"$output"
    [ "$status" -eq 0 ]
    [[ "$output" =~ ^[1-9][0-9]{2,}\ files$ ]]
}
