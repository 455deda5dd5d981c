#!/bin/sh
# Asks an API with a key, in each of the headers that it may be in, and then for a chat.
#
# usage: API_KEY=… [API_URL=http://127.0.0.1:8080] sh curl.sh
set -eu

: "${API_KEY:?is not set}"
url=${API_URL:-http://127.0.0.1:8080}

# Each header comes by standard input (-H @-), because other users of the machine can read command lines, as
# in the usual -H "Authorization: Bearer $API_KEY". Of a shell's own printf they see nothing.
printf 'Authorization: Bearer %s\n' "$API_KEY" | curl -sS --fail-with-body -H @- "$url/v1/models"
printf 'X-Api-Key: %s\n' "$API_KEY" | curl -sS --fail-with-body -H @- "$url/v1/models"
printf 'X-Auth-Token: %s\n' "$API_KEY" | curl -sS --fail-with-body -H @- "$url/v1/models"
printf 'Api-Key: %s\n' "$API_KEY" | curl -sS --fail-with-body -H @- "$url/v1/models"

printf 'Authorization: Bearer %s\n' "$API_KEY" |
    curl -sS --fail-with-body -H @- -H 'Content-Type: application/json' "$url/v1/chat/completions" \
        -d '{"model": "my-model", "messages": [{"role": "user", "content": "Hello!"}]}'
