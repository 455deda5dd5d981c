#!/usr/bin/env bats
# The man pages say what the programs, the header and the tables of the source say.

bats_require_minimum_version 1.5.0
load common
load verifier
load authd
load library

tree=$BATS_TEST_DIRNAME/../..
pages=$tree/docs/man
all_pages="token_manager.1 token_verifier.1 token_verifier.3 api_tokens.json.5 token_authd.8"

# Are two lists the same but for their order? same_set WHAT LIST LIST
same_set() {
    local differs
    [ -n "$2" ] || fail "$1: nothing was found"
    differs=$(diff <(grep . <<<"$2" | sort -u) <(grep . <<<"$3" | sort -u)) || fail "$1:" "$differs"
}

# The source of one section or subsection: section PAGE NAME
section() {
    awk -v name="$2" '/^\.S[hs] / { inside = substr($0, 5) == name } inside' "$pages/$1"
}

# Options as --help writes them, of a text in mdoc.
options_of() {
    grep -oE 'Fl -[a-z][a-z-]*( Ns Op = Ns (Ar|Cm) [A-Za-z]+| Ar [A-Z]+)?' |
        sed -E 's/Fl -/--/; s/ Ns Op = Ns (Ar|Cm) ([A-Za-z]+)/[=\2]/; s/ Ar / /'
}

# Those that a section describes: described PAGE SECTION
described() {
    section "$1" "$2" | grep '^\.It Fl' | options_of
}

# Those that a command has in the synopsis: synopsis PAGE [COMMAND]
synopsis() {
    section "$1" SYNOPSIS |
        awk -v name="${2:-}" '/^\.Nm/ { inside = name == "" } $1 == ".Cm" && $2 == name { inside = 1 } inside' |
        options_of
}

# Those of --help: helped PROGRAM [COMMAND]
helped() {
    "$BIN/$1" "${@:2}" --help | sed -nE 's/^  (--[a-z-]+(\[[^]]*\]| [A-Z]+)?)( .*)?$/\1/p'
}

# The commands of a program: commands_of PROGRAM
commands_of() {
    "$BIN/$1" --help | sed -n '/^Commands/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

# The words of a kind in the tags of a section's lists: tags KIND PAGE SECTION
tags() {
    section "$2" "$3" | sed -n "s/^\.It $1 \([^ ]*\).*/\1/p"
}

# As a person sees it on a terminal of 80 columns: shown PAGE
shown() {
    mandoc -T utf8 -O width=80 "$pages/$1" | sed 's/.\x08//g'
}

@test "the pages are mdoc without a fault" {
    needs mandoc
    for page in $all_pages; do
        # What of other manuals is installed here says nothing about these.
        run mandoc -T lint -W style "$pages/$page"
        same "$(grep -v -e 'STYLE: referenced manual not found' -e 'outdated mandoc.db' <<<"$output")" ""
    done
    printf '.Dd November 30, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd x\n.Sh DESCRIPTION\n.Bl -tag\n' >bad.1
    run mandoc -T lint -W warning bad.1
    says "$output" "bad.1:8:2: "
}

@test "groff has nothing to say about the pages either" {
    needs groff
    for page in $all_pages; do
        run groff -mandoc -ww -z -Tutf8 "$pages/$page"
        same "$output" ""
        exits 0
    done
}

@test "the pages fit on a terminal of 80 columns" {
    needs mandoc
    for page in $all_pages; do
        run shown "$page"
        [ "${#lines[@]}" -gt 100 ] || fail "$page: only ${#lines[@]} lines"
        for line in "${lines[@]}"; do
            [ "${#line}" -le 80 ] || fail "$page: ${#line} columns: $line"
        done
    done
}

@test "every page has the sections that a reader looks for" {
    for page in $all_pages; do
        wanted="NAME DESCRIPTION EXAMPLES STANDARDS SEE_ALSO SECURITY_CONSIDERATIONS"
        case $page in
        *.[18]) wanted+=" SYNOPSIS ENVIRONMENT FILES EXIT_STATUS" ;;
        *.3) wanted+=" SYNOPSIS ENVIRONMENT RETURN_VALUES ERRORS" ;;
        *.5) wanted+=" FILES" ;;
        esac
        for name in $wanted; do
            grep -qx "\.Sh ${name//_/ }" "$pages/$page" || fail "$page has no $name"
        done
    done
}

