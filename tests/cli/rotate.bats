#!/usr/bin/env bats
# A new secret for a token whose clients cannot all change over at once.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034  # variables of the helpers; a test is a subshell
# shellcheck disable=SC2016  # jq has variables of its own

bats_require_minimum_version 1.5.0
load common
load verifier
load authd
load library
load life

setup_file() {
    build_ask_once
}

# The older secrets of a token, as "PREFIX END" lines: older NAME
older() {
    jq -r --arg name "$1" '.tokens[] | select(.name == $name) | .previous[]? | .prefix + " " + .expires_at' \
        api_tokens.json
}

@test "rotate prints a new token and nothing else, and keeps id, name and time of creation" {
    token=$(create ci --note "a note" --scope chat)
    before=$(jq -c '.tokens[0] | [.id, .name, .created_at, .note, .scopes]' api_tokens.json)
    manages 0 rotate ci
    [[ $output =~ ^sk-[0-9A-Za-z]{49}$ ]]
    [ "$output" != "$token" ]
    same "$(field ci hash)" "blake2b-256:$(digest "$output")"
    same "$(field ci prefix)" "${output:0:14}"
    same "$(jq -c '.tokens[0] | [.id, .name, .created_at, .note, .scopes]' api_tokens.json)" "$before"
    same "$(jq -c '[.tokens[0].previous[].hash]' api_tokens.json)" "[\"blake2b-256:$(digest "$token")\"]"
    new=$output
    everybody_says accepted "$new" chat
    everybody_says accepted "$token" chat
    everybody_says scope "$token" admin
}

@test "the talk names token, file and end, and holds no secret but the beginning" {
    token=$(create ci)
    manages 0 rotate ci
    says "$stderr" '"ci"'
    says "$stderr" "$(field ci id)"
    says "$stderr" "$PWD/api_tokens.json"
    says "$stderr" "${token:0:14}... is good until $(older ci | cut -d' ' -f2)"
    lacks "$stderr" "${token:14:10}"
    lacks "$stderr" "${output:14:10}"
    run -1 grep -rF -e "${output:14:10}" -e "${token:14:10}" .
}

@test "rotate --env and --env=VAR print a line for a .env file" {
    create ci
    manages 0 rotate ci --env
    [[ $output =~ ^FREEGPT_API_KEY=sk-[0-9A-Za-z]{49}$ ]]
    manages 0 rotate ci --env=OPENAI_API_KEY
    [[ $output =~ ^OPENAI_API_KEY=sk-[0-9A-Za-z]{49}$ ]]
    says "$stderr" OPENAI_API_KEY=
    remember
    manages 2 rotate ci --env --json
    manages 2 rotate ci --env=9
    unchanged
}

@test "rotate --json prints one object with the older secrets and their ends" {
    token=$(create ci --scope chat --note "a note")
    manages 0 rotate ci --json --expires 2990-01-31
    json -s 'length == 1'
    json --slurpfile file api_tokens.json '$file[0].tokens[0] as $t
        | .id == $t.id and .name == "ci" and .prefix == $t.prefix and .created_at == $t.created_at
        and .expires_at == "2990-01-31T00:00:00Z" and .scopes == ["chat"] and .note == "a note"
        and .previous == [$t.previous[] | {prefix, expires_at}]'
    json --arg prefix "${token:0:14}" '.previous[0].prefix == $prefix and (.previous | length) == 1'
    new=$(jq -r .token <<<"$output")
    lacks "$output" "$(digest "$token")"
    lacks "$output" "$(digest "$new")"
    verdict "$new"
    exits 0
    manages 0 rotate ci --json --grace 0
    json '.previous == []'
}

@test "the default grace is a day, and --grace takes every unit" {
    while read -r option seconds; do
        write_tokens "$(record ci "$token_one")"
        begun=$(date +%s)
        # shellcheck disable=SC2086  # two words
        manages 0 rotate ci ${option/=/ }
        within "$(older ci | cut -d' ' -f2)" "$seconds"
    done <<'END'
--json 86400
--grace=24h 86400
--grace=45s 45
--grace=30m 1800
--grace=7d 604800
--grace=2w 1209600
END
}

