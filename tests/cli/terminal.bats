#!/usr/bin/env bats
# What a terminal shows: colour and marks where they are wanted, and nothing left behind by Ctrl-C.

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
# shellcheck disable=SC2016  # dollars in single quotes are Tcl's
bats_require_minimum_version 1.5.0
load common
load manager

# Is there colour in what a terminal shows? shows yes|no "VARIABLE=VALUE ..." "OPTION ..." COMMAND...
shows() {
    local wanted=$1 is=no surroundings options
    read -ra surroundings <<<"$2"
    read -ra options <<<"$3"
    run on_terminal env -u TERM "${surroundings[@]}" "${@:4}" "${options[@]}"
    printf '%s\n' "$*" "$output"
    [ "$output" != '' ]
    [[ $output != *$'\e['* ]] || is=yes
    [ "$is" = "$wanted" ]
}

@test "a terminal gets colour unless it is dumb, NO_COLOR says no, or --color has the last word" {
    needs script
    create ci
    while IFS='|' read -r wanted surroundings options; do
        shows "$wanted" "$surroundings" "$options" "$manager" list
    done <<'END'
yes|TERM=xterm|
yes|TERM=linux|
yes|TERM=xterm NO_COLOR=|
yes|TERM=xterm|--color=auto
no||
no|TERM=dumb|
no|TERM=|
no|TERM=xterm NO_COLOR=1|
no|TERM=xterm NO_COLOR=0|--color auto
no|TERM=xterm|--color=never
no|TERM=xterm CLICOLOR_FORCE=1 FORCE_COLOR=1|--color never
yes|TERM=dumb NO_COLOR=1|--color always
yes|NO_COLOR=1|--color=always
END
    printf '#!/bin/sh\nexec "%s" check "$@" </dev/null\n' "$verifier" >check
    chmod +x check
    for words in "$verifier status" ./check "$manager revoke nobody" "$verifier nonsense"; do
        read -ra words <<<"$words"
        shows yes TERM=xterm '' "${words[@]}"
        shows no 'TERM=xterm NO_COLOR=1' '' "${words[@]}"
        shows no TERM=xterm --color=never "${words[@]}"
    done
}

@test "what is no terminal gets colour with --color=always alone, and no marks even then" {
    token=$(create ci)
    export TERM=xterm FORCE_COLOR=1 CLICOLOR_FORCE=1
    for option in '' --color=auto --color=never; do
        for words in "$manager list" "$verifier status" "$verifier check" "$manager revoke nobody"; do
            read -ra words <<<"$words"
            run_apart "${words[@]}" ${option:+"$option"} <<<"$token"
            hides $'\e' $'\xe2\x9c'
        done
    done
    export NO_COLOR=1
    for words in "$manager list" "$verifier status" "$verifier check" "$manager revoke nobody"; do
        read -ra words <<<"$words"
        run_apart "${words[@]}" --color=always <<<"$token"
        [[ $output$stderr == *$'\e[3'[12]m*$'\e[0m'* ]]
        hides $'\xe2\x9c'
    done
}

@test "JSON, tokens and the answers of stream have no colour, whatever is asked for" {
    token=$(create ci)
    exits 0 "$manager" list --json --color=always
    hides $'\e'
    exits 0 "$verifier" status --json --color=always
    hides $'\e'
    exits 0 "$verifier" check --json --color=always <<<"$token"
    hides $'\e'
    exits 0 "$verifier" stream --color=always <<<"$token"
    hides $'\e'
    exits 0 "$manager" create other --color=always
    [[ $output =~ ^sk-[0-9A-Za-z]{49}$ ]]
}

@test "--color takes three words, and is not there where nothing is coloured" {
    for words in "$manager list" "$verifier status"; do
        read -ra words <<<"$words"
        for word in yes ALWAYS list; do
            exits 2 "${words[@]}" --color "$word"
            says "--color must be auto, always or never, not \"$word\""
        done
        exits 2 "${words[@]}" --color
        says '--color needs a value'
        exits 2 "${words[@]}" --colour=never
        says 'did you mean --color?'
    done
    exits 2 "$BIN/token_authd" --color=never
    says 'unknown option "--color"'
}

@test "marks are for terminals whose locale has them" {
    needs script
    local check=$'\xe2\x9c\x93' cross=$'\xe2\x9c\x97'
    create ci >token
    check_by() {
        run on_terminal env TERM=dumb "LC_ALL=$1" \
            sh -c '"$0" check <"$1"; "$0" check </dev/null; "$0" status' "$verifier" token
        printf '%s\n' "$output"
    }
    check_by C.UTF-8
    [[ $output == "$check tok_"*"token_verifier: $cross refused (missing)"*"Mode: $check file ("* ]]
    for locale in C POSIX; do
        check_by "$locale"
        [[ $output == tok_*"token_verifier: refused (missing)"*"Mode: file ("* ]]
        [[ $output != *$'\xe2\x9c'* ]]
    done
}

@test "names are shown as they are, in the C locale too" {
    needs script
    local names=('東京 鍵' 'ключ' 'cafe'$'\u0301' '🔑 prod' 'مفتاح')
    for name in "${names[@]}"; do
        create "$name"
    done
    for locale in C POSIX C.UTF-8; do
        run on_terminal env TERM=dumb "LC_ALL=$locale" "$manager" list
        for name in "${names[@]}"; do
            [[ $output == *"   Name: $name"$'\n'* ]]
        done
    done
}

@test "what the name of a file could do to a terminal is escaped" {
    path=$'a\e[31m\xe2\x80\xaeb\x9b'
    exits 0 "$manager" create ci --file "$path"
    hides $'\e' $'\xe2\x80\xae' $'\x9b'
    says 'a\x1b[31m\xe2\x80\xaeb\x9b'
    exits 0 "$verifier" status --file "$path"
    hides $'\e' $'\xe2\x80\xae' $'\x9b'
    [[ $output == *'a\x1b[31m\xe2\x80\xaeb\x9b (1 active'* ]]
    exits 6 "$manager" list --file "$path.not"
    hides $'\e' $'\xe2\x80\xae' $'\x9b'
    exits 0 "$manager" audit --file "$path"
    exits 0 "$manager" rotate ci --file "$path"
    hides $'\e' $'\xe2\x80\xae' $'\x9b'
    exits 0 "$manager" revoke ci --file "$path"
    hides $'\e' $'\xe2\x80\xae' $'\x9b'
}

@test "Ctrl-C at the question of delete changes nothing and leaves the terminal as it was" {
    needs expect
    create ci
    remember
    MANAGER=$manager run expect - <<'END'
set timeout 20
spawn -noecho sh -c {trap : INT; stty -a >before.tty; "$MANAGER" delete ci; echo "exit $?"; stty -a >after.tty}
expect {
    "\\\[y/N\\\] " { send -- \003 }
    timeout { exit 98 }
}
expect eof
END
    [[ $output == *"exit 130"* ]]
    unchanged
    [ "$(status_of ci)" = active ]
    cmp before.tty after.tty
}