@test "what the pages refer to among themselves is there, and each names the others" {
    count=0
    for page in $all_pages; do
        seen=$(section "$page" "SEE ALSO")
        for other in $all_pages; do
            [ "$other" = "$page" ] || says "$seen" ".Xr ${other%.*} ${other##*.}"
        done
        while read -r name number; do
            [ -e "$pages/$name.$number" ] || fail "$page: there is no $name($number)"
            count=$((count + 1))
        done < <(sed -nE 's/^\.Xr ((token|api)[^ ]*) ([0-9]).*/\1 \3/p' "$pages/$page")
    done
    [ "$count" -ge 20 ] # each in four others
}

@test "the commands and options of --help are those of the pages" {
    for program in token_manager token_verifier; do
        page=$program.1
        common=$(described "$page" DESCRIPTION)
        commands=$(commands_of "$program")
        same_set "$program" "$commands" "$(sed -n '/^\.Sh COMMANDS/,/^\.Sh E/s/^\.Ss //p' "$pages/$page")"
        same_set "$program, of every command" "$(helped "$program")" "$common"
        for command in $commands; do
            own=$(described "$page" "$command")
            same_set "$program $command" "$(helped "$program" "$command")" "$common"$'\n'"$own"
            [ "$(synopsis "$page" "$command" | sort)" = "$(sort <<<"$own")" ] ||
                fail "$program $command: the synopsis has $(synopsis "$page" "$command")"
        done
    done
}

@test "the options of token_authd are those of its page" {
    needs token_authd
    same_set token_authd "$(helped token_authd)" "$(described token_authd.8 DESCRIPTION)"
    same_set "its synopsis" "$(helped token_authd | grep -v -e --help -e --version)" \
        "$(synopsis token_authd.8)"
}

@test "no page tells of an option that no program has" {
    needs token_authd
    known=$({
        for program in token_manager token_verifier token_authd; do
            helped "$program"
            for command in $(commands_of "$program"); do
                helped "$program" "$command"
            done
        done
    } | sed 's/[[ ].*//' | sort -u)
    count=0
    for page in $all_pages; do
        while read -r option; do
            grep -qx -e "$option" <<<"$known" || fail "$page: $option"
            count=$((count + 1))
        done < <(options_of <"$pages/$page" | sed 's/[[ ].*//' | sort -u)
    done
    [ "$count" -gt 40 ]
}

@test "the variables that programs read are those of the pages" {
    # That libc reads for us, or that are only taken out of the way.
    others="LANG LC_ALL LC_CTYPE TZ LISTEN_FDNAMES"
    settings=$(grep -oE '"[A-Z]+_[A-Z_]+"' "$tree/src/verify/settings.c" | tr -d '"')
    read_in() {
        (cd "$tree/src" && grep -rhoE '\bgetenv\("[A-Z_]+"' "$@" | cut -d '"' -f 2)
    }
    told_in() {
        section "$1" ENVIRONMENT | grep -E '^\.(It )?Ev ' | grep -oE '[A-Z]+(_[A-Z_]+|\b)' |
            grep -vwE "${others// /|}"
    }
    same_set token_manager "$settings"$'\n'"$(read_in token_manager cli)" "$(told_in token_manager.1)"
    same_set token_verifier "$settings"$'\n'"$(read_in cli)" "$(told_in token_verifier.1)"
    same_set token_authd "$settings"$'\n'"$(read_in token_authd)" "$(told_in token_authd.8)"
    same_set library "$settings" "$(told_in token_verifier.3)"
}

@test "the exit statuses are those of the source" {
    codes=$(sed -nE 's/^ *STATUS_[A-Z_]+ = ([0-9]+),.*/\1/p' "$tree/src/base/status.h")
    told() {
        section "$1" "EXIT STATUS" | sed -n 's/^\.It //p'
    }
    same_set token_manager "$codes" "$(told token_manager.1)"
    for page in token_verifier.1 token_authd.8; do
        [ "$(told "$page" | wc -l)" -ge 3 ]
        for code in $(told "$page"); do
            grep -qx "$code" <<<"$codes" || fail "$page: $code"
        done
    done
}