@test "a grace that cannot be understood is refused, and nothing changes" {
    create ci
    remember
    for grace in 1 soon never 1.5h -1h 1d12h 2027-01-31 99999999999999999999d; do
        manages 2 rotate ci --grace "$grace"
        same "$output" ""
        says "$stderr" --grace
        unchanged
    done
    for bad in "" soon 0 2020-01-01; do
        manages 2 rotate ci --expires "$bad"
        same "$output" ""
        unchanged
    done
    manages 2 rotate
    manages 2 rotate ci other
    manages 2 rotate ci --prefix bad
    unchanged
}

@test "a grace that ends after the year 9999 is refused" {
    create ci
    remember
    manages 2 rotate ci --grace 3649635d
    says "$stderr" "--grace ends after the year 9999"
    unchanged
    manages 0 rotate ci --grace 2900000d
}

@test "an older secret is good in its grace and dead after it, everywhere" {
    write_tokens "$(record ci "$token_one" "\"previous\": [$(previous "$token_two" "$(in_seconds 60)"),
        $(previous "$token_three" "$(in_seconds 0)")]")"
    everybody_says accepted "$token_one"
    everybody_says accepted "$token_two"
    everybody_says expired "$token_three"
}

@test "--grace 0 ends every earlier secret at once, in verifiers that are running" {
    first=$(create ci)
    second=$("$manager" rotate ci 2>/dev/null)
    third=$("$manager" rotate ci --grace 7d 2>/dev/null)
    talk
    [ ! -x "$BIN/token_authd" ] || start_authd
    for secret in "$first" "$second" "$third"; do
        hears "OK $(field ci id) ci" "$secret"
        everybody_says accepted "$secret"
    done
    manages 0 rotate ci --grace 0
    says "$stderr" "No earlier secret"
    new=$output
    for secret in "$first" "$second" "$third"; do
        hears "ERR unknown" "$secret"
        everybody_says unknown "$secret"
    done
    hears "OK $(field ci id) ci" "$new"
    everybody_says accepted "$new"
    same "$(jq '.tokens[0] | has("previous")' api_tokens.json)" false
}

@test "a grace ends at the latest when the token does" {
    ends=$(in_seconds 3600)
    write_tokens "$(record ci "$token_one" "\"expires_at\": \"$ends\"")"
    manages 0 rotate ci
    same "$(older ci)" "${token_one:0:8} $ends"
    same "$(field ci expires_at)" "$ends"
    says "$stderr" "is good until $ends"
    # It is the earlier of the old and the new expiry that counts.
    manages 0 rotate ci --expires 90d
    same "$(older ci | cut -d' ' -f2 | sort -u)" "$ends"
}

@test "with a new expiry that is sooner, no earlier secret is good for longer, nor said to be" {
    create ci >first
    manages 0 rotate ci --grace 7d
    manages 0 rotate ci --grace 2d --expires 1h
    ends=$(field ci expires_at)
    same "$(grep -o 'is good until [^ ]*' <<<"$stderr" | sort -u)" "is good until $ends."
    manages 0 list
    same "$(grep -o 'secret sk-.* until [^ ]*' <<<"$output" | sed 's#.* until##' | sort -u)" " $ends"
    manages 0 list --json
    json --arg ends "$ends" '[.[0].previous[].expires_at] == [$ends, $ends]'
    verdict "$(cat first)" --json
    json --arg ends "$ends" '.expires_at == $ends'
}

@test "an earlier secret that ended with the token does not come back with a later expiry" {
    create ci >first
    manages 0 rotate ci --grace 7d
    manages 0 rotate ci --expires 1h
    ends=$(field ci expires_at)
    manages 0 rotate ci --expires 90d
    manages 0 list --json
    json --arg ends "$ends" '[.[0].previous[].expires_at] == [$ends, $ends, $ends]'
}

