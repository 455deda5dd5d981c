#!/usr/bin/env bats
# What a change leaves as it was, and which unusual files are as good as ours.

# shellcheck disable=SC2154 # what the loaded files set
bats_require_minimum_version 1.5.0
load common
load document

# The whole file, line ends at its end and all: slurp VARIABLE FILE
slurp() {
    IFS= read -r -d '' "$1" <"$2" || true
}

# How many lines a diff has taken away and added: "1 1" for one line that changed
lines_changed() {
    diff before api_tokens.json | awk '/^</ { gone++ } /^>/ { came++ } END { print gone + 0, came + 0 }'
}

# The file is what it was with one record put in between the two: inserted HEAD TAIL
inserted() {
    local new

    slurp new api_tokens.json
    if [ "${new:0:${#1}}" != "$1" ] || [ "${new: -${#2}}" != "$2" ] ||
        ! printf '[%s]' "${new:${#1}:${#new}-${#1}-${#2}}" | tr -d '\n' | sed 's/\[ *,/[/' |
        jq -e 'length == 1 and .[0].name == "third"' >/dev/null; then
        printf 'not between "%s" and "%s": %s' "$1" "$2" "$new"
        return 1
    fi
    "$manager" list --json | jq -e '.[-1].name == "third"' >/dev/null
}

# Two records as nobody writes them, in a file that is as good as ours. Sets $odd_first and so on.
write_odd() {
    write_good
    odd_top='  { "x_owner":{"a\/b":"\u00e9\ud83d\ude00","n" : 12345678901234567890,"f":1.50E+400,"lone":"\udc00"},
'$'\t''"version" : 1 ,

"tokens" : [
'
    odd_first='{ "x_big":12345678901234567890.000,  "name" : "f\u0069rst","id":"tok_0000000000000001",
    "x_nested" : { "y" :[ 1 ,2.50,-0 ,{ } ] , "\u0078": "a\/\"b\u2028" },"created_at":"2026-01-01T00:00:00Z",
    "hash":"'$hash'" , "prefix":"sk-first" , "x_\u0061\/" : "\u0000" }'
    odd_gap=$'\n  ,\t '
    odd_second='{"prefix":"sk-second","note":"sp\u0061re","x_n":0.10,"hash":"'$(digest "$second_secret")'","id":"tok_0000000000000002","created_at":"2026-01-02T00:00:00Z","name":"second"}'
    odd_tail=' ] ,
"x_tail":[ 1 , 2.0,"\n" ] }  '$'\r\n '
    printf %s "  $odd_top$odd_first$odd_gap$odd_second$odd_tail" >api_tokens.json
    odd_top="  $odd_top"
}

@test "a file of our own has one record a line, in the order of creation" {
    for name in one two three; do
        create "$name"
    done
    run sed -E 's/"[A-Za-z0-9_:-]{12,}"/V/g' api_tokens.json
    diff - <(printf '%s\n' "$output") <<'END'
{
  "version": 1,
  "tokens": [
    {"id": V, "name": "one", "prefix": V, "hash": V, "created_at": V},
    {"id": V, "name": "two", "prefix": V, "hash": V, "created_at": V},
    {"id": V, "name": "three", "prefix": V, "hash": V, "created_at": V}
  ]
}
END
}

@test "a change of one token is a difference of one line" {
    for name in one two three; do
        create "$name"
    done
    for change in "revoke one" "revoke two" "revoke three" "restore two" "restore three"; do
        cp api_tokens.json before
        # shellcheck disable=SC2086 # words
        "$manager" $change
        [ "$(lines_changed)" = "1 1" ] || { echo "$change: $(lines_changed)" && return 1; }
    done
}

@test "a new token is one line more, and a comma behind the line before" {
    create one
    cp api_tokens.json before
    create two
    slurp old before
    slurp new api_tokens.json
    line=$(grep '"two"' api_tokens.json)
    [ "$new" = "${old%$'\n  ]\n}\n'}"$',\n'"$line"$'\n  ]\n}\n' ]
}

@test "a token that is deleted is one line less" {
    for name in first middle last; do
        rm -f api_tokens.json
        for each in first middle last; do
            create "$each"
        done
        cp api_tokens.json before
        "$manager" delete "$name"
        slurp new api_tokens.json
        slurp left <(grep -v "\"$name\"" before)
        expected=${left/$'},\n  ]'/$'}\n  ]'}
        [ "$new" = "$expected" ] || { echo "$name: $new" && return 1; }
    done
}

@test "deleting the only token leaves an empty file that is as good as new" {
    create one
    cp api_tokens.json before
    "$manager" delete one
    jq -e '. == {version: 1, tokens: []}' api_tokens.json
    [ "$("$manager" list --json)" = "[]" ]
    create two
    diff <(sed '/"one"/d' before) <(sed '/"two"/d' api_tokens.json)
}

@test "revoke and restore together leave no trace in the file" {
    write_good
    cp api_tokens.json before
    "$manager" revoke second
    "$manager" restore second
    cmp before api_tokens.json
}

