#!/usr/bin/env bats
# docs/terminal.svg, the picture in the README, and what makes it.

load common
load verifier
load authd

picture=$BATS_TEST_DIRNAME/../../docs/terminal.svg

# What docs/terminal.awk makes of these bytes (printf's escapes): drawn BYTES
drawn() {
    # shellcheck disable=SC2059 # the escapes are the caller's
    printf "$1" >screen
    LC_ALL=C run_apart awk -v title=a -v desc=b -f "$BATS_TEST_DIRNAME/../../docs/terminal.awk" screen
}

@test "the picture in the README shows what the programs print today" {
    needs token_authd curl script perl
    "$BATS_TEST_DIRNAME/../../docs/terminal.sh" >new.svg
    diff "$picture" new.svg || fail "make picture"
}

@test "the picture is small, XML, and asks for nothing from elsewhere" {
    [ "$(wc -c <"$picture")" -lt 30720 ]
    ! grep -Ei '<script|href|url\(|@import|onload' "$picture" || fail "it asks for something"
    [ "$(grep -c '</text>' "$picture")" -ge 20 ]
    if command -v xmllint >/dev/null; then
        xmllint --noout "$picture"
    elif python3 -c 'import xml.dom.minidom' 2>/dev/null; then
        python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$picture"
    else
        ! grep -Ev '^<text[^<>]*>[^<>]*</text>$' <(grep '^<text' "$picture") || fail "not well-formed"
    fi
}

@test "each piece of text is at its column, and long lines go on in the next" {
    drawn "a \e[1;32m✓ b<\e[0m  c\r\n\n$(printf %82d 0)\n"
    exits 0
    says "$output" '<text x="20.0" y="46" textLength="8.4">a</text>'
    says "$output" '<text class="bold green" x="36.8" y="46" textLength="8.4">✓</text>'
    says "$output" '<text class="bold green" x="53.6" y="46" textLength="16.8">b&lt;</text>'
    says "$output" '<text x="87.2" y="46" textLength="8.4">c</text>'
    says "$output" '<text x="28.4" y="106" textLength="8.4">0</text>'
}

@test "what only a terminal could draw is not left out of the picture, but ends it" {
    local bytes
    for bytes in 'a\e[2Kb' 'a\rb' 'a\tb' 'a\e[48;5;1mb'; do
        drawn "$bytes"
        exits 1
        says "$stderr" "docs/terminal.awk cannot draw"
    done
}