@test "the fields of the token file are those that are read" {
    # "name required" for each field of a table: table FILE NAME
    table() {
        sed -n "/json_field $2\[\]/,/^};/s/^ *{\"\([a-z_]*\)\", \([a-z]*\),.*/\1 \2/p" "$tree/src/token/$1.c"
    }
    told() {
        section api_tokens.json.5 "$1" |
            sed -nE 's/^\.It Cm ([a-z_]+) No \([a-z ]+(, required)?\)/\1 \2/p' |
            sed 's/ , required/ true/; s/ $/ false/'
    }
    same_set "the file" "$(table token_json top_fields)" "$(told "Fields of the file")"
    same_set "a token" "$(table token_record_json record_fields)" "$(told "Fields of a token")"
    same_set "an older secret" "$(table token_record_json previous_fields)" \
        "$(section api_tokens.json.5 "Fields of a token" | sed -n '/^\.It Cm previous/,/^\.El/s/^\.Cm \([a-z_]*\).*/\1 true/p' |
            grep -v rotate)"
}

@test "the lengths and numbers that the file may have are those of the source" {
    limit() {
        grep -hE "^#define $1 " "$tree"/src/*/*.h "$tree"/src/*/*.c | awk '{ print $3; exit }'
    }
    text=$(section api_tokens.json.5 "Fields of a token" | tr '\n' ' ')
    says "$text" "1 to $(limit TOKEN_NAME_LIMIT) characters, none"
    says "$text" "at most $(($(limit TOKEN_PREFIX_SIZE) - 1)) visible ASCII"
    says "$text" "1 to $(limit TOKEN_SCOPE_COUNT) different scopes, each 1 to $(($(limit TOKEN_SCOPE_SIZE) - 1)) characters"
    says "$text" "At most $(limit TOKEN_NOTE_LIMIT) characters"
    says "$text" "At most $(limit TOKEN_PREVIOUS_COUNT) older secrets"
    says "$text" "up to $(limit FOREIGN_LIMIT) of them with names of up to $(($(limit JSON_FIELD_NAME_SIZE) - 1)) bytes"
    says "$(section api_tokens.json.5 "How it is read")" "$(limit DEPTH_LIMIT) levels"
    text=$(section api_tokens.json.5 "What a token looks like" | tr '\n' ' ')
    says "$text" "$(limit TOKEN_BODY_LENGTH) characters Ta random"
    says "$text" "$(limit TOKEN_CHECKSUM_LENGTH) characters Ta a checksum of those $(limit TOKEN_BODY_LENGTH)"
    says "$text" "1 to $(limit TOKEN_SCHEME_LIMIT) letters"
    says "$text" "the next $(limit TOKEN_PREFIX_SHOWN) characters"
    says "$(section token_verifier.1 Credentials)" "1 to $(limit CREDENTIAL_LIMIT) visible ASCII"
}

