# For files that were written by hand: a good one with two tokens, to be broken in one place, and
# what everybody says to a file.
# shellcheck shell=bash disable=SC2154 # what common.bash sets

secret=sk-first-5f0a7c1e9b3d2468
second_secret=sk-second-5f0a7c1e9b3d2468
older_secret=sk-older-5f0a7c1e9b3d2468

digest() {
    local line
    line=$(printf %s "$1" | b2sum -l 256)
    printf 'blake2b-256:%s' "${line%% *}"
}

# Sets $good, and $first and $second, which are its records.
write_good() {
    hash=$(digest "$secret")
    first='{"id": "tok_0000000000000001", "name": "first", "prefix": "sk-first", "hash": "'$hash
    first+='", "created_at": "2026-01-01T00:00:00Z"}'
    second='{"id": "tok_0000000000000002", "name": "second", "prefix": "sk-second", "hash": "'
    second+=$(digest "$second_secret")'", "created_at": "2026-01-02T00:00:00Z", '
    second+='"expires_at": "2999-01-01T00:00:00Z", "scopes": ["read", "write"], "note": "spare", '
    second+='"previous": [{"prefix": "sk-older", "hash": "'$(digest "$older_secret")
    second+='", "expires_at": "2999-01-02T00:00:00Z"}]}'
    good=$'{\n  "version": 1,\n  "tokens": [\n    '"$first"$',\n    '"$second"$'\n  ]\n}\n'
    printf %s "$good" >api_tokens.json
}

# The good file with one text put in place of another: change FROM TO
change() {
    local changed=${good/"$1"/"$2"}

    [ "$changed" != "$good" ] || { echo "not in the good file: $1" && return 1; }
    printf %s "$changed" >api_tokens.json
}

# Nobody takes api_tokens.json as it stands, everybody says where and why, and it stays as it is:
# refused LINE REASON [WHAT]; a LINE of "" is any.
refused() {
    local line=${1:-[0-9]+} reason=$2 what=${3-} reader said code before after

    mapfile -d '' before <api_tokens.json # some have NUL bytes
    for reader in "$manager list --json" "$manager create third" "$verifier check"; do
        code=0
        # shellcheck disable=SC2086 # two words
        said=$($reader 2>&1 >out <<<"$secret") || code=$?
        if [ "$code" -ne 6 ] || [ -s out ] || [ -e api_tokens.json.tmp ] || ! [[ $said =~ api_tokens\.json:$line:\ (.*) ]] ||
            [[ ${BASH_REMATCH[1]} != *"$reason"* ]] ||
            [[ $reader == *check && $said != *"(unavailable)"* ]]; then
            printf '%q: %s: exit %s, wanted line %s and "%s": %s\n' "$what" "$reader" "$code" "$line" \
                "$reason" "$said"
            cat -v api_tokens.json out
            return 1
        fi
    done
    mapfile -d '' after <api_tokens.json
    [ "${after[*]@Q}" = "${before[*]@Q}" ] || { echo "$what: it has changed: ${after[*]@Q}" && return 1; }
}

# broken LINE REASON FROM TO: the good file with that change is refused.
broken() {
    change "$3" "$4" && refused "$1" "$2" "$3 -> $4"
}

# Everybody takes api_tokens.json as it stands, and it can be changed: accepted [WHAT]
accepted() {
    local what=${1-} said

    : >api_tokens.json.usage
    if ! said=$("$manager" list --json 2>&1) ||
        ! said=$("$verifier" check <<<"$secret" 2>&1) || [ "$said" != "tok_0000000000000001 first" ] ||
        ! said=$("$manager" create "third" 2>&1) || ! said=$("$manager" revoke third first 2>&1) ||
        ! said=$("$manager" list --status revoked --json 2>&1) ||
        [ "$(jq -r '.[].name' <<<"$said")" != $'first\nthird' ]; then
        echo "$what: $said"
        cat -v api_tokens.json
        return 1
    fi
}
