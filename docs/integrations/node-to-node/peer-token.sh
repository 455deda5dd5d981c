#!/bin/sh
# Have a peer make this server's token over there, and keep it here: one secret, in a file.
# Where the peer has it already, nothing happens; --rotate replaces it, and what was kept here
# stays good over there for 24 hours.
#
# usage: peer-token.sh [--rotate] PEER
set -eu
umask 077

folder=/etc/peer-tokens
name=from-${NODE_NAME:-$(hostname)}

fail() {
    echo "peer-token.sh: $1" >&2
    exit 1
}

command=create
if [ "${1-}" = --rotate ]; then
    command=rotate
    shift
fi
[ $# = 1 ] || fail "usage: peer-token.sh [--rotate] PEER"
case $1 in
'' | [.-]* | *[!A-Za-z0-9._-]*) fail "a peer is letters, digits and . _ -" ;;
esac
case $command in
create) request="token_manager create $name --if-not-exists" ;;
rotate) request="token_manager rotate $name --grace 24h" ;;
esac
peer=$1
kept=$folder/$peer.token

# One at a time: of two that rotate, the earlier could be the last to write.
exec 9>>"$folder/lock"
flock 9

# What cannot be written ends it here, before there is a secret that nobody keeps.
new=$(mktemp "$kept.XXXXXX")
trap 'rm -f "$new"' EXIT
trap 'exit 1' HUP INT TERM

token=$(ssh -T -F "$folder/ssh_config" -- "$peer" "$request" </dev/null)
if [ -z "$token" ]; then # never to be kept: it would overwrite a good one
    if [ "$command" = rotate ] || [ ! -s "$kept" ]; then
        fail "$peer gave no token, and none is kept here: try --rotate"
    fi
    exit 0
fi
case $token in
*[!A-Za-z0-9_-]*) fail "what $peer gave is no token; not kept" ;;
esac
# Tokens are longer. A word may be what the peer's .bashrc prints.
[ "${#token}" -ge 50 ] || fail "what $peer gave is no token; not kept"
if ! printf '%s\n' "$token" >"$new" || ! mv -f "$new" "$kept"; then
    fail "not kept: try --rotate; a token that was kept before is good for 24 hours"
fi
