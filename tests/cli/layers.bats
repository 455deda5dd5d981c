#!/usr/bin/env bats
# tests/check-layers, on a small tree that keeps every rule until a test breaks one.

setup() {
    src=$BATS_TEST_TMPDIR/src
    mkdir -p "$src"/base "$src"/token "$src"/verify "$src"/cli "$src"/token_manager "$src"/token_verifier

    file base/banned.h '/* nothing banned here */'
    file base/json.c '#include <cJSON.h>' '#include "base/banned.h"'
    file base/secret.c '#include <sodium.h>' '#include "base/banned.h"'
    file token/token.h '#include <stdint.h>' 'void token_init(int64_t now);'
    file token/token.c '#include "token/token.h"' '#include "base/banned.h"' \
        'void token_init(int64_t now) { (void)now; }'
    file verify/verifier.c '#include <time.h>' '#include "token/token.h"' '#include "base/banned.h"' \
        'void check(void) { token_init(time(NULL)); }'
    file cli/output.h 'void output(void);'
    file token_manager/command.h 'int create(void);'
    file token_manager/main.c '#include <stdio.h>' '#include "cli/output.h"' \
        '#include "token_manager/command.h"' '#include "base/banned.h"' \
        'int main(void) { puts("hello"); return create(); }'
    file token_verifier/main.c '#include "verify/verifier.c"' '#include "base/banned.h"'
}

# file PATH LINE...
file() {
    printf '%s\n' "${@:2}" >"$src/$1"
}

# The compiler's own words, on standard error, are left out.
check() {
    run sh -c '"$1" "$2" 2>/dev/null' sh "$BATS_TEST_DIRNAME/../check-layers" "$src"
}

# refused MESSAGE: exactly one offence, this one.
refused() {
    check
    echo "$output"
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *"$src/$1"* ]]
}

@test "a tree that keeps to its floors passes without a word" {
    check
    [ "$status" -eq 0 ]
    [ "$output" = "" ]
}

@test "a folder without sources is no pass" {
    rm -r "${src:?}"/*
    check
    [ "$status" -eq 2 ]
}

@test "a header that needs another one first is refused" {
    file verify/verifier.h 'size_t verifier_count(void);'
    refused "verify/verifier.h:1: does not compile alone"
}

@test "an include from above is refused" {
    file token/more.c '#include "cli/output.h"' '#include "base/banned.h"'
    refused "token/more.c:1: includes cli/output.h, which is on a floor above"
}

@test "an include from above is refused in angle brackets too" {
    file token/more.c '#  include <cli/output.h>' '#include "base/banned.h"'
    refused "token/more.c:1: includes cli/output.h, which is on a floor above"
}

@test "a program that includes the inside of another is refused" {
    file token_verifier/main.c '#include "token_manager/command.h"' '#include "base/banned.h"'
    refused "token_verifier/main.c:1: includes token_manager/command.h, which is private to token_manager"
}

@test "what the programs share must not include one of them" {
    file cli/output.c '#include "token_manager/command.h"' '#include "base/banned.h"'
    refused "cli/output.c:1: includes token_manager/command.h, which is private to token_manager"
}

@test "an include that does not start at a floor is refused" {
    file token/more.c '#include "token.h"' '#include "base/banned.h"'
    refused 'token/more.c:1: includes "token.h", which is on no floor'
}

@test "a folder that is on no floor is refused" {
    mkdir "$src/attic"
    file attic/old.c '#include "base/banned.h"'
    refused "attic/old.c:1: attic is on no floor"
}

@test "cJSON in a second file is refused, however it is spelled" {
    file token/more.c '#include <cjson/cJSON.h>' '#include "base/banned.h"'
    refused "token/more.c:1: includes cjson/cJSON.h; only $src/base/json.c may"
}

@test "sodium in a second file is refused" {
    file token/more.c '#include <sodium.h>' '#include "base/banned.h"'
    refused "token/more.c:1: includes sodium.h; only $src/base/secret.c may"
}

@test "microhttpd outside the server is refused" {
    file token_verifier/http.c '#include <microhttpd.h>' '#include "base/banned.h"'
    refused "token_verifier/http.c:1: includes microhttpd.h; only $src/token_authd/http.c may"
}

@test "a source without banned.h is refused" {
    file token/more.c '#include "token/token.h"'
    refused 'token/more.c:1: the last include must be "base/banned.h"'
}

@test "an include after banned.h is refused" {
    file token/more.c '#include "base/banned.h"' '#include <string.h>'
    refused 'token/more.c:2: the last include must be "base/banned.h"'
}

@test "reading the clock or the environment below verify is refused" {
    for call in 'time(NULL)' 'clock_gettime (CLOCK_REALTIME, &now)' 'gettimeofday(&now, NULL)' \
        'getenv("HOME")' '(void)secure_getenv("HOME")'; do
        file token/more.c '#include "base/banned.h"' "int f(void) { return $call; }"
        refused "token/more.c:2: calls "
    done
}

@test "printing or exiting below the programs is refused" {
    for call in 'printf("x")' 'puts("x")' 'putchar(1)' 'perror("x")' 'exit(1)' '_exit(1)' \
        'fprintf(stderr, "x")' 'fputs("x", stdout)'; do
        file verify/more.c '#include "base/banned.h"' "void f(void) { $call; }"
        refused "verify/more.c:2: "
    done
}

@test "comments, messages, members and longer names are not calls" {
    file token/more.c '#include "base/banned.h"' \
        '/* time(NULL) and exit(1)' \
        '   stay out; #include "cli/output.h" too */' \
        '// getenv("HOME")' \
        "const char *text = \"printf(\\\"time(NULL)\\\") on stderr\"; char quote = '\"';" \
        'void f(struct s *s) { s->time(1); s->clock.time(1); snprintf(s, 1, ""); run_time(1); }'
    check
    echo "$output"
    [ "$status" -eq 0 ]
}
