#!/usr/bin/env bats
# libtoken_verifier as others link it: one header, one library, and nothing else of this tree.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, verifier and run; a test is a subshell
# shellcheck disable=SC2086,SC2046  # flags are lists of words

bats_require_minimum_version 1.5.0
load common
load verifier
load library

# A program that is linked with the shared library, which brings what it needs itself.
build_shared() {
    ${CC:-cc} -std=c17 -D_DEFAULT_SOURCE -O1 -g $warnings "${@:3}" $(sanitizers) -Iproduct -pthread \
        -o "$1" "$2" -Lproduct/lib -ltoken_verifier -Wl,-rpath,"$PWD/product/lib"
}

# asked LINES OPTION...: what ask answers to these lines, for printf %b, is in $output.
asked() {
    printf %b "$1" >script
    run_apart ./ask "${@:2}" <script
    same "$stderr" ""
}

needs_elf() {
    needs nm
    needs readelf
    readelf -h "$BIN/libtoken_verifier.so" >/dev/null 2>&1 || skip "this is no ELF library"
}

# The functions that the header declares.
declared() {
    grep -o '\btoken_verifier_[a-z_]*(' "$BATS_TEST_DIRNAME/../../src/verify/token_verifier.h" |
        tr -d '(' | sort -u
}

@test "the header alone compiles as C" {
    take_library
    for standard in c17 c11 gnu17; do
        for text in '#include <token_verifier.h>' \
            '#include <token_verifier.h>
             #include <token_verifier.h>
             struct token_verifier_result result; struct token_verifier_request request;
             struct token_verifier_options options; struct token_verifier *verifier;'; do
            echo "row: $standard $text"
            ${CC:-cc} -std=$standard $warnings -Iproduct -x c -c -o header.o - <<<"$text"
        done
    done
}

@test "the header alone compiles as C++, and its functions are found" {
    command -v "${CXX:-c++}" >/dev/null || skip "needs a C++ compiler"
    take_library
    for standard in c++11 c++17; do
        ${CXX:-c++} -std=$standard $warnings -Iproduct -x c++ -c -o header.o - <<'END'
#include <token_verifier.h>
token_verifier_options options{};
END
    done
    cat >program.cc <<'END'
#include <token_verifier.h>
#include <cstdio>
#include <cstring>
int main(int, char **argv)
{
    token_verifier *verifier = nullptr;
    token_verifier_request request{};
    token_verifier_result result;

    if (!token_verifier_open(&verifier, nullptr, nullptr, 0)) {
        return 2;
    }
    request.credential = argv[1];
    request.credential_size = std::strlen(argv[1]);
    token_verifier_check(verifier, &request, &result);
    std::printf("%s\n", result.name);
    token_verifier_close(verifier);
    return result.verdict == TOKEN_VERIFIER_ACCEPTED ? 0 : 1;
}
END
    write_tokens "$(record ci "$token_one")"
    ${CXX:-c++} -std=c++17 $warnings $(sanitizers) -Iproduct -pthread -o program program.cc \
        product/lib/libtoken_verifier.a $(libraries)
    run ./program "$token_one"
    exits 0
    same "$output" ci
    run ./program "$stranger"
    exits 1
}

@test "ten lines are a program, static and shared" {
    take_library
    cat >program.c <<'END'
#include <stdio.h>
#include <string.h>
#include <token_verifier.h>

int main(int argc, char **argv)
{
    struct token_verifier *verifier;
    struct token_verifier_request request = {.credential = argv[argc - 1]};
    struct token_verifier_result result;
    char why[TOKEN_VERIFIER_MESSAGE_SIZE];

    if (!token_verifier_open(&verifier, NULL, why, sizeof(why))) {
        return fprintf(stderr, "%s\n", why);
    }
    request.credential_size = strlen(request.credential);
    (void)token_verifier_check(verifier, &request, &result);
    (void)printf("%s %s\n", token_verifier_reason_text(result.reason), result.name);
    token_verifier_close(verifier);
    return 0;
}
END
    write_tokens "$(record ci "$token_one")" "$(record old "$token_two" "\"revoked_at\": \"$past\"")"
    for kind in static shared; do
        echo "row: $kind"
        "build_$kind" "$kind" program.c
        same "$("./$kind" "$token_one")" "accepted ci"
        same "$("./$kind" "$token_two")" "revoked "
        same "$("./$kind" "$stranger")" "unknown "
    done
}

