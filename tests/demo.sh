#!/usr/bin/env bash
# The main job, shown: two tokens, a list, a verdict, a revoke, and the three modes.
set -eu
exec 2>&1

manager=${BIN:-$PWD/build}/token_manager
verifier=${BIN:-$PWD/build}/token_verifier
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
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

show "token_manager revoke ${token:0:14}..."
"$manager" revoke "${token:0:14}..."

# shellcheck disable=SC2016 # the variable is part of the show
show 'echo "Authorization: Bearer $TOKEN" | token_verifier check'
echo "Authorization: Bearer $token" | "$verifier" check || echo "(exit status $?)"

show 'token_manager delete my-application mobile-app'
"$manager" delete my-application mobile-app

show 'rm api_tokens.json; FREEGPT_API_KEY=a-key-for-this-demo token_verifier status'
rm api_tokens.json
FREEGPT_API_KEY=a-key-for-this-demo "$verifier" status

show 'token_verifier status    # no file, no key'
"$verifier" status
