#!/usr/bin/env bats
# token_verifier check: what is read, what is said, and why a credential is refused.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, verifier and run; a test is a subshell
# shellcheck disable=SC2016  # dollars in single quotes are another shell's, or expect's

bats_require_minimum_version 1.5.0
load common
load verifier

# The credential that was refused, or the end of it, is not repeated.
not_repeated() {
    if [ "${#1}" -gt 12 ]; then
        lacks "$output$stderr" "${1: -12}"
    else
        lacks "$output$stderr" "$1"
    fi
}

repeat() {
    printf "%$1s" "" | tr ' ' "${2:-x}"
}

jwt_of() {
    printf 'eyJhbGciOiJSUzI1NiJ9.%s.%s' "$(repeat "$(($1 - 364))" a)" "$(repeat 342 b)"
}

# Runs `check` at a terminal. Its standard input are expect's commands from when echo is off; the
# terminal shows an exit status and the settings afterwards.
at_terminal() {
    needs expect
    {
        printf '%s\n' 'set timeout 20' \
            'spawn -noecho sh -c {trap : INT; "$0" check; echo "exit $?"; stty -a} $env(VERIFIER)' \
            'expect "not shown"' \
            'for {set i 0} {$i < 200} {incr i} {' \
            '    if {[regexp -- {-echo[ ;]} [exec stty -a <$spawn_out(slave,name)]]} break' \
            '    after 20' \
            '}'
        cat
        echo 'expect eof'
    } >terminal.exp
    VERIFIER=$verifier TOKEN=$token_one run expect -f terminal.exp
    exits 0
}

@test "a token of the file is accepted, with its id and name on standard output" {
    write_tokens "$(record first "$token_one")" "$(record second "$token_two")"
    verdict "$token_two"
    accepted "$(id_of "$token_two")" second
}

@test "a token that create has printed is accepted" {
    token=$(create my-application)
    verdict "$token"
    accepted "$(field my-application id)" my-application
}

@test "each header line is understood, its name and its scheme in any case" {
    write_tokens "$(record ci "$token_one")"
    for line in "Authorization: Bearer $token_one" "authorization: bearer $token_one" \
        "AUTHORIZATION: BEARER $token_one" "Authorization:Bearer $token_one" \
        $'Authorization:\tBearer\t'"$token_one" "Authorization:   Bearer    $token_one" \
        "X-Api-Key: $token_one" "x-api-key:$token_one" "X-API-KEY:   $token_one" \
        "X-Auth-Token: $token_one" "x-auth-token:$token_one" \
        "Api-Key: $token_one" $'api-key:\t'"$token_one"; do
        echo "row: $line"
        verdict "$line"
        accepted "$(id_of "$token_one")" ci
    done
}

@test "blanks, tabs and line ends around a credential do not matter" {
    write_tokens "$(record ci "$token_one")"
    for format in '%s' '%s\n' '%s\r\n' '%s \n' '%s\t\n' '  %s\n' '\t%s \t \r\n' '%s\n\n' \
        'Authorization: Bearer %s' 'Authorization: Bearer %s \t\r\n' '  X-Api-Key: %s \n'; do
        echo "row: $format"
        # shellcheck disable=SC2059  # the row is the format
        printf "$format" "$token_one" >input
        verdict_on input
        accepted "$(id_of "$token_one")" ci
    done
}

@test "an Authorization of another scheme is passed over, which leaves no credential" {
    write_tokens "$(record ci "$token_one")"
    for value in "Basic dXNlcjpwYXNzd29yZA==" "basic $token_one" "Digest username=me" \
        "$token_one" "Bearer$token_one" "Bear $token_one" "Basic x, Bearer $token_one"; do
        echo "row: $value"
        verdict "Authorization: $value"
        refused missing "Authorization: Bearer TOKEN"
        not_repeated "$value"
    done
}

@test "nothing, blanks and headers without a value are a missing credential" {
    write_tokens "$(record ci "$token_one")"
    for input in '' '\n' '  \t \n' '\n\n\n' 'Authorization:\n' 'Authorization: Bearer\n' \
        'Authorization: bearer \t\r\n' 'X-Api-Key:\n' 'X-Auth-Token:  \n' 'Api-Key:\r\n'; do
        echo "row: $input"
        printf '%b' "$input" >input
        verdict_on input
        refused missing "no credential was sent"
    done
}

