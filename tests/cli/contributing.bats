#!/usr/bin/env bats
# The five steps of CONTRIBUTING.md, done as they stand there: on a copy of the tree and of what was
# built, so that nothing is compiled but what the steps touch.
# shellcheck disable=SC2016 # code in Markdown has backquotes, and nothing is to be expanded

load common

setup_file() {
    needs_build || return
    local tree=$BATS_TEST_DIRNAME/../.. blocks=$BATS_FILE_TMPDIR/blocks
    export copy=$BATS_FILE_TMPDIR/copy
    mkdir -p "$copy/tests/cli" "$copy/built" "$blocks"
    (cd "$tree" && cp -a Makefile CONTRIBUTING.md CHANGELOG.md docs packaging src "$copy" &&
        cp -a tests/check-layers tests/tap "$copy/tests" && cp -a tests/cli/*.ba* "$copy/tests/cli")
    cp -a "$BIN/src" "$BIN/flags" "$BIN"/lib*.a "$BIN"/token_* "$copy/built"

    # Each block becomes a file STEP.NUMBER, the path that was named last before it STEP.NUMBER.path.
    awk -v folder="$blocks" '
        /^## / { step = 0 }
        /^\*\*[1-5]\.\*\* / { step = substr($0, 3, 1); number = 0 }
        step && !inside && match($0, /`(src|tests|docs)\/[^`]*`/) { path = substr($0, RSTART + 1, RLENGTH - 2) }
        step && /^```/ {
            inside = !inside
            if (inside) {
                file = folder "/" step "." ++number
                print path >(file ".path")
                print substr($0, 4) >(file ".kind")
            }
            next
        }
        inside && step { print >file }
    ' "$copy/CONTRIBUTING.md"
    local block path
    for block in "$blocks"/[1-5].[0-9]; do
        path=$copy/$(<"$block.path")
        if [ "$(<"$block.kind")" = diff ]; then
            put_lines "$block" "$path" || return
        else
            [ ! -e "$path" ] || { echo "$path is there already"; return 1; }
            cp "$block" "$path"
        fi
    done
}

# The lines with a + go before or after the one without, which stands once: put_lines BLOCK FILE
put_lines() {
    awk -v block="$1" '
        BEGIN {
            while ((getline line < block) > 0) {
                text = substr(line, 2)
                if (line ~ /^ /) { place = text; places++ }
                else if (places) after = after text "\n"
                else before = before text "\n"
            }
        }
        $0 == place { found++; printf "%s%s\n%s", before, $0, after; next }
        { print }
        END { exit places != 1 || found != 1 }
    ' "$2" >"$2.new" || { echo "$2 has no such place as $(<"$1")"; return 1; }
    cat "$2.new" >"$2"
    rm "$2.new"
}

setup() {
    trace_failures_only
    export LC_ALL=C.UTF-8
    unset FREEGPT_API_KEY OPENAI_API_KEY API_TOKENS_FILE
    cd "$copy" || exit
}

@test "there are five steps, each with something to do" {
    [ "$(grep -c '^\*\*[0-9]\.\*\*' CONTRIBUTING.md)" = 5 ]
    for step in 1 2 3 4 5; do
        [ -s "$BATS_FILE_TMPDIR/blocks/$step.1" ]
    done
}

@test "after the steps the command is built, runs, and is in the help" {
    run make BUILD=built built/token_manager
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"CC    src/token_manager/count.c"* ]]
    [[ $output != *.c:*warning:* ]]
    # All that was built before was taken as it is.
    [ "$(grep -c '^  CC ' <<<"$output")" -le 3 ]
    run built/token_manager --help
    [[ $output == *"  count"*"Tell how many tokens are active."* ]]
    run built/token_manager count --help
    [ "$status" -eq 0 ]
    [[ $output == *"token_manager count"* ]]
    run built/token_manager cuont
    [ "$status" -eq 2 ]
    [[ $output == *count* ]]
}

@test "the test of step 4 passes, and fails for a command that counts wrongly" {
    make BUILD=built built/token_manager >/dev/null
    BIN=$PWD/built run tests/tap tests/cli/count.bats
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == "1..2"* ]]
    mkdir -p wrong
    printf '#!/bin/sh\n[ "$1" != count ] || exec echo 2\nexec "%s" "$@"\n' "$PWD/built/token_manager" >wrong/token_manager
    chmod +x wrong/token_manager
    BIN=$PWD/wrong run tests/tap tests/cli/count.bats
    [[ $output == *"not ok 1"*"not ok 2"* ]]
}

@test "the floors take what the steps put there" {
    # That headers compile alone is for make check-layers to say: it takes long, and building did it.
    CC=true tests/check-layers src
    if command -v clang-format >/dev/null; then
        cp "$BATS_TEST_DIRNAME/../../.clang-format" .
        clang-format --dry-run --Werror src/token_manager/{count.c,main.c,commands.h}
    fi
}

@test "the room in the design that step 5 asks for is missed, and enough" {
    run bats -f 'each room of the sources' tests/cli/documents.bats
    [ "$status" -ne 0 ]
    [[ $output == *"token_manager count"* ]]
    sed -i 's/^| `list` |/| `count` | how many are active |\n&/' docs/design.md
    bats -f 'each room of the sources' tests/cli/documents.bats
}

@test "the man page has the command, as far as --help tells" {
    make BUILD=built built/token_manager >/dev/null
    BIN=$PWD/built run bats -f 'commands and options of --help' tests/cli/manual.bats
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"1..1"* ]]
}

@test "completion offers the command without a step of its own" {
    make BUILD=built built/token_manager >/dev/null
    run bash -c '. packaging/completions/bash/token_manager
        PATH=$PWD/built:$PATH COMP_LINE="token_manager cou" COMP_POINT=17 COMP_WORDS=(token_manager cou) COMP_CWORD=1
        call=$(complete -p token_manager)
        call=${call#*-F }
        "${call%% *}" token_manager cou token_manager
        printf "%s\n" "${COMPREPLY[@]}"'
    echo "$output"
    [[ $output =~ ^count\ ?$ ]]
}
