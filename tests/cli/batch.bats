#!/usr/bin/env bats
# Many tokens at once: create --batch.
# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
# shellcheck disable=SC2016  # jq has variables of its own

bats_require_minimum_version 1.5.0
load common
load manager
load trace

# The names in the file, in their order, with commas between them.
names() {
    jq -r '[.tokens[].name] | join(",")' api_tokens.json
}

# A batch of these bytes (printf's escapes) must end so: batch STATUS BYTES [OPTION...]
batch() {
    printf '%b' "$2" >names
    exits "$1" "$manager" create --batch names "${@:3}"
}

@test "a batch prints a line for each name, the name and its token, which works" {
    batch 0 'alice\nbob\ncarol\n'
    [ "$(cut -f1 <<<"$output" | paste -sd,)" = alice,bob,carol ]
    [ "$(names)" = alice,bob,carol ]
    while IFS=$'\t' read -r name token; do
        [[ $token =~ ^sk-[0-9A-Za-z]{49}$ ]]
        check "$token"
        [ "$output" = "$(field "$name" id) $name" ]
    done <<<"$output"
    [ "$(jq -r '.tokens[].id' api_tokens.json | sort -u | wc -l)" -eq 3 ]
    says 'Created 3 tokens' "$PWD/api_tokens.json"
    hides 'names exist'
}

@test "names come from standard input with -, and a tool can read on behind the tab" {
    exits 0 "$manager" create --batch - <<<$'alice\nbob'
    [ "$(cut -f1 <<<"$output")" = $'alice\nbob' ]
    check "$(sed -n 's/^bob\t//p' <<<"$output")"
    [ "$status" -eq 0 ]
}

@test "ends of lines of any system, blank lines and blanks around names do not matter" {
    batch 0 '\r\n  alice \r\n\n\t\nbob\t\r\n   \n the third one\t \n\n'
    [ "$(names)" = "alice,bob,the third one" ]
}

@test "a last line without its end is a name too" {
    batch 0 'alice\nbob'
    [ "$(names)" = alice,bob ]
    rm api_tokens.json*
    batch 0 'alice'
    [ "$(names)" = alice ]
}

@test "names are UTF-8, with quotes and what else a name may hold" {
    batch 0 'café 😀\na "b" \\c\n--prefix\n-x\n'
    [ "$(names)" = 'café 😀,a "b" \c,--prefix,-x' ]
    [ "$(cut -f1 <<<"$output" | paste -sd,)" = "$(names)" ]
}

@test "a name that comes twice is refused with its line, and nothing is made" {
    create here
    remember
    batch 5 'alice\n\nbob\n alice \n'
    [ "$output" = "" ]
    says 'names:4:' '"alice"' twice
    unchanged
    # Letters in other case are other names.
    batch 0 'alice\nAlice\n'
}

@test "a name that is taken is refused with its line and its holder, and nothing is made" {
    create bob
    remember
    batch 5 'alice\nbob\ncarol\n'
    [ "$output" = "" ]
    says 'names:2:' '"bob"' "$(field bob id)" 'nothing was made'
    unchanged
    exits 5 "$manager" create --batch - <<<$'\n\nbob'
    says 'standard input:3:'
    unchanged
}

@test "the name of a revoked token is free for a batch, that of an expired one is not" {
    records "$(record 1 old sk-aaaaaaaaaaa "$revoked")" "$(record 2 late sk-bbbbbbbbbbb "$expired")"
    remember
    batch 5 'old\nlate\n'
    says 'names:2:' '"late"' expired
    unchanged
    batch 0 'old\n'
    [ "$(status_of old)" = $'revoked\nactive' ]
}

@test "a bad name is refused with file and line, and nothing is made" {
    create here
    remember
    long=$(printf 'x%.0s' {1..101})
    for bad in '-' tok_0123456789abcdef sk-a1b2c3d4e5f sk-a1b2c3d4e5f... 'a\x1b[31mb' 'a\tb' 'a\rb' 'a\x00b' \
        '\xff' 'a\xc3' "$long"; do
        batch 2 "alice\n\n$bad\ncarol\n"
        [ "$output" = "" ]
        says 'names:3:' 'nothing was made'
        hides $'\e'
        unchanged
    done
}

@test "a list of keys taken for a list of names is refused, and no key is printed back" {
    token=$(create ci)
    manager_says() {
        [ "$output" = "" ]
        hides "${token:14:10}"
        unchanged
    }
    remember
    for line in "$token" "KEY=$token" "Bearer $token" "ci	$token"; do
        batch 2 "alice\n$line\n"
        says 'names:2:'
        manager_says
    done
}