@test "only what the header declares can be seen from outside, and all of it" {
    needs_elf
    [ "$(declared | wc -l)" -ge 6 ]
    # Letters before a name tell what it is; A is the name of a version. The thunks are of i386.
    nm -g --defined-only "$BIN/libtoken_verifier.a" |
        awk 'NF == 3 && $3 !~ /^__x86[.]get_pc_thunk/ { print $3 }' | sort -u >static
    nm -D --defined-only "$BIN/libtoken_verifier.so" | awk '$2 != "A" { print $3 }' |
        sed 's/@.*//' | sort -u >shared
    for kind in static shared; do
        echo "row: $kind"
        diff <(declared) "$kind"
    done
}

@test "the shared library has a name with a version, and programs ask for that" {
    needs_elf
    take_library
    version=$("$manager" --version)
    version=${version##* }
    soname=libtoken_verifier.so.${version%%.*}
    readelf -d product/lib/libtoken_verifier.so >dynamic
    grep -F "[$soname]" dynamic
    [ -e "product/lib/$soname" ]
    build_shared ask "$sources/ask.c"
    readelf -d ask | grep -F NEEDED >needed
    grep -F "[$soname]" needed
    # All that it needs itself is in it: programs need not know.
    run -1 grep -E "cjson|sodium" needed
    write_tokens "$(record ci "$token_one")"
    asked "credential $token_one\n"
    says "$output" "|ci|"
}

@test "the library and the programs say the same" {
    build_ask
    write_tokens "$(record ci "$token_one" '"scopes": ["read", "write"]')" \
        "$(record old "$token_two" "\"revoked_at\": \"$past\"")" \
        "$(record older "$token_three" "\"expires_at\": \"$past\"")"
    for credential in "$token_one" " $token_one " "$token_two" "$token_three" "$stranger" "" " " \
        "${token_one:0:40}" "two words" "$(id_of "$token_one")" "$(digest "$token_one")" \
        eyJhbGciOiJIUzI1NiJ9.e30.c2ln "$(printf '%0600d' 0)" "ké" "x"; do
        echo "row: $credential"
        verdict "$credential" --json
        wanted=$(jq -r '[if .accepted then "accepted" else "refused" end, .mode,
            if .accepted then .id, .name, (.scopes // ["*"] | join(" ")), "never", "accepted"
            else .reason, "", .message end] | join("|")' <<<"$output")
        asked "credential $credential\n"
        same "$output" "$wanted"
    done
}

@test "headers are looked through as a server hands them over" {
    build_ask
    write_tokens "$(record one "$token_one")" "$(record two "$token_two")" \
        "$(record old "$token_three" "\"revoked_at\": \"$past\"")"
    while IFS='|' read -r wanted headers; do
        echo "row: $headers"
        script=''
        while IFS= read -r header; do
            [ -z "$header" ] || script+="header $header\n"
        done < <(printf '%b\n' "${headers//;/\\n}")
        asked "${script}headers\n"
        case $wanted in
        one | two) says "$output" "accepted|file|$(field "$wanted" id)|$wanted|*|never|accepted" ;;
        *) says "$output" "refused|file|$wanted||" ;;
        esac
    done <<END
missing|
missing|Host: example.org;Accept: */*
one|Authorization: Bearer $token_one
one|authorization:bearer   $token_one  
one|Host: example.org;AUTHORIZATION: BEARER $token_one;Accept: */*
one|X-Api-Key: $token_one
one|x-auth-token:$token_one
one|Api-Key: $token_one
one|Api-Key: $token_two;X-Auth-Token: $stranger;X-Api-Key: $token_two;Authorization: Bearer $token_one
two|Api-Key: $stranger;X-Auth-Token: $token_one;X-Api-Key: $token_two
two|Api-Key: $token_one;X-Auth-Token: $token_two
revoked|Authorization: Bearer $token_three;X-Api-Key: $token_one
unknown|Authorization: Bearer $stranger;X-Api-Key: $token_one
two|Authorization: Basic dTpw;X-Api-Key: $token_two
two|Authorization:;X-Api-Key: ;X-Auth-Token: $token_two
missing|Authorization: Basic dTpw
missing|Authorization: Bearer
malformed|Authorization: Bearer $token_one;Authorization: Bearer $token_one
malformed|X-Api-Key: $token_one;x-api-key: $token_one
malformed|X-Api-Key: $token_one;Api-Key: ;Api-Key: $token_one
malformed|Authorization: Basic x;authorization: Bearer $token_one
malformed|X-Api-Key: $token_one $token_one
malformed|X-Api-Key: Bearer $token_one
missing|X-Api-Keys: $token_one;Proxy-Authorization: Bearer $token_one;Authorizatio: Bearer $token_one
END
}

@test "a credential that is given is looked at, and headers beside it are not" {
    build_ask
    write_tokens "$(record one "$token_one")" "$(record two "$token_two")"
    asked "header X-Api-Key: $token_two\ncredential $token_one\n"
    says "$output" "|one|"
    asked "header X-Api-Key: $token_two\ncredential \n"
    says "$output" "refused|file|missing|"
    # A credential is no header line, whatever it looks like.
    asked "credential X-Api-Key: $token_one\n"
    says "$output" "refused|file|malformed|"
}