@test "only the header that begins the line is looked at" {
    write_tokens "$(record ci "$token_one")"
    while IFS='|' read -r line reason words; do
        echo "row: $line"
        verdict "$line"
        refused "$reason" "$words"
        not_repeated "$token_one"
    done <<END
X-Api-Key: Bearer $token_one|malformed|white space
Authorization: Bearer X-Api-Key: $token_one|malformed|white space
Authorization: Basic x X-Api-Key: $token_one|missing|no credential
Authorization: Bearer Bearer $token_one|malformed|white space
Proxy-Authorization: Bearer $token_one|malformed|white space
Bearer $token_one|malformed|white space
X-Api-Keys: $token_one|malformed|white space
END
}

@test "several lines are refused, whatever they hold" {
    write_tokens "$(record ci "$token_one")" "$(record old "$token_two")"
    for input in "$token_one"$'\n'"$token_two" "$token_one"$'\nx' "$token_one"$'\n\nx' \
        "Authorization: Bearer $token_one"$'\n'"X-Api-Key: $token_one" \
        "X-Api-Key: $token_one"$'\r\n'"Authorization: Basic x"; do
        echo "row: $input"
        printf '%s\n' "$input" >input
        verdict_on input
        refused malformed "one token and nothing else"
        not_repeated "$token_one"
        not_repeated "$token_two"
    done
}

@test "several lines are refused also when they come one after the other" {
    write_tokens "$(record ci "$token_one")"
    run_apart bash -c '{ echo "$1"; sleep 0.2; echo more; } 2>/dev/null | "$0" check' \
        "$verifier" "$token_one"
    refused malformed "one token and nothing else"
}

