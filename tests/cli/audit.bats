#!/usr/bin/env bats
# What is kept of every change: one line of JSON each.

# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
# shellcheck disable=SC2016  # jq has variables of its own
bats_require_minimum_version 1.5.0
load common
load manager

audit=api_tokens.json.audit

@test "every change is one line that says what, which token, when and who" {
    create 'a "b" \c'
    id=$(field 'a "b" \c' id)
    "$manager" revoke "$id"
    "$manager" restore "$id"
    "$manager" delete "$id"
    [ "$(wc -l <$audit)" -eq 4 ]
    while read -r line; do
        echo "$line"
        jq -e --arg id "$id" --argjson uid "$(id -u)" '
            .id == $id and .name == "a \"b\" \\c" and .uid == $uid
            and (.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$"))' <<<"$line"
    done <$audit
    [ "$(jq -r .action $audit | paste -sd' ')" = "create revoke restore delete" ]
}

@test "the line of a creation has the time of the record" {
    create ci
    [ "$(jq -r .time $audit)" = "$(field ci created_at)" ]
    "$manager" revoke ci
    [ "$(tail -n1 $audit | jq -r .time)" = "$(field ci revoked_at)" ]
}

@test "a command that changes several tokens writes a line each" {
    for name in a b c; do
        create "$name"
    done
    "$manager" revoke a c
    [ "$(tail -n2 $audit | jq -r '.action + " " + .name' | paste -sd,)" = "revoke a,revoke c" ]
    "$manager" delete a b c
    [ "$(tail -n3 $audit | jq -r '.action + " " + .name' | paste -sd,)" = "delete a,delete b,delete c" ]
}

@test "the audit trail is for its owner only, whatever the umask" {
    umask 000
    create ci
    [ "$(find $audit -perm 600)" = $audit ]
}

@test "who called sudo is named, and nobody who only says so" {
    SUDO_USER=somebody create ci
    if [ "$(id -u)" = 0 ]; then
        [ "$(jq -r .sudo_user $audit)" = somebody ]
    else
        [ "$(jq -r 'has("sudo_user")' $audit)" = false ]
    fi
}

@test "neither secrets nor digests are in the audit trail" {
    token=$(create ci)
    digest=$(field ci hash)
    "$manager" revoke "$token"
    "$manager" restore "${token:0:30}"
    "$manager" delete "$token"
    for text in "${token:14:8}" "${token:40}" "${digest#*:}" blake2b; do
        run -1 grep -F -e "$text" $audit
    done
}

@test "what was refused, or was that way already, leaves no line" {
    records "$(record 1 first sk-aaaaaaaaaaa)" "$(record 2 second sk-aaaabbbbbbb "$revoked")" \
        "$(record 3 second sk-ccccccccccc)"
    token=$(create ci)
    remember
    export FREEGPT_API_KEY=$token
    # The exit status, then the command.
    local rows=(
        5 'create ci' 0 'create ci --if-not-exists' 2 'create tok_0123456789abcdef'
        3 'revoke nobody' 3 'revoke first nobody' 4 'revoke sk-aaaa' 0 'revoke tok_0000000000000002'
        0 'restore first' 5 'restore tok_0000000000000002' 1 'delete first ci' 0 list
    )
    for ((row = 0; row < ${#rows[@]}; row += 2)); do
        read -ra words <<<"${rows[row + 1]}"
        exits "${rows[row]}" "$manager" "${words[@]}"
        unchanged
    done
}

@test "a torn last line is closed off, and kept" {
    create first
    printf '{"time": "2026-' >>$audit
    create second
    [ "$(wc -l <$audit)" -eq 3 ]
    [ "$(sed -n 2p $audit)" = '{"time": "2026-' ]
    [ "$(sed -n 3p $audit | jq -r .name)" = second ]
    create third
    [ "$(wc -l <$audit)" -eq 4 ]
}

@test "without an audit trail nothing changes" {
    create ci
    "$manager" revoke ci
    create other
    rm $audit
    # What stands where the audit trail belongs.
    for obstacle in 'mkdir' 'ln -s elsewhere' 'ln -s /dev/null' 'mkfifo'; do
        echo "$obstacle"
        read -ra words <<<"$obstacle"
        "${words[@]}" $audit
        cp api_tokens.json before.json
        for command in 'create new' 'revoke other' "restore $(field ci id)" 'delete other'; do
            read -ra words <<<"$command"
            exits 6 "$manager" "${words[@]}"
            [ "$output" = "" ]
            says $audit 'nothing was changed'
            cmp before.json api_tokens.json
            [ ! -e api_tokens.json.tmp ]
            [ ! -e elsewhere ]
        done
        exits 0 "$manager" list
        rm -r $audit
    done
    exits 0 "$manager" revoke other
}

@test "without an audit trail no token file is made either" {
    mkdir $audit
    exits 6 "$manager" create ci
    [ "$output" = "" ]
    [ ! -e api_tokens.json ]
}

@test "each token file has an audit trail of its own" {
    create ci --file keys.json
    [ "$(jq -r .name keys.json.audit)" = ci ]
    [ ! -e $audit ]
}

@test "each kind of change says what is different" {
    create ci --expires 2990-01-31 --scope chat --note "a note"
    "$manager" revoke ci
    "$manager" restore ci
    "$manager" rotate ci --grace 0 >rotated
    "$manager" delete ci
    jq -s -e '[.[] | .changed | keys] == [["expires_at", "note", "prefix", "scopes"], ["revoked_at"],
        ["revoked_at"], ["prefix", "previous"], ["deleted"]] and .[2].changed.revoked_at == null' $audit
    printf '%s\n' 0123456789abcdefghijABCDEFGHIJ | "$manager" import -
    tail -n 1 $audit | jq -e '.action == "import" and (.changed | keys) == ["prefix"]'
}

@test "audit shows who changed what and when, and all of it as JSON" {
    create ci
    create other
    "$manager" revoke ci
    exits 0 "$manager" audit
    [ "${#lines[@]}" -eq 3 ]
    [[ ${lines[2]} =~ ^[0-9T:-]{19}Z\ \ revoke\ .*"$(field ci id)".*'"ci"'.*'{"revoked_at": "' ]]
    exits 0 "$manager" audit --json
    [ "$(jq -cS '.[]' <<<"$output")" = "$(jq -cS . $audit)" ]
    exits 0 "$manager" audit other --json
    json '[.[].name] == ["other"]'
}

@test "a token is found by id, name, beginning and itself, and one that is gone by id and name" {
    token=$(create ci)
    create other
    id=$(field ci id)
    for selector in ci "$id" "${token:0:14}" "${token:0:14}..." "$token"; do
        exits 0 "$manager" audit "$selector" --json
        json --arg id "$id" 'length == 1 and .[0].id == $id'
        hides "${token:14}"
    done
    "$manager" delete ci
    for selector in ci "$id"; do
        exits 0 "$manager" audit "$selector" --json
        json --arg id "$id" 'length == 2 and all(.id == $id)'
    done
    exits 3 "$manager" audit nobody
    exits 3 "$manager" audit "$token"
    hides "${token:20}"
}

# A line about a change at that time: line TIME ACTION NUMBER NAME
line() {
    printf '{"time": "%s", "action": "%s", "id": "%s", "name": "%s", "uid": 0}\n' "$1" "$2" "$(id_of "$3")" "$4"
}

@test "--since is a length of time, a date or a time" {
    records
    { line 2020-01-01T00:00:00Z create 1 old && line "$(date -u +%Y-%m-%dT%H:%M:%SZ)" create 2 new; } >$audit
    while read -r since number; do
        exits 0 "$manager" audit --json --since "$since"
        json --argjson number "$number" 'length == $number'
    done <<'END'
7d 1
9000w 2
2020-01-01 2
2020-01-02 1
2020-01-01T00:00:00Z 2
2020-01-01T00:00:01Z 1
END
    for bad in '' soon never 7 2020-13-01; do
        exits 2 "$manager" audit --since "$bad"
        says --since
    done
    exits 0 "$manager" audit old --since 7d --json
    [ "$output" = "[]" ]
}

@test "--trail reads other files, several, and standard input" {
    line 2020-01-01T00:00:00Z create 1 first >one
    line 2020-01-02T00:00:00Z create 2 second >two
    exits 0 "$manager" audit --json --trail one --trail two
    json '[.[].name] == ["first", "second"]'
    exits 0 "$manager" audit --json --trail - <two
    json '[.[].name] == ["second"]'
    exits 0 "$manager" audit first --json --trail one --trail two
    json 'length == 1'
    exits 6 "$manager" audit --trail missing
    says missing
}

@test "lines that are none are counted and never printed" {
    records
    {
        line 2020-01-01T00:00:00Z create 1 ci
        printf 'garbage \e[2J\n{"time": "2026-\n\n'
        line 2020-01-01T00:00:00Z create 2 '\u001b[2Jhidden'
        line 2020-01-01T00:00:00Z '\u009bhidden' 2 ci
        line 2020-01-01T00:00:00Z create 3 last | head -c 40
    } >$audit
    for option in --json --since=2000-01-01; do
        exits 0 "$manager" audit "$option"
        says '5 lines'
        hides $'\e' garbage hidden last
        [ "$(grep -c '20-01-01' <<<"$output")" -eq 1 ]
    done
}

@test "every line that a change leaves can be read by audit, whatever SUDO_USER holds" {
    [ "$(id -u)" = 0 ] || skip "only root is told of sudo"
    for user in $'\e[31m' $'a\nb' $'\xff' "$(printf 'x%.0s' {1..300})"; do
        rm -f api_tokens.json*
        SUDO_USER=$user create ci
        exits 0 "$manager" audit --json
        json 'length == 1'
        hides $'\e' 'cannot be read'
    done
}

@test "there is no way to change without a line" {
    exits 2 "$manager" create ci --no-audit
    [ ! -e api_tokens.json ]
}

@test "a trail that was moved away is asked for, not taken for no change" {
    create ci
    mv api_tokens.json.audit old
    run_apart "$manager" audit
    [ "$status" -eq 6 ]
    [[ $stderr == *"api_tokens.json.audit is not there; if it was moved away, name it with --trail"* ]]
    run_apart "$manager" audit --trail old ci
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    run_apart "$manager" --file nowhere.json audit
    [ "$status" -eq 6 ]
    rm api_tokens.json
    run_apart "$manager" audit
    [ "$status" -eq 0 ]
    [[ $stderr == *"no change was made yet"* ]]
}