@test "scopes are demanded, all of them, and told" {
    build_ask
    write_tokens "$(record reader "$token_one" '"scopes": ["read"]')" \
        "$(record both "$token_two" '"scopes": ["write", "read"]')" "$(record all "$token_three")"
    while IFS='|' read -r credential scopes wanted; do
        echo "row: $credential $scopes"
        script=''
        for scope in $scopes; do
            script+="scope $scope\n"
        done
        asked "${script}credential $credential\n"
        case $wanted in
        refused) says "$output" "refused|file|scope||the token is good" ;;
        *) says "$output" "|$wanted|never|accepted" ;;
        esac
    done <<END
$token_one||reader|read
$token_one|read|reader|read
$token_one|write|refused
$token_one|read write|refused
$token_one|READ|refused
$token_one|rea|refused
$token_one|reads|refused
$token_two||both|write read
$token_two|read|both|write read
$token_two|read write|both|write read
$token_two|read write admin|refused
$token_three||all|*
$token_three|read write admin|all|*
END
    # What is no scope cannot be had.
    asked "scope *\ncredential $token_three\nscope \ncredential $token_three\nscope a b\ncredential $token_three\n"
    same "$(cut -d'|' -f1-3 <<<"$output" | sort -u)" "refused|file|scope"
}

@test "an answer tells when a token expires" {
    build_ask
    write_tokens "$(record a "$token_one" "\"expires_at\": \"$future\"")" \
        "$(record b "$token_two" "\"previous\": [$(previous "$token_three" 9000-01-01T00:00:00Z)]")"
    asked "credential $token_one\ncredential $token_two\ncredential $token_three\n"
    same "$(cut -d'|' -f4,6 <<<"$output")" "a|$(date -u -d $future +%s)
b|never
b|$(date -u -d 9000-01-01T00:00:00Z +%s)"
}

@test "the longest names and scopes that there may be are told whole" {
    build_ask
    printf -v name '%100s' ''
    name=${name// /😀}
    scopes=()
    for ((i = 0; i < 64; i++)); do
        scopes+=("$(printf '%064d' "$i")")
    done
    write_tokens "$(record "$name" "$token_one" "\"scopes\": [$(printf ', "%s"' "${scopes[@]}" | cut -c3-)]")"
    asked "scope ${scopes[63]}\ncredential $token_one\n"
    same "$output" "accepted|file|$(id_of "$token_one")|$name|${scopes[*]}|never|accepted"
}

@test "the mode is told, and why nobody is accepted" {
    build_ask
    asked "mode\n"
    same "$output" "open|"
    asked "mode\n" require_auth
    says "$output" "unavailable|"
    says "$output" "required"
    asked "mode\n" file=gone.json
    says "$output" "unavailable|"
    says "$output" "gone.json does not exist"
    asked "mode\n" file=gone.json allow_open
    same "$output" "open|"
    FREEGPT_API_KEY=$token_two asked "mode\ncredential $token_two\n"
    same "$output" "environment|
accepted|environment|env:FREEGPT_API_KEY|FREEGPT_API_KEY|*|never|accepted"
    echo "FREEGPT_API_KEY=$token_two" >.env
    asked "mode\n"
    same "$output" "environment|"
    asked "mode\n" no_env_file
    says "$output" "unavailable|"
    mv .env other.env
    asked "mode\n" env_file=other.env
    same "$output" "environment|"
    write_tokens "$(record ci "$token_one")"
    asked "mode\n"
    same "$output" "file|"
    asked "mode\n" env_file=other.env
    same "$output" "file+environment|"
    echo garbage >api_tokens.json
    asked "mode\ncredential $token_one\n"
    says "$output" "unavailable|"
    says "$output" "api_tokens.json:1: "
    says "$output" "refused|unavailable|unavailable||"
}

@test "settings that cannot be understood open nothing, and say what is wrong" {
    build_ask
    write_tokens "$(record ci "$token_one")"
    while IFS='|' read -r options words; do
        echo "row: $options"
        asked "mode\n" $options
        exits 1
        says "$output" "not opened: "
        says "$output" "$words"
        lacks "$output" "not NULL"
    done <<'END'
file=|empty
env_file=gone.env|gone.env
env_file=.|folder
env_file=gone.env no_env_file|not to be read
usage=api_tokens.json|cannot be the usage file
END
    echo 'OPENAI_API_KEY="not closed' >.env
    asked "mode\n"
    exits 1
    says "$output" ".env:1: "
    rm .env
    TOKEN_VERIFIER_REQUIRE_AUTH=maybe asked "mode\n"
    exits 1
    says "$output" "TOKEN_VERIFIER_REQUIRE_AUTH"
}