@test "the fields of the audit trail are those that are written" {
    token_manager=$tree/src/token_manager
    text=$(section api_tokens.json.5 FILES | sed -n '/^\.It Pa api_tokens.json.audit/,$p')
    same_set "fields" "$(sed -nE 's/.*(json_write_[a-z]+|write_if_known)\(out, "([a-z_]+)".*/\2/p' "$tree/src/store/audit.c")
$(grep -hoE '(manager_commit\([^"]*|\.action = )"[a-z]+"' "$token_manager"/*.c | cut -d '"' -f 2)" \
        "$(grep -E '^\.(It )?Cm ' <<<"$text" | grep -v trail | sed 's/\(\.It \)\?\.\?Cm//g' | grep -oE '[a-z_]+')"
}

# Are these fields in that section? knows PAGE SECTION <FIELDS
knows() {
    local words name count=0
    words=" $(section "$1" "$2" | tr ',\n' '  ') "
    while read -r name; do
        says "$words" " $name "
        count=$((count + 1))
    done
    [ "$count" -gt 3 ] || fail "$1, $2: only $count fields"
}

@test "the fields of --json are in the pages" {
    keys='(if type == "array" then .[0] else . end) | keys[]'
    TOKEN=$(create app)
    "$manager" create --json other --if-not-exists | jq -r "$keys" | knows token_manager.1 create
    "$manager" list --json | jq -r "$keys" | knows token_manager.1 list
    "$manager" rotate --json other | jq -r "$keys" >fields
    diff fields <("$manager" create --json third | jq -r "$keys" | sed 's/^created$/previous/' | sort)
    "$manager" revoke --json --dry-run other | jq -r "$keys" | knows token_manager.1 revoke
    echo a-key-of-another-server | "$manager" import --json - | jq -r "keys[], (.tokens[0] | keys[])" |
        knows token_manager.1 import
    "$verifier" check --json <<<"$TOKEN" | jq -r "$keys" | knows token_verifier.1 check
    "$verifier" status --json | jq -r "$keys" | knows token_verifier.1 status
}

@test "the words of refusals and modes are those of the library" {
    words() {
        sed -nE "s/^ *\[(TOKEN_VERIFIER_[A-Z_]+)\] = \"([a-z_+]+)\",/\1 \2/p" "$tree/src/verify/verdict.c"
    }
    same_set "the constants" "$(words)" \
        "$(section token_verifier.3 "Verdicts, reasons and modes" | sed -n 's/^\.It Dv \([A-Z_]*\) Ta Li \(.*\)/\1 \2/p')"
    same_set "the reasons" "$(words | sed '/_MODE_/d; s/.* //' | grep -v accepted)" \
        "$(tags Cm token_verifier.1 Reasons)"
    same_set "the modes" "$(words | sed -n 's/.*_MODE_.* //p')" \
        "$(section api_tokens.json.5 Modes | sed -nE 's/^\.(It )?Cm ([a-z+]+)( Ta.*| [,:.])?$/\2/p')"
}

@test "the functions, constants and structures of the header are in its page, and no others" {
    # But for the header's own guard, and the variable of that name.
    names() {
        grep -oE '\b(TOKEN_VERIFIER|token_verifier)_[A-Za-z_]+\b' |
            grep -vx -e TOKEN_VERIFIER_H -e TOKEN_VERIFIER_REQUIRE_AUTH
    }
    header=$tree/src/verify/token_verifier.h
    same_set names "$(names <"$header")" "$(sed '/^\.Dt/d' "$pages/token_verifier.3" | names)"

    # What is declared, as it is declared.
    count=0
    declared=$(sed -nE '/^struct .*\{/,/^\};/s/^    ([^ ;{][^;{]*);.*/\1/p' "$header" | grep -v reserved)
    told=$(section token_verifier.3 Options && section token_verifier.3 Requests && section token_verifier.3 Results)
    while read -r member; do
        says "$told" "Fa \"$member\""
    done <<<"$declared"
    while read -r member; do
        grep -qxF -e "$member" <<<"$declared" || fail "the header has no $member"
        count=$((count + 1))
    done < <(grep '^\.It' <<<"$told" | grep -oE 'Fa "[^"]*"' | sed 's/Fa "//; s/"$//')
    [ "$count" -ge "$(wc -l <<<"$declared")" ]
    count=0
    while read -r parameter; do
        grep -qE "(^|[ (])${parameter//\*/\\*}[,)]" "$header" || fail "no parameter $parameter"
        count=$((count + 1))
    done < <(section token_verifier.3 SYNOPSIS | grep -E '^\.F[an]' | grep -oE '"[^"]*"' | tr -d '"')
    [ "$count" -gt 5 ]
}

@test "the program in the page of the library compiles and decides" {
    take_library
    section token_verifier.3 EXAMPLES | sed -n '/^\.Bd/,/^\.Ed/{/^\.[BE]d/d; s/\\e/\\/g; p}' >example.c
    [ "$(wc -l <example.c)" -le 25 ]
    build_static example example.c
    token=$(create app)
    run ./example <<<"$token"
    same "$output" app
    exits 0
    run ./example <<<"Bearer $token"
    says "$output" "white space"
    exits 1
}

@test "the metrics and events of token_authd are those of its page" {
    same_set metrics "$(sed -nE 's/.*describe\(out, "([a-z_]+)".*/token_authd_\1/p' "$tree/src/token_authd/metrics.c")" \
        "$(tags Li token_authd.8 Metrics)"
    same_set events "$(cat "$tree"/src/token_authd/*.c | tr -d '\n' |
        grep -oE 'log_(begin|plain|state)\([^;{"]*"[a-z-]+"' | cut -d '"' -f 2)" \
        "$(section token_authd.8 Log | sed -n 's/^\.It Cm //p' | tr -d ',' | tr ' ' '\n' | grep .)"
}
