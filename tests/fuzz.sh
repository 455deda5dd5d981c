#!/usr/bin/env bash
# Look for inputs that break the readers, with the fuzzer of clang: make fuzz calls this.
#
# usage: tests/fuzz.sh SECONDS NAME...
#
# Runs each harness, tests/fuzz/fuzz_NAME.c, that long, two at a time, beginning with the inputs that are
# kept in tests/fuzz/corpus/NAME and tests/fuzz/found/NAME. Those that reach something new are kept in
# $BIN/corpus/NAME for the next time, and what breaks a harness is put in $BIN/found/NAME. Prints a line
# for each harness, and fails where one ended early: a crash, a leak, 10 seconds or 2 GB for one input.
set -u
cd "$(dirname "$0")/fuzz" || exit
seconds=$1
shift

# In memory, where there is such a place: one harness writes files.
TMPDIR=$(mktemp -d /dev/shm/fuzz.XXXXXX 2>/dev/null || mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

# The last value of a name in the log, as "cov: 123": counted NAME
counted() {
    sed -n "s/.* $1: \([0-9]*\).*/\1/p" <<<"$said" | tail -n 1
}

try() {
    local name=$1 said code=0 folder kept=()

    mkdir -p "$BIN/corpus/$name" "$BIN/found/$name"
    for folder in corpus found; do
        [ ! -d "$folder/$name" ] || kept+=("$folder/$name")
    done
    said=$("$BIN/tests/fuzz_$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$BIN/found/$name/" \
        ${dictionary:+"$dictionary"} "$BIN/corpus/$name" "${kept[@]}" 2>&1) || code=$?
    if [ "$code" -ne 0 ]; then
        grep -v '^#[0-9]' <<<"$said" | tail -n 60
        echo "fuzz_$name: broken, exit $code; see $BIN/found/$name" | tee -a "$TMPDIR/broken"
    else
        echo "fuzz_$name: $(sed -n 's/^stat::number_of_executed_units: *//p' <<<"$said") inputs tried in" \
            "$seconds s, $(counted cov) edges reached, $(counted corp) inputs kept" |
            tee -a "$TMPDIR/figures"
    fi
}

# Holds what was found to be a token file against what jq reads in it.
compare() {
    local said

    FUZZ_VIEWS=$TMPDIR/views "$BIN/tests/fuzz_token_file" -runs=0 "$BIN/corpus/token_file" \
        corpus/token_file found/token_file 2>/dev/null
    if said=$(jq -rn -f same.jq "$TMPDIR/views" 2>&1) && [[ $said =~ ^[1-9][0-9]*\ files$ ]]; then
        echo "fuzz_token_file: $said as they were and rewritten, read alike by jq" |
            tee -a "$TMPDIR/figures"
    else
        echo "$said"
        echo "fuzz_token_file: not the same to jq" | tee -a "$TMPDIR/broken"
    fi
}

for name; do
    dictionary=''
    [ ! -e "$name.dict" ] || dictionary=-dict=$name.dict
    while [ "$(jobs -r | wc -l)" -ge "${FUZZ_JOBS:-2}" ]; do
        wait -n
    done
    try "$name" &
done
wait
[[ " $* " != *' token_file '* || -e $TMPDIR/broken ]] || compare
sort "$TMPDIR/figures" >"$FIGURES" 2>/dev/null
[ ! -e "$TMPDIR/broken" ]
