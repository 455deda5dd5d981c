# A reader in the folder with the file, after `make install`.
# shellcheck shell=bash disable=SC2154 # what is loaded sets variables

prepare() {
    local port
    [ -z "${ASAN_OPTIONS-}" ] || skip "the library is built with sanitizers"
    needs cc curl pkg-config
    pkg-config --exists libmicrohttpd || skip "needs libmicrohttpd (make deps)"
    use common verifier authd upstream
    port=$(free_port)
    mkdir my-api
    cp "$tree/docs/integrations/c/hello.c" .
    # Not that of tests/doctest.d/bin, which does nothing.
    env -u MAKEFLAGS -u MAKEOVERRIDES -u MFLAGS -u MAKELEVEL -u DESTDIR PATH="${PATH#*:}" \
        make -C "$tree" BUILD="$BIN" install PREFIX="$PWD/installed"
    export PKG_CONFIG_PATH=$PWD/installed/lib/pkgconfig LD_LIBRARY_PATH=$PWD/installed/lib
    replace /var/lib/my-api "$PWD/my-api"
    replace "hello 9000" "hello $port"
    replace 127.0.0.1:9000 "127.0.0.1:$port"
}

afterwards() {
    printed "Hello, my-application (tok_"
    printed "This token is not valid."
}
