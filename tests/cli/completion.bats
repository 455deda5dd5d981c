#!/usr/bin/env bats
# Completion in the shells themselves: what bash, zsh and fish offer, and what becomes of it at a terminal.

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
bats_require_minimum_version 1.5.0
load common
load manager

completions=$BATS_TEST_DIRNAME/../../packaging/completions

# Files that make an interactive shell ask $completions, say "READY> " and have nothing else of its user.
prepare() {
    export HOME=$PWD/home TERM=dumb PATH=$BIN:$PATH COMPLETIONS=$completions OFFERS=$PWD/offers
    unset XDG_CONFIG_HOME XDG_DATA_HOME
    export ZDOTDIR=$HOME
    mkdir -p home/.config/fish home/.local/share/fish/generated_completions # or fish makes them, for long
    cat >home/.bashrc <<'END'
PS1='READY> '
unset HISTFILE
bind 'set enable-bracketed-paste off'
for program in token_manager token_verifier token_authd; do . "$COMPLETIONS/bash/$program"; done
END
    cat >home/.zshrc <<'END'
PS1='READY> '
fpath=("$COMPLETIONS/zsh" $fpath)
autoload -Uz compinit && compinit -u -D
unsetopt auto_list beep
bindkey '^G' kill-whole-line # which a terminal has no use for between two prompts
# What is offered can be seen while it is.
compadd() {
    local -a offered
    builtin compadd -O offered "$@"
    print -rl -- $offered >>$OFFERS
    builtin compadd "$@"
}
END
    cat >home/.config/fish/config.fish <<'END'
function fish_prompt; echo -n 'READY> '; end
set -g fish_greeting
set -g fish_autosuggestion_enabled 0
set -p fish_complete_path $COMPLETIONS/fish
END
}

# Type the lines of the file "typed" at an interactive shell; what cannot be finished fails: at_terminal SHELL
at_terminal() {
    expect -f - -- "$1" <<'END'
set timeout 20
set stty_init {rows 50 columns 400}
spawn -noecho {*}$argv -i
expect "READY> "
set typed [open typed]
for {set n 1} {[gets $typed line] >= 0} {incr n} {
    send -- "$line; echo DO''NE$n\r"
    expect {
        "DONE$n" {}
        timeout { exit 98 }
        eof { exit 97 }
    }
}
send "exit\r"
expect eof
END
}

# What is offered for each line of standard input, sorted, in a line each: offered SHELL
# (Of --option=value the value, which is what bash and zsh complete.)
offered() {
    "offered_in_$1" | awk -F '\t' 'BEGIN { n = 1 } { print n "\t" }
        $0 == "@" { n++; next } { sub(/^--[a-z-]*=/, "", $1); print n "\t" $1 }' |
        sort -u -t $'\t' -k 1,1n -k 2 | awk -F '\t' '
            $1 != n { if (n) print line; n = $1; line = ""; next }
            { line = line (line != "" ? " " : "") $2 }
            END { print line }'
}