@test "a whole token in the place of a file is never printed back" {
    token=$(create ci)
    remember
    for options in "create --batch" "audit --trail" "import"; do
        # shellcheck disable=SC2086  # words
        run_apart "$manager" $options "$token"
        printf '%s\n' "$options" "$stderr"
        [ "$status" -ge 1 ]
        hides "${token:20}"
        unchanged
    done
}

@test "a whole token is refused as note and as scope, as it is in a name" {
    token=$(create ci)
    remember
    for option in --note --scope; do
        exits 2 "$manager" create other "$option" "$token"
        hides "${token:20}"
        unchanged
    done
    exits 2 "$manager" create other --note "the key is $token, keep it"
    hides "${token:20}"
    unchanged
}

@test "--json prints an array of objects as create prints one" {
    batch 0 'a "b"\nbob\n' --json --scope chat
    [ "$(jq -s length <<<"$output")" -eq 1 ]
    json 'length == 2 and all(keys_unsorted == ["id", "name", "token", "prefix", "created_at", "expires_at",
        "scopes", "note", "created"]) and all(.created == true)'
    json --slurpfile file api_tokens.json 'map({id, name, prefix}) == ($file[0].tokens | map({id, name, prefix}))'
    for token in $(jq -r '.[].token' <<<"$output"); do
        check "$token"
        [ "$status" -eq 0 ]
    done
    batch 0 'carol\n' --json
    json 'length == 1'
}

@test "--if-not-exists prints only the new ones" {
    create bob
    id=$(field bob id)
    batch 0 'alice\nbob\ncarol\n' --if-not-exists
    [ "$(cut -f1 <<<"$output" | paste -sd,)" = alice,carol ]
    says '1 of 3 names exist' 'Created 2 tokens'
    [ "$(field bob id)" = "$id" ]
    [ "$(names)" = bob,alice,carol ]
    batch 0 'carol\ndave\n' --if-not-exists --json
    json '[.[].name] == ["dave"]'
}

@test "--if-not-exists with nothing new prints and changes nothing, and succeeds" {
    batch 0 'alice\nbob\n'
    remember
    batch 0 'bob\nalice\nbob\n' --if-not-exists
    [ "$output" = "" ]
    says '3 of 3 names exist'
    hides Created 'Save the token'
    unchanged
    batch 0 'alice\n' --if-not-exists --json
    [ "$output" = "[]" ]
    unchanged
    # There is no secret to lose.
    "$manager" create --batch names --if-not-exists >/dev/null
    unchanged
}

@test "--if-not-exists makes a name that comes twice once" {
    batch 0 'alice\nbob\nalice\n' --if-not-exists
    [ "$(names)" = alice,bob ]
    [ "$(wc -l <<<"$output")" -eq 2 ]
}

@test "--expires, --scope, --note and --prefix are for each token of a batch" {
    batch 0 'alice\nbob\n' --expires 2990-01-31 --scope chat --scope models:read --note 'of the batch' --prefix sk_live_
    [ "$(jq -c '[.tokens[] | [.expires_at, .scopes, .note]] | unique' api_tokens.json)" = \
        '[["2990-01-31T00:00:00Z",["chat","models:read"],"of the batch"]]' ]
    [ "$(grep -cE $'\tsk_live_[0-9A-Za-z]{49}$' <<<"$output")" -eq 2 ]
    says 'Good until 2990-01-31T00:00:00Z'
    check "$(sed -n 's/^bob\t//p' <<<"$output")" --scope chat --scope models:read
    [ "$status" -eq 0 ]
}

@test "bad options are refused before anything is made" {
    for option in --expires=soon --expires=2020-01-01 --scope=* --prefix=sk $'--note=a\nb' --env --env=KEY; do
        batch 2 'alice\n' "$option"
        [ "$output" = "" ]
        [ ! -e api_tokens.json ]
    done
    batch 2 'alice\n' bob
    says NAME --batch
    batch 2 'alice\n' --batch names
    exits 2 "$manager" create
    exits 2 "$manager" create --batch
    [ ! -e api_tokens.json ]
}

@test "input that names no token is refused" {
    for bytes in '' '\n' ' \r\n\t\n'; do
        batch 2 "$bytes"
        [ "$output" = "" ]
        says names
        batch 2 "$bytes" --if-not-exists
        [ ! -e api_tokens.json ]
    done
    exits 2 "$manager" create --batch - </dev/null
    says 'standard input'
}

@test "input that cannot be read is refused with its name, and nothing is made" {
    mkdir folder
    for file in missing folder; do
        exits 1 "$manager" create --batch "$file"
        [ "$output" = "" ]
        says "$file"
        [ ! -e api_tokens.json ]
    done
}