@test "what cannot be a token is malformed, and how is said" {
    write_tokens "$(record ci "$token_one")"
    mistyped=${token_one/ABC/ABD}
    while IFS='|' read -r credential words; do
        echo "row: $credential"
        verdict "$credential"
        refused malformed "$words"
        not_repeated "$credential"
    done <<END
${token_one:0:20} ${token_one:20}|white space inside
${token_one:0:20}	${token_one:20}|white space inside
${token_one:0:51}|cut short, or not one of our tokens; copy the whole token
${token_one:0:14}|cut short, or not one of our tokens; copy the whole token
sk-|cut short, or not one of our tokens; copy the whole token
sk_live_${token_one:3:30}|cut short, or not one of our tokens; copy the whole token
own-${token_one:3:40}|cut short, or not one of our tokens; copy the whole token
$mistyped|checksum is wrong: a character is mistyped
${token_one:0:51}1|checksum is wrong: a character is mistyped
${token_one}x|too long; perhaps more was copied
${token_one}${token_two:3}|too long; perhaps more was copied
${token_one:0:20}é${token_one:21}|characters that no token has
$token_one"$(printf '\302\240')"|characters that no token has
$(printf '\033')[A$token_one|characters that no token has
END
}

@test "the beginning of a token as list shows it is malformed, dots and all" {
    token=$(create ci)
    shown=$("$manager" list | sed -n 's/^1\. //p')
    same "$shown" "${token:0:14}..."
    verdict "$shown"
    refused malformed "copy the whole token, and not what a list shows"
}

@test "a NUL byte makes a credential malformed" {
    write_tokens "$(record ci "$token_one")"
    for format in '%s\0' '\0%s' '%s\0x\n' 'X-Api-Key: %s\0\n' '%s\0\n'; do
        echo "row: $format"
        # shellcheck disable=SC2059  # the row is the format
        printf "$format" "$token_one" >input
        verdict_on input
        refused malformed "characters that no token has"
        not_repeated "$token_one"
    done
}

@test "512 characters may be a credential" {
    long=$(repeat 512)
    write_tokens "$(record ci "$token_one")"
    verdict "$long"
    refused unknown "no token in the file"
    not_repeated "$long"
    write_tokens "$(record long "$long")"
    verdict "Authorization: Bearer $long"
    accepted "$(id_of "$long")" long
}

@test "513 characters and more are malformed, even if the file knows their digest" {
    for size in 513 5000 16383 16384 16385 200000; do
        echo "row: $size characters"
        long=$(repeat "$size")
        write_tokens "$(record long "$long")"
        verdict "$long"
        refused malformed "too long"
        not_repeated "$long"
        verdict "X-Auth-Token: $long"
        refused malformed "too long"
    done
}

@test "an id is no token, nor is a mistyped one" {
    write_tokens "$(record ci "$token_one")"
    for id in "$(id_of "$token_one")" tok_0123456789abcdeF tok_x; do
        echo "row: $id"
        verdict "$id"
        refused id_not_token "send the token itself"
        not_repeated "$id"
    done
}

@test "a JSON Web Token is recognised, longer than a credential or not" {
    write_tokens "$(record ci "$token_one")"
    short=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U
    for jwt in "$short" "$(jwt_of 512)" "$(jwt_of 513)" "$(jwt_of 700)" "$(jwt_of 16000)"; do
        echo "row: ${#jwt} characters"
        verdict "Authorization: Bearer $jwt"
        refused jwt_not_token "JSON Web Token"
        not_repeated "$jwt"
    done
}

@test "a JSON Web Token longer than any buffer is recognised, too" {
    write_tokens "$(record ci "$token_one")"
    verdict "Authorization: Bearer $(jwt_of 40000)"
    refused jwt_not_token "JSON Web Token"
}

@test "what only begins like a JSON Web Token is none" {
    write_tokens "$(record ci "$token_one")"
    for credential in eyJhbGciOiJIUzI1NiJ9 eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0 \
        'eyJhbGci.eyJzdWIi.s!g' eyJhbGci.eyJzdWIi.sig.more; do
        echo "row: $credential"
        verdict "$credential"
        refused unknown "no token in the file"
    done
}

@test "a digest of the file is no token" {
    write_tokens "$(record ci "$token_one")"
    hash=$(digest "$token_one")
    for credential in "blake2b-256:$hash" "$hash"; do
        echo "row: $credential"
        verdict "$credential"
        refused digest_not_token "digest as the file holds it"
        not_repeated "$credential"
    done
}

@test "a credential that nothing explains is unknown" {
    write_tokens "$(record ci "$token_one")"
    for credential in "$stranger" letmein x "${token_one,,}" hf_abcdefghijklmnop \
        sk-d0474cb691123b0a4cb989533b9df27ad860303a183cbeb87b1d87917e6945f4; do
        echo "row: $credential"
        verdict "$credential"
        exits 1
        same "$output" ""
        says "$stderr" "refused ("
        not_repeated "$credential"
    done
    for credential in "$stranger" letmein hf_abcdefghijklmnop; do
        echo "row: $credential"
        verdict "$credential"
        refused unknown "may have been deleted, or belong to another server"
    done
}

@test "a token that was deleted is unknown" {
    token=$(create ci)
    create other
    "$manager" delete --yes ci 2>/dev/null
    verdict "$token"
    refused unknown "it may have been deleted"
}

@test "a revoked token is refused, until it is restored" {
    token=$(create ci)
    "$manager" revoke ci 2>/dev/null
    verdict "$token"
    refused revoked "token_manager restore"
    not_repeated "$token"
    "$manager" restore ci 2>/dev/null
    verdict "$token"
    accepted "$(field ci id)" ci
}

@test "an expired token is refused, one that will expire is accepted" {
    write_tokens "$(record old "$token_one" "\"expires_at\": \"$past\"")" \
        "$(record new "$token_two" "\"expires_at\": \"$future\"")"
    verdict "$token_one"
    refused expired "create another"
    not_repeated "$token_one"
    verdict "$token_two"
    accepted "$(id_of "$token_two")" new
}

@test "of a token that is revoked and expired, the revoking is said" {
    write_tokens "$(record old "$token_one" "\"expires_at\": \"$past\", \"revoked_at\": \"$past\"")"
    verdict "$token_one"
    refused revoked "was revoked"
}

@test "a token may be revoked in the future, and is refused now" {
    write_tokens "$(record old "$token_one" "\"revoked_at\": \"$future\"")"
    verdict "$token_one"
    refused revoked "was revoked"
}

@test "an older secret is accepted before its end, and refused as expired after it" {
    write_tokens "$(record ci "$token_one" \
        "\"previous\": [$(previous "$token_two" "$future"), $(previous "$token_three" "$past")]")"
    verdict "$token_one"
    accepted "$(id_of "$token_one")" ci
    verdict "$token_two"
    accepted "$(id_of "$token_one")" ci
    verdict "$token_three"
    refused expired "has expired"
}

@test "an older secret dies with its token" {
    while IFS='|' read -r field reason; do
        echo "row: $field"
        write_tokens "$(record ci "$token_one" \
            "$field, \"previous\": [$(previous "$token_two" "$future")]")"
        verdict "$token_two" --scope write
        refused "$reason" "the token"
    done <<END
