#!/usr/bin/env bats
# Keys from elsewhere: the predecessor's file, lists of keys, NAME=key lines.

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
# shellcheck disable=SC2016  # dollars in single quotes belong to the .env file
bats_require_minimum_version 1.5.0
load common
load manager
load trace
load place

# Nobody's keys.
one=sk-d0474cb691123b0a4cb989533b9df27ad860303a183cbeb87b1d87917e6945f4
two=sk-e85130791f31db1699f61a5e7ae7b5e85e70399414f38476091896214771cd17
three=sk-5a9392784e07eb40cfb3f4a464e0a91451f573eeb59d600983e190bd8aaddca6
predecessor=$BATS_TEST_DIRNAME/../data/predecessor_api_tokens.json
now_pattern='^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$'

# What is imported stands apart, so that everything else in the folder must be free of it.
mkdir_in() {
    mkdir -p in
}

# A member of the predecessor's file: entry KEY [FIELDS]
entry() {
    printf '"%s": {%s}' "$1" "${2-$fields}"
}
fields='"name": "app", "created_at": "2025-11-26T10:30:00.123456", "last_used": null, "active": true'

# A file in the predecessor's format, the first entry on line 2: old FILE ENTRY...
old() {
    local file=$1 between=''
    {
        printf '{'
        for entry in "${@:2}"; do
            printf '%s\n  %s' "$between" "$entry"
            between=,
        done
        printf '\n}\n'
    } >"$file"
}

# An import that succeeds into a store of its own: import_alone [OPTION ...] FILE
import_alone() {
    rm -f api_tokens.json*
    exits 0 "$manager" import "$@"
}

# An import that is refused and changes nothing: refused WORDS [OPTION ...] FILE
refused() {
    remember
    exits 1 "$manager" import "${@:2}"
    [ "$output" = "" ]
    says "$1"
    unchanged
}

# Is the key accepted, and is this its name? works KEY NAME
works() {
    local said
    said=$("$verifier" check <<<"$1" 2>&1) || true
    [ "${said#tok_* }" = "$2" ] || { echo "the key of \"$2\" gives: $said"; return 1; }
}

# Is the key refused for that reason? is_refused KEY REASON
is_refused() {
    local said
    said=$("$verifier" check <<<"$1" 2>&1) && { echo "accepted: $said"; return 1; }
    [[ $said == *"refused ($2)"* ]] || { echo "not $2, but: $said"; return 1; }
}

# Nothing of these keys but their beginnings is in the folder or was said.
no_plain_text() {
    local key patterns=()
    for key; do
        hides "${key:15}"
        patterns+=(-e "${key:15}")
    done
    ! grep -rF --exclude-dir=in --exclude-dir=before "${patterns[@]}" . || return 1
}

# The names in the token file, a comma between. (By sed: each is on a line, and jq takes long to start.)
imported_names() {
    sed -n 's/.*"id": "tok_[^"]*", "name": "\(\([^"\\]\|\\.\)*\)".*/\1/p' api_tokens.json | paste -sd ,
}

@test "every field of the predecessor's file is taken over" {
    TZ=UTC exits 0 "$manager" import "$predecessor"
    jq -r '.tokens[] | [.name, .prefix, .created_at, .revoked_at // "-"] | join("|")' \
        api_tokens.json >records
    [ "$(sed '4s/[^|]*$//' records)" = 'my-application|sk-d0474cb6911|2025-11-26T10:30:00Z|-
mobile-app|sk-e85130791f3|2025-11-25T10:30:00Z|-
default|sk-5a9392784e0|2025-11-24T10:30:00Z|-
default (2)|sk-369d8e27270|2025-11-23T10:30:00Z|
café ✓|sk-76a1bf015f0|2025-11-22T10:30:00Z|-
imported-6|sk-a3820b42d68|2025-11-21T10:30:00Z|-' ]
    jq -e '[.tokens[].id] | (unique | length) == 6 and all(test("^tok_[0-9A-Za-z]{16}$"))' \
        api_tokens.json
    for row in "0 my-application" "1 mobile-app" "2 default" "4 café ✓" "5 imported-6"; do
        works "$(jq -r "keys_unsorted[${row%% *}]" "$predecessor")" "${row#* }"
    done
    is_refused "$(jq -r 'keys_unsorted[3]' "$predecessor")" revoked
    [[ $(field "default (2)" revoked_at) =~ $now_pattern ]]
    says ':20: the name "default" became "default (2)"' ':32: ' '"imported-6"' \
        "Imported 6 keys" "revoked: 1" "$PWD/api_tokens.json"
    # shellcheck disable=SC2046  # words
    no_plain_text $(jq -r 'keys_unsorted[]' "$predecessor")
}

@test "an imported key has the digest that anybody can check" {
    exits 0 "$manager" import "$predecessor"
    [ "$(field my-application hash)" = "blake2b-256:$(printf %s "$one" | b2sum -l 256 | cut -d' ' -f1)" ]
}

# The clock faces of a zone and what they are in UTC: zone_is ZONE FACE=UTC...
zone_is() {
    local row
    for row in "${@:2}"; do
        old in/old.json "$(entry "$one" "\"created_at\": \"${row%=*}\", \"last_used\": \"${row%=*}\", \"active\": true")"
        TZ=$1 import_alone in/old.json
        exits 0 "$manager" list --json
        json --arg time "${row#*=}" '.[0] | .created_at == $time and .last_used_at == $time' ||
            { echo "in $1, ${row%=*} should be ${row#*=}"; return 1; }
    done
}

@test "times are those of this machine's zone, summer time as it was then" {
    mkdir_in
    zone_is UTC0 2025-11-26T10:30:00.123456=2025-11-26T10:30:00Z \
        2025-07-01T23:59:59=2025-07-01T23:59:59Z
    zone_is EST5EDT,M3.2.0,M11.1.0 2025-11-26T10:30:00.123456=2025-11-26T15:30:00Z \
        2025-07-01T23:30:00.5=2025-07-02T03:30:00Z 2024-02-29T23:00:00=2024-03-01T04:00:00Z
    zone_is IST-5:30 2025-11-26T10:30:00.123456=2025-11-26T05:00:00Z \
        2025-01-01T00:00:00=2024-12-31T18:30:00Z
}

