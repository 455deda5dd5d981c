# For the tests of token_manager: running it, looking at what it said, and token files by hand.
# shellcheck shell=bash disable=SC2034,SC2154

# Run something that must end with that status; data is then in $output, talk in $stderr. Whatever
# is printed here is shown only if the test fails: exits STATUS COMMAND...
exits() {
    run_apart "${@:2}"
    printf '%q ' "${@:2}"
    printf '\n%s\n' "$output" "$stderr" "(exit status $status, and $1 is right)"
    [ "$status" -eq "$1" ]
}

# Does the talk contain each of these texts?
says() {
    local text
    for text; do
        [[ $stderr == *"$text"* ]] || { echo "not said: $text"; return 1; }
    done
}

# Are all these texts neither in the data nor in the talk?
hides() {
    local text
    for text; do
        [[ $output$'\n'$stderr != *"$text"* ]] || { echo "shown: $text"; return 1; }
    done
}

# The id and the digest of a record made by hand.
id_of() {
    printf 'tok_%016d' "$1"
}

digest_of() {
    printf 'blake2b-256:%064x' "$1"
}

# One record of a token file, created in 2001: record NUMBER NAME PREFIX [MORE FIELDS]
record() {
    printf '    {"id": "%s", "name": "%s", "prefix": "%s", "hash": "%s", "created_at": "%s"%s}' \
        "$(id_of "$1")" "$2" "$3" "$(digest_of "$1")" 2001-02-03T04:05:06Z "${4:+, $4}"
}

# Make the token file of these records.
records() {
    local between=''
    {
        printf '{\n  "version": 1,\n  "tokens": ['
        for record; do
            printf '%s\n%s' "$between" "$record"
            between=,
        done
        printf '\n  ]\n}\n'
    } >api_tokens.json
}

revoked='"revoked_at": "2002-02-03T04:05:06Z"'
expired='"expires_at": "2003-02-03T04:05:06Z"'

# Of the token of that name, "active", "revoked" or "expired"; of several, a line each.
status_of() {
    "$manager" list --json | jq -r --arg name "$1" '.[] | select(.name == $name) | .status'
}

# Run something at a terminal, without anybody at it. (Needs script.)
on_terminal() {
    set -o pipefail
    SHELL=/bin/sh script -qec "$(printf '%q ' "$@")" /dev/null </dev/null | tr -d '\r'
}

# Run something at a terminal where somebody gives that answer if asked: answering ANSWER COMMAND...
# The answer is for printf %b: '\r' is the return key, '\4' the end of input. (Needs expect.)
answering() {
    expect -f - -- "$(printf %b "$1")" "${@:2}" <<'END'
set timeout 20
spawn -noecho {*}[lrange $argv 1 end]
expect {
    "\\\[y/N\\\] " { send -- [lindex $argv 0]; exp_continue }
    timeout { exit 98 }
    eof {}
}
exit [lindex [wait] 3]
END
}
