#!/usr/bin/env bats
# What all commands of token_manager share: the command line, exit statuses, and keeping secrets.

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
bats_require_minimum_version 1.5.0
load common
load manager

commands=(create list revoke restore delete)

@test "each exit status means one thing" {
    records "$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-aaaabbbbbbb)"
    token=$(create ci)
    remember
    exits 0 "$manager" list
    FREEGPT_API_KEY=$token exits 1 "$manager" delete ci
    exits 2 "$manager" list --nonsense
    exits 3 "$manager" revoke nobody
    exits 4 "$manager" revoke sk-aaaa
    exits 5 "$manager" create ci
    unchanged
    echo '{' >api_tokens.json
    remember
    for command in list 'create x' 'revoke x' 'restore x' 'delete x'; do
        read -ra words <<<"$command"
        exits 6 "$manager" "${words[@]}"
        [ "$output" = "" ]
        says "$PWD/api_tokens.json:"
        unchanged
    done
}

@test "a mistyped command is answered with the nearest one" {
    local rows=(craete create creat create lst list Revoke revoke revok revoke restroe restore
        delet delete)
    for ((row = 0; row < ${#rows[@]}; row += 2)); do
        exits 2 "$manager" "${rows[row]}" ci
        [ "$output" = "" ]
        says "\"${rows[row]}\"" "did you mean ${rows[row + 1]}?"
    done
    for command in frobnicate '' x; do
        exits 2 "$manager" "$command"
        says "\"$command\"" 'token_manager --help'
        hides 'did you mean'
    done
}

@test "a mistyped option is answered with the nearest one" {
    # What was typed, then what was meant.
    local rows=(
        'create ci --prefx=sk-' --prefix
        'create ci --evn' --env
        'create ci --if-not-exist' --if-not-exists
        'create ci --jsno' --json
        'list --Status active' --status
        'list --flie x' --file
        'revoke ci --hepl' --help
        'delete ci --yess' --yes
        'restore ci --lock-timout 1' --lock-timeout
        'delete ci --no-envfile' --no-env-file
        '--versoin' --version
        'create b --exp 3d' --expires
        'list --unused-f 3d' --unused-for
        'list --unu' --unused
    )
    create ci
    remember
    for ((row = 0; row < ${#rows[@]}; row += 2)); do
        read -ra words <<<"${rows[row]}"
        exits 2 "$manager" "${words[@]}"
        [ "$output" = "" ]
        says "did you mean ${rows[row + 1]}?"
        unchanged
    done
}

@test "an option that is like no other is refused with a hint to --help" {
    for option in --frobnicate --frobnicate=1 --= --é; do
        exits 2 "$manager" list "$option"
        says 'unknown option' 'token_manager list --help'
        hides 'did you mean'
    done
    exits 2 "$manager" list -x
    says 'unknown option' '"-x"'
}

@test "an option of another command is refused" {
    create ci
    remember
    for words in 'list --yes' 'list --prefix sk-' 'revoke ci --yes' 'revoke ci --status active' \
        'restore ci --env' 'delete ci --if-not-exists' 'create other --yes'; do
        read -ra words <<<"$words"
        exits 2 "$manager" "${words[@]}"
        says 'unknown option'
        unchanged
    done
}

@test "other mistakes in the command line are refused with what is wrong" {
    # The arguments, then what the message names.
    local rows=(
        '' 'command is missing'
        'create' 'NAME is missing'
        'revoke' 'SELECTOR... is missing'
        'restore' 'SELECTOR... is missing'
        'delete --yes' 'SELECTOR... is missing'
        'create a b' '"b"'
        'list ci' '"ci"'
        'create a --prefix sk- --prefix sk-' '--prefix is given twice'
        'create a --json --json' '--json is given twice'
        'create a --env --env=B' '--env is given twice'
        'list --file=a --file=b' '--file is given twice'
        'create a --prefix' '--prefix needs a value'
        'list --status' '--status needs a value'
        'list --file' '--file needs a value'
        'revoke ci --lock-timeout' '--lock-timeout needs a value'
        'create a --json=yes' '--json takes no value'
        'create a --if-not-exists=1' '--if-not-exists takes no value'
        'delete ci --yes=' '--yes takes no value'
        'list --no-env-file=.env' '--no-env-file takes no value'
        'list --help=list' '--help takes no value'
        'revoke ci --lock-timeout x' '--lock-timeout'
        'revoke ci --lock-timeout -1' '--lock-timeout'
        'revoke ci --lock-timeout 1.5' '--lock-timeout'
        'revoke ci --lock-timeout 99999999999999999999' '--lock-timeout'
        'revoke ci --lock-timeout=' '--lock-timeout'
    )
    create ci
    remember
    for ((row = 0; row < ${#rows[@]}; row += 2)); do
        read -ra words <<<"${rows[row]}"
        exits 2 "$manager" "${words[@]}"
        [ "$output" = "" ]
        says "${rows[row + 1]}"
        unchanged
    done
}

@test "an option whose file is set to nothing is a usage error" {
    for option in --file --env-file --usage; do
        exits 2 "$manager" list "$option="
        says "$option"
    done
}

@test "options may stand before and behind the command and its operands" {
    for words in '--json list --status active' 'list --status=active --json' \
        '--file api_tokens.json --json list'; do
        rm -f api_tokens.json
        create ci
        read -ra words <<<"$words"
        exits 0 "$manager" "${words[@]}"
        json '.[0].name == "ci"'
    done
    exits 0 "$manager" revoke --json ci
    exits 0 "$manager" restore ci --json
}

@test "-- ends the options, so that names may begin with -" {
    for name in -x --json --help -- -h; do
        exits 0 "$manager" create --json -- "$name"
        [ "$(jq -r .name <<<"$output")" = "$name" ]
        for command in revoke restore delete; do
            exits 0 "$manager" "$command" --json -- "$name"
            [ "$(jq -r '.[0].name' <<<"$output")" = "$name" ]
        done
    done
    exits 2 "$manager" create -- a --json
    says '"--json"'
    exits 2 "$manager" create --
    says 'NAME is missing'
}

@test "--help is for standard output, and begins with how to call the command" {
    for command in '' "${commands[@]}"; do
        exits 0 "$manager" ${command:+"$command"} --help
        [ "$stderr" = "" ]
        [[ ${lines[0]} == "Usage: token_manager ${command:-COMMAND}"* ]]
    done
}

@test "the help of the program names every command and says what it is for" {
    exits 0 "$manager" --help
    for command in "${commands[@]}"; do
        grep -E "^  $command .*  [A-Z].*\.$" <<<"$output"
    done
}

@test "the help of a command has an example that works" {
    create sk-prod
    for command in "${commands[@]}"; do
        exits 0 "$manager" "$command" --help
        example=$(sed -n '/^Example:/{n;p;}' <<<"$output")
        [[ $example == *"token_manager $command"* ]]
        token_manager() {
            "$manager" "$@"
        }
        records "$(record 1 my-application sk-ccccccccccc "$revoked")" "$(record 2 old-ci sk-bbbbbbbbbbb)" \
            "$(record 3 x sk-a1b2c3d4e5f)"
        eval "exits 0 eval $(printf %q "$example")"
    done
}

@test "help in the place of the command is --help" {
    local program command wanted
    for program in "$manager" "$verifier"; do
        exits 0 "$program" --help
        wanted=$output
        for words in help 'help help' 'help --help' 'help -h'; do
            read -ra words <<<"$words"
            exits 0 "$program" "${words[@]}"
            [ "$output" = "$wanted" ]
        done
        while read -r command _; do
            exits 0 "$program" "$command" --help
            wanted=$output
            exits 0 "$program" help "$command"
            [ "$output" = "$wanted" ]
        done < <(sed -n '/^Commands/,/^$/{/^  /p;}' <<<"$wanted")
        exits 2 "$program" help frobnicate
        says '"frobnicate"'
        exits 2 "$program" hepl
        says 'did you mean help?'
    done
    exits 0 "$manager" create help
    [ "$(field help name)" = help ]
    exits 0 "$BIN/token_authd" help
    [[ $output == "Usage: token_authd"* ]]
}

@test "of options of one letter there are -h and -V, and others tell the long one" {
    exits 0 "$manager" -V
    [[ $output == "token_manager "* ]]
    for row in '-v version' '-j json' '-f file' '-s status'; do
        read -r letter name <<<"$row"
        exits 2 "$manager" list "$letter"
        says "\"$letter\"; did you mean --$name?"
    done
    exits 2 "$manager" list -jq
    says '"-jq"' '-- ends them'
    hides 'did you mean'
}

@test "--help helps whatever else is on the line, and as -h" {
    exits 0 "$manager" -h
    [[ $output == "Usage: token_manager COMMAND"* ]]
    exits 0 "$manager" create -h
    [[ $output == "Usage: token_manager create"* ]]
    exits 0 "$manager" delete ci --help --yes
    [[ $output == "Usage: token_manager delete"* ]]
    exits 0 "$manager" --help list
    [[ $output == "Usage: token_manager list"* ]]
    [ ! -e api_tokens.json ]
}

@test "without a command the commands are shown as talk, and where to read on" {
    for program in "$manager" "$verifier"; do
        exits 2 "$program"
        [ "$output" = "" ]
        says "Usage: ${program##*/} COMMAND" 'a command is missing' "\`${program##*/} --help\`"
        "$program" --help >help
        while read -r line; do
            says "$line"
        done < <(sed -n '/^Commands/,/^$/{/^  /p;}; s/^Example: //p' help)
        [ "$(wc -l <<<"$stderr")" -lt "$(wc -l <help)" ]
    done
}

@test "--version says name and version and nothing else" {
    exits 0 "$manager" --version
    [[ $output =~ ^token_manager\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    [ "$stderr" = "" ]
    wanted=$output
    exits 0 "$manager" list --version
    [ "$output" = "$wanted" ]
}

@test "help and version that cannot be written end with 1" {
    [ -c /dev/full ] || skip "needs /dev/full"
    for option in --help --version; do
        exits 1 sh -c '"$@" >/dev/full' sh "$manager" "$option"
        says 'standard output'
    done
}

# A token whose file is gone: lost [OPTION ...]
lost() {
    create ci --file lost.json "$@"
    rm lost.json*
}

# Command lines with a secret where something else belongs, one a line: mistakes SECRET
mistakes() {
    cat <<END
$1
-$1
--$1
--$1=x
--json=$1
--file $1
create $1
create a $1
create a --$1
create a --prefix $1
create a --prefix=$1
create a --env $1
create a -$1
create a --jsno=$1
list $1
list --status $1
list --status=$1
list --lock-timeout $1
list --no-env-file=$1
revoke $1
revoke ${1}x
revoke x$1
revoke $1...
revoke "$1"
revoke Bearer:$1
revoke nobody $1
restore $1
delete $1
delete --yes $1 nobody
END
}

# Is the secret refused, and never shown, wherever it is put by mistake?
keeps() {
    records "$(record 1 other sk-zzzzzzzzzzz)"
    remember
    while read -ra words; do
        run_apart "$manager" "${words[@]}"
        printf '%s\n' "${words[*]}" "$output" "$stderr"
        [ "$status" -ge 1 ]
        [ "$status" -le 6 ]
        hides "${1:20}"
        unchanged
    done < <(mistakes "$1")
    for line in "$1" "Authorization: Bearer $1" "FREEGPT_API_KEY=$1"; do
        exits 3 "$manager" revoke - <<<"$line"
        hides "${1:20}"
    done
    unchanged
}

@test "a whole token in the wrong place is refused and never printed back" {
    keeps "$(lost)"
    keeps "$(lost --prefix sk_live_)"
    keeps "$(lost --prefix -)"
}

@test "a token that happens to have no digit is never printed back either" {
    keeps sk-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXY
}

@test "a token that would do as the name of a variable is refused as one" {
    token=$(lost --prefix sk_live_)
    exits 2 "$manager" create a --env="$token"
    hides "${token:20}"
    [ ! -e api_tokens.json ]
}

@test "a token on the command line is cut short in what ps shows" {
    [ -r /proc/self/cmdline ] || skip "needs /proc"
    token=$(create ci)
    mkfifo input
    "$manager" revoke "$token" - <input 3>&- &
    exec 9>input
    seen=
    # It reads its arguments, and then waits for its input.
    for _ in {1..500}; do
        seen=$(tr '\0' ' ' <"/proc/$!/cmdline")
        [[ $seen != *revoke* || $seen == *"${token:14}"* ]] || break
        sleep 0.01
    done
    exec 9>&-
    wait $!
    echo "$seen"
    [[ $seen == *" revoke ${token:0:14} "* ]]
    [[ $seen != *"${token:14:4}"* ]]
    [ "$(status_of ci)" = revoked ]
}

# Each program and each of its commands, a line each: of every command
of_every_command() {
    local program
    for program in token_manager token_verifier token_authd; do
        [ -x "$BIN/$program" ] || continue
        echo "$program"
        "$BIN/$program" --help | sed -n "/^Commands/,/^\$/s/^  \([a-z]*\) .*/$program \1/p"
    done
}

@test "every help has at most 24 lines of 79 columns, its columns in line, and an example" {
    local words count=0
    while read -ra words; do
        count=$((count + 1))
        exits 0 "$BIN/${words[0]}" "${words[@]:1}" --help
        [ "$(wc -l <<<"$output")" -le 24 ]
        help=$output
        run -1 grep -nE '.{80}|[[:blank:]]$' <<<"$help"
        run -1 grep -vE '^  [^ ].{22}  [^ ]' <(sed -n '/^Commands/,/^$/{/^  /p;}; /^Options/,/^$/{/^  /p;}' <<<"$help")
        grep -A 1 '^Example:' <<<"$help" | grep "${words[*]}"
    done < <(of_every_command)
    [ "$count" -ge 14 ]
}

@test "what the commands do is said alike: a verb, and a full stop" {
    for program in "$manager" "$verifier"; do
        exits 0 "$program" --help
        run -1 grep -vE '^  [a-z]+( [^ ]+)? +(Accept|Give|Make|Refuse|Remove|Say|Show|Take) .*\.$' \
            <(sed -n '/^Commands/,/^$/{/^  /p;}' <<<"$output")
    done
}

@test "the examples of rotate, audit, check and stream work as printed" {
    PATH=$BIN:$PATH
    create my-application >token
    for words in 'token_manager rotate' 'token_manager audit' 'token_verifier check' 'token_verifier stream'; do
        read -ra words <<<"$words"
        exits 0 "${words[@]}" --help
        example=$(sed -n '/^Example:/{n;p;}' <<<"$output")
        TOKEN=$(cat token) bash -euc "$example"
    done
}