@test "--expires gives the token another end, or none" {
    create ci --expires 1d
    manages 0 rotate ci --expires 2990-01-31
    same "$(field ci expires_at)" 2990-01-31T00:00:00Z
    says "$stderr" "2990-01-31T00:00:00Z"
    manages 0 rotate ci
    same "$(field ci expires_at)" 2990-01-31T00:00:00Z
    manages 0 rotate ci --expires never
    same "$(field ci expires_at)" null
    manages 0 rotate ci --expires 12h --grace 0 --json
    json '.expires_at != null and .previous == []'
}

@test "rotating again keeps the older secrets to their own ends, and forgets ended ones" {
    soon=$(in_seconds 600)
    write_tokens "$(record ci "$token_one" "\"previous\": [$(previous "$token_two" "$soon"),
        $(previous "$token_three" "$past")]")"
    begun=$(date +%s)
    manages 0 rotate ci --grace 12h
    same "$(older ci | head -n 1)" "${token_two:0:8} $soon"
    same "$(older ci | wc -l)" 2
    within "$(older ci | sed -n '2s/.* //p')" 43200
    lacks "$(cat api_tokens.json)" "$(digest "$token_three")"
    verdict "$token_three"
    refused unknown ""
    verdict "$token_two"
    exits 0
}

# So many older secrets, each of another digest: many NUMBER
many() {
    local i between=''
    for ((i = 1; i <= $1; i++)); do
        printf '%s{"prefix": "sk-%011d", "hash": "blake2b-256:%064x", "expires_at": "%s"}' \
            "$between" "$i" "$i" "$future"
        between=', '
    done
}

@test "64 older secrets there may be, and the next rotation is refused with the remedy" {
    write_tokens "$(record ci "$token_one" "\"previous\": [$(many 63)]")"
    manages 0 rotate ci
    same "$(older ci | wc -l)" 64
    remember
    manages 1 rotate ci
    same "$output" ""
    says "$stderr" 64
    says "$stderr" "--grace 0"
    unchanged
    manages 0 rotate ci --grace 0
    same "$(older ci)" ""
}

@test "an older secret that has ended makes room for another" {
    write_tokens "$(record ci "$token_one" "\"previous\": [$(many 63), $(previous "$token_two" "$past")]")"
    manages 0 rotate ci
    same "$(older ci | wc -l)" 64
}

@test "other people's fields stay, of the record and of older secrets, and other records to the byte" {
    write_tokens "$(record before "$token_three" '"x_a":   [1,  2 ]')" \
        "$(record ci "$token_one" "\"x_team\": {\"a\": [1, \"é\"]}, \"previous\": [{\"x_who\": \"me\", $(
            previous "$token_two" "$future" | cut -c2-)]")" "$(record   behind "$stranger")"
    other=$(record before "$token_three" '"x_a":   [1,  2 ]')
    manages 0 rotate ci
    grep -F -e "$other" api_tokens.json
    grep -F -e "$(record behind "$stranger")" api_tokens.json
    jq -e '.tokens[1] | .x_team == {"a": [1, "é"]} and .previous[0].x_who == "me"' api_tokens.json
    same "$(jq -r '[.tokens[].name] | join(" ")' api_tokens.json)" "before ci behind"
}

@test "every command finds a token by its older secrets, whole or by their beginning" {
    id=$(id_of "$token_one")
    for selector in "$token_two" "${token_two:0:8}" "${token_two:0:8}..." "${token_two:0:8}…"; do
        write_tokens "$(record ci "$token_one" "\"previous\": [$(previous "$token_two" "$future")]")" \
            "$(record other "$token_three")"
        manages 0 rotate "$selector" --json
        json --arg id "$id" '.id == $id'
        manages 0 revoke "$selector" --json
        json --arg id "$id" '[.[].id] == [$id]'
        manages 0 restore - --json <<<"$selector"
        json --arg id "$id" '[.[].id] == [$id]'
        manages 0 audit "$selector" --json
        json --arg id "$id" 'length >= 3 and all(.id == $id)'
        manages 0 delete "$selector" --json
        json --arg id "$id" '[.[].id] == [$id]'
        lacks "$output$stderr" "${token_two:8:8}"
    done
}