@test "times are those of this machine's zone, where zones have names" {
    mkdir_in
    [ "$(TZ=Asia/Kolkata date -d @0 +%z)$(TZ=America/New_York date -d @0 +%z)" = "+0530-0500" ] ||
        skip "needs the time zone database"
    zone_is America/New_York 2025-11-26T10:30:00=2025-11-26T15:30:00Z \
        2025-07-01T10:30:00.000001=2025-07-01T14:30:00Z 2006-04-01T12:00:00=2006-04-01T17:00:00Z \
        2008-04-01T12:00:00=2008-04-01T16:00:00Z
    zone_is Asia/Kolkata 2025-07-01T10:30:00.999999=2025-07-01T05:00:00Z
    zone_is UTC 2025-07-01T10:30:00.999999=2025-07-01T10:30:00Z
}

@test "a time that the clock shows twice, or jumps over, is taken for one that is near" {
    mkdir_in
    for row in 2025-11-02T01:30:00=2025-11-02T0[56]:30:00Z 2025-03-09T02:30:00=2025-03-09T0[67]:30:00Z; do
        old in/old.json "$(entry "$one" "\"created_at\": \"${row%=*}\", \"active\": true")"
        TZ=EST5EDT,M3.2.0,M11.1.0 import_alone in/old.json
        # shellcheck disable=SC2053  # a pattern
        [[ $(field imported-1 created_at) == ${row#*=} ]]
    done
}

@test "a key without a time of creation is as old as its import, and never used is never used" {
    mkdir_in
    for time in '' '"created_at": null, ' '"last_used": null, '; do
        old in/old.json "$(entry "$one" "$time\"name\": \"app\", \"active\": true")"
        import_alone in/old.json
        [ "$(field app created_at)" = "$(jq -r .time api_tokens.json.audit)" ]
        [ "$(wc -l <api_tokens.json.usage)" -eq 1 ]
        exits 0 "$manager" list --json
        json '.[0].last_used_at == null'
    done
}

@test "only active: true is active, all else is revoked as of now" {
    mkdir_in
    for active in false null 1 0 '"true"' '"false"' '[true]' '{"active": true}' -; do
        case $active in
        -) with='' ;;
        *) with=", \"active\": $active" ;;
        esac
        old in/old.json "$(entry "$one" "\"name\": \"app\"$with")"
        import_alone in/old.json
        is_refused "$one" revoked || { echo "active: $active"; return 1; }
        [ "$(field app revoked_at)" = "$(jq -r .time api_tokens.json.audit)" ]
        says "revoked: 1"
    done
    old in/old.json "$(entry "$one" '"name": "app", "active": true')"
    import_alone in/old.json
    works "$one" app
    says "revoked: 0"
}

@test "the last use goes to the usage file, and list shows it" {
    mkdir_in
    old in/old.json "$(entry "$one" '"name": "a", "last_used": "2025-11-26T11:45:23.004211", "active": true')" \
        "$(entry "$two" '"name": "b", "last_used": null, "active": true')"
    TZ=UTC0 exits 0 "$manager" import in/old.json
    grep -x "$(field a id) 2025-11-26T11:45:23Z" api_tokens.json.usage
    run -1 grep -F "$(field b id)" api_tokens.json.usage
    run -1 grep last_used api_tokens.json
    exits 0 "$manager" list
    [[ $output == *"Last used: 2025-11-26T11:45:23Z ("* ]]
    # A use after the import is later than that.
    works "$one" a
    exits 0 "$manager" list --json
    json '.[0].last_used_at > "2025-11-26T11:45:23Z"'
}

@test "the same name again gets a number, also when it is in the store" {
    mkdir_in
    kept=$(create app)
    create gone
    "$manager" revoke gone
    old in/old.json "$(entry "$one" '"name": "app", "active": true')" \
        "$(entry "$two" '"name": "app", "active": true')" \
        "$(entry "$three" '"name": "gone", "active": true')"
    exits 0 "$manager" import in/old.json
    [ "$(imported_names)" = "app,gone,app (2),app (3),gone" ]
    says 'in/old.json:2: the name "app" became "app (2)"' 'in/old.json:3: the name "app" became "app (3)"'
    [[ $stderr != *"in/old.json:4:"* ]]
    works "$one" "app (2)"
    works "$two" "app (3)"
    works "$three" gone
    works "$kept" app
}

@test "a number that is taken is passed over" {
    mkdir_in
    create "app (2)"
    old in/old.json "$(entry "$one" '"name": "app", "active": true')" \
        "$(entry "$two" '"name": "app", "active": true')" \
        "$(entry "$three" '"name": "app (3)", "active": true')"
    exits 0 "$manager" import in/old.json
    [ "$(imported_names)" = "app (2),app,app (3),app (3) (2)" ]
}

