#!/bin/sh
# The main job, shown: two tokens, a list, verdicts, a revoke, and the three modes.
set -eu
exec 2>&1

manager=${BIN:-$PWD/build}/token_manager
verifier=${BIN:-$PWD/build}/token_verifier
authd=${BIN:-$PWD/build}/token_authd
authd_pid=
folder=$(mktemp -d)
end() {
    [ -z "$authd_pid" ] || kill "$authd_pid"
    wait
    rm -rf "$folder"
}
trap end EXIT
cd "$folder"
unset FREEGPT_API_KEY OPENAI_API_KEY API_TOKENS_FILE

show() {
    printf '\n$ %s\n' "$1"
}

show 'token_manager create my-application'
token=$("$manager" create my-application)
printf '%s\n' "$token"

show 'token_manager create mobile-app'
"$manager" create mobile-app

show 'token_manager list'
"$manager" list

# shellcheck disable=SC2016 # the variable is part of the show
show 'echo "Authorization: Bearer $TOKEN" | token_verifier check'
echo "Authorization: Bearer $token" | "$verifier" check

ask() {
    # shellcheck disable=SC2016 # the variable is part of the show
    show 'curl -i -H "X-Api-Key: $TOKEN" --unix-socket authd.sock http://authd/verify'
    curl -si -H "X-Api-Key: $token" --unix-socket authd.sock http://authd/verify | tr -d '\r'
}

if [ -x "$authd" ] && command -v curl >/dev/null; then
    show 'token_authd --listen unix:authd.sock &'
    "$authd" --listen unix:authd.sock &
    authd_pid=$!
    while kill -0 "$authd_pid" && [ ! -S authd.sock ]; do sleep 0.02 2>/dev/null || sleep 1; done
    ask
fi

beginning=$(printf %.14s "$token")...
show "token_manager revoke $beginning"
"$manager" revoke "$beginning"

# shellcheck disable=SC2016 # the variable is part of the show
show 'echo "Authorization: Bearer $TOKEN" | token_verifier check'
echo "Authorization: Bearer $token" | "$verifier" check || echo "(exit status $?)"

if [ -n "$authd_pid" ]; then
    ask
    kill "$authd_pid"
    wait "$authd_pid" || true
    authd_pid=
fi

show 'token_manager delete my-application mobile-app'
"$manager" delete my-application mobile-app

show 'rm api_tokens.json; FREEGPT_API_KEY=a-key-for-this-demo token_verifier status'
rm api_tokens.json
FREEGPT_API_KEY=a-key-for-this-demo "$verifier" status

show 'token_verifier status    # no file, no key'
"$verifier" status
