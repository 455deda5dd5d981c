#!/usr/bin/env bats
# What the packages are, before they are installed.

load root

setup() {
    needs_packages
    cd "$BATS_TEST_TMPDIR" || exit
}

@test "lintian has nothing to say, not even to whom it should tell everything" {
    needs lintian
    run lintian --allow-root -EvIL +pedantic "$packages"/token-manager_*.changes
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$output" = "" ]
}

@test "the source package makes the same packages to the byte, elsewhere, for another user and without git" {
    needs dpkg-source setpriv
    dpkg-source --no-check -x "$packages"/token-manager_*.dsc elsewhere
    as_other=()
    if [ "$(id -u)" = 0 ]; then
        chown -R 65534:65534 elsewhere
        chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" .
        as_other=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
    fi
    (umask 077 && TZ=Asia/Tokyo CFLAGS=-O0 WERROR=1 "${as_other[@]}" make -C elsewhere deb) >log 2>&1 || {
        tail -n 30 log
        return 1
    }
    ls "$packages"/*.deb
    same "$(cd elsewhere/build/deb && sha256sum -- *.deb *.dsc *.tar.*)" \
        "$(cd "$packages" && sha256sum -- *.deb *.dsc *.tar.*)"
}

@test "every picture in a document of the package is there" {
    local file picture
    dpkg-deb -x "$packages"/token-manager_*.deb root
    cd root/usr/share/doc/token-manager
    find . -name '*.md' -o -name '*.md.gz' >documents
    while read -r file; do
        for picture in $(zcat -f "$file" | grep -o '[a-z/]*\.svg[)"]' | tr -d ')"'); do
            echo "row: $file $picture"
            [ -s "${file%/*}/$picture" ]
            echo "$picture" >>pictures
        done
    done <documents
    grep terminal.svg pictures
}

@test "a program is built with the development package, and runs with the library's, shared or static" {
    needs pkg-config cc
    local file
    for file in "$packages"/libtoken-verifier0_*.deb "$packages"/libtoken-verifier-dev_*.deb; do
        dpkg-deb -x "$file" root
    done
    cat >mode.c <<'END'
#include <stdio.h>
#include <token_verifier.h>

int main(void)
{
    puts(token_verifier_reason_text(TOKEN_VERIFIER_REVOKED));
    return 0;
}
END
    libraries=("$PWD"/root/usr/lib/*)
    export PKG_CONFIG_PATH=${libraries[0]}/pkgconfig
    # Where the packages are not installed, only paths differ.
    sed -i "s#^prefix=/usr#prefix=$PWD/root/usr#" "$PKG_CONFIG_PATH/token_verifier.pc"
    # shellcheck disable=SC2046  # these are words
    cc -o shared mode.c $(pkg-config --cflags --libs token_verifier)
    same "$(LD_LIBRARY_PATH=${libraries[0]} ./shared)" revoked
    LD_LIBRARY_PATH=${libraries[0]} ldd shared | grep "libtoken_verifier.so.0 => $PWD"
    rm "${libraries[0]}"/libtoken_verifier.so*
    # shellcheck disable=SC2046
    cc -o static mode.c $(pkg-config --cflags --libs --static token_verifier)
    same "$(./static)" revoked
}
