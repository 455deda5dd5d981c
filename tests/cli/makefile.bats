#!/usr/bin/env bats
# What the Makefile does where something is missing.

load common

@test "without libmicrohttpd token_authd is left out, which is said, and the rest is built" {
    # On a copy of what was built, so that nothing is compiled anew.
    cp -a "$BIN" built
    cat >no-http <<'END'
#!/bin/sh
case " $* " in *" libmicrohttpd "*) exit 1 ;; esac
exec pkg-config "$@"
END
    chmod +x no-http
    run make -C "$BATS_TEST_DIRNAME/../.." BUILD="$PWD/built" PKG_CONFIG="$PWD/no-http" all
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"token_authd is left out: libmicrohttpd is missing (make deps brings it)"* ]]
    [ ! -e built/token_authd ]
    [ -x built/token_manager ]
    [ -x built/token_verifier ]
}

@test "where it may not be, a skipped test fails" {
    # Not as a document here: bats would take these for tests of its own.
    printf '@%s {\n%s\n}\n' 'test "this one is skipped"' '    skip "for a reason"' \
        'test "this one is not"' '    true' >skips.bats
    FAIL_SKIPPED='' run "$BATS_TEST_DIRNAME/../tap" skips.bats
    [[ "$output" == *"ok 1 this one is skipped # skip for a reason"* ]]
    [[ "$output" != *"not ok"* ]]
    FAIL_SKIPPED=1 run "$BATS_TEST_DIRNAME/../tap" skips.bats
    [[ "$output" == *"not ok 1 this one is skipped : skipped for a reason"* ]]
    [[ "$output" == *$'\nok 2 this one is not'* ]]
}