@test "odd arguments do what the header says" {
    take_library
    build_static contract "$sources/contract.c"
    run ./contract
    same "$output" kept
    exits 0
}

@test "a use is recorded by flush, and by close" {
    build_ask
    write_tokens "$(record a "$token_one")" "$(record b "$token_two")" "$(record c "$token_three")"
    coproc ASK { exec ./ask 3>&-; }
    pid=$ASK_PID
    eval "exec {to}>&${ASK[1]} {from}<&${ASK[0]} ${ASK[1]}>&- ${ASK[0]}<&-"
    printf '%s\n' "credential $token_one" "credential $token_two" flush >&"$to"
    for _ in 1 2 3; do
        read -r -t 20 answer <&"$from"
    done
    same "$answer" flushed
    same "$(grep -c '^tok_' api_tokens.json.usage)" 2
    grep "^$(id_of "$token_two") 20" api_tokens.json.usage
    printf '%s\n' "credential $token_three" >&"$to"
    read -r -t 20 answer <&"$from"
    exec {to}>&-
    wait "$pid"
    same "$(grep -c '^tok_' api_tokens.json.usage)" 3
    grep "^$(id_of "$token_three") 20" api_tokens.json.usage
}

@test "uses go where they were told to, and a flush that cannot write says so" {
    build_ask
    write_tokens "$(record a "$token_one")"
    asked "credential $token_one\nflush\n" usage=elsewhere
    says "$output" $'\nflushed'
    grep "^$(id_of "$token_one") 20" elsewhere
    run -1 grep tok_ api_tokens.json.usage
    asked "flush\ncredential $token_one\nflush\n" usage=gone/elsewhere
    same "$(sed -n '1p;3p' <<<"$output")" $'flushed\nnot flushed'
    says "$output" "|a|"
}

@test "a change of the file counts from the next check on" {
    build_ask
    token=$(create ci)
    coproc ASK { exec ./ask 3>&-; }
    pid=$ASK_PID
    eval "exec {to}>&${ASK[1]} {from}<&${ASK[0]} ${ASK[1]}>&- ${ASK[0]}<&-"
    for _ in {1..20}; do
        for change in restore revoke; do
            "$manager" "$change" ci
            echo "credential $token" >&"$to"
            read -r -t 20 answer <&"$from"
            case $change in
            restore) says "$answer" "accepted|file|$(field ci id)|ci|" ;;
            revoke) says "$answer" "refused|file|revoked|" ;;
            esac
        done
    done
    exec {to}>&-
    wait "$pid"
}

# Does the hammer find nothing wrong? hammered PROGRAM ROUNDS
hammered() {
    rm -f api_tokens.json*
    steady=$(create steady)
    run_apart timeout 100 "./$1" "$manager" "$PWD/api_tokens.json" "$steady" "$2"
    # The manager tells there what it did.
    lacks "$stderr" Sanitizer
    same "$output" "0 wrong"
    exits 0
    same "$("$manager" list --json | jq '[.[] | select(.status == "revoked")] | length')" "$2"
}

@test "eight threads get the right verdicts while a writer creates and revokes" {
    take_library
    for kind in static shared; do
        "build_$kind" "hammer-$kind" "$sources/hammer.c"
        hammered "hammer-$kind" 5
    done
}

@test "eight threads and a writer beside them are no data race" {
    [ "$(sanitizers)" = "" ] || skip "other sanitizers are at work"
    cat >race.c <<'END'
#include <pthread.h>
static int shared;
static void *count(void *unused)
{
    for (int i = 0; i < 100000; i++) {
        shared++;
    }
    return unused;
}
int main(void)
{
    pthread_t one;
    pthread_t two;
    if (pthread_create(&one, NULL, count, NULL) != 0 || pthread_create(&two, NULL, count, NULL) != 0) {
        return 1;
    }
    (void)pthread_join(one, NULL);
    (void)pthread_join(two, NULL);
    return shared == 0;
}
END
    export TSAN_OPTIONS=exitcode=66
    ${CC:-cc} -fsanitize=thread -g -pthread -o race race.c || skip "the thread sanitizer does not link"
    run ./race
    # It must see a race where there is one.
    [ "$status" -eq 66 ] || skip "the thread sanitizer does not work here"
    [ -e "$BIN/tsan/libtoken_verifier.a" ] || fail "make test builds $BIN/tsan/libtoken_verifier.a"

    take_library
    cp "$BIN/tsan/libtoken_verifier.a" product/lib/
    build_static hammer "$sources/hammer.c" -fsanitize=thread
    hammered hammer 8
}