@test "a batch is one transaction: a line of the trail for each token, all of one time" {
    create before
    batch 0 'alice\nbob\ncarol\n'
    [ "$(jq -r '.action + " " + .name' api_tokens.json.audit | paste -sd,)" = \
        'create before,create alice,create bob,create carol' ]
    [ "$(tail -n 3 api_tokens.json.audit | jq -r .time | sort -u | wc -l)" -eq 1 ]
    [ "$(jq -r .id api_tokens.json.audit | paste -sd,)" = "$(jq -r '[.tokens[].id] | join(",")' api_tokens.json)" ]
}

@test "a batch is one rename, and is synced before it" {
    needs_strace
    printf 'n%s\n' {1..50} >names
    strace -f -o trace -e trace=rename,renameat,renameat2,fsync,fdatasync,flock \
        "$manager" create --batch names >out 2>said
    [ "$(grep -c '^[0-9]* *rename' trace)" -eq 1 ]
    [ "$(grep -cE 'fsync|fdatasync' trace)" -le 5 ]
    [ "$(wc -l <out)" -eq 50 ]
}

@test "a batch whose trail cannot be written makes nothing and prints nothing" {
    create before
    rm api_tokens.json.audit
    mkdir api_tokens.json.audit
    cp api_tokens.json before.json
    batch 6 'alice\nbob\n'
    [ "$output" = "" ]
    cmp before.json api_tokens.json
}

@test "two thousand names take a moment" {
    printf 'name %s\n' {1..2000} >names
    begun=$SECONDS
    timeout 10 "$manager" create --batch names >out 2>said
    [ $((SECONDS - begun)) -le 5 ]
    [ "$(cut -f2 out | sort -u | wc -l)" -eq 2000 ]
    [ "$(jq '.tokens | length' api_tokens.json)" -eq 2000 ]
    [ "$(wc -l <api_tokens.json.audit)" -eq 2000 ]
    [ "$(cut -f2 out | "$verifier" stream | grep -c '^OK ')" -eq 2000 ]
    # Away from a terminal there is no progress to show.
    run -1 grep -E $'\r|2000 tokens\\.\\.|%' said
    [ "$(wc -l <said)" -le 8 ]
}

# The talk names each token that was made but not shown, and the command that it gives removes them.
can_be_remedied() {
    local id
    for id in $(jq -r '.tokens[].id' api_tokens.json); do
        says "$id"
    done
    [[ $stderr =~ \`token_manager\ ([^\`]*)\` ]]
    read -ra remedy <<<"${BASH_REMATCH[1]}"
    exits 0 "$manager" "${remedy[@]}"
    [ "$(jq '.tokens | length' api_tokens.json)" -eq 0 ]
}

@test "tokens that do not fit on a full disk are named with their remedy" {
    [ -c /dev/full ] || skip "needs /dev/full"
    printf 'n%s\n' {1..20} >names
    for option in --json --scope=chat; do
        exits 1 sh -c '"$@" >/dev/full' sh "$manager" create --batch names "$option"
        can_be_remedied
    done
}

@test "after a large batch that could not be shown, the remedy leaves no token that nobody knows" {
    [ -c /dev/full ] || skip "needs /dev/full"
    printf 'n%s\n' {1..50} >names
    exits 1 sh -c '"$@" >/dev/full' sh "$manager" create --batch names
    [[ $stderr =~ \`token_manager\ ([^\`]*)\` ]]
    read -ra remedy <<<"${BASH_REMATCH[1]}"
    [ "${remedy[-1]}" = - ]
    grep '^tok_' <<<"$stderr" >ids
    "$manager" "${remedy[@]}" <ids
    [ "$(jq '.tokens | length' api_tokens.json)" -eq 0 ]
}

@test "with standard output closed a batch makes nothing" {
    create before
    remember
    printf 'alice\nbob\n' >names
    for option in --json --scope=chat; do
        exits 1 sh -c '"$@" >&-' sh "$manager" create --batch names "$option"
        says 'nothing was changed'
        unchanged
    done
}

@test "batches at once make all that they printed" {
    for i in 1 2 3 4 5; do
        printf "$i %s\n" a b c d | "$manager" create --batch - >"out.$i" 2>/dev/null &
        pids[i]=$!
    done
    wait "${pids[@]}"
    [ "$(cat out.* | cut -f2 | "$verifier" stream | grep -c '^OK ')" -eq 20 ]
    [ "$(jq '.tokens | length' api_tokens.json)" -eq 20 ]
}