"revoked_at": "$past"|revoked
"expires_at": "$past"|expired
"scopes": ["read"]|scope
END
}

@test "no verdict is possible from a token file that cannot be understood" {
    mkfifo pipe
    mkdir folder
    ln -s nowhere dangling
    ln -s loop loop
    : >empty
    printf '{"version": 1, "tokens": [' >half
    printf '{"version": 2, "tokens": []}\n' >newer
    printf '{"version": 1, "tokens": [], "rules": []}\n' >field
    token_file=twice write_tokens "$(record a "$token_one")" "$(record b "$token_one")"
    while IFS='|' read -r file words; do
        echo "row: $file"
        verdict "$token_one" --file "$file"
        unavailable "$words"
        says "$stderr" "$file"
        not_repeated "$token_one"
    done <<END
pipe|not a file
folder|is a folder
/dev/null|not a file
dangling|symbolic link to something that is not there
loop|loop
empty|:1: the file is empty
half|:1: 
newer|:1: version 2
field|:1: 
twice|:1: 
gone|does not exist
folder/gone/api_tokens.json|folder
twice/below|twice/below
END
}

@test "no verdict is possible from a token file that may not be read" {
    write_tokens "$(record ci "$token_one")"
    [ "$(id -u)" = 0 ] || chmod 000 api_tokens.json
    share_folder
    run_apart unprivileged "$verifier" check <<<"$token_one"
    unavailable "api_tokens.json: Permission denied"
    not_repeated "$token_one"
}

@test "a credential that cannot be read leaves no verdict" {
    write_tokens "$(record ci "$token_one")"
    for input in '<&-' '<.'; do
        echo "row: $input"
        run_apart bash -c "\"\$0\" check $input" "$verifier"
        exits 6
        says "$stderr" "cannot read standard input"
        same "$output" ""
    done
}

@test "an accepted credential is no success where that cannot be written" {
    [ -e /dev/full ] || skip "needs /dev/full"
    write_tokens "$(record ci "$token_one")"
    for sink in '>/dev/full' '>&-'; do
        for json in '' --json; do
            echo "row: $json $sink"
            run_apart bash -c "\"\$0\" check $json $sink" "$verifier" <<<"$token_one"
            exits 1
            says "$stderr" "standard output"
        done
    done
}

@test "a token on the command line is refused as usage, and where to put it is said" {
    write_tokens "$(record ci "$token_one")"
    run_apart "$verifier" check "$token_one" </dev/null
    exits 2
    same "$output" ""
    not_repeated "$token_one"
    says "$stderr" "standard input"
}

@test "--json of a token has exactly these fields" {
    write_tokens "$(record "ci \\\"1\\\" é" "$token_one")" \
        "$(record limited "$token_two" "\"scopes\": [\"read\", \"write\"], \"expires_at\": \"$future\"")"
    verdict "$token_one" --json
    exits 0
    same "$stderr" ""
    same "$(jq -Sc . <<<"$output")" "{\"accepted\":true,\"expires_at\":null,\
\"id\":\"$(id_of "$token_one")\",\"message\":null,\"mode\":\"file\",\"name\":\"ci \\\"1\\\" é\",\
\"reason\":null,\"scopes\":null}"
    verdict "$token_two" --json --scope write
    exits 0
    same "$(jq -Sc . <<<"$output")" "{\"accepted\":true,\"expires_at\":\"$future\",\
\"id\":\"$(id_of "$token_two")\",\"message\":null,\"mode\":\"file\",\"name\":\"limited\",\
\"reason\":null,\"scopes\":[\"read\",\"write\"]}"
}

@test "--json of an older secret tells the end of its grace" {
    write_tokens "$(record ci "$token_one" "\"expires_at\": \"9991-01-01T00:00:00Z\", \
        \"previous\": [$(previous "$token_two" "$future")]")"
    verdict "$token_one" --json
    same "$(jq -r .expires_at <<<"$output")" 9991-01-01T00:00:00Z
    verdict "$token_two" --json
    same "$(jq -r .expires_at <<<"$output")" "$future"
}

