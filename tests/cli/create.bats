#!/usr/bin/env bats

bats_require_minimum_version 1.5.0
load common

@test "create prints the token and nothing else on standard output" {
    run --separate-stderr "$manager" create my-application
    [ "$status" -eq 0 ]
    [[ "$output" =~ ^sk-[0-9A-Za-z]{49}$ ]]
}

@test "the digest in the file is what b2sum says of the token" {
    token=$(create ci)
    expected=$(printf %s "$token" | b2sum -l 256 | cut -d' ' -f1)
    [ "$(field ci hash)" = "blake2b-256:$expected" ]
}
