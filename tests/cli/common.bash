# For every bats file: the programs, a folder of its own, and an environment without keys.
# shellcheck shell=bash disable=SC2034  # what is set is for the callers

# shellcheck disable=SC1091 # looked at by itself
. "${BASH_SOURCE[0]%/*}/basics.bash"

setup() {
    needs_build
    trace_failures_only
    unset FREEGPT_API_KEY OPENAI_API_KEY API_TOKENS_FILE TOKEN_VERIFIER_REQUIRE_AUTH NO_COLOR
    export LC_ALL=C.UTF-8 # for bash: characters, not bytes
    manager=$BIN/token_manager
    verifier=$BIN/token_verifier
    cd "$BATS_TEST_TMPDIR" || exit
}

# bats notes where it is before every single command, which takes a thousand times as long as a call of a
# function. Here it finds out when a command has failed.
trace_failures_only() {
    [ "${BATS_TRACE_LEVEL:-0}" = 0 ] || return 0
    declare -F bats_error_trap bats_capture_stack_trace >/dev/null || return 0
    trap - DEBUG
    trap note_failure ERR
    # What is noted by now is where setup was: of no use after an exit, which is no failed command.
    BATS_DEBUG_LAST_STACK_TRACE=() BATS_DEBUG_LASTLAST_STACK_TRACE=()
}

note_failure() {
    bats_error_trap
    bats_capture_stack_trace
}

# What `run --separate-stderr` does, in a tenth of its time: run_apart COMMAND...
# Sets output, stderr, lines and status. A function runs in this very shell.
run_apart() {
    local files=$BATS_TEST_TMPDIR.run.$BASHPID
    status=0
    "$@" >"$files.out" 2>"$files.err" || status=$?
    output=$(<"$files.out") stderr=$(<"$files.err") lines=()
    IFS=$'\n' read -r -d '' -a lines <"$files.out" || true
}

# A new token of that name, on standard output.
create() {
    "$manager" create "$@" 2>/dev/null
}

# Is this the verdict? check CREDENTIAL [OPTION ...]; the output is in $output, the code in $status.
check() {
    local credential=$1
    shift
    run "$verifier" check "$@" <<<"$credential"
}

# The named JSON field of the only token, or of the one with that name: field NAME KEY
# (A plain one of a record that has a line to itself is found without jq, which takes long to start.)
field() {
    local line
    while IFS= read -r line; do
        [[ $line == *"\"name\": \"$1\""* ]] || continue
        [[ $line != *'"previous"'* && $line != *'"name"'*'"name"'* && $line =~ \"$2\":\ \"([^\"\\]*)\" ]] || break
        printf '%s\n' "${BASH_REMATCH[1]}"
        return
    done <api_tokens.json
    jq -r --arg name "$1" --arg key "$2" \
        '.tokens[] | select(.name == $name) | .[$key] // "null"' api_tokens.json
}

# Is there JSON in the data, and is this true of it? json [OPTION...] FILTER
# (Of no input at all, jq 1.6 says that everything is true.)
json() {
    [ "$output" != "" ] && jq -e "$@" <<<"$output"
}

# remember … unchanged: are these files, byte for byte, what they were?
remembered=(api_tokens.json api_tokens.json.audit)

remember() {
    local name there=()
    [ ! -e before ] || rm -r before
    mkdir before
    for name in "${remembered[@]}"; do
        [ ! -e "$name" ] || there+=("$name")
    done
    [ ${#there[@]} = 0 ] || cp "${there[@]}" before/
}

unchanged() {
    local name
    for name in "${remembered[@]}"; do
        if [ -e "before/$name" ]; then
            cmp "before/$name" "$name" || return 1
        elif [ -e "$name" ]; then
            fail "$name is new"
        fi
    done
}

# Run something as an unprivileged user, who may use the current folder: as_nobody COMMAND...
# The calling test is skipped where that cannot be done.
as_nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
}

# The same, whoever runs the tests: as somebody whom permissions bind, and who does not own the test's
# files if root does.
unprivileged() {
    if [ "$(id -u)" = 0 ]; then
        as_nobody "$@"
    else
        "$@"
    fi
}

needs_root() {
    [ "$(id -u)" = 0 ] || skip "needs root"
}