@test "--json of a refusal has exactly these fields, and the message of standard error" {
    write_tokens "$(record old "$token_one" "\"revoked_at\": \"$past\"")" \
        "$(record expired "$token_two" "\"expires_at\": \"$past\"")" \
        "$(record limited "$token_three" "\"scopes\": [\"read\"]")"
    while IFS='|' read -r credential reason; do
        echo "row: $reason"
        verdict "$credential" --json --scope write
        exits 1
        message=$(jq -r .message <<<"$output")
        [ -n "$message" ]
        same "$stderr" "token_verifier: refused ($reason): $message"
        same "$(jq -Sc '.message = 0' <<<"$output")" '{"accepted":false,"expires_at":null,"id":null,'\
'"message":0,"mode":"file","name":null,"reason":"'"$reason"'","scopes":null}'
        [ -z "$credential" ] || not_repeated "$credential"
    done <<END
$token_one|revoked
$token_two|expired
$token_three|scope
|missing
$stranger|unknown
${stranger:0:30}|malformed
tok_0123456789abcdef|id_not_token
eyJhbGci.eyJzdWIi.sig|jwt_not_token
$(digest "$token_one")|digest_not_token
END
}

@test "--json without a verdict names the file" {
    verdict "$token_one" --json --file gone.json
    exits 6
    says "$(jq -r .message <<<"$output")" "$PWD/gone.json does not exist"
    same "$(jq -Sc '.message = 0' <<<"$output")" '{"accepted":false,"expires_at":null,"id":null,'\
'"message":0,"mode":"unavailable","name":null,"reason":"unavailable","scopes":null}'
    says "$stderr" "refused (unavailable): $PWD/gone.json does not exist"
}

@test "--json of open mode and of the environment key has exactly these fields" {
    verdict "" --json
    exits 0
    says "$stderr" "AUTHENTICATION IS OFF"
    same "$(jq -Sc . <<<"$output")" '{"accepted":true,"expires_at":null,"id":"anonymous",'\
'"message":null,"mode":"open","name":"anonymous","reason":null,"scopes":null}'
    export OPENAI_API_KEY=a-key-for-this-test
    verdict a-key-for-this-test --json
    exits 0
    same "$stderr" ""
    same "$(jq -Sc . <<<"$output")" '{"accepted":true,"expires_at":null,"id":"env:OPENAI_API_KEY",'\
'"message":null,"mode":"environment","name":"OPENAI_API_KEY","reason":null,"scopes":null}'
    write_tokens "$(record ci "$token_one")"
    verdict a-key-for-this-test --json
    same "$(jq -r .mode <<<"$output")" file+environment
}

@test "--scope demands each scope that it names" {
    write_tokens "$(record limited "$token_one" '"scopes": ["read", "models:write"]')"
    while IFS='|' read -r options expected; do
        echo "row: $options"
        # shellcheck disable=SC2086  # several words
        verdict "$token_one" $options
        if [ "$expected" = accepted ]; then
            accepted "$(id_of "$token_one")" limited
        else
            refused scope "lacks a scope"
        fi
    done <<END
|accepted
--scope read|accepted
--scope=models:write|accepted
--scope read --scope models:write|accepted
--scope read --scope read|accepted
--scope admin|refused
--scope read --scope admin|refused
--scope admin --scope read|refused
--scope rea|refused
--scope reads|refused
--scope READ|refused
--scope read,models:write|refused
END
}

@test "a token without scopes has all" {
    write_tokens "$(record ci "$token_one")"
    verdict "$token_one" --scope anything --scope "$(repeat 64)"
    accepted "$(id_of "$token_one")" ci
}

@test "--scope that is no scope is refused as usage, whoever asks" {
    write_tokens "$(record ci "$token_one")"
    for scope in '' '*' 'read write' 'a"b' 'a\b' é "$(repeat 65)" $'a\tb'; do
        echo "row: $scope"
        verdict "$token_one" --scope "$scope"
        exits 2
        same "$output" ""
        says "$stderr" "--scope"
    done
    rm api_tokens.json
    verdict "" --scope '*'
    exits 2
}

@test "a terminal does not show the token that is typed, and echoes again afterwards" {
    write_tokens "$(record ci "$token_one")"
    at_terminal <<<'send "$env(TOKEN)\r"'
    says "$output" "$(id_of "$token_one") ci"
    says "$output" "exit 0"
    lacks "$output" "${token_one:3:12}"
    [[ $output =~ [^-]echo[\ \;] ]]
}

@test "an interrupt at the prompt gives the terminal its echo back" {
    write_tokens "$(record ci "$token_one")"
    at_terminal <<<'send "\003"'
    says "$output" "exit 130"
    [[ $output =~ [^-]echo[\ \;] ]] || fail "the terminal is left without echo" "$output"
}
