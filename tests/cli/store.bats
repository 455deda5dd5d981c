#!/usr/bin/env bats
# Many at once, and what a verifier sees of each change.

# shellcheck disable=SC2154 # what the loaded files set
bats_require_minimum_version 1.5.0
load common
load place

@test "sixty-four creates at once leave sixty-four tokens" {
    pids=()
    for i in {1..64}; do
        "$manager" create --lock-timeout 100 "token-$i" >"printed.$i" 2>"said.$i" 3>&- &
        pids+=($!)
    done
    for i in {1..64}; do
        wait "${pids[i - 1]}" || { echo "token-$i: $(cat "said.$i")" && return 1; }
    done
    diff <("$manager" list --json | jq -r '.[].name' | sort) <(printf 'token-%d\n' {1..64} | sort)
    [ "$(jq -r '.tokens[].id' api_tokens.json | sort -u | wc -l)" -eq 64 ]
    for i in {1..64}; do
        [ "$("$verifier" check <"printed.$i" | cut -d' ' -f2)" = "token-$i" ] ||
            { echo "token-$i is not accepted" && return 1; }
    done
    [ "$(jq -r .name api_tokens.json.audit | sort -u | wc -l)" -eq 64 ]
    [ "$(wc -l <api_tokens.json.audit)" -eq 64 ]
    [ ! -e api_tokens.json.tmp ]
}

@test "of sixteen creates of one name at once, one is made" {
    pids=()
    for i in {1..16}; do
        "$manager" create --lock-timeout 100 same >"printed.$i" 2>"said.$i" 3>&- &
        pids+=($!)
    done
    codes=
    for pid in "${pids[@]}"; do
        code=0
        wait "$pid" || code=$?
        codes+="$code "
    done
    [ "$(tr ' ' '\n' <<<"$codes" | grep -c '^0$')" -eq 1 ]
    [ "$(tr ' ' '\n' <<<"$codes" | grep -c '^5$')" -eq 15 ]
    [ "$(jq '.tokens | length' api_tokens.json)" -eq 1 ]
    "$verifier" check < <(cat printed.*)
}

@test "writers of every kind at once lose no change, and readers always see a whole file" {
    for i in {1..20}; do
        create "revoke-$i" >"revoked.$i"
        create "delete-$i" >"deleted.$i"
    done
    create stays >stays.token
    (
        while [ ! -e enough ]; do
            "$manager" list --json | jq -e 'map(.name) | index("stays") != null' >seen ||
                echo "a list failed" >>failed
            "$verifier" check <stays.token >checked || echo "a check failed" >>failed
        done
    ) 2>>failed 3>&- &
    reader=$!
    pids=()
    for i in {1..20}; do
        for command in "create new-$i" "revoke revoke-$i" "delete delete-$i"; do
            # shellcheck disable=SC2086 # words
            "$manager" $command --lock-timeout 100 >"${command// /.}" 2>"${command// /.}.said" 3>&- &
            pids+=($!)
        done
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || { cat ./*.said && return 1; }
    done
    touch enough
    wait $reader
    [ ! -s failed ] || { cat failed && return 1; }

    diff <("$manager" list --json | jq -r '.[] | .status + " " + .name' | sort) <(
        {
            echo active stays
            printf 'active new-%d\n' {1..20}
            printf 'revoked revoke-%d\n' {1..20}
        } | sort
    )
    for i in {1..20}; do
        for file in "revoked.$i" "deleted.$i"; do
            ! "$verifier" check <"$file" || { echo "$file is accepted" && return 1; }
        done
        "$verifier" check <"create.new-$i"
    done
    [ "$(wc -l <api_tokens.json.audit)" -eq 101 ]
}

@test "60 times: what was created is accepted, and once it is revoked it is refused" {
    for i in {1..60}; do
        "$manager" create "token-$i" >token 2>said
        accepted=$("$verifier" check <token 2>&1) || true
        "$manager" revoke "token-$i" 2>said
        refused=0
        said=$("$verifier" check <token 2>&1) || refused=$?
        if [[ $accepted != *" token-$i" || $refused -ne 1 || $said != *"(revoked)"* ]]; then
            echo "$i: accepted: $accepted; refused: $refused, $said"
            return 1
        fi
    done
}
