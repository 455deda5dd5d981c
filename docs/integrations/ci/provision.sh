#!/bin/sh
# What an ssh key may do on this server: make and rotate API tokens of certain names, and nothing else.
# It is named in authorized_keys, see there, with one argument: the only name allowed or, with a / at
# its end, what names have to begin with.
#
# What the client asks for is compared, and never run: no shell sees it, and no word of it but the name
# reaches token_manager.
set -euf
LC_ALL=C
export LC_ALL

manager=/usr/local/bin/token_manager
store=/var/lib/token_manager/api_tokens.json

refuse() {
    echo "provision.sh: refused: $1" >&2
    exit 1
}

allowed=${1:?usage: provision.sh NAME | BEGINNING/}
asked=${SSH_ORIGINAL_COMMAND-}

case $asked in
'token_manager create '*' --if-not-exists')
    name=${asked#token_manager create }
    name=${name% --if-not-exists}
    set -- create --if-not-exists
    ;;
'token_manager rotate '*' --grace 24h')
    name=${asked#token_manager rotate }
    name=${name% --grace 24h}
    set -- rotate --grace 24h
    ;;
*)
    refuse 'only "token_manager create NAME --if-not-exists" and "token_manager rotate NAME --grace 24h"'
    ;;
esac

case $name in
'' | *[!A-Za-z0-9._/-]* | *..*) refuse "names here are letters, digits and . _ / -, without .." ;;
esac
case $allowed in
*/) case $name in "$allowed"?*) ;; *) refuse "this key is for names that begin with $allowed" ;; esac ;;
*) [ "$name" = "$allowed" ] || refuse "this key is for the name $allowed" ;;
esac

exec "$manager" "$@" --file "$store" --no-env-file -- "$name"