@test "a command that has nothing to change does not touch the file" {
    create one
    "$manager" revoke one
    create two
    before=$(stat -c '%i %y %z' api_tokens.json)
    "$manager" revoke one
    "$manager" create --if-not-exists two
    "$manager" restore two
    "$manager" list
    [ "$(stat -c '%i %y %z' api_tokens.json)" = "$before" ]
}

@test "a create leaves hand formatting and other people's fields byte for byte" {
    write_odd
    create third
    inserted "$odd_top$odd_first$odd_gap$odd_second" "$odd_tail"
}

@test "a revoke leaves all but the revoked record byte for byte" {
    write_odd
    "$manager" revoke second
    slurp new api_tokens.json
    [ "${new:0:${#odd_top}+${#odd_first}+${#odd_gap}}" = "$odd_top$odd_first$odd_gap" ]
    [ "${new: -${#odd_tail}}" = "$odd_tail" ]

    write_odd
    "$manager" revoke first
    slurp new api_tokens.json
    [ "${new:0:${#odd_top}}" = "$odd_top" ]
    rest=$odd_gap$odd_second$odd_tail
    [ "${new: -${#rest}}" = "$rest" ]
}

@test "a delete leaves the other records byte for byte" {
    write_odd
    "$manager" delete second
    slurp new api_tokens.json
    [ "$new" = "$odd_top$odd_first$odd_tail" ]

    write_odd
    "$manager" delete first
    slurp new api_tokens.json
    [ "$new" = "$odd_top$odd_second$odd_tail" ]
}

@test "other people's fields of a changed record keep their names and values as written" {
    write_odd
    "$manager" revoke first
    record=$(grep tok_0000000000000001 api_tokens.json)
    for text in '12345678901234567890.000' '{ "y" :[ 1 ,2.50,-0 ,{ } ] , "\u0078": "a\/\"b\u2028" }' \
        '"x_big"' '"x_nested"' '"x_\u0061\/"' '"\u0000"'; do
        [[ $record == *"$text"* ]] || { echo "not kept: $text in $record" && return 1; }
    done
    "$manager" list --json | jq -e '.[0] | .name == "first" and .status == "revoked"'
}

@test "a changed record keeps all else that it told" {
    write_good
    "$manager" revoke first second
    diff <(jq -S . <<<"$good") <(jq -S 'del(.tokens[].revoked_at)' api_tokens.json)
}

@test "other people's fields of an older secret survive a change of its token" {
    write_good
    change '[{"prefix"' '[{"x_why": {"n": 12345678901234567890, "s": "a\/b"}, "prefix"'
    "$manager" revoke second
    grep -F '"x_why": {"n": 12345678901234567890, "s": "a\/b"}' api_tokens.json
}