@test "the same name of 100 characters again is shortened for its number" {
    mkdir_in
    for character in a é 钥 😀; do
        printf -v name '%100s' ''
        name=${name// /$character}
        entries=()
        for i in {1..11}; do
            entries+=("$(entry "$one$i" "\"name\": \"$name\", \"active\": true")")
        done
        old in/old.json "${entries[@]}"
        import_alone in/old.json
        jq -e --arg name "$name" '[.tokens[].name] | all(length <= 100) and .[0] == $name
            and .[1] == $name[:96] + " (2)" and .[8] == $name[:96] + " (9)"
            and .[10] == $name[:95] + " (11)"' api_tokens.json
        works "${one}11" "${name:0:95} (11)"
    done
}

@test "a name that our rules do not allow is mended, and that is told with its line" {
    mkdir_in
    printf -v long '%101s' ''
    # As JSON, what comes of it.
    rows=(
        '""' imported-2 '"  "' imported-2 '"\u00a0"' imported-2 '"\t\n"' imported-2 '"-"' imported-2
        '"  app "' app '"\u3000app"' app
        '"a\u0007p\u007fp"' app '"ap\np"' app '"\u001b[31mapp"' '[31mapp' '"\u202eapp\u202c"' app
        '"\u200bapp"' app '"\u2028"' imported-2 '"app\u0085"' app
        "\"${long// /a}\"" "${long:1}" "\"${long// /é}\"" "${long:1}" "\"${long// /a }\"" "${long:1}"
        "\"$three\"" imported-2 '"sk-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg37cCQ0"' imported-2
        '"tok_0123456789abcdef"' imported-2 "\"key of ${three}\"" imported-2
        "\"${three#sk-}\"" imported-2 '"\ud800"' imported-2 '"a\udc00b"' imported-2
        '"a\u0000b"' imported-2 '"\u0000"' imported-2 5 imported-2 null imported-2
        true imported-2 '[]' imported-2 '{"name": "app"}' imported-2 - imported-2
    )
    for ((row = 0; row < ${#rows[@]}; row += 2)); do
        name=${rows[row]} wanted=${rows[row + 1]}
        case $wanted in
        *' '*) wanted=${name:1:-1} wanted=${wanted:0:100} wanted=${wanted% } ;;
        esac
        with="\"name\": $name, "
        [ "$name" != - ] || with=''
        old in/old.json "$(entry "$two" '"name": "first", "active": true')" \
            "$(entry "$one" "$with\"active\": true")"
        import_alone in/old.json
        works "$one" "$wanted" || { echo "name $name"; return 1; }
        says "in/old.json:3: " "became \"$wanted\""
        [[ $stderr != *"in/old.json:2:"* && $stderr != *[$'\a\e\x7f']* ]]
        no_plain_text "$one" "$three"
        "$manager" revoke "$wanted" # it can be named
    done
}

@test "a blank of any kind behind a name is cut off, as one before it is" {
    mkdir_in
    for name in 'app\u00a0' 'app \u3000 ' 'app\u2003'; do
        old in/old.json "$(entry "$one" "\"name\": \"$name\", \"active\": true")"
        import_alone in/old.json
        [ "$(imported_names)" = app ]
    done
}

@test "a name that is fine is not talked about" {
    mkdir_in
    for name in app 'my app' 'café ✓' 'a\"b' 'a\\b' 'imported-7' 'r\u00e9sum\u00e9' '\ud83d\ude00' '\/'; do
        old in/old.json "$(entry "$one" "\"name\": \"$name\", \"active\": true")"
        import_alone in/old.json
        [ "$(jq -c '.tokens[0].name' api_tokens.json)" = "$(jq -c . <<<"\"$name\"")" ]
        [[ $stderr != *became* ]]
    done
}

@test "a key is not kept as its own name" {
    mkdir_in
    key=correct-horse-battery-staple-and-more
    old in/old.json "$(entry "$key" "\"name\": \"$key\", \"active\": true")"
    import_alone in/old.json
    "$verifier" check <<<"$key"
    no_plain_text "$key"
}

@test "a list is a key a line, and its keys are numbered" {
    mkdir_in
    base64=$(printf 'Zm9vYmFyYmF6cXV4Zm9vYmFy%s' 'YmE=')
    padded=$(printf 'Zm9vYmFyYmF6cXV4Zm9vYmFy%s' 'Yg==')
    printf '# the keys of the llama\n\n%s\r\n   \n  %s\t\n#%s\n%s\n%s' \
        "$one" "$base64" "$three" "$two" "$padded" >in/keys
    for format in '' --format=list; do
        # shellcheck disable=SC2086  # none or one
        import_alone $format in/keys
        [ "$(imported_names)" = "imported-1,imported-2,imported-3,imported-4" ]
        works "$one" imported-1
        works "$base64" imported-2
        works "$two" imported-3
        works "$padded" imported-4
        is_refused "$three" unknown
        no_plain_text "$one" "$two" "$three"
        jq -e 'all(.tokens[]; .created_at | test("^20"))' api_tokens.json
    done
}

