#!/usr/bin/env bats
# tests/check-posix, on a small tree that needs nothing beyond POSIX until a test breaks that.

setup() {
    src=$BATS_TEST_TMPDIR/src
    mkdir -p "$src/base"
    file '#include <sys/stat.h>' '#include <unistd.h>' \
        'int find(const char *path) { struct stat now; return lstat(path, &now); }'
}

# file LINE...
file() {
    printf '%s\n' "$@" >"$src/base/file.c"
}

check() {
    run sh -c '"$1" "$2" 2>/dev/null' sh "$BATS_TEST_DIRNAME/../check-posix" "$src"
    echo "$output"
}

@test "a tree that needs no more than POSIX passes without a word" {
    check
    [ "$status" -eq 0 ]
    [ "$output" = "" ]
}

@test "a folder without sources is no pass" {
    rm "$src/base/file.c"
    check
    [ "$status" -eq 2 ]
}

@test "a call or a name that POSIX does not have is refused" {
    for line in 'int f(int *ends) { return pipe2(ends, 0); }' \
        'char *f(const char *a, const char *b) { return strcasestr(a, b); }' \
        'int f(void) { return open(".", O_PATH); }' \
        'int f(void *bytes) { explicit_bzero(bytes, 1); return 0; }'; do
        file '#include <fcntl.h>' '#include <string.h>' '#include <unistd.h>' "$line"
        check
        [ "$status" -eq 1 ]
        [ "$output" = "$src/base/file.c:1: does not compile with the names of POSIX alone" ]
    done
}

@test "what is for Linux alone is not looked at, but what takes its place is" {
    file '#ifdef __linux__' 'int f(void) { return getrandom(0, 0, 0); }' '#endif'
    check
    [ "$status" -eq 0 ]
    file '#ifdef __linux__' '#else' 'int f(void) { return arc4random_stir(); }' '#endif'
    check
    [ "$status" -eq 1 ]
}

@test "a header that is not POSIX is refused, but where its home is" {
    file 'int f(void);' '#include <sys/xattr.h>'
    check
    [ "$status" -eq 1 ]
    [ "$output" = "$src/base/file.c:2: <sys/xattr.h> is not POSIX, and has no home here" ]
    mv "$src/base/file.c" "$src/base/file_attributes.c"
    check
    [ "$status" -eq 0 ]
}