@test "files of every layout can be grown and shrunk" {
    write_good
    third=${first//first/third}
    third=${third/"$hash"/"$(digest third)"}
    third=${third/0001/0003}
    layouts=(
        $'{\n  "version": 1,\n  "tokens": [\n    @,\n    @,\n    @\n  ]\n}\n'
        '{"version":1,"tokens":[@,@,@]}'
        $'{\r\n\t"version": 1,\r\n\t"tokens": [\r\n\t\t@,\r\n\t\t@,\r\n\t\t@\r\n\t]\r\n}\r\n'
        $'{\n\t"tokens":\n\t[ @\n\t, @\n\t, @\n\t],\n\t"version": 1\n}'
        $'{"tokens": [@ , @\n,@], "x_a": [], "version":1}\n\n\n'
        $' {"version": 1,\n"tokens": [\n\n\n@,\n\n@,\n\n@\n\n\n]\n}'
    )
    for layout in "${layouts[@]}"; do
        document=${layout/@/"$first"}
        document=${document/@/"$second"}
        document=${document/@/"$third"}
        printf %s "$document" >start.json
        for action in "create x" "delete first" "delete second" "delete third" \
            "delete first second" "delete first third" "delete second third" \
            "delete first second third" "revoke first" "revoke second" "revoke third"; do
            cp start.json api_tokens.json
            # shellcheck disable=SC2086 # words
            "$manager" $action >out
            slurp new api_tokens.json
            before=${layout%%'@'*}
            before=${before%'['*}'['
            after=']'${layout##*@*']'}
            wanted=
            kept=yes
            for name in first second third; do
                [[ $action == "delete"*"$name"* ]] || wanted+="$name "
                [[ $action == *"$name"* || $new == *"${!name}"* ]] || kept=no
            done
            [[ $action != create* ]] || wanted+="x "
            names=$(jq -j '.tokens[].name + " "' api_tokens.json)
            if [ "${new:0:${#before}}" != "$before" ] || [ "${new: -${#after}}" != "$after" ] ||
                [ "$kept" = no ] || [ "$names" != "$wanted" ] || ! "$manager" list >out; then
                echo "$action: wanted \"$wanted\", others kept: $kept: $new"
                return 1
            fi
        done
    done
}

@test "empty files of every layout take their first token" {
    for document in '{"version":1,"tokens":[]}' $'{"tokens":[\r\n],"version":1}\r\n' \
        $'{\n\t"version": 1,\n\t"tokens": [ ]\n}' \
        $' \n{"x_a":"[]","version":1,"x_b":[[]],"tokens":[],"x_c":"]"}'; do
        printf %s "$document" >api_tokens.json
        create third >token
        head=${document%%'tokens":['*}'tokens":['
        [[ $document == *'tokens":['* ]] || head=${document%%'tokens": ['*}'tokens": ['
        tail=']'${document#"$head"*']'}
        inserted "$head" "$tail"
        [ "$("$verifier" check <token | cut -d' ' -f2)" = third ]
    done
}

@test "well-formed documents are accepted, however unusual" {
    write_good
    accepted "ours"
    for row in \
        '"version": 1>"version":1' '"version": 1>"version" : 1 ' \
        '"version">"\u0076ersion"' '"tokens">"t\u006Fkens"' '"name">"n\u0061me"' '"id">"\u0069\u0064"' \
        '"scopes">"scop\u0065s"' '"previous">"previou\u0073"' '[{"prefix">[{"pref\u0069x"' \
        '"first">"\u0066irst"' '"spare">"\/ \"\\"' '"sk-first">"\u0073k-first"' \
        '"tok_0000000000000001">"tok\u005f0000000000000001"' "\"$hash\">\"\\u0062${hash:1}\"" \
        '2026-01-01T00:00:00Z>2026-01-01T00:00:00\u005a' '"spare">"\ud83d\ude00"' '"spare">"😀"' \
        '"spare">""' \
        '"version">"x_a": "\ud800", "version"' '"name">"x_a": ["\udfff\ud800"], "name"' \
        '"name">"x_a": "\u0000", "name"' '[{"prefix">[{"x_a": null, "prefix"' \
        '"version">"x_": 1e999, "x_b": -1e-999, "version"' \
        '"version">"x_": 123456789012345678901234567890123456789012345678901234567890, "version"' \
        '"version">"x_a": [0, -0, -0.0, 0e0, 1E+2, 1e-2, true, false, null, {}, [], ""], "version"' \
        '2026-01-01T00:00:00Z>2024-02-29T23:59:59Z' '2999-01-01T00:00:00Z>9999-12-31T23:59:59Z' \
        '2026-01-01T00:00:00Z>2999-01-01T00:00:00Z' '2026-01-01T00:00:00Z>0000-01-01T00:00:00Z' \
        '["read", "write"]>[ "!" , "a:b/c.d~#[]{}" ]'; do
        change "${row%%>*}" "${row#*>}"
        accepted "$row"
    done
}

@test "fields may stand in any order, with white space wherever JSON allows it" {
    write_good
    jq '{tokens: [.tokens[] | to_entries | reverse | from_entries], version}' <<<"$good" >api_tokens.json
    accepted "reversed"
    jq -c . <<<"$good" >api_tokens.json
    accepted "compact"
    blank=$' \t\r\n'
    wide=$good
    for mark in '{' '}' '[' ']' ',' '": '; do
        wide=${wide//"$mark"/"$blank$mark$blank"}
    done
    wide=${wide//"$blank\": $blank"/"\"$blank:$blank"}
    printf '%s%s%s' "$blank" "$wide" "$blank" >api_tokens.json
    accepted "wide"
}

@test "a name that two unrevoked tokens have by hand means neither of them" {
    write_good
    change '"second"' '"first"'
    cp api_tokens.json before
    for command in revoke "delete --yes"; do
        # shellcheck disable=SC2086 # words
        run "$manager" $command first
        if [[ $status -ne 4 && $status -ne 6 ]] || ! cmp before api_tokens.json; then
            echo "$command: $status: $output"
            return 1
        fi
    done
}

@test "values as long as they may be are accepted" {
    write_good
    printf -v long '😀%.0s' {1..100}
    change '"second"' "\"$long\""
    accepted "a name of 100 characters"
    printf -v long '😀%.0s' {1..500}
    change '"spare"' "\"$long\""
    accepted "a note of 500 characters"
    printf -v long 's%.0s' {1..64}
    change '"read"' "\"$long\""
    accepted "a scope of 64 characters"
    change '["read", "write"]' "[\"s1\"$(printf ', "s%d"' {2..64})]"
    accepted "64 scopes"
}

@test "other people's fields may be nested 500 levels deep" {
    write_good
    printf -v open '[%.0s' {1..500}
    printf -v close ']%.0s' {1..500}
    printf -v objects '{"a":%.0s' {1..500}
    for row in '"version"' '"id"' '[{"prefix"'; do
        bracket=${row%%\"*}
        field=${row#"$bracket"}
        change "$row" "$bracket\"x_a\": $open$close, $field"
        accepted "arrays before $field"
        change "$row" "$bracket\"x_a\": ${objects}1${close//]/\}}, $field"
        accepted "objects before $field"
    done
}

@test "sixty fields of other people are accepted and kept" {
    write_good
    fields=$(printf '"x_%d": 1, ' {1..60})
    change '"id"' "$fields\"id\""
    accepted "60 fields"
    jq -e '.tokens[0] | has("x_1", "x_60", "revoked_at")' api_tokens.json
}
