#!/usr/bin/env bats
# Reading is strict: whatever is not understood in full is refused with its line, and kept.

# shellcheck disable=SC2154,SC2030,SC2031,SC1003 # what the loaded files set; each test is a subshell; not meant as escapes
bats_require_minimum_version 1.5.0
load common
load document

@test "the file that these tests break is accepted before that" {
    write_good
    accepted "the good file"
}

@test "a file of 0 bytes is malformed, and not one without tokens" {
    : >api_tokens.json
    refused 1 "empty"
}

@test "a file of blanks alone is refused" {
    for blanks in ' ' $'\t' $'\r' $'\n' $' \n\n\t'; do
        newlines=${blanks//[!$'\n']/}
        printf %s "$blanks" >api_tokens.json
        refused $((${#newlines} + 1)) "expected '{'" "$(printf %q "$blanks")"
    done
}

@test "a file cut short at any byte is refused on its last line" {
    write_good
    document=${good//$',\n    '"$second"/}
    for ((size = 1; size < ${#document} - 1; size++)); do
        cut=${document:0:size}
        newlines=${cut//[!$'\n']/}
        printf %s "$cut" >api_tokens.json
        code=0
        said=$("$manager" list --json 2>&1 >out) || code=$?
        if [ "$code" -ne 6 ] || [ -s out ] ||
            [[ $said != *"api_tokens.json:$((${#newlines} + 1)): the text ends"* ]]; then
            echo "cut after $size bytes: exit $code: $said"
            return 1
        fi
    done
    printf %s "${document:0:${#document}-1}" >api_tokens.json
    accepted "without the last line end"
}

@test "a file cut short is refused by everybody" {
    write_good
    for row in '1 {' '1 {"version"' '1 {"version":' '1 {"version": 1, "tokens": [' \
        '1 {"version": 1, "tokens": []' '1 {"version": 1, "tokens": [{' '1 {"version": 1, "to'; do
        printf %s "${row#* }" >api_tokens.json
        refused "${row%% *}" "the text ends" "$row"
    done
}

@test "what stands behind the end of the document is refused" {
    write_good
    for rest in x '}' ']' ',' '{}' 'null' '"' '//' "$good"; do
        printf '%s%s' "$good" "$rest" >api_tokens.json
        refused 8 "the end of the file" "$rest"
    done
    printf '%s\0' "$good" >api_tokens.json
    refused 8 "the end of the file" "a NUL byte"
}

@test "commas too many or too few are refused" {
    write_good
    broken 6 "]" $'}]}\n  ]' $'}]},\n  ]'
    broken 7 "name" $'  ]\n}' $'  ],\n}'
    broken 4 "name" 'Z"},' 'Z",},'
    broken 2 "name" '1,' '1,,'
    broken 3 "," '1,' '1'
    broken 5 "," '},' '}'
    broken 4 "value" '"name": "first",' '"name": ,'
    broken 5 "value" '"write"]' '"write",]'
    broken 5 "value" '["read"' '[,"read"'
    broken 1 "name" '{' '{,'
}

@test "brackets without their partner are refused" {
    write_good
    for row in '1 {' '1 [' '1 ]' '1 {"a"' '1 {"version": 1, "tokens": [}]' '1 {"version": 1, "tokens": [}' \
        '1 {"version": 1, "tokens": []]' '1 {"version": 1, "tokens": {]}' '1 {"version": 1]' \
        '1 {"x_a": [}, "version": 1, "tokens": []}' '1 {"x_a": {], "version": 1, "tokens": []}' \
        '1 {"x_a": [{"b": [1]]}, "version": 1, "tokens": []}'; do
        printf %s "${row#* }" >api_tokens.json
        refused "${row%% *}" "" "$row"
    done
}

@test "a document that is no object is refused" {
    for document in '[]' '"text"' 1 null true '[{"version": 1, "tokens": []}]' nul; do
        printf %s "$document" >api_tokens.json
        refused 1 "expected '{'" "$document"
    done
}

@test "numbers that only lax readers know are refused, in anybody's field" {
    write_good
    for number in 01 -01 1. .1 +1 -1. - 1e 1e+ 1.e1 0x1 1_000 NaN nan Infinity -Infinity 00 1e1.5 \
        1a --1; do
        broken 2 "" '"version"' '"x_n": '"$number"', "version"'
        broken 4 "" '"id"' '"x_n": {"a": ['"$number"']}, "id"'
        broken 2 "" '"version": 1' '"version": '"$number"
    done
}

@test "values that only lax readers know are refused" {
    write_good
    for value in "'text'" True NULL None undefined nulL tru text '"\x41"' '"\a"' '"\'"'"'"' \
        '"\u12"' '"\u12g4"' '"\U00000041"' '"\' '/a/' '()' '""""' '"a" "b"'; do
        broken 2 "" '"version"' '"x_v": '"$value"', "version"'
        broken 4 "" '"id"' '"x_v": '"$value"', "id"'
    done
}

@test "comments are refused" {
    write_good
    broken 1 "found \"/\"" '{' '/* ours */ {'
    broken 2 "found \"/\"" '"version"' '// ours'$'\n  "version"'
    broken 2 "found \"#\"" '"version"' '# ours'$'\n  "version"'
    broken 4 "found \"/\"" '"id"' '/**/ "id"'
}

@test "names of fields without double quotes are refused" {
    write_good
    for name in version "'version'" 1 null '[]'; do
        broken 2 "double quotes" '"version"' "$name"
    done
    broken 2 "':'" '"version":' '"version"'
    broken 2 "':'" '"version":' '"version" ='
}

@test "raw control characters inside a string are refused" {
    write_good
    for byte in 01 08 09 0a 0c 0d 1b 1f; do
        printf -v raw '%b' "\\x$byte"
        broken 4 "" '"first"' '"fi'"$raw"'rst"'
        broken 2 "" '"version"' '"x_a": "'"$raw"'", "version"'
        broken 2 "" '"version"' '"x_'"$raw"'": 1, "version"'
    done
    printf '%s\0%s' "${good%%first\"*}" "first\"${good#*first\"}" >api_tokens.json
    refused 4 "control character" "a NUL byte in a name"
    printf '{\0"version": 1, "tokens": []}' >api_tokens.json
    refused 1 "" "a NUL byte between values"
}

@test "bytes that are not UTF-8 are refused" {
    write_good
    # Alone, continued by nothing, overlong, a surrogate, past the last character, Latin-1.
    for bytes in '\x80' '\xff' '\xfe' '\xc3' '\xc3(' '\xc0\xaf' '\xc1\xbf' '\xe0\x80\xaf' \
        '\xe2\x82' '\xed\xa0\x80' '\xed\xbf\xbf' '\xf0\x80\x80\xaf' '\xf0\x9f\x98' \
        '\xf4\x90\x80\x80' '\xf8\x88\x80\x80\x80' 'J\xfcrgen'; do
        printf -v raw '%b' "$bytes"
        LC_ALL=C broken 4 "not UTF-8" '"first"' '"'"$raw"'"'
        LC_ALL=C broken 2 "not UTF-8" '"version"' '"x_a": "'"$raw"'", "version"'
        LC_ALL=C broken 2 "not UTF-8" '"version"' '"x_'"$raw"'": 1, "version"'
    done
    broken 2 "" '"version"' $'\xc2\xa0"version"' # a blank, but none of JSON's
}

@test "byte order marks and UTF-16 are refused" {
    write_good
    printf '\xef\xbb\xbf%s' "$good" >api_tokens.json
    refused 1 "byte order mark" "UTF-8 with a mark"
    text='{"version": 1, "tokens": []}'
    for row in '%s\0|\xff\xfe' '\0%s|\xfe\xff' '%s\0\0\0|\xff\xfe\0\0'; do
        # shellcheck disable=SC2059 # the formats are ours
        for mark in '' "${row#*|}"; do
            printf "$mark" >api_tokens.json
            for ((i = 0; i < ${#text}; i++)); do
                printf "${row%|*}" "${text:i:1}"
            done >>api_tokens.json
            refused 1 "" "$row with mark '$mark'"
        done
    done
}

@test "escapes that stand for no text are refused where text is needed" {
    write_good
    for text in '\ud800' '\udc00' '\ud800x' '\ud83d\u0041' '\ude00\ud83d' 'a\u0000b' '\u0000'; do
        broken 4 "" '"first"' '"'"$text"'"'
        broken 5 "" '"spare"' '"'"$text"'"'
        broken 5 "" '"read"' '"'"$text"'"'
    done
    broken 4 '\u0000' '"name"' '"name\u0000"'
    broken 2 '\u0000' '"version"' '"version\u0000"'
    broken 2 '\u0000' '"version"' '"x_\u0000": 1, "version"'
    broken 2 "" '"version"' '"\ud800": 1, "version"'
}

@test "nesting deeper than 512 levels is refused, in anybody's field" {
    write_good
    printf -v open '[%.0s' {1..513}
    printf -v close ']%.0s' {1..513}
    printf -v objects '{"a":%.0s' {1..513}
    broken 2 "512" '"version"' '"x_a": '"$open$close"', "version"'
    broken 4 "512" '"id"' '"x_a": '"$open$close"', "id"'
    broken 5 "512" '[{"prefix"' '[{"x_a": '"$open$close"', "prefix"'
    broken 2 "512" '"version"' '"x_a": '"${objects}1${close//]/\}}"', "version"'
    printf -v open '[%.0s' {1..100000}
    broken 2 "512" '"version"' '"x_a": '"$open"', "version"'
    printf %s "$open" >api_tokens.json
    refused 1 "" "100000 brackets"
}

@test "a field that stands twice is refused, at every level" {
    write_good
    broken 2 '"version"' '"version"' '"version": 1, "version"'
    broken 7 '"tokens"' $'\n  ]' $'\n  ],\n  "tokens": []'
    broken 2 '"x_a"' '"version"' '"x_a": 1, "x_a": 1, "version"'
    broken 2 '"x_a"' '"version"' '"x_a": 1, "x_\u0061": 1, "version"'
    for field in id name prefix hash created_at expires_at scopes note; do
        line=5
        value=$(jq -c ".tokens[1].$field" <<<"$good")
        broken $line "\"$field\"" '"previous": [' "\"$field\": $value, \"previous\": ["
    done
    broken 5 '"previous"' '"previous": [' '"previous": [], "previous": ['
    broken 4 '"revoked_at"' '"created_at"' \
        '"revoked_at": "2026-01-01T00:00:00Z", "revoked_at": "2026-01-01T00:00:00Z", "created_at"'
    broken 4 '"name"' '"name"' '"n\u0061me": "first", "name"'
    broken 4 '"x_a"' '"name"' '"x_a": 1, "x_a": 1, "name"'
    broken 5 '"prefix"' '[{"prefix"' '[{"prefix": "sk-older", "prefix"'
    broken 5 '"hash"' '[{"prefix"' '[{"hash": "'"$hash"'", "prefix"'
    broken 5 '"expires_at"' '[{"prefix"' '[{"expires_at": "2999-01-02T00:00:00Z", "prefix"'
}

@test "a required field that is missing is refused, at every level" {
    write_good
    broken 1 '"version"' '"version": 1,' ''
    printf '{\n\n"version": 1}' >api_tokens.json
    refused 1 '"tokens"' "no tokens"
    printf '{}' >api_tokens.json
    refused 1 "" "an empty object"
    broken 4 '"id"' '"id": "tok_0000000000000001", ' ''
    broken 4 '"name"' '"name": "first", ' ''
    broken 4 '"prefix"' '"prefix": "sk-first", ' ''
    broken 4 '"hash"' '"hash": "'"$hash"'", ' ''
    broken 4 '"created_at"' ', "created_at": "2026-01-01T00:00:00Z"' ''
    broken 5 '"prefix"' '[{"prefix": "sk-older", ' '[{'
    broken 5 '"hash"' '"hash": "'"$(digest "$older_secret")"'", ' ''
    broken 5 '"expires_at"' ', "expires_at": "2999-01-02T00:00:00Z"' ''
    broken 4 '"id"' "$first" '{}'
    broken 5 'previous secret' '[{"prefix"' '[{}, {"prefix"'
}

@test "a field that we do not know is refused, at every level" {
    write_good
    for field in uses Version VERSION x tokens_ '' X_a _x_ xx_ 'version ' ' version'; do
        broken 2 "unknown field \"$field\"" '"version"' "\"$field\": 1, \"version\""
    done
    for field in uses Name names X_a ID revoked previous_ 'name ' ''; do
        broken 4 "unknown field \"$field\"" '"name"' "\"$field\": 1, \"name\""
    done
    for field in id name created_at scopes revoked_at Hash X_a; do
        broken 5 "unknown field \"$field\"" '[{"prefix"' "[{\"$field\": 1, \"prefix\""
    done
}

@test "an unknown version is refused" {
    write_good
    for version in 2 0 -1 1.5 1e999 -1e999 0.999 10 1e1 12345678901234567890; do
        broken 2 "version $version" '"version": 1' '"version": '"$version"
    done
    for version in '"1"' '"2"' null true '[1]' '{}' '""'; do
        broken 2 "is not known to this program" '"version": 1' '"version": '"$version"
    done
}

@test "a value of the wrong type is refused, for every field" {
    write_good
    for value in null 1 true '["a"]' '{"a": "b"}'; do
        broken 4 "id must be a string" '"tok_0000000000000001"' "$value"
        broken 4 "name must be a string" '"first"' "$value"
        broken 4 "prefix must be a string" '"sk-first"' "$value"
        broken 4 "hash must be a string" "\"$hash\"" "$value"
        broken 4 "created_at must be a string" '"2026-01-01T00:00:00Z"' "$value"
        broken 5 "expires_at must be a string" '"2999-01-01T00:00:00Z"' "$value"
        broken 5 "note must be a string" '"spare"' "$value"
        broken 5 "revoked_at must be a string" '"note"' "\"revoked_at\": $value, \"note\""
        broken 5 "prefix must be a string" '"sk-older"' "$value"
        broken 5 "hash must be a string" "\"$(digest "$older_secret")\"" "$value"
        broken 5 "expires_at must be a string" '"2999-01-02T00:00:00Z"' "$value"
    done
    for value in null 1 true '"read"' '{"a": "b"}'; do
        broken 5 "expected '['" '["read", "write"]' "$value"
        broken 5 "expected '['" '"previous": [{' '"previous": '"$value"', "x_p": [{'
        printf '{\n"version": 1,\n"tokens": %s}' "$value" >api_tokens.json
        refused 3 "expected '['" "tokens: $value"
    done
    for value in null 1 true '"first"' '[]'; do
        broken 4 "expected '{'" "$first" "$value"
        broken 5 "expected '{'" '"previous": [' '"previous": ['"$value, "
    done
}

@test "a malformed time is refused, for every field that is a time" {
    write_good
    for time in 2025-02-30T00:00:00Z 2025-02-29T00:00:00Z 2100-02-29T00:00:00Z \
        2026-04-31T00:00:00Z 2026-00-01T00:00:00Z 2026-13-01T00:00:00Z 2026-01-00T00:00:00Z \
        2026-01-32T00:00:00Z 2026-01-01T24:00:00Z 2026-01-01T00:60:00Z 2026-01-01T00:00:60Z \
        2026-01-01T00:00:00z 2026-01-01t00:00:00Z 2026-01-01T00:00:00+00:00 \
        2026-01-01T00:00:00+0000 2026-01-01T00:00:00.5Z 2026-01-01T00:00:00.000Z \
        2026-01-01T00:00:00 '2026-01-01 00:00:00Z' 2026-01-01 2026-01-01T00:00Z 20260101T000000Z \
        ' 2026-01-01T00:00:00Z' '2026-01-01T00:00:00Z ' 26-01-01T00:00:00Z \
        10000-01-01T00:00:00Z +2026-01-01T00:00:00Z 2026-1-1T0:0:0Z 2026/01/01T00:00:00Z '' now \
        1767225600; do
        broken 4 "created_at must be a time" 2026-01-01T00:00:00Z "$time"
        broken 5 "expires_at must be a time" 2999-01-01T00:00:00Z "$time"
        broken 5 "expires_at must be a time" 2999-01-02T00:00:00Z "$time"
        broken 5 "revoked_at must be a time" '"note"' "\"revoked_at\": \"$time\", \"note\""
    done
}

@test "a malformed hash is refused" {
    write_good
    hex=${hash#*:}
    for wrong in "$hex" "blake2b-256:${hex^^}" "blake2b-256:${hex:1}" "blake2b-256:${hex}0" \
        "blake2b-256:" "sha256:$hex" "blake2b:$hex" "BLAKE2B-256:$hex" "blake2b-512:$hex" \
        "blake2b-256: ${hex:1}" "blake2b-256:${hex:1} " "blake2b-256:g${hex:1}" \
        "blake2b-256:0x${hex:2}" " blake2b-256:$hex" "blake2b-256:$hex$hex" "" "$secret"; do
        broken 4 "hash " "\"$hash\"" "\"$wrong\""
    done
    broken 5 "hash " "$(digest "$older_secret")" "blake2b-256:${hex^^}"
}

@test "a malformed id is refused" {
    write_good
    for id in tok_000000000000001 tok_00000000000000001 0000000000000001 TOK_0000000000000001 \
        tok-0000000000000001 tok_000000000000000_ tok_000000000000000- 'tok_000000000000000 ' \
        tok_000000000000000é tok_ "" "$secret"; do
        broken 4 "id " '"tok_0000000000000001"' "\"$id\""
    done
}

@test "an id or a hash that stands for two tokens is refused" {
    write_good
    broken 5 "the id of this token stood in the file before" tok_0000000000000002 tok_0000000000000001
    broken 5 "the hash of this token stood in the file before" "$(digest "$second_secret")" "$hash"
    broken 5 "the previous hash of this token stood in the file before" "$(digest "$older_secret")" "$hash"
    broken 5 "hash" "$(digest "$older_secret")" "$(digest "$second_secret")"
    older='"previous": [{"prefix": "sk-x", "hash": "'$hash'", "expires_at": "2999-01-01T00:00:00Z"}], '
    broken 4 "hash" '"created_at"' "$older\"created_at\""
    older=${older/"$hash"/"$(digest "$second_secret")"}
    broken 5 "hash" '"created_at"' "$older\"created_at\""
}

@test "a name that could not be shown, told or found is refused" {
    write_good
    printf -v long '%101s' ''
    for row in '|empty' "${long// /a}|101 characters" "${long// /é}|101 characters" \
        "${long// /😀}|101 characters" "${long// /aaaaaaaaaa}|1010 characters" '\u0007|control' '\u007f|control' \
        '\u0085|control' '\n|control' 'a\tb|control' '\u202e|control' '\u2028|control' \
        $'\x7f''|control' $'\u0085''|control' $'\u202e''|control'; do
        broken 4 "${row##*|}" '"first"' "\"${row%|*}\""
    done
}

@test "a prefix or a note that could not be shown is refused" {
    write_good
    printf -v long '%501s' ''
    for prefix in 'sk first' 'sk-\u001b[1m' 'sk-é' 'sk-\n' "sk-${long// /a}" 'sk-\u202e'; do
        broken 4 "prefix " '"sk-first"' "\"$prefix\""
        broken 5 "prefix " '"sk-older"' "\"$prefix\""
    done
    for note in "${long// /é}" '\u001b[1m' 'a\nb' '\u202e' "${long// /aaaaa}"; do
        broken 5 "note " '"spare"' "\"$note\""
    done
}

@test "scopes that nobody could demand or send are refused" {
    write_good
    printf -v long '%65s' ''
    for scopes in '[]' '["read", "read"]' '["*"]' '["read", "*"]' '[""]' '["a b"]' '["a\"b"]' \
        '["a\\b"]' '["é"]' '["a\tb"]' '["a\u007f"]' '[1]' '[null]' '[["a"]]' '["read", {}]' \
        "[\"${long// /a}\"]" '["r\u0065ad", "read"]'; do
        broken 5 "scope" '["read", "write"]' "$scopes"
    done
}

@test "in a record of many lines, the line is that of the wrong value" {
    write_good
    good=$(jq . <<<"$good")
    broken 2 version '"version": 1' '"version": 2'
    broken 5 "id" tok_0000000000000001 tok_1
    broken 6 "name" '"first"' '""'
    broken 7 "prefix" '"sk-first"' '"sk first"'
    broken 8 "hash" "$hash" "${hash^^}"
    broken 9 "created_at" 2026-01-01T00:00:00Z 2026-01-01
    broken 9 "expected ',' or '}'" '"2026-01-01T00:00:00Z"' '"2026-01-01T00:00:00Z" "x"'
    broken 17 "expires_at" 2999-01-01T00:00:00Z never
    broken 20 "scopes" '"write"' '"read"'
    broken 22 "note" '"spare"' 1
    broken 25 "prefix" '"sk-older"' 1
    broken 26 "hash" "$(digest "$older_secret")" "none"
    broken 27 "expires_at" 2999-01-02T00:00:00Z never
    broken 10 "expected '{'" '}' '}, 7'
    broken 10 "unknown" $'Z"\n' $'Z",\n"uses": 1\n'
    broken 4 '"created_at"' $',\n      "created_at": "2026-01-01T00:00:00Z"' ''
    broken 11 '"name"' '"name": "second",' ''
    broken 11 "the hash of this token stood in the file before" "$(digest "$second_secret")" "$hash"
    broken 24 '"hash"' $'"hash": "'"$(digest "$older_secret")"$'",\n' ''
}

@test "lines are counted inside other people's fields and with CRLF line ends too" {
    write_good
    broken 6 "version 2" '"version": 1' $'"x_a": [\n{\n},\n""\n], "version": 2'
    good=${good//$'\n'/$'\r\n'}
    broken 5 "id" tok_0000000000000002 tok_2
    broken 8 "the end of the file" $']\r\n}\r\n' $']\r\n}\r\n;'
}

@test "the predecessor's file is refused, and no token of it is told" {
    one=sk-a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4
    two=sk-ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgf9
    record='{"name": "my-application", "created_at": "2025-11-26T10:30:00", "last_used": null, "active": true}'
    documents=(
        "{\"$one\": $record, \"$two\": $record}"
        "{\"$two\": $record}"
        $'{\n  "'"$two"$'": '"$record"$'\n}'
        "{\"$one\": $record, \"$two\": "
        "{\"$two\": $record, \"$one"
        "{\"$one\": {}, \"$two\": {}}"
        "{\"$two\": \"my-application\"}"
        "{\"$one\": true}"
        "{\"$two\""
        "{\"$two"
        "[\"$two\"]"
        "[{\"token\": \"$two\"}]"
        "{\"tokens\": {\"$two\": $record}}"
        "{\"tokens\": [\"$two\"]}"
        "{\"tokens\": [{\"$two\": $record}]}"
        "{\"tokens\": [{\"token\": \"$two\", \"name\": \"a\"}]}"
        "{\"version\": 1, \"tokens\": [], \"$two\": $record}"
        "{\"version\": \"$two\", \"tokens\": []}"
        "{'$two': $record}"
        "$two"
    )
    for document in "${documents[@]}"; do
        printf %s "$document" >api_tokens.json
        refused '' "" "$document"
        for reader in "list" "create third" "revoke $two" "delete --yes $two"; do
            # shellcheck disable=SC2086 # words
            said=$("$manager" $reader 2>&1 || true)
            if [ "$reader" = list ]; then
                said+=$("$verifier" check 2>&1 <<<"$two" || true)
                said+=$("$verifier" status 2>&1 || true)
            fi
            for token in "$one" "$two"; do
                if [[ $said == *"${token:0:20}"* ]]; then
                    echo "$document: $reader tells a token: $said"
                    return 1
                fi
            done
        done
        [ "$(<api_tokens.json)" = "$document" ]
    done
}

@test "the predecessor's file is called what it is" {
    printf '{\n  "sk-a1b2c3d4e5f6g7h8i9j0k1l2m3": {"name": "app", "active": true}\n}\n' >api_tokens.json
    refused 1 "plain text"
}

# A token in each place where something else belongs: misplaced TOKEN
misplaced() {
    local place said

    write_good
    for place in '"tok_0000000000000001"' '"sk-first"' "\"$hash\"" '"2026-01-01T00:00:00Z"' \
        '"2999-01-01T00:00:00Z"' '"2999-01-02T00:00:00Z"' '"sk-older"' '1' '"id"' '"version"' \
        '["read", "write"]' '"tokens"' '[{'; do
        change "$place" "\"$1\""
        said=$("$manager" list 2>&1 || true)
        said+=$("$manager" create third 2>&1 || true)
        said+=$("$verifier" check 2>&1 <<<"$secret" || true)
        if [[ $said != *"api_tokens.json:"*": "* || $said == *"${1:0:20}"* ]]; then
            echo "in place of $place: $said"
            return 1
        fi
    done
}

@test "a token that was put in a wrong place is not told" {
    misplaced sk-a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4
}

@test "a token that happens to have no digit is not told either" {
    misplaced sk-ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfe
}
