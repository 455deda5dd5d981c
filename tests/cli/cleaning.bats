#!/usr/bin/env bats
# Finding and removing what is not used any more, without ever taking an unrecorded use for none.
# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; load and run set variables
# shellcheck disable=SC2016  # jq has variables of its own

bats_require_minimum_version 1.5.0
load common
load manager

usage=api_tokens.json.usage

# The record of uses since 2001, and then lines "NUMBER TIME": uses [LINE...]
uses() {
    local line
    echo since 2001-01-01T00:00:00Z >$usage
    for line; do
        echo "$(id_of "${line%% *}") ${line#* }" >>$usage
    done
}

now() {
    date -u +%Y-%m-%dT%H:%M:%SZ
}

# An old unused one, one used long ago, one used just now, a revoked one, and a new one.
some_tokens() {
    records "$(record 1 idle sk-aaaaaaaaaaa)" "$(record 2 "long ago" sk-bbbbbbbbbbb)" \
        "$(record 3 busy sk-ccccccccccc)" "$(record 4 gone sk-ddddddddddd "$revoked")" \
        "$(record 5 new sk-eeeeeeeeeee | sed "s/2001-02-03T04:05:06Z/$(now)/")"
    uses '2 2002-01-01T00:00:00Z' "3 $(now)" '4 2001-05-01T00:00:00Z'
}

# Everything there is, the uses too: keep … kept
keep() {
    remember
    cp -a $usage before/usage 2>/dev/null || rm -rf before/usage
}

kept() {
    unchanged
    [ ! -e before/usage ] || cmp before/usage $usage
}

@test "--unused-for means those that were there by then, and not used since, nor revoked" {
    some_tokens
    exits 0 "$manager" list --unused-for 90d --json
    json '[.[].name] == ["idle", "long ago"]'
    exits 0 "$manager" list --unused-for 0 --json
    json '[.[].name] | index("idle") and (index("gone") | not)'
    exits 0 "$manager" list --unused --json
    json '[.[].name] == ["idle", "new"]'
    exits 0 "$manager" list --unused --unused-for 90d --json
    json '[.[].name] == ["idle"]'
}

@test "revoke --unused-for revokes exactly what list --unused-for shows" {
    some_tokens
    exits 0 "$manager" revoke --unused-for 90d --json
    json '[.[] | [.name, .status, .changed]] == [["idle", "revoked", true], ["long ago", "revoked", true]]'
    [ "$(jq -r .name api_tokens.json.audit | paste -sd,)" = "idle,long ago" ]
    [ "$(status_of busy),$(status_of new)" = active,active ]
    exits 0 "$manager" revoke --unused-for 90d
    says 'nothing was changed'
}

@test "--dry-run says what would be done and changes nothing" {
    some_tokens
    keep
    exits 0 "$manager" revoke --unused-for 90d --dry-run
    says 'Would revoke "idle"' 'Would revoke "long ago"'
    hides busy Revoked
    kept
    exits 0 "$manager" revoke --unused-for 90d --dry-run --json
    json 'length == 2 and all(.dry_run == true)'
    kept
    exits 0 "$manager" delete --revoked-for 30d --dry-run
    says 'Would delete "gone"'
    hides Deleted
    kept
    exits 0 "$manager" revoke --dry-run busy
    says 'Would revoke "busy"'
    kept
}

# What asks for use is refused with 1, these words and no change: cannot_tell WORDS...
cannot_tell() {
    local words
    for words in 'list --unused-for 90d' 'revoke --unused-for 90d' 'revoke --unused-for 90d --dry-run' \
        'list --unused-for 90d --json'; do
        read -ra words <<<"$words"
        exits 1 "$manager" "${words[@]}"
        [ "$output" = "" ]
        says "$@"
        kept
    done
}

@test "without a since line nothing is said to be unused" {
    some_tokens
    for lines in '' "$(id_of 2) 2002-01-01T00:00:00Z" 'since yesterday' 'since 2001-01-01'; do
        printf '%s' "${lines:+$lines$'\n'}" >$usage
        keep
        cannot_tell $usage 'since when'
        exits 1 "$manager" list --unused
    done
}

@test "without the usage file nothing is said to be unused" {
    some_tokens
    rm $usage
    keep
    cannot_tell $usage
    [ ! -e $usage ]
}

@test "with a usage file that cannot be read nothing is said to be unused" {
    some_tokens
    rm $usage
    mkdir $usage
    remember
    for command in list revoke; do
        run_apart "$manager" "$command" --unused-for 90d
        [ "$status" -ne 0 ]
        [ "$output" = "" ]
        says $usage
        unchanged
    done
}

@test "with uses recorded for less than is asked nothing is said to be unused" {
    some_tokens
    echo "since $(now)" >$usage
    keep
    cannot_tell $usage 'recorded since'
}

