#!/usr/bin/env bats
# P8: the same bytes have the same verdict in the library, in check, in stream and over HTTP. One table
# of cases drives them all; each test is one of these doors, and names every row that differs there.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of the files loaded; a test is a subshell

bats_require_minimum_version 1.5.0
load common
load verifier
load library
load authd

# Secrets. Those of the first line are whole tokens, the others of a shape that imported keys may have.
good=$token_one second=$token_two revoked=$token_three
expired=key-that-has-expired later=key-that-will-expire
reader=key-that-may-read both=key-that-may-read-and-write
rotated=key-after-rotation in_grace=key-in-its-grace after_grace=key-after-its-grace
revoked_grace=key-in-its-grace-but-revoked expired_grace=key-in-its-grace-but-expired
odd=key-with-an-odd-name env_key=key-from-the-environment other_key=key-from-the-other-variable
printf -v at_limit %0512d 0
printf -v over_limit %0513d 0

# The header {"alg":"RS256","typ":"JWT"}, a login's claims, and the 2048 bits of a signature.
printf -v signature %0342d 0
claims=$(printf '{"iss":"https://login.example.org/","sub":"user-0123456789","aud":"api.example.org",%s}' \
    '"iat":1764000000,"exp":1764003600,"scope":"openid profile email","email":"user@example.org"' |
    base64 | tr -d '\n=' | tr '+/' '-_')
jwt=eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.$claims.$signature
jwt_known=eyJhbGciOiJFUzI1NiJ9.e30.${signature:0:86}
jwt_long_known=${jwt}known