@test "rotate reads one selector from standard input, and refuses two" {
    token=$(create ci)
    create other
    manages 0 rotate - <<<"$token"
    remember
    manages 2 rotate - <<<$'ci\nother'
    manages 3 rotate nobody
    manages 3 rotate sk-
    unchanged
}

@test "revoke kills all secrets of a token, restore revives them, delete ends them" {
    write_tokens "$(record ci "$token_one" "\"previous\": [$(previous "$token_two" "$future")]")"
    manages 0 revoke ci
    everybody_says revoked "$token_one"
    everybody_says revoked "$token_two"
    manages 0 restore ci
    everybody_says accepted "$token_one"
    everybody_says accepted "$token_two"
    manages 0 delete "$token_two"
    everybody_says unknown "$token_one"
    everybody_says unknown "$token_two"
}

@test "a revoked token is not rotated, and the message says what to do first" {
    create ci
    manages 0 revoke ci
    remember
    for more in --json "--grace=0" "--expires=90d"; do
        manages 1 rotate ci "$more"
        same "$output" ""
        says "$stderr" "is revoked"
        says "$stderr" "restore"
        unchanged
    done
    manages 0 restore ci
    manages 0 rotate ci
}

@test "an expired token is rotated only with a new expiry, and its old secret stays dead" {
    write_tokens "$(record ci "$token_one" "\"expires_at\": \"$(in_seconds -1)\"")"
    remember
    manages 1 rotate ci
    same "$output" ""
    says "$stderr" "--expires 90d"
    unchanged
    manages 0 rotate ci --expires 90d --grace 7d
    new=$output
    says "$stderr" "No earlier secret"
    everybody_says accepted "$new"
    everybody_says unknown "$token_one"
}

@test "a token that is the environment key is not rotated, by whichever secret, and it is said why" {
    token=$(create ci)
    older=$token
    token=$("$manager" rotate ci 2>/dev/null)
    remember
    for secret in "$token" "$older"; do
        for grace in 0 24h; do
            FREEGPT_API_KEY=$secret manages 1 rotate ci --grace "$grace"
            same "$output" ""
            says "$stderr" "FREEGPT_API_KEY"
            unchanged
        done
    done
    echo "OPENAI_API_KEY=$token" >.env
    manages 1 rotate ci
    says "$stderr" ".env"
    unchanged
    manages 0 rotate ci --no-env-file
    echo "OPENAI_API_KEY=$stranger" >.env
    manages 0 rotate ci
}

@test "the new token begins as the old one, or as --prefix says" {
    create live --prefix sk_live_
    manages 0 rotate live
    [[ $output =~ ^sk_live_[0-9A-Za-z]{49}$ ]]
    manages 0 rotate live --prefix sk_test_
    [[ $output =~ ^sk_test_[0-9A-Za-z]{49}$ ]]
    manages 0 rotate live
    [[ $output =~ ^sk_test_[0-9A-Za-z]{49}$ ]]
    create longest --prefix 0123456789abcde_
    manages 0 rotate longest
    [[ $output =~ ^0123456789abcde_[0-9A-Za-z]{49}$ ]]
    create shortest --prefix _
    manages 0 rotate shortest
    [[ $output =~ ^_[0-9A-Za-z]{49}$ ]]
}

@test "an imported key of odd shape is rotated to a token of ours, and is good in its grace" {
    for key in abcdefghijklmnopqrstuvwxyz0123456789 '!"#$%&()*+,./:;<=>?@[]^{|}~abc' \
        ab1-cdefgh2ijklmn3opqrst4uvwxyz5ABCDEF6GHIJKL7MNOPQR8STU; do
        rm -f api_tokens.json*
        printf '%s\n' "$key" | "$manager" import --format list -
        manages 0 rotate "$(jq -r '.tokens[0].id' api_tokens.json)"
        [[ $output =~ [-_][0-9A-Za-z]{49}$ ]]
        lacks "$output" "${key:11:8}"
        new=$output
        verdict "$new"
        exits 0
        verdict "$key"
        exits 0
    done
}

