#!/usr/bin/env bats
# docs/integrations/node-to-node: two servers, each with an sshd and a token file of its own, that have
# tokens made at each other by the very files that people copy.
# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; variables of what is loaded

bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load sshd

# Two servers that know each other: start_nodes. Folder NODE is what is sshd's there, and
# NODE/peers is /etc/peer-tokens.
start_nodes() {
    local node peer
    declare -A ports
    for node in alpha beta; do
        mkdir -p "$node/peers"
        new_key "$node/peers/id_ed25519"
        provision_in "$node"
        integration node-to-node/peer-token.sh folder=/etc/peer-tokens "folder=$PWD/$node/peers" \
            >"$node/peer-token.sh"
    done
    authorize beta node-to-node/authorized_keys alpha/peers/id_ed25519.pub
    authorize alpha node-to-node/authorized_keys beta/peers/id_ed25519.pub from-alpha from-beta
    for node in alpha beta; do
        start_sshd "$node"
        ports[$node]=$port
    done
    for node in alpha beta; do
        peer=$(other "$node")
        integration node-to-node/ssh_config /etc/peer-tokens/ "$PWD/$node/peers/" "User root" "User $account" \
            "#Host beta" "Host $peer" "#    HostName beta.example.org" "HostName 127.0.0.1" \
            "#    Port 22" "Port ${ports[$peer]}" >"$node/peers/ssh_config"
        cp "$peer/known_hosts" "$node/peers/known_hosts"
    done
}

other() {
    [ "$1" = alpha ] && echo beta || echo alpha
}

# on NODE [OPTION...]: peer-token.sh there.
on() {
    local node=$1
    shift
    NODE_NAME=$node run_apart sh "$node/peer-token.sh" "$@"
    [ -z "$(find "$node/peers" -name '*.token.*')" ] || fail "this was left behind:" "$node"/peers/*
}

# kept NODE PEER: NODE has a token that PEER takes for NODE's. Sets token.
kept() {
    local found file=$1/peers/$2.token
    [ -s "$file" ] || fail "nothing is kept" "$output" "$stderr"
    same "$(stat -c %a "$file")" 600
    token=$(<"$file")
    found=$("$verifier" check --file "$2/api_tokens.json" <<<"$token") || fail "$2 refuses it"
    says "$found" " from-$1"
    lacks "$output$stderr" "$token"
}

@test "each server gets a token of its own at the other, named for it, in a file for its owner only" {
    start_nodes
    umask 022
    on alpha beta
    exits 0
    kept alpha beta
    on beta alpha
    exits 0
    kept beta alpha
    same "$(jq -r '.tokens[].name' alpha/api_tokens.json beta/api_tokens.json)" $'from-beta\nfrom-alpha'
}

@test "a second time changes nothing, on either side" {
    start_nodes
    on alpha beta
    cp -p alpha/peers/beta.token first
    cp beta/api_tokens.json before
    on alpha beta
    exits 0
    cmp first alpha/peers/beta.token
    cmp before beta/api_tokens.json
}

@test "rotation replaces what is kept, and the old one is good for now" {
    start_nodes
    on alpha beta
    cp alpha/peers/beta.token first
    on alpha --rotate beta
    exits 0
    kept alpha beta
    [ "$token" != "$(<first)" ] || fail "it is the old one"
    run "$verifier" check --file beta/api_tokens.json <first
    exits 0
}

@test "what is kept opens the peer's server as the README shows, until it is revoked there" {
    local shown
    start_nodes
    on alpha beta
    start_authd --file beta/api_tokens.json
    # The line of the README, with our address.
    shown=$(grep -o "printf 'header = [^\`]*" "$integrations/node-to-node/README.md")
    [[ $shown == *" /etc/peer-tokens/beta.token)"*" https://beta.example.org/" ]] || fail "$shown"
    shown=${shown/\\|/|} # as it is written in a table
    shown=${shown//\/etc\/peer-tokens\//"$PWD/alpha/peers/"}
    shown=${shown//https:\/\/beta.example.org\//"$authd_url/verify -sS -D -"}
    run bash -c "$shown"
    says "$output" "X-Token-Name: from-alpha"
    "$manager" --file beta/api_tokens.json revoke from-alpha
    run bash -c "$shown"
    says "$output" "401 Unauthorized"
}

@test "where ssh fails, or nothing or nonsense comes, what is kept stays" {
    local answer
    start_nodes
    echo sk-kept-before >alpha/peers/beta.token
    for answer in "exit 0" "echo Welcome" "echo Welcome to beta" "printf 'sk-one\nsk-two\n'" "echo sk-0123456789; exit 6"; do
        printf '#!/bin/sh\n%s\n' "$answer" >beta/provision.sh
        on alpha --rotate beta
        [ "$status" -ne 0 ] || fail "it should fail: $answer"
        same "$(<alpha/peers/beta.token)" sk-kept-before
    done
    provision_in beta
    cp alpha/known_hosts alpha/peers/known_hosts
    on alpha beta
    [ "$status" -ne 0 ] || fail "it is another server"
    says "$stderr" "Host key verification failed"
    same "$(<alpha/peers/beta.token)" sk-kept-before
    [ ! -e beta/api_tokens.json ] || fail "a token was made"
}

@test "a token that exists there but is not kept here is an error that says what to do, and that helps" {
    start_nodes
    on alpha beta
    rm alpha/peers/beta.token
    on alpha beta
    exits 1
    says "$stderr" "try --rotate"
    on alpha --rotate beta
    exits 0
    kept alpha beta
}

@test "a server cannot have another's token made or replaced" {
    start_nodes
    "$manager" --file beta/api_tokens.json create from-gamma >/dev/null
    cp beta/api_tokens.json before
    NODE_NAME=gamma run_apart sh alpha/peer-token.sh --rotate beta
    exits 1
    says "$stderr" "this key is for the name from-alpha"
    NODE_NAME='alpha --if-not-exists; id; true' run_apart sh alpha/peer-token.sh beta
    exits 1
    same "$output" ""
    cmp before beta/api_tokens.json
    [ ! -e alpha/peers/beta.token ]
}

@test "a peer that is an option, a path or nothing is refused" {
    local peer
    start_nodes
    for peer in -oProxyCommand=id ../beta .beta 'beta;id' 'a b' ''; do
        on alpha "$peer"
        exits 1
        says "$stderr" "a peer is"
    done
    on alpha
    exits 1
    says "$stderr" "usage"
    on alpha beta alpha
    exits 1
}
