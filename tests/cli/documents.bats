#!/usr/bin/env bats
# The documents, in the ways in which they can be compared with the tree: what they name is there, what
# is there is named, links lead somewhere, and what is cited is defined.

# shellcheck disable=SC2016 # code in Markdown has backquotes, and nothing is to be expanded

load common

setup() {
    trace_failures_only
    cd "$BATS_TEST_DIRNAME/../.." || exit
    mapfile -t documents < <(ls ./*.md && find docs packaging tests src -name '*.md')
    [ ${#documents[@]} -ge 8 ]
}

# None of these was found: none WHAT <LIST
none() {
    local found
    found=$(cat)
    [ -z "$found" ] || { printf '%s:\n%s\n' "$1" "$found"; return 1; }
}

# The same list; where it is shorter than that, a line more that says so, and that nothing knows, so that
# no test passes for want of anything to look at: some NUMBER <LIST
some() {
    awk -v least="$1" '{ print } END { if (NR < least) print "only " NR " were found, and not " least }'
}

# The tables of rooms: "FLOOR FOLDER ROOM" for each that design.md names.
rooms_named() {
    awk -F'|' '
        /^\*\*Floor [0-9], `src\// {
            split($0, part, /[ ,`\/]+/)
            floor = part[2]; folder = part[4]
            next
        }
        /^## / { folder = "" }
        folder != "" && /^\| `/ {
            count = split($2, name, "`")
            for (i = 2; i <= count; i += 2) print floor, folder, name[i]
        }' docs/design.md
}

rooms_there() {
    printf '%s\n' src/*/*.[ch] | sed -E 's#src/(.*)/(.*)\.[ch]#\1 \2#' | sort -u
}

# "DOCUMENT TARGET" for each link, without what stands in code.
links() {
    awk '
        FNR == 1 { fenced = 0 }
        /^ *```/ { fenced = !fenced }
        fenced { next }
        {
            line = $0
            gsub(/`[^`]*`/, "", line)
            while (match(line, /\]\([^) ]+\)/)) {
                print FILENAME, substr(line, RSTART + 2, RLENGTH - 3)
                line = substr(line, RSTART + RLENGTH)
            }
        }' "${documents[@]}"
}

# The headings of a document, as they are called in an address.
anchors() {
    awk '
        /^```/ { fenced = !fenced }
        !fenced && /^#+ / {
            sub(/^#+ +/, "")
            $0 = tolower($0)
            gsub(/\]\([^)]*\)/, "")
            gsub(/[^a-z0-9 _-]/, "")
            gsub(/ /, "-")
            print
        }' "$1"
}

@test "the design names each room of the sources, and none that is not there" {
    rooms_named >"$BATS_TEST_TMPDIR/named"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/named")" -gt 80 ]
    cut -d' ' -f2- "$BATS_TEST_TMPDIR/named" | sort | tee "$BATS_TEST_TMPDIR/rooms" | uniq -d |
        none "named twice"
    comm -23 "$BATS_TEST_TMPDIR/rooms" <(rooms_there) | none "in docs/design.md, but not in src"
    comm -13 "$BATS_TEST_TMPDIR/rooms" <(rooms_there) | none "in src, but not in docs/design.md"
}

@test "the design's floors are those that check-layers knows" {
    local floor folder
    while read -r floor folder; do
        grep -q "split(\".*\\b$folder $floor\\b" tests/check-layers
    done < <(rooms_named | cut -d' ' -f1,2 | sort -u)
    [ "$(rooms_named | cut -d' ' -f2 | sort -u)" = "$(cd src && printf '%s\n' * | sort)" ]
}

@test "each path of a source that a document names is there" {
    grep -noE '\b(src|tests|packaging|docs)/[A-Za-z0-9_./-]*[A-Za-z0-9_]' "${documents[@]}" | some 50 |
        while IFS=: read -r document line path; do
            case $path in
            # What a reader is to make, by CONTRIBUTING.md; and what stands for any suite.
            */count.* | *SUITE*) ;;
            *) [ -e "$path" ] || echo "$document:$line: $path" ;;
            esac
        done | none "named, but not there"
}

@test "each link between documents leads to a file, and to a heading of it" {
    local document target file anchor count=0
    while read -r document target; do
        case $target in
        http:* | https:* | mailto:*) continue ;;
        esac
        count=$((count + 1))
        file=${target%%#*} anchor=''
        [[ $target != *'#'* ]] || anchor=${target#*'#'}
        if [ -z "$file" ]; then
            file=$document
        else
            file=$(dirname "$document")/$file
        fi
        if [ ! -e "$file" ]; then
            echo "$document: $target"
        elif [ -n "$anchor" ] && ! anchors "$file" | grep -qxF -- "$anchor"; then
            echo "$document: $target: no such heading"
        fi
    done < <(links) >"$BATS_TEST_TMPDIR/dead"
    none "links to nothing" <"$BATS_TEST_TMPDIR/dead"
    [ "$count" -gt 20 ]
}

@test "each promise that is cited is defined, once, and tried by a suite" {
    local defined
    defined=$(grep -oE '^\*\*P[0-9]+ ' docs/design.md | tr -d '* ' | sort)
    [ "$(wc -l <<<"$defined")" = 8 ]
    [ -z "$(uniq -d <<<"$defined")" ]
    grep -rhoIE '\bP[0-9]\b' src tests docs packaging Makefile ./*.md --exclude-dir=corpus --exclude-dir=found |
        sort -u | some 8 | comm -23 - <(echo "$defined") | none "cited, but not defined in docs/design.md"
    grep -oE '^\| P[0-9]+ ' docs/reliability.md | tr -d '| ' | sort -u | comm -13 - <(echo "$defined") |
        none "defined, but not in docs/reliability.md"
}

@test "each function that the design names is one" {
    # A word in code that begins like a room.
    grep -ohE '`[a-z_]+`' docs/design.md | tr -d '`' | sort -u | grep -E \
        '^(store|manager|atomic_file|token_set|token_json|verifier|verdict|snapshot|lock|audit|usage)_' |
        some 10 | while read -r name; do
            grep -rqw -- "$name" src || echo "$name"
        done | none "named in docs/design.md, but not in src"
}