# A row: what it is about | setting, see enter | scopes demanded | verdict | header lines
# A scope demanded that is none comes with a ! before it, and "" is the empty one. OK is said of a token
# by its name. Header lines are as sent, but for printf's escapes, with \n between them.
cases() {
    cat <<END
no header at all|file||ERR missing|
no header of ours|file||ERR missing|Accept: */*\nUser-Agent: test
an empty header|file||ERR missing|X-Api-Key:
an empty Authorization|file||ERR missing|Authorization:
a header of blanks|file||ERR missing|X-Auth-Token: \t \x20
an unknown whole token|file||ERR unknown|Authorization: Bearer $stranger
an unknown key of no shape|file||ERR unknown|Api-Key: whatever
one character|file||ERR unknown|X-Api-Key: x
good by Authorization|file||OK good|Authorization: Bearer $good
good by X-Api-Key|file||OK good|X-Api-Key: $good
good by X-Auth-Token|file||OK good|X-Auth-Token: $good
good by Api-Key|file||OK good|Api-Key: $good
good among other headers|file||OK good|Accept: */*\nX-Api-Key: $good\nUser-Agent: test
no blank after the colon|file||OK good|Authorization:Bearer $good
no blank after the colon of a key|file||OK good|Api-Key:$good
names of headers in small letters|file||OK good|authorization: Bearer $good
names of headers in capitals|file||OK good|X-API-KEY: $good
names of headers in any letters|file||OK good|x-aUTH-tOKEN: $good
a name that is not ASCII and has to be encoded|file||OK odd|X-Api-Key: $odd

scheme in small letters|file||OK good|Authorization: bearer $good
scheme in capitals|file||OK good|Authorization: BEARER $good
scheme in any letters|file||OK good|Authorization: BeArEr $good
several blanks after the scheme|file||OK good|Authorization: Bearer     $good
a tab after the scheme|file||OK good|Authorization: Bearer\t$good
blanks and tabs after the scheme|file||OK good|Authorization: Bearer \t \t$good
a tab before the scheme|file||OK good|Authorization:\tBearer $good
a form feed after scheme and blank|file||OK good|Authorization: Bearer \x0c$good
a vertical tab for the blank|file||ERR missing|Authorization: Bearer\x0b$good
a carriage return for the blank|file||ERR missing|Authorization: Bearer\r$good
the scheme alone|file||ERR missing|Authorization: Bearer
the scheme and blanks|file||ERR missing|Authorization: Bearer \t\x20
the scheme and no blank|file||ERR missing|Authorization: Bearer$good
the scheme and a comma|file||ERR missing|Authorization: Bearer,$good
the scheme and an equals sign|file||ERR missing|Authorization: Bearer=$good
a part of the scheme|file||ERR missing|Authorization: Beare $good
the scheme in quotation marks|file||ERR missing|Authorization: "Bearer $good"
the scheme twice|file||ERR malformed|Authorization: Bearer Bearer $good
the scheme where none belongs|file||ERR malformed|X-Api-Key: Bearer $good
no scheme|file||ERR missing|Authorization: $good
Basic alone|file||ERR missing|Authorization: Basic dXNlcjpwYXNz
Basic whose password is a token|file||ERR missing|Authorization: Basic $good
Token is another scheme|file||ERR missing|Authorization: Token $good
Basic beside a key|file||OK good|Authorization: Basic dXNlcjpwYXNz\nX-Api-Key: $good
Basic beside a key, the key first|file||OK good|X-Api-Key: $good\nAuthorization: Basic dXNlcjpwYXNz
Basic beside a bad key|file||ERR unknown|Authorization: Basic dXNlcjpwYXNz\nX-Api-Key: $stranger

a bad first source, a good second|file||ERR unknown|Authorization: Bearer $stranger\nX-Api-Key: $good
the same in the other order|file||ERR unknown|X-Api-Key: $good\nAuthorization: Bearer $stranger
a revoked first source, a good second|file||ERR revoked|X-Api-Key: $revoked\nX-Auth-Token: $good
a malformed first source, a good second|file||ERR malformed|X-Auth-Token: two words\nApi-Key: $good
a first source without the scope, a second with it|file|write|ERR scope|X-Api-Key: $reader\nApi-Key: $both
an id first, a good second|file||ERR id_not_token|X-Api-Key: tok_0123456789abcdef\nApi-Key: $good
two good ones: the first source decides|file||OK good|X-Api-Key: $second\nAuthorization: Bearer $good
all four: the first source decides|file||OK second|Api-Key: $good\nX-Auth-Token: $good\nX-Api-Key: $good\nAuthorization: Bearer $second
without Authorization X-Api-Key decides|file||OK second|Api-Key: $good\nX-Auth-Token: $good\nX-Api-Key: $second
without both X-Auth-Token decides|file||OK second|Api-Key: $good\nX-Auth-Token: $second
a good first source, a bad second|file||OK good|Authorization: Bearer $good\nX-Api-Key: $stranger
an empty first source, a good second|file||OK good|Authorization:\nX-Api-Key: $good
a first source of blanks, a good second|file||OK good|X-Api-Key: \t\x20\nApi-Key: $good
the scheme alone, a good second|file||OK good|Authorization: Bearer\nX-Api-Key: $good
no scheme, a good second|file||OK good|Authorization: $stranger\nX-Api-Key: $good
three empty ones, a good fourth|file||OK good|Authorization: Bearer \nX-Api-Key:\nX-Auth-Token:\nApi-Key: $good
four empty ones|file||ERR missing|Authorization:\nX-Api-Key:\nX-Auth-Token:\nApi-Key:

the same header twice, both good|file||ERR malformed|X-Api-Key: $good\nX-Api-Key: $good
the same header twice, two tokens|file||ERR malformed|Authorization: Bearer $good\nAuthorization: Bearer $second
the same header twice, good and bad|file||ERR malformed|Authorization: Bearer $good\nAuthorization: Bearer $stranger
the same header twice, bad and good|file||ERR malformed|X-Auth-Token: $stranger\nX-Auth-Token: $good
the same header twice, empty and good|file||ERR malformed|Api-Key:\nApi-Key: $good
the same header twice, good and empty|file||ERR malformed|X-Api-Key: $good\nX-Api-Key:
the same header twice, both empty|file||ERR malformed|X-Api-Key:\nX-Api-Key:
the same header twice, in different letters|file||ERR malformed|X-Api-Key: $good\nx-API-key: $good
the same header twice, others between them|file||ERR malformed|X-Api-Key: $good\nAccept: */*\nX-Foo: y\nX-Api-Key: $good
the same header three times|file||ERR malformed|Api-Key: $good\nApi-Key: $good\nApi-Key: $good
two schemes in two headers|file||ERR malformed|Authorization: Basic dXNlcjpwYXNz\nAuthorization: Bearer $good
another scheme twice, beside a good key|file||ERR malformed|Authorization: Basic x\nAuthorization: Basic y\nX-Api-Key: $good
a good first source, a second twice|file||ERR malformed|Authorization: Bearer $good\nApi-Key: $second\nApi-Key: $second
another header twice|file||OK good|Accept: a\nAccept: b\nX-Api-Key: $good

two values in one, a comma and a blank|file||ERR malformed|X-Api-Key: $good, $second
two values in one, a comma|file||ERR unknown|X-Api-Key: $good,$second
two schemes in one header|file||ERR malformed|Authorization: Bearer $good, Bearer $good
two schemes in one header, ours second|file||ERR missing|Authorization: Basic dXNlcjpwYXNz, Bearer $good
a comma behind it|file||ERR unknown|X-Api-Key: $good,
a semicolon behind it|file||ERR unknown|Authorization: Bearer $good;
in quotation marks|file||ERR unknown|X-Api-Key: "$good"
a colon before it|file||ERR unknown|X-Api-Key: :$good
two colons|file||ERR malformed|X-Api-Key:: $good
a header within a header|file||ERR malformed|X-Api-Key: Authorization: Bearer $good
a header within a header, no blank|file||ERR unknown|Api-Key: X-Api-Key:$good
a percent sign and digits are themselves|file||ERR unknown|X-Api-Key: %73${good:1}

blanks before it|file||OK good|X-Api-Key:      $good
blanks behind it|file||OK good|X-Api-Key: $good   \x20
a tab before it|file||OK good|X-Api-Key:\t$good
a tab behind it|file||OK good|Authorization: Bearer $good\t
a carriage return behind it|file||OK good|X-Api-Key: $good\r
carriage return and blanks behind it|file||OK good|Authorization: Bearer $good\r \r\t
a carriage return before it|file||OK good|X-Api-Key: \r$good
vertical tab and form feed around it|file||OK good|X-Auth-Token:\x0b\x0c$good\x0c\x0b
a blank inside|file||ERR malformed|X-Api-Key: ${good:0:20} ${good:20}
a tab inside|file||ERR malformed|Authorization: Bearer ${good:0:20}\t${good:20}
a carriage return inside|file||ERR malformed|X-Api-Key: ${good:0:20}\r${good:20}
a header behind a carriage return|file||ERR malformed|X-Api-Key: $good\rAccept: x
a carriage return behind the first of two|file||ERR malformed|X-Api-Key: $good\r\nX-Api-Key: $second
a token behind another header's carriage return|file||ERR missing|Accept: x\rX-Api-Key: $good
a control character behind it|file||ERR malformed|X-Api-Key: $good\x01
an escape inside|file||ERR malformed|X-Api-Key: ${good:0:20}\x1b[m${good:20}
a delete behind it|file||ERR malformed|X-Api-Key: $good\x7f
a letter that is not ASCII|file||ERR malformed|X-Api-Key: $good\xc3\xa9
a letter that is not ASCII alone|file||ERR malformed|X-Api-Key: \xc3\xa9
a no-break space around it is not trimmed|file||ERR malformed|X-Api-Key: \xc2\xa0$good\xc2\xa0
bytes that are not UTF-8|file||ERR malformed|Authorization: Bearer \xff\xfe$good
a byte order mark before it|file||ERR malformed|X-Api-Key: \xef\xbb\xbf$good
the scheme, then a no-break space|file||ERR missing|Authorization: Bearer\xc2\xa0$good

another header's name that begins like ours|file||ERR missing|X-Api-Keys: $good
another header's name that ends like ours|file||ERR missing|Proxy-Authorization: Bearer $good
underscores are no hyphens|file||ERR missing|X_Api_Key: $good
a blank before the colon is part of the name|file||ERR missing|X-Api-Key : $good
a tab before the colon is part of the name|file||ERR missing|X-Api-Key\t: $good
a control character in the name|file||ERR missing|X-Api-Key\x01: $good
a cookie is no source|file||ERR missing|Cookie: X-Api-Key=$good

an id|file||ERR id_not_token|X-Api-Key: tok_0123456789abcdef
the id of a good token|file||ERR id_not_token|Authorization: Bearer $(id_of "$good")
an id that was cut|file||ERR id_not_token|X-Api-Key: tok_0123
a JSON Web Token|file||ERR jwt_not_token|Authorization: Bearer $jwt
a JSON Web Token by X-Api-Key|file||ERR jwt_not_token|X-Api-Key: $jwt
a JSON Web Token of 9,000 characters|file||ERR jwt_not_token|Authorization: Bearer $jwt$(printf %08000d 0)
a JSON Web Token with a blank inside|file||ERR malformed|Authorization: Bearer ${jwt:0:99} ${jwt:99}
a short JSON Web Token|file||ERR jwt_not_token|Authorization: Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln
a short JSON Web Token that the file knows|file||OK jwt|Authorization: Bearer $jwt_known
a long JSON Web Token that the file knows|file||ERR jwt_not_token|Authorization: Bearer $jwt_long_known
a stored digest|file||ERR digest_not_token|X-Api-Key: $(digest "$good")
a stored digest with its label|file||ERR digest_not_token|Authorization: Bearer blake2b-256:$(digest "$good")
512 characters that the file knows|file||OK at-limit|X-Api-Key: $at_limit
512 characters with blanks around|file||OK at-limit|Authorization:    Bearer    $at_limit \t\x20
512 characters that it does not know|file||ERR unknown|X-Api-Key: ${at_limit:1}x
513 characters that the file knows|file||ERR malformed|X-Api-Key: $over_limit
513 characters that it does not know|file||ERR malformed|Authorization: Bearer ${over_limit:1}x
9,000 characters|file||ERR malformed|X-Api-Key: $(printf %09000d 0)
the checksum is wrong|file||ERR malformed|Authorization: Bearer ${good:0:51}1
two letters are swapped|file||ERR malformed|X-Api-Key: ${good:0:15}BA${good:17}
the last character is missing|file||ERR malformed|Authorization: Bearer ${good:0:51}
cut short|file||ERR malformed|X-Api-Key: ${good:0:14}
cut short with dots, as lists show it|file||ERR malformed|X-Api-Key: ${good:0:14}...
one character too many|file||ERR malformed|X-Api-Key: ${good}0
other letters|file||ERR malformed|X-Api-Key: sk-${stranger:3:20}X${stranger:24}
the beginning is missing|file||ERR unknown|X-Api-Key: ${good:3}

revoked|file||ERR revoked|Authorization: Bearer $revoked
expired|file||ERR expired|X-Api-Key: $expired
expires in the future|file||OK later|X-Api-Key: $later
after a rotation, the new secret|file||OK rotated|X-Api-Key: $rotated
after a rotation, the old one in its grace|file||OK rotated|Authorization: Bearer $in_grace
after a rotation, the old one after its grace|file||ERR expired|Authorization: Bearer $after_grace
in its grace, but revoked|file||ERR revoked|X-Api-Key: $revoked_grace
in its grace, but the token has expired|file||ERR expired|X-Api-Key: $expired_grace
a file without tokens|no-tokens||ERR unknown|X-Api-Key: $good
a file without tokens, no credential|no-tokens||ERR missing|

a token with the scope|file|read|OK reader|X-Api-Key: $reader
a token without the scope|file|write|ERR scope|X-Api-Key: $reader
a token with one of two|file|read write|ERR scope|Authorization: Bearer $reader
a token with both|file|read write|OK both|Authorization: Bearer $both
a token with both, in another order|file|write read|OK both|X-Api-Key: $both
a token with both, and a third|file|read write admin|ERR scope|X-Api-Key: $both
the same scope twice|file|read read|OK reader|X-Api-Key: $reader
a scope in other letters|file|READ|ERR scope|X-Api-Key: $reader
a part of a scope|file|rea|ERR scope|X-Api-Key: $reader
more than a scope|file|reads|ERR scope|X-Api-Key: $reader
scopes with a comma are one|file|read,write|ERR scope|X-Api-Key: $both
a percent sign and a plus in a scope|file|a%20b+c|ERR scope|X-Api-Key: $reader
a token with scopes of which none is demanded|file||OK reader|X-Api-Key: $reader
a token without scopes has all|file|read write admin|OK good|Authorization: Bearer $good
a token without scopes has not the star|file|!*|ERR scope|Authorization: Bearer $good
a token without scopes has not the empty one|file|!""|ERR scope|X-Api-Key: $good
a token without scopes has none with a quotation mark|file|!a"b|ERR scope|X-Api-Key: $good
a token without scopes has none with a backslash|file|!a\\b|ERR scope|X-Api-Key: $good
a token without scopes has none that is not ASCII|file|!é|ERR scope|X-Api-Key: $good
a token without scopes has none of 65 characters|file|!$(printf %065d 0)|ERR scope|X-Api-Key: $good
a token without scopes has one of 64 characters|file|$(printf %064d 0)|OK good|X-Api-Key: $good
a legal and an illegal scope|file|read !*|ERR scope|X-Api-Key: $reader
revoked comes before the scope|file|write|ERR revoked|X-Api-Key: $revoked
expired comes before the scope|file|write|ERR expired|X-Api-Key: $expired
unknown comes before the scope|file|write|ERR unknown|X-Api-Key: $stranger
missing comes before the scope|file|write|ERR missing|
missing comes before an illegal scope|file|!*|ERR missing|
malformed comes before an illegal scope|file|!*|ERR malformed|X-Api-Key: $good\nX-Api-Key: $good

the environment key|key||OK FREEGPT_API_KEY|Authorization: Bearer $env_key
the environment key, blanks around|key||OK FREEGPT_API_KEY|X-Api-Key: \t$env_key\x20
the environment key has all scopes|key|read write|OK FREEGPT_API_KEY|X-Api-Key: $env_key
the environment key has not the star|key|!*|ERR scope|X-Api-Key: $env_key
the environment key twice|key||ERR malformed|X-Api-Key: $env_key\nX-Api-Key: $env_key
the environment key, cut|key||ERR unknown|X-Api-Key: ${env_key%?}
a token beside the environment key|key||OK good|X-Api-Key: $good
a revoked token beside the environment key|key||ERR revoked|X-Api-Key: $revoked
an unknown token beside the environment key|key||ERR unknown|X-Api-Key: $stranger
nothing beside the environment key|key||ERR missing|
the first variable counts|both-keys||OK FREEGPT_API_KEY|X-Api-Key: $env_key
the second variable does not count beside it|both-keys||ERR unknown|X-Api-Key: $other_key
the second variable counts where the first is empty|second-key||OK OPENAI_API_KEY|X-Api-Key: $other_key
blanks around the variable's value|padded-key||OK FREEGPT_API_KEY|X-Api-Key: $env_key
the environment key from .env|dotenv||OK OPENAI_API_KEY|Authorization: Bearer $other_key
an environment key that is revoked in the file|revoked-key||ERR revoked|Authorization: Bearer $revoked
an environment key that has expired in the file|expired-key||ERR expired|X-Api-Key: $expired
an environment key to which the file gives scopes|reader-key|write|ERR scope|X-Api-Key: $reader
the same, and a scope that it has|reader-key|read|OK reader|X-Api-Key: $reader
an environment key of 513 characters|long-key||ERR malformed|X-Api-Key: $over_limit$over_limit
an environment key of two words|blank-key||ERR malformed|X-Api-Key: two words
without a file, the environment key|key-alone||OK FREEGPT_API_KEY|Authorization: Bearer $env_key
without a file, the environment key and a scope|key-alone|read|OK FREEGPT_API_KEY|X-Api-Key: $env_key
without a file, an unknown token|key-alone||ERR unknown|X-Api-Key: $good
without a file, an id|key-alone||ERR id_not_token|X-Api-Key: tok_0123456789abcdef
without a file, nothing|key-alone||ERR missing|
without a file, an empty variable|empty-key||ERR unknown|X-Api-Key: $good
without a file, an empty variable and nothing|empty-key||ERR missing|X-Api-Key:

open: nothing|open||OK anonymous|
open: a token|open||OK anonymous|Authorization: Bearer $good
open: an empty header|open||OK anonymous|X-Api-Key:
open: two words|open||OK anonymous|X-Api-Key: two words
open: the same header twice|open||OK anonymous|X-Api-Key: $good\nX-Api-Key: $good
open: a scope|open|write|OK anonymous|X-Api-Key: $good
open: an illegal scope|open|!*|OK anonymous|

a malformed file: a token|broken||ERR unavailable|Authorization: Bearer $good
a malformed file: nothing|broken||ERR unavailable|
a malformed file: two words|broken||ERR unavailable|X-Api-Key: two words
a malformed file: the same header twice|broken||ERR unavailable|X-Api-Key: $good\nX-Api-Key: $good
a malformed file: a scope|broken|write|ERR unavailable|X-Api-Key: $good
a malformed file: an illegal scope|broken|!*|ERR unavailable|X-Api-Key: $good
a malformed file: the environment key|broken-key||ERR unavailable|X-Api-Key: $env_key
a file that is gone: a token|gone||ERR unavailable|Authorization: Bearer $good
a file that is gone: nothing|gone||ERR unavailable|
END
}

# The token file of the settings that have one. By the names of its tokens, ids become known.
write_store() {
    write_tokens "$(record good "$good")" "$(record second "$second")" "$(record odd\ é\ 100% "$odd")" \
        "$(record revoked "$revoked" "\"revoked_at\": \"$past\"")" \
        "$(record expired "$expired" "\"expires_at\": \"$past\"")" \
        "$(record later "$later" "\"expires_at\": \"$future\"")" \
        "$(record reader "$reader" '"scopes": ["read"]')" \
        "$(record both "$both" '"scopes": ["read", "write"]')" \
        "$(record rotated "$rotated" \
            "\"previous\": [$(previous "$in_grace" "$future"), $(previous "$after_grace" "$past")]")" \
        "$(record gone-1 1 "\"revoked_at\": \"$past\", \"previous\": [$(previous "$revoked_grace" "$future")]")" \
        "$(record gone-2 2 "\"expires_at\": \"$past\", \"previous\": [$(previous "$expired_grace" "$future")]")" \
        "$(record jwt "$jwt_known")" "$(record long-jwt "$jwt_long_known")" \
        "$(record at-limit "$at_limit")" "$(record over-limit "$over_limit")"
    local id name
    while read -r id name; do
        identity[${name%% *}]="$id $name"
    done < <(jq -r '.tokens[] | "\(.id) \(.name)"' api_tokens.json)
    identity[anonymous]="anonymous anonymous"
    identity[FREEGPT_API_KEY]="env:FREEGPT_API_KEY FREEGPT_API_KEY"
    identity[OPENAI_API_KEY]="env:OPENAI_API_KEY OPENAI_API_KEY"
}

# The folder and the environment that a row asks for: enter SETTING
enter() {
    unset FREEGPT_API_KEY OPENAI_API_KEY API_TOKENS_FILE
    mkdir -p "$BATS_TEST_TMPDIR/$1"
    cd "$BATS_TEST_TMPDIR/$1" || return
    case $1 in
    open | key-alone | empty-key) ;;
    no-tokens) write_tokens ;;
    *) cp -p ../api_tokens.json . ;;
    esac
    case $1 in
    key | key-alone | broken-key) export FREEGPT_API_KEY=$env_key ;;
    empty-key) export FREEGPT_API_KEY= ;;
    both-keys) export FREEGPT_API_KEY=$env_key OPENAI_API_KEY=$other_key ;;
    second-key) export FREEGPT_API_KEY='' OPENAI_API_KEY=$other_key ;;
    padded-key) export FREEGPT_API_KEY=" $env_key"$'\t' ;;
    dotenv) echo "OPENAI_API_KEY=$other_key" >.env ;;
    revoked-key) export FREEGPT_API_KEY=$revoked ;;
    expired-key) export FREEGPT_API_KEY=$expired ;;
    reader-key) export FREEGPT_API_KEY=$reader ;;
    long-key) export FREEGPT_API_KEY=$over_limit$over_limit ;;
    blank-key) export FREEGPT_API_KEY="two words" ;;
    gone) export API_TOKENS_FILE=api_tokens.json ;; # else one that begins without it is open
    esac
}

# What becomes of the file there. token_authd begins before it, because it refuses to begin after it.
spoil() {
    case $1 in
    broken | broken-key) echo garbage >next && mv next api_tokens.json ;;
    gone) rm api_tokens.json ;;
    esac
}

# Reads the table.
take_cases() {
    local what setting scopes verdict lines
    declare -gA identity=() rows_of=()
    titles=() demands=() wanted=() headers=() settings=() differ=() driven=0
    write_store
    while IFS='|' read -r what setting scopes verdict lines; do
        [ -n "$what" ] || continue
        [[ -n ${rows_of[$setting]-} ]] || settings+=("$setting")
        rows_of[$setting]+=" ${#titles[@]}"
        titles+=("$what")
        demands+=("$scopes")
        headers+=("$lines")
        case $verdict in
        "ERR "*) wanted+=("$verdict") ;;
        *) wanted+=("OK ${identity[${verdict#OK }]}") ;;
        esac
    done < <(cases)
}

# A row's header lines into lines, and its scopes into scopes, as they are: take_row ROW
take_row() {
    local i text scope
    IFS=$'\n' read -r -d '' -a lines <<<"${headers[$1]//\\n/$'\n'}" || true
    for i in "${!lines[@]}"; do
        printf -v "lines[$i]" %b "${lines[i]}"
    done
    scopes=() illegal=''
    read -r -a text <<<"${demands[$1]}"
    for scope in "${text[@]}"; do
        [[ $scope != '!'* ]] || illegal=yes
        scope=${scope#!}
        scopes+=("${scope#'""'}")
    done
}

# Whether a row is one for check and stream, too: their line is a header of ours, or empty. Others mean
# something else there, or cannot be said.
is_one_line() {
    local LC_ALL=C
    [[ ${#lines[@]} -eq 0 ]] ||
        [[ ${#lines[@]} -eq 1 && ${lines[0],,} =~ ^(authorization|x-api-key|x-auth-token|api-key): ]]
}

# The credential by itself into bare, if that means the same as the header.
take_bare() {
    local LC_ALL=C name=${lines[0]%%:*}
    is_one_line && [ ${#lines[@]} -eq 1 ] || return
    bare=${lines[0]#*:}
    if [ "${name,,}" = authorization ]; then
        [[ ${bare,,} =~ ^[[:blank:]]*bearer([[:blank:]].*)$ ]] || return
        bare=${bare: -${#BASH_REMATCH[1]}}
    fi
    [[ ! ${bare,,} =~ ^[[:space:]]*(authorization|x-api-key|x-auth-token|api-key): ]]
}

# The verdict that some door gave; remembered if it is not the wanted one: gave DOOR ROW VERDICT
gave() {
    driven=$((driven + 1))
    [ "$3" = "${wanted[$2]}" ] ||
        differ+=("${titles[$2]} (${demands[$2]:-no scope}), by $1: $3, and not ${wanted[$2]}")
}

# As above from a command line, which takes a scope that is none for a mistake and gives no verdict.
gave_or_usage() {
    if [ -z "$illegal" ]; then
        gave "$@"
    elif [ "$3" != usage ]; then
        differ+=("${titles[$2]} (${demands[$2]}), by $1: $3, and not a mistake in usage")
    fi
}

# as_the_table_says COUNT: no verdict was another, and so many at least were given.
as_the_table_says() {
    [ ${#differ[@]} -eq 0 ] || fail "${differ[@]}"
    [ "$driven" -ge "$1" ] || fail "only $driven verdicts were looked at"
}

# Decodes a name as stream and HTTP tell it, in $name: decode_name TEXT
decode_name() {
    printf -v name %b "${1//%/\\x}"
}

@test "the library says what the table says, of headers and of a credential by itself" {
    take_cases
    build_ask
    for setting in "${settings[@]}"; do
        enter "$setting"
        spoil "$setting"
        asked=() doors=()
        for row in ${rows_of[$setting]}; do
            take_row "$row"
            [ ${#scopes[@]} -eq 0 ] || printf 'scope %s\n' "${scopes[@]}"
            [ ${#lines[@]} -eq 0 ] || printf 'header %s\n' "${lines[@]}"
            echo headers
            asked+=("$row") doors+=(headers)
            if take_bare; then
                [ ${#scopes[@]} -eq 0 ] || printf 'scope %s\n' "${scopes[@]}"
                printf 'credential %s\n' "$bare"
                asked+=("$row") doors+=("the credential")
            fi
        done >script
        ../ask <script >answers
        same "$(wc -l <answers)" ${#asked[@]}
        for i in "${!asked[@]}"; do
            IFS='|' read -r verdict _ first name _
            case $verdict in
            accepted) gave "${doors[i]}" "${asked[i]}" "OK $first $name" ;;
            *) gave "${doors[i]}" "${asked[i]}" "ERR $first" ;;
            esac
        done <answers
    done
    as_the_table_says 300
}

# check's verdict, from what it says and how it exits: checked DOOR ROW LINE OPTION...
checked() {
    local said status=0 right verdict
    said=$("$verifier" check "${@:4}" <<<"$3" 2>errors) || status=$?
    verdict=$(<errors)
    case $status in
    0) verdict="OK $said" ;;
    1 | 6)
        verdict=${verdict#*refused \(}
        verdict="ERR ${verdict%%\)*}"
        right=1
        [ "$verdict" != "ERR unavailable" ] || right=6
        [ $status = $right ] || verdict+=" with exit status $status"
        ;;
    2) verdict=usage ;;
    *) verdict="exit status $status" ;;
    esac
    gave_or_usage "$1" "$2" "$verdict"
}

@test "check says what the table says, of a header line and of a credential by itself" {
    take_cases
    for setting in "${settings[@]}"; do
        enter "$setting"
        spoil "$setting"
        for row in ${rows_of[$setting]}; do
            take_row "$row"
            is_one_line || continue
            options=()
            for scope in "${scopes[@]}"; do
                options+=(--scope "$scope")
            done
            checked "a line" "$row" "${lines[0]-}" "${options[@]}"
            ! take_bare || checked "the credential" "$row" "$bare" "${options[@]}"
        done
    done
    as_the_table_says 230
}

# The answers of one stream to the lines that were gathered: answer_stream OPTION...
answer_stream() {
    local i status=0 kind first rest name answers
    printf '%s\n' "${input[@]}" >input
    "$verifier" stream "$@" <input >answers 2>errors || status=$?
    mapfile -t answers <answers
    [ ${#answers[@]} -eq ${#input[@]} ] || [ $status = 2 ] || fail "stream lost a line: $setting $*"
    for i in "${!input[@]}"; do
        read -r kind first rest <<<"${answers[i]-}"
        decode_name "${rest-}"
        [ $status = 2 ] && kind=usage first=''
        gave_or_usage "${doors[i]}" "${asked[i]}" "$kind${first:+ $first}${name:+ $name}"
    done
}

@test "stream says what the table says, of header lines and of credentials by themselves" {
    take_cases
    for setting in "${settings[@]}"; do
        enter "$setting"
        spoil "$setting"
        # One stream for each demand, in which all its rows follow one another.
        declare -A rows_with=()
        for row in ${rows_of[$setting]}; do
            rows_with[" ${demands[row]}"]+=" $row"
        done
        for demand in "${!rows_with[@]}"; do
            asked=() doors=() input=() options=()
            for row in ${rows_with[$demand]}; do
                take_row "$row"
                is_one_line || continue
                asked+=("$row") doors+=("a line") input+=("${lines[0]-}")
                ! take_bare || asked+=("$row") doors+=("the credential") input+=("$bare")
            done
            for scope in "${scopes[@]}"; do
                options+=(--scope "$scope")
            done
            [ ${#asked[@]} -eq 0 ] || answer_stream "${options[@]}"
        done
    done
    as_the_table_says 230
}

# Whether one of these lines is no header of HTTP (RFC 9112, section 5), in its name or in its value.
is_no_http() {
    local LC_ALL=C line no_name="[^a-zA-Z0-9!#\$%&'*+.^_\`|~-]"
    for line; do
        [[ ! ${line%%:*} =~ $no_name ]] && [[ ${line//$'\t'/} != *[[:cntrl:]]* ]] || return 0
    done
    return 1
}

# token_authd's verdict, from status, headers and log: answered_http DOOR ROW TARGET LINE...
answered_http() {
    local request line verdict name reasons=''
    printf -v request '%s\r\n' "GET $3 HTTP/1.1" "Host: x" "Connection: close" "${@:4}" ""
    request=${request//\\/\\\\} # ask_raw takes it for a format
    ask_raw "${request//%/%%}"
    while read -r line <&"$log"; do
        [[ $line =~ \ event=refused\ reason=([a-z_]+)\ status=([0-9]+)\  ]] || continue
        reasons+=" ${BASH_REMATCH[1]}"
        [ "${BASH_REMATCH[2]}" = "$code" ] || reasons+=" (logged with status ${BASH_REMATCH[2]})"
    done
    verdict="status $code$reasons"
    case $code:$reasons in
    200:)
        decode_name "$(header X-Token-Name)"
        verdict="OK $(header X-Token-Id) $name"
        ;;
    503:) verdict="ERR unavailable" ;;
    401:\ scope) ;; # that is 403
    401:\ * | 403:\ scope) verdict=ERR$reasons ;;
    esac
    # What is no HTTP has no verdict there: other servers may read another request in it.
    if is_no_http "${@:4}"; then
        [ "$code" = 400 ] && verdict=${wanted[$2]} || verdict="status $code for what is no HTTP"
    fi
    gave "$1" "$2" "$verdict"
}

@test "token_authd says what the table says, of headers" {
    needs token_authd curl
    take_cases
    for setting in "${settings[@]}"; do
        enter "$setting"
        rm -f "$BATS_TEST_TMPDIR/authd.log"
        start_authd --threads 1 # so that the requests come to the same thread, one after the other
        exec {log}<"$authd_log"
        spoil "$setting"
        for row in ${rows_of[$setting]}; do
            take_row "$row"
            if [ ${#scopes[@]} -eq 0 ]; then
                answered_http HTTP "$row" /verify "${lines[@]}"
                continue
            fi
            # By header there is no empty scope.
            [[ " ${scopes[*]} " == *"  "* ]] ||
                answered_http "HTTP, demanded by a header" "$row" /verify "${lines[@]}" \
                    "X-Required-Scope: ${scopes[*]}"
            target=/verify
            for scope in "${scopes[@]}"; do
                target+="${target:+&}scope=$(printf %s "$scope" | od -An -v -tx1 | tr -d '\n' | tr ' ' %)"
            done
            answered_http "HTTP, demanded by arguments" "$row" "${target/&/?}" "${lines[@]}"
        done
        exec {log}<&-
        stop_authd
        exits 0
    done
    as_the_table_says 230
}
