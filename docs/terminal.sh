#!/usr/bin/env bash
# Makes docs/terminal.svg, the picture in the README: the main job, run at a real terminal, with what the
# programs printed and in their colours. `make picture` writes it anew; a test tells when it is stale.
#
# usage: BIN=build docs/terminal.sh >docs/terminal.svg
#
# What differs from run to run is put as it might have been, at the same length: the folder, ids, times and
# beginnings of tokens in the picture are nobody's.
set -eu -o pipefail
export LC_ALL=C.UTF-8
export BIN=${BIN:-$PWD/build}
here=$(cd "$(dirname "$0")" && pwd)

type_in() {
    printf '\033[1;32m$\033[0m \033[1m%s\033[0m\n' "${1//"$port"/8008}"
    eval "$1"
}

# What is typed, and what comes of it. The port is one that is free here, and 8008 to see.
# shellcheck disable=SC2016 # the variable is part of the show
session() {
    port=$1
    stty cols 80 rows 40
    PATH=$BIN:$PATH
    type_in 'TOKEN=$(token_manager create my-application)'
    echo
    type_in 'token_manager list'
    echo
    type_in "token_authd --listen 127.0.0.1:$port 2>authd.log &"
    until grep -qs event=ready authd.log; do
        kill -0 $! # unless it has ended
        sleep 0.02
    done
    ask="curl -sI -H \"X-Api-Key: \$TOKEN\" 127.0.0.1:$port/verify | grep -E 'HTTP|Name'"
    type_in "$ask"
    echo
    type_in 'token_manager revoke my-application'
    echo
    type_in "$ask"
    kill $!
    wait
}

if [ "${1-}" = --session ]; then
    session "$2"
    exit
fi

# As long as the name that is shown for it.
folder=$(mktemp -d /tmp/XXXXXX)
shown_folder=/srv/my-api
trap 'rm -rf "$folder"' EXIT
cd "$folder"
unset NO_COLOR FREEGPT_API_KEY OPENAI_API_KEY API_TOKENS_FILE TOKEN_VERIFIER_REQUIRE_AUTH
export TERM=xterm-256color SHELL=/bin/bash

# A token that was made before, and has just been used.
before() {
    local token made_at
    rm -f api_tokens.json* authd.log
    token=$("$BIN/token_manager" create laptop 2>/dev/null)
    made_at=$(perl -MPOSIX -e 'print strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(time - 19 * 86400))')
    sed -i "s/\"created_at\": \"[^\"]*/\"created_at\": \"$made_at/" api_tokens.json
    "$BIN/token_verifier" check <<<"$token" >/dev/null
}

for _ in 1 2 3 4 5; do # another server may take the port
    before
    status=0
    script -qec "bash $(printf %q "$here/terminal.sh") --session $((10000 + RANDOM % 20000))" /dev/null \
        >screen </dev/null || status=$?
    grep -q "Address already in use" authd.log || break
done
[ "$status" = 0 ] || { cat screen authd.log >&2; exit 1; }

mapfile -t ids < <(grep -o 'tok_[0-9A-Za-z]*' api_tokens.json)
mapfile -t prefixes < <(sed -n 's/.*"prefix": "\([^"]*\)".*/\1/p' api_tokens.json)
sed -E -e "s#$folder#$shown_folder#g" \
    -e "s/${ids[0]}/tok_kRmCrIayzrdSiiRG/; s/${ids[1]}/tok_Xe8yG2nTq4WbLd6P/" \
    -e "s/${prefixes[0]}/sk-x9y8z7w6v5u/; s/${prefixes[1]}/sk-a1b2c3d4e5f/" \
    -e 's/\(([0-9]+ (second|minute)s? ago)\)/(just now)/g' \
    -e 's/[-0-9]{10}T[0-9:]{8}Z \(19 days/2026-11-01T09:12:44Z (19 days/' \
    -e 's/[-0-9]{10}T[0-9:]{8}Z \(just/2026-11-20T10:30:00Z (just/' screen |
    LC_ALL=C awk -v title="token_manager at work" \
        -v desc="A terminal. token_manager creates a token and lists it, a request with it is let in by \
token_authd, token_manager revokes it, and the same request is refused." -f "$here/terminal.awk"