@test "list --unused tells of tokens that are older than the record of uses" {
    some_tokens
    echo "since 2015-01-01T00:00:00Z" >$usage
    exits 0 "$manager" list --unused --json
    json '[.[].name] == ["new"]'
    says '3 tokens are older' 2015-01-01T00:00:00Z
    exits 0 "$manager" list --unused-for 90d --json
    json '[.[].name] == ["idle", "long ago", "busy"]'
}

@test "--usage tells where the uses are" {
    some_tokens
    mv $usage elsewhere
    exits 1 "$manager" revoke --unused-for 90d
    exits 0 "$manager" revoke --unused-for 90d --usage elsewhere --json
    json 'length == 2'
}

@test "delete --revoked-for deletes those that were revoked by then" {
    records "$(record 1 good sk-aaaaaaaaaaa)" "$(record 2 old sk-bbbbbbbbbbb "$revoked")" \
        "$(record 3 fresh sk-ccccccccccc "\"revoked_at\": \"$(now)\"")" "$(record 4 late sk-ddddddddddd "$expired")"
    exits 0 "$manager" delete --revoked-for 30d --json </dev/null
    json '[.[] | [.name, .status]] == [["old", "deleted"]]'
    [ "$(jq -r '[.tokens[].name] | join(",")' api_tokens.json)" = good,fresh,late ]
    remember
    exits 0 "$manager" delete --revoked-for 30d
    says 'nothing was changed'
    unchanged
    exits 0 "$manager" delete --revoked-for 30d --json
    [ "$output" = "[]" ]
}

@test "delete --revoked-for needs no usage file" {
    records "$(record 2 old sk-bbbbbbbbbbb "$revoked")"
    mkdir $usage
    exits 0 "$manager" delete --revoked-for 30d
    [ "$(jq '.tokens | length' api_tokens.json)" -eq 0 ]
}

@test "names and criteria together, or neither, or a bad length of time, are refused" {
    some_tokens
    keep
    while read -ra words; do
        exits 2 "$manager" "${words[@]}"
        kept
    done <<'END'
revoke --unused-for 90d idle
delete --revoked-for 30d gone
revoke
delete
revoke --dry-run
revoke --unused-for 90
revoke --unused-for soon
delete --revoked-for 2027-01-31
delete --unused-for 90d
revoke --revoked-for 90d
END
}

@test "the environment key is not deleted by age either" {
    token=$(create ci)
    "$manager" revoke ci
    remember
    export FREEGPT_API_KEY=$token
    for option in --yes --dry-run; do
        exits 1 "$manager" delete --revoked-for 0 "$option"
        says FREEGPT_API_KEY
        unchanged
    done
}

@test "at a terminal delete by age asks, and not with --yes or --dry-run" {
    needs expect
    records "$(record 1 good sk-aaaaaaaaaaa)" "$(record 2 old sk-bbbbbbbbbbb "$revoked")"
    remember
    run answering 'n\r' "$manager" delete --revoked-for 30d
    [ "$status" -eq 1 ]
    [[ $output == *old*"Delete this token for good?"* ]]
    unchanged
    run answering 'n\r' "$manager" delete --revoked-for 30d --dry-run
    [ "$status" -eq 0 ]
    [[ $output != *"for good?"* ]]
    unchanged
    run answering 'n\r' "$manager" delete --revoked-for 30d --yes
    [ "$status" -eq 0 ]
    [[ $output != *"for good?"* ]]
    [ "$(jq '.tokens | length' api_tokens.json)" -eq 1 ]
}

@test "a use within the last minute may not be recorded yet, and counts as one" {
    records "$(record 1 ci sk-a1b2c3d4e5f)"
    printf 'since 2001-01-01T00:00:00Z\n%s %s\n' "$(id_of 1)" \
        "$(date -u -d "@$(($(date +%s) - 630))" +%Y-%m-%dT%H:%M:%SZ)" >api_tokens.json.usage
    exits 0 "$manager" list --unused-for 10m --json
    json '. == []'
    exits 0 "$manager" list --unused-for 9m --json
    json '[.[].name] == ["ci"]'
}

@test "a token that is restored while delete asks about it is spared" {
    needs expect
    records "$(record 1 kept sk-aaaaaaaaaaa "$revoked")" "$(record 2 gone sk-bbbbbbbbbbb "$revoked")"
    run expect -c "
        set timeout 10
        spawn $manager delete --revoked-for 30d
        expect {for good?}
        exec $manager restore kept 2>/dev/null
        send \"y\r\"
        expect eof
        lassign [wait] pid spawned failed code
        exit \$code"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"Deleted \"gone\""* ]]
    [ "$(jq -r '[.tokens[].name] | join(" ")' api_tokens.json)" = kept ]
}