@test "keys of any visible characters keep working" {
    mkdir_in
    keys=('a,b;c|d&e$f(g)h[i]j{k}' "it's\"quoted\"\`like\`this" 'AKIA/0123+4567=89ab=cdef' \
        '-----begins-with-dashes' '!!!!!!!!!!!!!!!!!!!!!!!!!!' '~~~~~~~~~~~~~~~~~~~~~~~~~~' \
        "$(printf '%0512d' 7)" 'tok_0123456789abcdef' 'eyJhbGciOiJIUzI1NiJ9.e30.0123456789')
    printf '%s\n' "${keys[@]}" >in/keys
    exits 0 "$manager" import --format list in/keys
    for ((i = 0; i < ${#keys[@]}; i++)); do
        works "${keys[i]}" "imported-$((i + 1))"
    done
    no_plain_text "${keys[@]:0:7}"
}

@test "NAME=key lines are named after their variables" {
    mkdir_in
    cat >in/keys.env <<END
# keys
export FIRST=$one
  SECOND="$two"   # with a comment

third_3='$three'
FOURTH='a-key-with-\$-in-quotes'
FIFTH = "a-key-with-\\\$-escaped"
_=sk-unquoted-with-#-inside # and a comment
END
    sed 's/FIFTH = /FIFTH=/' in/keys.env >in/looked.env
    for row in "--format env in/keys.env" in/looked.env; do
        # shellcheck disable=SC2086  # words
        import_alone $row
        [ "$(imported_names)" = "FIRST,SECOND,third_3,FOURTH,FIFTH,_" ]
        works "$one" FIRST
        works "$two" SECOND
        works "$three" third_3
        works 'a-key-with-$-in-quotes' FOURTH
        works 'a-key-with-$-escaped' FIFTH
        works 'sk-unquoted-with-#-inside' _
        no_plain_text "$one" "$two" "$three"
    done
    sed 's/$/\r/' in/keys.env >in/crlf.env
    import_alone --format=env in/crlf.env
    [ "$(imported_names)" = "FIRST,SECOND,third_3,FOURTH,FIFTH,_" ]
    works "$one" FIRST
}

@test "the same variable again, for another key, gets a number" {
    mkdir_in
    printf 'KEY=%s\n' "$one" "$two" >in/keys.env
    exits 0 "$manager" import in/keys.env
    [ "$(imported_names)" = "KEY,KEY (2)" ]
    says 'in/keys.env:2: the name "KEY" became "KEY (2)"'
}

@test "a byte order mark, as some editors write it, does not hide the format" {
    mkdir_in
    printf '\xef\xbb\xbfKEY=%s\n' "$one" >in/keys.env
    import_alone in/keys.env
    works "$one" KEY
}

@test "what is refused names its line, and nothing is imported" {
    mkdir_in
    create first
    printf -v long '%513s' ''
    good="$(entry "$one")"
    # The options, the text for printf %b, the line, words.
    rows=(
        # lists
        '' "$one\n${long// /x}\n" 2 "longer than 512 characters"
        '' "$one\n\nkéy-key-key-key-key-key\n" 3 "visible ASCII"
        '' "$one\n\x80\x80key-key-key-key-key-key\n" 2 "visible ASCII"
        '' "$one\nkey-key-key-key key-key-key\n" 2 "blanks"
        '' "$one\nkey-key-key-key\tkey-key-key\n" 2 "blanks"
        '' "$one\n$two # a comment\n" 2 "blanks"
        '' "$one\nkey-key-key-key-key-\0key\n" 2 "visible ASCII"
        '' "$one\nkey-key-key-key-key-\033key\n" 2 "visible ASCII"
        '' "$one\rkey-key-key-key-key-key\n" 1 "blanks"
        '' "$one\n# c\nshort\n" 3 "only 5 characters"
        '' "0123456789012345678\n" 1 "only 19 characters"
        # both
        '' "$one\nKEY=$two\n" 2 "--format"
        '' "KEY=$one\n\n$two\n" 3 "--format"
        '' "KEY=$one\nAppPassword: $two\n" 2 "--format"
        # NAME=key
        '' "KEY=$one\nOTHER=\$KEY\n" 2 "\$"
        '' "KEY=$one\nOTHER=\"\${KEY}\"\n" 2 "\$"
        '' "KEY=$one\nOTHER=abcdefghijklmnopqrstuvwxyz\$KEY\n" 2 "\$"
        '' "KEY=$one\nOTHER='key-key-key key-key-key-key'\n" 2 "blanks"
        '' "KEY=$one\nOTHER='key-key-key-key-é'\n" 2 "visible ASCII"
        '' "KEY=$one\nOTHER=${long// /x}\n" 2 "longer than 512 characters"
        '' "KEY=$one\nOTHER='not closed\n" 2 "not closed"
        '' "KEY=$one\nOTHER='$two'x\n" 2 "closing quote"
        '' "KEY=$one\nOTHER=short\n" 2 "only 5 characters"
        '--format env' "KEY=$one\n$two\n" 2 "NAME=value"
        '--format env' "KEY=$one\n9KEY=$two\n" 2 "NAME=value"
        '--format env' "KEY=$one\nO\0THER=$two\n" 2 "NUL"
        # the predecessor's
        '' "{\n$good,\n\"short\": {}\n}" 3 "only 5 characters"
        '' "{\n$good,\n\"${long// /x}\": {}\n}" 3 "512"
        '' "{\n$good,\n\"key-key-key key-key-key\": {}\n}" 3 "blanks"
        '' "{\n$good,\n\"key-key-key-key-key-k\\\\u00e9y\": {}\n}" 3 "visible ASCII"
        '' "{\n$good,\n\"key-key-key-key-key-k\\\\u0000y\": {}\n}" 3 "u0000"
        '' "{\n$good,\n\"key-key-key-key-key-k\\\\ud800y\": {}\n}" 3 "surrogate"
        '' "{\n$good,\n\"\": {}\n}" 3 "the key is empty"
        '' "{\n$good,\n}" 3 "expected"
        '' "{\n$good\n$good}" 3 "expected"
        '' "{\n$good\n}\n}" 4 "expected the end"
        '' "{\n$good\n" 3 "the text ends"
        '' "{\n$good,\n\"$two\": {\"name\"" 3 "the text ends"
        '' "{\n$good,\n\"$two\": \"app\"}" 3 "expected '{'"
        '' "{\n$good,\n\"$two\": null}" 3 "expected '{'"
        '' "{\n$good,\n\"$two\": [\"app\"]}" 3 "expected '{'"
        '' "{\n$good,\n\"$two\": {\"name\": \"a\", \"name\": \"b\"}}" 3 "twice"
        '' "{\n$good,\n\"$two\": {\n\"created_at\": \"yesterday\"}}" 4 "created_at must be a time"
        '' "{\n$good,\n\"$two\": {\"created_at\": \"2025-02-30T00:00:00\"}}" 3 "must be a time"
        '' "{\n$good,\n\"$two\": {\"created_at\": \"2025-11-26T10:30:00.\"}}" 3 "must be a time"
        '' "{\n$good,\n\"$two\": {\"created_at\": \"2025-11-26T10:30:00.1x\"}}" 3 "must be a time"
        '' "{\n$good,\n\"$two\": {\"created_at\": \"2025-11-26\"}}" 3 "must be a time"
        '' "{\n$good,\n\"$two\": {\"created_at\": 1764153000}}" 3 "created_at"
        '' "{\n$good,\n\"$two\": {\"last_used\": \"never\"}}" 3 "last_used must be a time"
        '' "{\n$good,\n\"$two\": {\"last_used\": \"\"}}" 3 "last_used must be a time"
        '' "{\n$good,\n\"$two\": {\"last_used\": false}}" 3 "last_used"
        '' "{\n$good,\n'$two': {}}" 3 "double quotes"
        '' "{\n$good,\n\"$two\": {\"name\": \"\x80\"}}" 3 "UTF-8"
        '' "{\n$good,\n\"$two\": {\"active\": True}}" 3 "expected a value"
        '' "{\n$good,\n\"$two\": {\"scope\": 1}}" 3 "unknown field"
        '--format token_manager.py' "\n$one\n" 2 "expected '{'"
        '--format token_manager.py' "[\n]" 1 "expected '{'"
    )
    for ((row = 0; row < ${#rows[@]}; row += 4)); do
        text=${rows[row + 1]}
        printf %b "$text" >in/keys
        echo "row: ${rows[row]} $text"
        # shellcheck disable=SC2086  # words
        refused "in/keys:${rows[row + 2]}: " ${rows[row]} in/keys
        says "${rows[row + 3]}"
        no_plain_text "$one" "$two"
        hides key-key-key
    done
    [ "$(find . -name 'api_tokens.json.tmp')" = "" ]
    [ "$(imported_names)" = first ]
}

@test "a refused import makes no token file either" {
    mkdir_in
    printf '%s\n%s\n' "$one" "two words" >in/keys
    exits 1 "$manager" import in/keys
    [ ! -e api_tokens.json ]
    [ ! -e api_tokens.json.usage ]
    run "$verifier" check </dev/null
    [[ $output == *"AUTHENTICATION IS OFF"* ]]
}

@test "variables without a value are passed over" {
    mkdir_in
    printf 'EMPTY=\nKEY=%s\nOPENAI_COMPATIBLE_API_KEY=\n' "$one" >in/keys.env
    exits 0 "$manager" import in/keys.env
    [ "$(imported_names)" = KEY ]
}

@test "a variable without a value is no key, however long its name" {
    mkdir_in
    for name in OPENAI_COMPATIBLE_API_KEY MY_SERVICE_API_KEY1 THE_KEY_OF_THE_BACKUP_SERVER; do
        echo "row: $name"
        printf '%s=\n' "$name" >in/keys.env
        refused "in/keys.env holds no key" in/keys.env
    done
}

@test "what the .env reader takes for a name is not imported as part of a key" {
    mkdir_in
    for name in my-app my.app; do
        echo "row: $name"
        rm -f api_tokens.json*
        printf '%s=%s\n' "$name" "$one" >in/keys.env
        run "$manager" import in/keys.env
        # Either it is understood, or it is refused.
        [ "$status" -eq 1 ] || works "$one" "$name"
    done
}

@test "lines of both kinds can be told which they are" {
    mkdir_in
    printf 'KEY=%s\n%s\n' "$one" "$two" >in/keys
    exits 0 "$manager" import --format list in/keys
    works "KEY=$one" imported-1
    works "$two" imported-2
    is_refused "$one" unknown
}

@test "an unknown format is a mistake in the command" {
    mkdir_in
    printf '%s\n' "$one" >in/keys
    for format in json LIST token_manager "list " "$one"; do
        exits 2 "$manager" import --format "$format" in/keys
        says "token_manager.py, list or env"
        hides "${one:15}"
    done
    exits 2 "$manager" import --format
    exits 2 "$manager" import
    exits 2 "$manager" import in/keys in/keys
    [ ! -e api_tokens.json ]
}

@test "nothing to import is told" {
    mkdir_in
    : >in/empty
    printf '# a comment\n\n' >in/comment
    for file in in/empty in/comment; do
        exits 1 "$manager" import "$file"
        says "$file holds no key"
    done
    for file in in/nothing in; do
        exits 1 "$manager" import "$file"
        says "$file"
    done
    [ ! -e api_tokens.json ]
}

@test "standard input is imported where the file is named -" {
    for format in '' list; do
        rm -f api_tokens.json*
        exits 0 "$manager" import ${format:+--format=$format} - <<<"$one"
        works "$one" imported-1
        hides "remove them, or guard" # there is no file to remove
    done
    exits 0 "$manager" import - <"$predecessor"
    says "standard input:20: " "skipped, already there: 1"
    exits 0 "$manager" import - <<<"KEY=key-key-key-key-key-key"
    works key-key-key-key-key-key KEY
    remember
    exits 1 "$manager" import - <<<"$one"$'\ntwo words\n'
    says "standard input:2: "
    exits 1 "$manager" import - </dev/null
    says "standard input"
    unchanged
}

@test "keys that are there already are skipped and counted, and so are doubles" {
    mkdir_in
    token=$(create mine)
    revoked=$(create gone)
    "$manager" revoke gone
    printf '%s\n' "$one" "$token" "$two" "$one" "$revoked" "$one" >in/keys
    exits 0 "$manager" import --json in/keys
    json '.imported == 2 and .skipped == 4 and (.tokens | length) == 2'
    says "Imported 2 keys" "already there: 4"
    works "$token" mine
    is_refused "$revoked" revoked # as it was
    remember
    exits 0 "$manager" import in/keys
    says "Imported 0 keys" "already there: 6"
    exits 0 "$manager" import --json in/keys
    json '. == {"imported": 0, "skipped": 6, "tokens": []}'
    unchanged
}

@test "the secret that a token had before is there already" {
    mkdir_in
    digest=$(printf %s "$one" | b2sum -l 256 | cut -d' ' -f1)
    records "$(record 1 first sk-aaaaaaaaaaa '"previous": [{"prefix": "sk-d0474cb6911", "hash": "blake2b-256:'"$digest"'", "expires_at": "2001-01-01T00:00:00Z"}]')"
    echo "$one" >in/keys
    remember
    exits 0 "$manager" import in/keys
    says "already there: 1"
    unchanged
}

@test "keys that can be guessed need --allow-weak" {
    mkdir_in
    for key in x hunter2 0123456789012345678; do
        echo "$key" >in/keys
        rm -f api_tokens.json*
        refused "in/keys:1: " in/keys
        says "--allow-weak" "${#key} character"
        [ ${#key} -eq 1 ] || hides "$key"
        exits 0 "$manager" import --allow-weak in/keys
        works "$key" imported-1
        [ ${#key} -eq 1 ] || no_plain_text "               $key"
        jq -e --argjson size ${#key} '.tokens[0].prefix | length <= $size / 4' api_tokens.json
    done
    echo 01234567890123456789 >in/keys
    import_alone in/keys
    works 01234567890123456789 imported-1
}

@test "of an imported key, at most a quarter is kept to be seen" {
    mkdir_in
    for key in 01234567890123456789 sk-0123456789012345678901234 sk_live_01234567890123456789 "$one"; do
        echo "$key" >in/keys
        import_alone in/keys
        prefix=$(field imported-1 prefix)
        [[ ${#prefix} -le $((${#key} / 4)) && $key == "$prefix"* ]]
        no_plain_text "$key"
    done
}

@test "a token of ours is imported as what it is" {
    mkdir other
    token=$(cd other && create there)
    exits 0 "$manager" import - <<<"$token"
    works "$token" imported-1
    [ "$(field imported-1 prefix)" = "${token:0:14}" ]
}

@test "--json tells what came of it, and standard error the rest" {
    TZ=UTC0 exits 0 "$manager" import --json "$predecessor"
    json 'keys_unsorted == ["imported", "skipped", "tokens"] and .imported == 6 and .skipped == 0'
    jq -c '.tokens[] | [.id, .name, .prefix, .status]' <<<"$output" >told
    "$manager" list --json | jq -c '.[] | [.id, .name, .prefix, .status]' | cmp - told
    says "became" "Imported 6 keys"
    TZ=UTC0 exits 0 "$manager" import "$predecessor"
    [ "$output" = "" ]
}

@test "an import into a store adds to it, and leaves what was there as it was" {
    mkdir_in
    token=$(create mine)
    before=$(sed -n '/tok_/s/,*$//p' api_tokens.json)
    before_count=$(wc -l <api_tokens.json)
    printf '%s\n' "$one" "$two" >in/keys
    exits 0 "$manager" import in/keys
    [ "$(sed -n '/tok_/s/,*$//p' api_tokens.json | head -n1)" = "$before" ]
    [ "$(wc -l <api_tokens.json)" -eq $((before_count + 2)) ]
    [ "$(imported_names)" = "mine,imported-1,imported-2" ]
    works "$token" mine
    says "in/keys still holds the keys in plain text" "copies and backups"
    [ "$(stat -c %a api_tokens.json)" = 600 ]
}

@test "an import into a place of its own makes the file there, for its owner alone" {
    mkdir -p in else
    printf '%s\n' "$one" >in/keys
    umask 022
    exits 0 "$manager" import --file else/tokens.json in/keys
    [ "$(stat -c %a else/tokens.json)" = 600 ]
    "$verifier" check --file else/tokens.json <<<"$one"
    [ ! -e api_tokens.json ]
    API_TOKENS_FILE=else/more.json exits 0 "$manager" import in/keys
    "$verifier" check --file else/more.json <<<"$one"
}

@test "every imported key is a line of the audit trail, all of one time" {
    exits 0 "$manager" import "$predecessor"
    [ "$(jq -r .action api_tokens.json.audit | sort | uniq -c | tr -s ' ')" = " 6 import" ]
    [ "$(jq -r .time api_tokens.json.audit | sort -u | wc -l)" -eq 1 ]
    diff <(jq -r .id api_tokens.json.audit) <(jq -r '.tokens[].id' api_tokens.json)
}

@test "an import is one transaction: one rename for all keys" {
    needs_strace
    for where in "$predecessor" api_tokens.json; do
        rm -f api_tokens.json*
        [ "$where" = "$predecessor" ] || cp "$predecessor" api_tokens.json
        exits 0 strace -o trace -e trace="$calls" "$manager" import "$where"
        [ "$(grep -c '^rename' trace)" -eq 1 ]
        [ "$(imported_names | tr ',' '\n' | wc -l)" -eq 6 ]
    done
}

@test "the token file itself is converted in its place, and keeps its mode" {
    for mode in 600 640 644; do
        rm -f api_tokens.json*
        cp "$predecessor" api_tokens.json
        chmod $mode api_tokens.json
        TZ=UTC0 exits 0 "$manager" import api_tokens.json
        [ "$(stat -c %a api_tokens.json)" = $mode ]
        says "Imported 6 keys" "digests now" "Copies and backups" "still secrets"
        works "$one" my-application
        works "$two" mobile-app
        is_refused "$(jq -r 'keys_unsorted[3]' "$predecessor")" revoked
        [ "$(field my-application created_at)" = 2025-11-26T10:30:00Z ]
        grep -x "$(field my-application id) 2025-11-26T11:45:23Z" api_tokens.json.usage
        # shellcheck disable=SC2046  # words
        no_plain_text $(jq -r 'keys_unsorted[]' "$predecessor")
    done
}

@test "a conversion keeps the owner" {
    needs_root
    cp "$predecessor" api_tokens.json
    chown 65534:65533 api_tokens.json
    chmod 640 api_tokens.json
    exits 0 "$manager" import api_tokens.json
    [ "$(stat -c '%u:%g %a' api_tokens.json)" = "65534:65533 640" ]
}

@test "the token file is recognised by whatever name it has" {
    mkdir data
    for row in "./api_tokens.json" "$PWD/api_tokens.json" "data/../api_tokens.json" \
        "api_tokens.json --file $PWD/data/../api_tokens.json" "data/link" "data/link --file data/link" \
        "api_tokens.json --file data/link"; do
        echo "row: $row"
        rm -f api_tokens.json* data/link
        cp "$predecessor" api_tokens.json
        ln -s ../api_tokens.json data/link
        # shellcheck disable=SC2086  # words
        exits 0 "$manager" import $row
        says "digests now"
        works "$one" my-application
        [ -L data/link ]
    done
}

@test "a conversion goes through a link, and the link stays" {
    mkdir data
    cp "$predecessor" data/tokens.json
    ln -s data/tokens.json api_tokens.json
    exits 0 "$manager" import api_tokens.json
    [ "$(readlink api_tokens.json)" = data/tokens.json ]
    [ ! -L data/tokens.json ]
    works "$one" my-application
    [ "$(names data)" = "tokens.json tokens.json.audit tokens.json.lock tokens.json.usage " ]
}

@test "converting twice is refused, and harmless" {
    cp "$predecessor" api_tokens.json
    exits 0 "$manager" import api_tokens.json
    remember
    exits 6 "$manager" import api_tokens.json
    says "needs no converting"
    unchanged
    works "$one" my-application
    create other
}

@test "a token file of ours is no import either" {
    mkdir_in
    token=$(cd in && create there)
    exits 1 "$manager" import in/api_tokens.json
    says "in/api_tokens.json:2: "
    [ ! -e api_tokens.json ]
    hides "${token:15}"
}

@test "a conversion that is refused names the line, and leaves the file as it is" {
    # Whatever the exit status, the file is the old one.
    rows=(
        "{\n$(entry "$one"),\n$(entry "two words")\n}" 3
        "{\n$(entry "$one"),\n$(entry short)\n}" 3
        "{\n$(entry "$one"),\n\n}" 4
        "{\n$(entry "$one"),\n$(entry "$two")\n" 4
        "{\n$(entry "$one"),\n$(entry "$two" '"created_at": "x"')\n}" 3
    )
    for ((row = 0; row < ${#rows[@]}; row += 2)); do
        printf %b "${rows[row]}" >api_tokens.json
        refused "api_tokens.json:${rows[row + 1]}: " api_tokens.json
        [ ! -e api_tokens.json.usage ]
        [ ! -e api_tokens.json.tmp ]
    done
    printf %b "${rows[2]}" >api_tokens.json
    exits 0 "$manager" import --allow-weak api_tokens.json
    works short "app (2)"
}

@test "the predecessor's file without a token in it is converted too" {
    for text in '{}' '{}\n' '{\n}'; do
        printf %b "$text" >api_tokens.json
        exits 0 "$manager" import api_tokens.json
        exits 0 "$manager" list --json
        json '. == []'
        is_refused "$one" unknown
        rm api_tokens.json*
    done
}

@test "a token file that is missing is not converted" {
    exits 6 "$manager" import api_tokens.json
    says "does not exist"
    [ ! -e api_tokens.json ]
}

@test "every other command that meets the old format says to import, and exits with 6" {
    cp "$predecessor" api_tokens.json
    chmod 600 api_tokens.json
    remember
    for row in "list" "list --json" "create new" "create --if-not-exists new" "revoke my-application" \
        "revoke $one" "restore my-application" "delete --yes my-application" "import $predecessor"; do
        # shellcheck disable=SC2086  # words
        exits 6 "$manager" $row </dev/null
        says "api_tokens.json:1: " "plain text" "token_manager --file $PWD/api_tokens.json import"
        [ "$output" = "" ]
        hides "${one:15}"
        unchanged
    done
    for command in check status; do
        exits 6 "$verifier" "$command" <<<"$one"
        stderr+=$output
        says "api_tokens.json:1: " "plain text" "token_manager --file $PWD/api_tokens.json import"
        hides "${one:15}"
        unchanged
    done
    [ ! -e api_tokens.json.usage ]
    [ ! -e api_tokens.json.tmp ]
}

@test "a stream that meets the old format says to import, accepts nobody, and exits with 6" {
    cp "$predecessor" api_tokens.json
    run_apart "$verifier" stream <<<"$one"
    [ "$output" = "ERR unavailable" ]
    hides "${one:15}"
    says "plain text" "token_manager --file $PWD/api_tokens.json import"
    [ "$status" -eq 6 ]
}

@test "the command that the message gives converts the file" {
    mkdir data "it's"
    for file in api_tokens.json data/tokens.json "it's/my \$(tokens).json" $'caf\u00e9 \e\\\'\n.json'; do
        cp "$predecessor" "$file"
        exits 6 "$manager" list --file "$file"
        [[ $stderr =~ "convert it with \`token_manager "(.*)\`$ ]]
        eval "words=(${BASH_REMATCH[1]})"
        exits 0 "$manager" "${words[@]}"
        "$verifier" check --file "$file" <<<"$one"
    done
}

@test "a stream that waits sees the conversion" {
    cp "$predecessor" api_tokens.json
    {
        echo "$one"
        "$manager" import api_tokens.json 2>said
        echo "$one"
    } | "$verifier" stream >answers 2>warned || true
    # The first line may be answered before the conversion or after it.
    [ "$(tail -n1 answers | cut -d' ' -f1,3)" = "OK my-application" ]
    [ "$(wc -l <answers)" -eq 2 ]
}

# A file in the predecessor's format with keys that nobody has: generate COUNT
generate() {
    awk -v count="$1" 'BEGIN {
        srand(42)
        for (i = 0; i < count; i++) {
            hex = ""
            for (n = 0; n < 16; n++) hex = hex sprintf("%04x", int(rand() * 65536))
            print i, "sk-" hex
        }
    }' | jq -a -R -n '
        [inputs | split(" ") | (.[0] | tonumber) as $i | {key: .[1], value: ({
            name: (if $i % 10 == 0 then "default"
                elif $i % 10 == 1 then "ключ"
                elif $i % 10 == 2 then "service 🔑 \($i)"
                elif $i % 50 == 3 then "100% é"
                else "app-\($i)" end),
            created_at: ($i * 86399 + 1500000000 | strftime("%Y-%m-%dT%H:%M:%S.000042")),
            last_used: (if $i % 3 == 0 then null
                else ($i * 100 + 1700000000 | strftime("%Y-%m-%dT%H:%M:%S.999999")) end),
            active: ($i % 7 != 4)
        } | if $i % 100 == 5 then del(.active) else . end)}] | from_entries'
}

# Does every key of the file get the verdict that it should? verdicts_of FILE
verdicts_of() {
    # The uses go elsewhere: they would hide those that were imported.
    jq -r 'keys_unsorted[]' "$1" | "$verifier" stream --usage uses >answers
    [ "$(wc -l <answers)" -eq "$(jq length "$1")" ]
    exits 0 "$manager" list --json
    printf %s "$output" >listed.json
    jq -e -n --slurpfile old "$1" --slurpfile listed listed.json --rawfile answers answers '
        ($listed[0] | INDEX(.id)) as $by_id
        | ($answers | rtrimstr("\n") | split("\n")) as $answers
        | reduce ($old[0] | to_entries | to_entries[]) as {key: $i, value: {key: $key, value: $token}}
            ({names: {}, wrong: []};
            .names[$token.name] += 1
            | .names[$token.name] as $number
            | ($token.name + if $number > 1 then " (\($number))" else "" end) as $name
            | ($answers[$i] | split(" ")) as $answer
            | $listed[0][$i] as $record
            | if ($token.active == true
                    and ($answer[0] != "OK" or $answer[1] != $record.id or $record.status != "active"))
                or ($token.active != true
                    and ($answers[$i] != "ERR revoked" or $record.status != "revoked"))
                or $record.name != $name
                or $record.created_at != $token.created_at[:19] + "Z"
                or $record.last_used_at != (if $token.last_used then $token.last_used[:19] + "Z" else null end)
                or ($key | startswith($record.prefix) | not)
                then .wrong += [[$i, $name, $answers[$i], $record]] else . end)
        | .wrong | if length == 0 then true else (.[:3] | debug | false) end'
}

@test "of a thousand keys of the predecessor, every one gets the verdict that it should" {
    mkdir_in
    generate 1000 >in/old.json
    [ "$(jq length in/old.json)" -eq 1000 ]
    export TZ=UTC0
    token=$(create mine)
    "$manager" import in/old.json 2>said
    grep -F "Imported 1000 keys" said
    works "$token" mine
    "$manager" delete --yes mine 2>said
    verdicts_of in/old.json
    jq -r 'keys_unsorted[] | .[15:]' in/old.json >in/tails
    run -1 grep -rFl --exclude-dir=in -f in/tails .
}

@test "a thousand keys of the predecessor are converted in place, and every one gets its verdict" {
    mkdir_in
    export TZ=UTC0
    generate 1000 >in/old.json
    cp in/old.json api_tokens.json
    "$manager" import api_tokens.json 2>said
    verdicts_of in/old.json
    jq -r 'keys_unsorted[] | .[15:]' in/old.json >in/tails
    run -1 grep -rFl --exclude-dir=in -f in/tails .
}

@test "an import that is killed leaves the old file or the new one" {
    mkdir_in
    killer=$BIN/tests/helpers/kill_after
    # The leak sanitizer complains when it is killed itself.
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
    generate 300 >in/old.json
    create mine
    mkdir start
    cp api_tokens.json* start
    TIMEFORMAT=%3R
    { time for i in {1..5}; do
        cp start/api_tokens.json* .
        "$manager" import in/old.json 2>said
    done; } 2>elapsed
    elapsed=$(tr -d '.\n' <elapsed)
    whole=$((10#$elapsed * 200 + 100)) # of one import, in microseconds
    outcomes=''
    for i in {1..60}; do
        cp start/api_tokens.json* .
        code=0
        "$killer" $(((RANDOM * 32768 + RANDOM) % (whole * 5 / 4))) "$manager" import in/old.json \
            >out 2>said || code=$?
        count=$("$manager" list --json | grep -c '"id": ') # each is on a line, and jq takes long to start
        outcomes+=" $code/$count"
        case $code/$count in
        0/301 | 137/301) ;;
        137/1) cmp api_tokens.json start/api_tokens.json ;;
        *) echo "$i:$outcomes" && return 1 ;;
        esac
        "$manager" revoke mine
    done
    [[ $outcomes == *137/* ]]
}

@test "a conversion that is killed at any system call leaves the old file or the new one" {
    needs_strace
    mkdir start
    cp "$predecessor" start/api_tokens.json
    cp -a start work
    (cd work && steps "$manager" import api_tokens.json) >steps.list
    [ "$(wc -l <steps.list)" -gt 10 ]
    while read -r name number; do
        cd "$BATS_TEST_TMPDIR"
        rm -rf work
        cp -a start work
        cd work
        run strace -o ../trace -e inject="$name:signal=KILL:when=$number" "$manager" import api_tokens.json
        [ "$status" -ne 0 ] || { echo "$name $number: not killed" && return 1; }
        if cmp -s api_tokens.json "$predecessor"; then
            exits 0 "$manager" import api_tokens.json
        fi
        [ "$(imported_names)" = "my-application,mobile-app,default,default (2),café ✓,imported-6" ] ||
            { echo "$name $number: neither old nor new" && return 1; }
        works "$one" my-application
        create after
        [ "$(names)" = "api_tokens.json api_tokens.json.audit api_tokens.json.lock api_tokens.json.usage " ]
    done <steps.list
}

@test "an import waits for another change, and loses none" {
    generate 20 >keys.json
    for i in {1..8}; do
        printf 'sk-%064d\n' "$i" | "$manager" import - 2>"said.$i" &
        "$manager" create "mine-$i" >"out.$i" 2>&1 &
    done
    "$manager" import keys.json 2>said
    wait
    jq -e '(.tokens | length) == 36 and ([.tokens[].name] | unique | length) == 36' api_tokens.json
}

@test "a full disk leaves the old file, and no plain text" {
    mkdir_in
    generate 300 >in/old.json
    cp in/old.json api_tokens.json
    remember
    run_apart bash -c 'ulimit -f 8; exec "$1" import api_tokens.json' - "$manager"
    [ "$status" -eq 6 ]
    unchanged
    [ ! -e api_tokens.json.tmp ]
    exits 0 "$manager" import api_tokens.json
    [ "$(jq '.tokens | length' api_tokens.json)" -eq 300 ]
}
