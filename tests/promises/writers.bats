#!/usr/bin/env bats
# No lost update: many writers at once, some of them killed. See tests/helpers/writers.c.

# shellcheck disable=SC2154 # what the loaded files set
bats_require_minimum_version 1.5.0
load promises
load ../cli/common
load ../cli/verifier

# Many writers in the current folder: write_at_once WRITERS CHANGES. What was counted is in $said; the
# seed is printed, and SEED does the same again, as far as the machine lets it.
write_at_once() {
    local seed=${SEED:-$RANDOM$RANDOM}
    echo "SEED=$seed"
    said=$(timeout 1800 "$BIN/tests/helpers/writers" "$BIN" "$1" "$2" "$seed" 2>talk.txt) ||
        fail "$said" "$(tail -n 20 talk.txt)"
    says "$said" ", 0 wrong"
    # What each token is now, and what the trail says: "NAME STATUS ID" and "NAME ACTION ID".
    "$manager" list --json | jq -r '.[] | "\(.name) \(.status) \(.id)"' >now
    jq -R -r '. as $line | try (fromjson | "\(.name) \(.action) \(.id)")
        catch "torn \($line | tojson)"' api_tokens.json.audit >trail
    sed 's/\t/ /g' ledger >known
}

# Nothing is lost, nothing is there twice, and the trail says it all.
nothing_is_lost() {
    awk -f "$BATS_TEST_DIRNAME/writers.awk" known trail now >compared ||
        fail "$(head -n 20 compared)"
    # One of them made the file, and the others added to it.
    same "$(grep -o 'a new file' talk.txt | wc -l)" 1
    # The next one needs no help, and closes off what was torn.
    "$manager" create "afterwards" --lock-timeout 0 >afterwards
    "$verifier" check <afterwards
    same "$(tail -n 1 api_tokens.json.audit | jq -r .name)" afterwards
    [ ! -e api_tokens.json.tmp ]
}

@test "of many writers at once, some of them killed, none loses a change or makes one twice" {
    write_at_once "$(scale 8 64)" "$(scale 15 50)"
    nothing_is_lost
    figure "writers: $(scale 8 64) at once: $said, $(tail -n 1 compared)"
}
