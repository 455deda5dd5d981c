# For bats files that link the library as others do, loaded after common.
# shellcheck shell=bash
# shellcheck disable=SC2034  # variables for the callers
# shellcheck disable=SC2046  # flags are lists of words

sources=$BATS_TEST_DIRNAME/../library
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"

# What a program must be linked with if this library was built for sanitizers.
sanitizers() {
    grep -o -e '-fsanitize=[^ ]*' -e '-static-lib[a-z]*san' "$BIN/flags" | sort -u || true
}

# All that a server author has: the header and the libraries, in a folder of their own.
take_library() {
    mkdir -p product/verify product/lib
    cp "$BATS_TEST_DIRNAME/../../src/verify/token_verifier.h" product/
    cp "$BATS_TEST_DIRNAME/../../src/verify/token_verifier.h" product/verify/
    cp -P "$BIN"/libtoken_verifier.a "$BIN"/libtoken_verifier.so* product/lib/
}

libraries() {
    ${PKG_CONFIG:-pkg-config} --libs libcjson libsodium
}

# A program that is linked with the archive: build_static PROGRAM SOURCE [FLAG ...]
build_static() {
    # shellcheck disable=SC2086  # so are these
    ${CC:-cc} -std=c17 -D_DEFAULT_SOURCE -O1 -g $warnings "${@:3}" $(sanitizers) -Iproduct -pthread \
        -o "$1" "$2" product/lib/libtoken_verifier.a $(libraries)
}

# The program `ask`, which does what its input says.
build_ask() {
    take_library
    build_static ask "$sources/ask.c"
}