@test "the calls that another home for the records would answer are those of the store" {
    local calls call
    calls=$(sed -n '/^## Another home/,/^## Decisions/s/^| `\(store_[a-z_]*\)` .*/\1/p' docs/design.md)
    [ "$(wc -l <<<"$calls")" = 5 ]
    while read -r call; do
        grep -qE "(^|[ *])$call\(" src/store/store.h
    done <<<"$calls"
    # Nothing above calls what is neither one of them nor of the kind that only tells.
    grep -rhoE '\bstore_[a-z_]+\(' src/verify src/token_* | tr -d '(' | sort -u | some 5 |
        grep -vxE "${calls//$'\n'/|}|store_(tokens|path|is_new|version_clear)" | none "more calls than the design has"
}

@test "the drawing is what its script draws, and its stations are functions on their floors" {
    docs/routes.sh | cmp - docs/routes.svg
    local floor name folders count=0
    while IFS='|' read -r floor name _; do
        case $floor in
        4*) folders='src/cli src/token_*' ;;
        3*) folders=src/verify ;;
        2*) folders=src/store ;;
        1*) folders=src/token ;;
        0*) folders=src/base ;;
        esac
        # shellcheck disable=SC2086 # folders are words
        grep -rqE "^[a-z].*[ *]${name// /}\(" $folders || echo "$name"
        count=$((count + 1))
    done < <(grep -E '^[0-4] [|]' docs/routes.sh) >"$BATS_TEST_TMPDIR/lost"
    none "no function there" <"$BATS_TEST_TMPDIR/lost"
    [ "$count" -ge 15 ]
}

@test "the index of the documents has each of them, and that of integrations each folder" {
    local document index
    for document in "${documents[@]#./}"; do
        case $document in
        docs/README.md | tests/* | src/*) continue ;;
        docs/integrations/*/*) index=docs/integrations/README.md ;;
        *) index=docs/README.md ;;
        esac
        document=${document#"${index%/*}/"}
        grep -qF -e "]($document)" -e "](../$document)" -e "](${document%/README.md})" "$index" ||
            echo "$document, in $index"
    done >"$BATS_TEST_TMPDIR/missing"
    none "missing" <"$BATS_TEST_TMPDIR/missing"
}