# shellcheck disable=SC2016 # for the inner shell
offered_in_bash() {
    bash --norc --noprofile -u -o noglob -c '
        . "$COMPLETIONS/bash/token_manager"
        while IFS= read -r COMP_LINE; do
            COMP_POINT=${#COMP_LINE} program=${COMP_LINE%% *}
            function=$(complete -p "${program##*/}" | sed "s/.* -F \([^ ]*\) .*/\1/")
            "$function"
            printf "%s\n" ${COMPREPLY[@]+"${COMPREPLY[@]}"} @
        done'
}

# shellcheck disable=SC2016 # for fish
offered_in_fish() {
    fish -c 'while read -l line; complete -C $line; echo @; end'
}

offered_in_zsh() {
    sed $'s/$/\t\aecho @ >>offers/' >typed
    at_terminal zsh >&2
    cat offers
}

# Options of restore but for these: left NAME...
left() {
    "$manager" restore --help | grep -oE -e '^  --[a-z-]+' | grep -vxF "$(printf '  --%s\n' "$@")" | sort | xargs
}

# LINE|what is to be offered. Tokens: ci is active, old revoked, last expired; others are in other.json.
rows() {
    cat <<END
token_manager re|restore revoke
./token_manager re|restore revoke
$BIN/token_manager re|restore revoke
token_manager nosuch |
token_manager help rev|revoke
token_manager revoke |ci sk-aaaaaaaaaaa tok_0000000000000001
token_manager rotate |ci sk-aaaaaaaaaaa tok_0000000000000001
token_manager rotate ci |
token_manager revoke ci t|tok_0000000000000001
token_manager restore |old sk-bbbbbbbbbbb tok_0000000000000002
token_manager delete sk-|sk-aaaaaaaaaaa sk-bbbbbbbbbbb sk-ccccccccccc
token_manager audit tok_|tok_0000000000000001 tok_0000000000000002 tok_0000000000000003
token_manager audit l|last
token_manager delete nobody|
token_manager create |
token_manager list |
token_manager --file other.json revoke |else sk-eeeeeeeeeee tok_0000000000000005
token_manager revoke --json --file=other.json e|else
token_manager revoke --file 'o t.json' e|else
token_manager revoke --file o\\ t.json e|else
token_manager revoke --file "\$HOME/t.json" e|else
token_manager revoke --file ~/t.json e|else
token_manager revoke --env-file other.env e|else
token_manager revoke --no-env-file c|ci
token_manager revoke --file none.json |
token_manager revoke --file broken.json |
token_manager revoke --file . |
token_manager list --status |active expired revoked
token_manager list --status=r|revoked
token_manager import --format |env list token_manager.py
token_manager create --expires |12h 90d never
token_manager create --expires=n|never
token_manager audit --since |7d
token_manager create --note |
token_manager list --j|--json
token_manager restore --json --env-file x --|$(left json env-file)
token_manager restore --env-file=x --no-env-file --|$(left env-file no-env-file)
token_manager create --scope a --sc|--scope
token_manager revoke --dry-run -- --j|
token_verifier |check status stream
token_verifier check |
token_verifier check --scope a --s|--scope
END
    [ ! -x "$BIN/token_authd" ] || printf '%s\n' 'token_authd |' 'token_authd --sandbox=|off'
    ! "$manager" --help | grep -q -e ' --color' || echo 'token_manager list --color |always auto never'
}

offers_what_it_should() {
    needs "$1"
    [ "$1" != zsh ] || needs expect
    prepare
    records "$(record 5 else sk-eeeeeeeeeee)"
    mv api_tokens.json other.json
    cp other.json 'o t.json'
    cp other.json home/t.json
    echo API_TOKENS_FILE=other.json >other.env
    echo '{' >broken.json
    ln -s "$BIN/token_manager" token_manager
    records "$(record 1 ci sk-aaaaaaaaaaa)" "$(record 2 old sk-bbbbbbbbbbb "$revoked")" \
        "$(record 3 last sk-ccccccccccc "$expired")"
    rows >table
    # (Of what stands before the command, bash tells nothing.)
    [ "$1" = bash ] || echo "A=b API_TOKENS_FILE='o t.json' C=d token_manager revoke e|else" >>table
    touch typed offers got errors before
    exec 9<>api_tokens.json.lock
    flock 9
    find . -path ./home -prune -o -type f >before
    cut -d '|' -f 1 table | offered "$1" 2>errors >got
    paste -d '|' <(cut -d '|' -f 1 table) got | diff table -
    [ "$1" = zsh ] || diff /dev/null errors
    find . -path ./home -prune -o -type f | diff before -
}

@test "bash offers what fits where the cursor is" {
    offers_what_it_should bash
}

@test "zsh offers what fits where the cursor is" {
    offers_what_it_should zsh
}

@test "fish offers what fits where the cursor is" {
    offers_what_it_should fish
}

# Every command's --help, as "PROGRAM COMMAND|options".
all_options() {
    local program command
    for program in token_manager token_verifier token_authd; do
        [ -x "$BIN/$program" ] || continue
        for command in $("$BIN/$program" --help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\).*/\1/p') ''; do
            printf '%s%s --|' "$program" "${command:+ $command}"
            # shellcheck disable=SC2086 # no command is no word
            "$BIN/$program" $command --help | grep -oE -e '^  --[a-z-]+' | sort | xargs
        done
    done
}

@test "every option that --help tells of is offered, and no other" {
    prepare
    all_options >table
    [ "$(wc -l <table)" -ge 13 ]
    for shell in bash zsh fish; do
        needs "$shell"
        rm -f offers
        cut -d '|' -f 1 table | offered "$shell" 2>errors | sed 's/ off$//; s/ off / /; s/^off //' >got
        paste -d '|' <(cut -d '|' -f 1 table) got | diff table -
    done
}

@test "options that --help says may be repeated, and no others, may be given again" {
    all_options | sed 's/ --|/|/' >table
    local call options option value
    while IFS='|' read -r call options; do
        for option in $options; do
            [ "$option" != --help ] || continue
            # shellcheck disable=SC2086 # the command, if there is one
            help=$("$BIN"/$call --help | grep -e "^  ${option}[[ ]")
            value=$option
            [[ ! $help =~ ^\ \ $option\ [^\ ] ]] || value="$option=1"
            # shellcheck disable=SC2086
            run_apart "$BIN"/$call "$value" "$value" --help
            if [[ $help == *repeat* ]]; then [ "$status" = 0 ]; else says 'given twice'; fi
        done
    done <table
}

@test "the words offered for an option are those that the program takes" {
    local rows=('list --status' 'active revoked expired' 'import x --format' 'token_manager.py list env')
    for ((i = 0; i < ${#rows[@]}; i += 2)); do
        # shellcheck disable=SC2086
        exits 2 "$manager" ${rows[i]} nonsense
        [ "$(grep -oE 'must be .*, not' <<<"$stderr" | sed 's/must be //; s/, not//; s/,//g; s/ or / /')" = "${rows[i + 1]}" ]
    done
}

# What was typed may be a whole secret, and `ps` shows everybody the arguments of a program.
# shellcheck disable=SC2016 # for the program
@test "nothing that was typed for a token becomes an argument of a program" {
    local shell name secret=zqzqzqzqzqzqzqzqzqzq
    prepare
    records "$(record 1 ci zqzqz)"
    mkdir spies
    for name in token_manager token_verifier awk sed; do
        printf '#!/bin/sh\nprintf "%%s\\n" "${0##*/} $*" >>"%s"\nexec "%s" "$@"\n' \
            "$PWD/arguments" "$(command -v "$name")" >"spies/$name"
    done
    chmod +x spies/*
    printf '%s\n' "token_manager $secret " "token_manager -- $secret " "token_manager list $secret" \
        "token_manager --no-env-file $secret --" "token_manager revoke zqz" "token_manager revoke $secret" \
        "token_manager delete '$secret" "token_manager audit $secret " "token_verifier $secret " >lines
    for shell in bash zsh fish; do
        needs "$shell"
        rm -f offers arguments
        PATH=$PWD/spies:$PATH offered "$shell" <lines >got
        grep -qx zqzqz got
        grep -qx 'token_manager revoke --help' arguments
        grep -qx 'token_manager list --selectors' arguments
        diff /dev/null <(grep zq arguments)
    done
}

# Names that a shell would do something with, and how far each is typed.
# shellcheck disable=SC1003,SC2016 # nothing of them is to be expanded
evil=('$(touch pwned)' '$' '`touch pwned`' '`' 'a b' a "it's" it 'q"d' q 'back\slash\' ba x:y x: k=v k= 'é…' é '!now' '!'
    '~' '~' '*' '*' ';touch pwned' ';' '#h' '#' '@host' '@' '{x,y}' '{' "'tis" "'" '<p' '<' 'w  w' w '%1' %
    'fin!' 'fi' "end'" en 'dne"' d)

# The beginning of a name as somebody types it: typed_ HOW BEGINNING; nothing where it cannot be.
typed_bare() {
    # shellcheck disable=SC2001
    sed 's/[^[:alnum:]]/\\&/g' <<<"$1"
}

typed_single() {
    [[ $1 == \' ]] || printf "'%s\n" "$1"
}

# (In double quotes ! is never taken for itself, and ` not by fish.)
typed_double() {
    [[ $1 == ['!`'] ]] || sed 's/["$]/\\&/g; s/^/"/' <<<"$1"
}

# A name that is accepted at a terminal names that token, whatever is in it, and nothing else happens.
takes_names_for_names() {
    needs expect
    needs "$1"
    prepare
    local step names=() i
    for ((i = 0; i < ${#evil[@]}; i += 2)); do names+=("${evil[i]}"); done
    printf '%s\n' "${names[@]}" plain | "$manager" create --batch - >/dev/null 2>&1
    true >wanted
    touch offers
    # Of each token: revoked, restored and revoked again.
    for step in 'revoke bare' 'restore single' 'revoke double'; do
        for ((i = 0; i < ${#evil[@]}; i += 2)); do
            beginning=$("typed_${step#* }" "${evil[i + 1]}")
            [ "$beginning" != "" ] || beginning=$(typed_bare "${evil[i + 1]}")
            printf 'token_manager %s %s\t\n' "${step% *}" "$beginning" >>typed
            printf '%s %s\n' "${step% *}" "${evil[i]}" >>wanted
        done
    done
    "$manager" create --file second.json else >/dev/null 2>&1
    echo API_TOKENS_FILE=second.json >other.env
    printf 'token_manager revo\t --env-fi\toth\tel\t\n' >>typed
    find . -path ./home -prune -o -type f >before
    run_apart at_terminal "$1"
    printf '%s\n' "$output" "$stderr"
    [ "$status" = 0 ]
    "$manager" audit --json | jq -r '.[] | select(.action != "create") | "\(.action) \(.name)"' | diff wanted -
    [ "$("$manager" list --file second.json --status revoked --json | jq length)" = 1 ]
    find . -path ./home -prune -o -type f | diff before -
}

@test "in bash, a name that is accepted at a terminal is that operand and nothing else" {
    takes_names_for_names bash
}

@test "in zsh, a name that is accepted at a terminal is that operand and nothing else" {
    takes_names_for_names zsh
}

@test "in fish, a name that is accepted at a terminal is that operand and nothing else" {
    takes_names_for_names fish
}