@test "an imported key whose beginning is shown is rotated to a token that begins alike" {
    body=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP
    for scheme in gsk_ sk-; do
        rm -f api_tokens.json*
        printf '%s\n' "$scheme$body" | "$manager" import -
        says "$(jq -r '.tokens[0].prefix' api_tokens.json)" "${scheme}01234"
        manages 0 rotate "$(jq -r '.tokens[0].id' api_tokens.json)"
        [[ $output =~ ^${scheme}[0-9A-Za-z]{49}$ ]]
    done
}

@test "with standard output closed, or only readable, nothing is rotated" {
    token=$(create ci)
    remember
    for option in --json --env --grace=0; do
        run_apart sh -c '"$@" >&-' sh "$manager" rotate ci "$option"
        exits 1
        says "$stderr" "nothing was changed"
        unchanged
        run_apart sh -c '"$@" 1</dev/null' sh "$manager" rotate ci "$option"
        exits 1
        unchanged
    done
    verdict "$token"
    exits 0
}

@test "a new secret that does not fit on a full disk is told, and the remedy makes another" {
    [ -c /dev/full ] || skip "needs /dev/full"
    token=$(create ci)
    for option in --json --env --lock-timeout=5; do
        run_apart sh -c '"$@" >/dev/full' sh "$manager" rotate ci "$option"
        exits 1
        says "$stderr" "$(field ci id)"
        [[ $stderr =~ \`token_manager\ ([^\`]*)\` ]]
        read -ra remedy <<<"${BASH_REMATCH[1]}"
        manages 0 "${remedy[@]}"
        new=$output
        verdict "$new"
        exits 0
        verdict "$token"
        exits 0
    done
}

@test "list shows the older secrets that are good still, and until when" {
    soon=$(in_seconds 3700)
    write_tokens "$(record ci "$token_one" "\"previous\": [$(previous "$token_two" "$soon"),
        $(previous "$token_three" "$past")]")" \
        "$(record gone a "\"revoked_at\": \"$past\", \"previous\": [$(previous b "$soon")]")"
    manages 0 list
    same "$(grep Previous <<<"$output")" "   Previous secret ${token_two:0:8}... until $soon (in 1 hour)"
    manages 0 list --json
    json --arg soon "$soon" --arg prefix "${token_two:0:8}" \
        '[.[].previous] == [[{"prefix": $prefix, "expires_at": $soon}], []]'
    lacks "$output" "$(digest "$token_two")"
}

@test "rotations at once lose nothing: every secret that was printed is good" {
    create ci >secrets.0
    for i in 1 2 3 4 5 6 7 8 9 10; do
        "$manager" rotate ci >"secrets.$i" 2>/dev/null &
        pids[i]=$!
    done
    wait "${pids[@]}"
    same "$(cat secrets.* | sort -u | wc -l)" 11
    run_apart "$verifier" stream < <(cat secrets.*)
    same "$(sort -u <<<"$output")" "OK $(field ci id) ci"
    same "${#lines[@]}" 11
    same "$(older ci | wc -l)" 10
    same "$(jq -r .action api_tokens.json.audit | grep -c rotate)" 10
}

@test "a rotation is one line of the trail, with the beginnings and ends and no digest" {
    token=$(create ci)
    manages 0 rotate ci --expires 2990-01-31
    new=$output
    tail -n 1 api_tokens.json.audit | jq -e --slurpfile file api_tokens.json '$file[0].tokens[0] as $t
        | .action == "rotate" and .id == $t.id and .changed == {prefix: $t.prefix,
          previous: [$t.previous[] | {prefix, expires_at}], expires_at: "2990-01-31T00:00:00Z"}'
    for secret in "$token" "$new"; do
        run -1 grep -F -e "${secret:14:8}" -e "$(digest "$secret")" api_tokens.json.audit
    done
    manages 0 rotate ci --grace 0
    tail -n 1 api_tokens.json.audit | jq -e '.changed | keys == ["prefix", "previous"] and .previous == []'
}
