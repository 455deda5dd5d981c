#!/usr/bin/env bats
# make install and make uninstall: what was built goes where it is told, works there, and comes away.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, verifier and run; a test is a subshell

bats_require_minimum_version 1.5.0
load common
load verifier
load library

tree=$BATS_TEST_DIRNAME/../..

# make_in TREE WORD...: as a person types it, without the variables of the make that runs the tests.
make_in() {
    env -u MAKEFLAGS -u MAKEOVERRIDES -u MFLAGS -u MAKELEVEL -u PREFIX -u DESTDIR \
        make --no-print-directory -C "$1" BUILD="${built:-$BIN}" "${@:2}"
}

# A copy of what is installed and was not built, with every page and completion that there may be.
copy_tree() {
    mkdir -p copy/docs/man copy/packaging/completions/{bash,zsh,fish}
    cp -a "$tree"/Makefile "$tree"/LICENSE "$tree"/api_tokens.json.example "$tree"/src copy/
    cp -a "$tree"/packaging/{install.sh,token_verifier.pc.in,systemd} copy/packaging/
    touch copy/docs/man/{token_{manager.1,verifier.1,verifier.3,authd.8},api_tokens.json.5}
    for program in token_manager token_verifier token_authd; do
        touch copy/packaging/completions/{bash/$program,zsh/_$program,fish/$program.fish}
    done
}

version() {
    local said
    said=$("$manager" --version)
    echo "${said##* }"
}

soname() {
    local version
    version=$(version)
    echo "libtoken_verifier.so.${version%%.*}"
}

# All of copy_tree, as files_in shows it.
everything() {
    cat <<END
./usr/lib/$(soname) -> libtoken_verifier.so.$(version)
./usr/lib/libtoken_verifier.so -> libtoken_verifier.so.$(version)
644 ./usr/include/token_verifier.h
644 ./usr/lib/libtoken_verifier.a
644 ./usr/lib/pkgconfig/token_verifier.pc
644 ./usr/lib/systemd/system/token_authd.service
644 ./usr/lib/systemd/system/token_authd.socket
644 ./usr/share/bash-completion/completions/token_authd
644 ./usr/share/bash-completion/completions/token_manager
644 ./usr/share/bash-completion/completions/token_verifier
644 ./usr/share/doc/token_manager/LICENSE
644 ./usr/share/doc/token_manager/api_tokens.json.example
644 ./usr/share/fish/vendor_completions.d/token_authd.fish
644 ./usr/share/fish/vendor_completions.d/token_manager.fish
644 ./usr/share/fish/vendor_completions.d/token_verifier.fish
644 ./usr/share/man/man1/token_manager.1
644 ./usr/share/man/man1/token_verifier.1
644 ./usr/share/man/man3/token_verifier.3
644 ./usr/share/man/man5/api_tokens.json.5
644 ./usr/share/man/man8/token_authd.8
644 ./usr/share/zsh/site-functions/_token_authd
644 ./usr/share/zsh/site-functions/_token_manager
644 ./usr/share/zsh/site-functions/_token_verifier
755 ./usr/bin/token_authd
755 ./usr/bin/token_manager
755 ./usr/bin/token_verifier
755 ./usr/lib/libtoken_verifier.so.$(version)
END
}

# Sets root: the one installation of the tests that only look at it.
installed() {
    root=$BATS_FILE_TMPDIR/root
    [ -e "$root" ] || make_in "$tree" install DESTDIR="$root" PREFIX=/usr libdir=/usr/lib/somewhere
}

# Every file below a folder with its mode, and every link with what it says.
files_in() {
    (
        cd "$1" || exit
        find . -type l | while IFS= read -r link; do
            echo "$link -> $(readlink "$link")"
        done
        find . ! -type d ! -type l -exec stat -c '%a %n' {} +
    ) | sort
}

needs_all_built() {
    [ "$(uname -s)" = Linux ] || skip "needs Linux, whose names these are"
    [ -e "$BIN/token_authd" ] || skip "needs token_authd"
}

needs_plain_library() {
    needs nm readelf "${PKG_CONFIG:-pkg-config}"
    readelf -h "$BIN/libtoken_verifier.so" >/dev/null 2>&1 || skip "this is no ELF library"
    [ -z "$(sanitizers)" ] || skip "needs a library that was built without a sanitizer"
}

write_program() {
    cat >program.c <<'END'
#include <stdio.h>
#include <string.h>
#include <token_verifier.h>

int main(int argc, char **argv)
{
    struct token_verifier *verifier;
    struct token_verifier_request request;
    struct token_verifier_result result;

    if (!token_verifier_open(&verifier, NULL, NULL, 0)) {
        return 2;
    }
    memset(&request, 0, sizeof(request));
    request.credential = argv[argc - 1];
    request.credential_size = strlen(argv[argc - 1]);
    (void)token_verifier_check(verifier, &request, &result);
    (void)printf("%s %s\n", token_verifier_reason_text(result.reason), result.name);
    token_verifier_close(verifier);
    return 0;
}
END
}

# build COMPILER PROGRAM [OPTION]: program.c, by what pkg-config says with this option. That is for a
# shell to read, as in a makefile.
build() {
    local flags
    flags=$(${PKG_CONFIG:-pkg-config} --cflags --libs "${@:3}" token_verifier)
    # Linkers take the shared library where there are both, unless they are told.
    [ "${3-}" != --static ] || flags=${flags/-ltoken_verifier/-Wl,-Bstatic -ltoken_verifier -Wl,-Bdynamic}
    eval "$1 $warnings -o $2 program.c $flags"
}

@test "install puts everything where PREFIX says, with the same modes under any umask, once or twice" {
    needs_all_built
    copy_tree
    for mask in 077 000; do
        echo "row: $mask"
        (umask $mask && make_in copy install DESTDIR="$PWD/root" PREFIX=/usr)
        diff <(everything | sort) <(files_in root)
        same "$(find root -type d ! -perm 755)" ""
    done
}

@test "each folder can be elsewhere, and one that is set to nothing gets nothing" {
    needs_all_built
    copy_tree
    elsewhere=(DESTDIR="$PWD/root" PREFIX=/opt/x bindir=/b libdir=/usr/lib/x86_64-linux-gnu includedir=/i
        datadir=/d mandir=/m docdir= unitdir=/u sysconfdir=/etc)
    make_in copy install "${elsewhere[@]}"
    diff - <(cd root && find . ! -type d | sed 's#/[^/]*$##' | sort -u) <<'END'
./b
./d/bash-completion/completions
./d/fish/vendor_completions.d
./d/zsh/site-functions
./i
./m/man1
./m/man3
./m/man5
./m/man8
./u
./usr/lib/x86_64-linux-gnu
./usr/lib/x86_64-linux-gnu/pkgconfig
END
    grep -x 'libdir=/usr/lib/x86_64-linux-gnu' root/usr/lib/x86_64-linux-gnu/pkgconfig/token_verifier.pc
    grep '^ExecStart=/b/token_authd ' root/u/token_authd.service
    make_in copy uninstall "${elsewhere[@]}"
    same "$(find root)" root
}

@test "every page and completion of this tree is installed, and no file names DESTDIR" {
    installed
    for file in "$tree"/docs/man/*.[1-9] "$tree"/packaging/completions/*/*token* "$tree/LICENSE"; do
        # There may be none, and none of a program that was not built.
        [ -e "$file" ] || continue
        [[ $file != *token_authd* || -e $BIN/token_authd ]] || continue
        echo "row: $file"
        [ -n "$(find "$root" -name "${file##*/}" -exec cmp {} "$file" \; -print)" ]
    done
    cmp "$root/usr/bin/token_manager" "$manager"
    run -1 grep -rF "$root" "$root"
}

@test "ten lines of C are a program by what pkg-config says, shared and static" {
    needs_plain_library
    # Its own prefix, with a blank.
    prefix="$PWD/my own"
    make_in "$tree" install PREFIX="$prefix"
    export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
    same "$(${PKG_CONFIG:-pkg-config} --modversion token_verifier)" "$(version)"
    write_program
    write_tokens "$(record ci "$token_one")" "$(record old "$token_two" "\"revoked_at\": \"$past\"")"

    # What the shared library needs, it brings itself.
    lacks "$(${PKG_CONFIG:-pkg-config} --libs token_verifier)" cjson
    for needed in -lcjson -lsodium -pthread; do
        says "$(${PKG_CONFIG:-pkg-config} --static --libs token_verifier) " "$needed "
    done
    build "${CC:-cc}" shared
    readelf -d shared | grep NEEDED >needed
    grep -F "[$(soname)]" needed
    build "${CC:-cc}" static --static
    readelf -d static | grep NEEDED >needed
    run -1 grep token_verifier needed

    for program in shared static; do
        echo "row: $program"
        for case in "$token_one|accepted ci" "$token_two|revoked " "$stranger|unknown "; do
            same "$(LD_LIBRARY_PATH=$prefix/lib "./$program" "${case%|*}")" "${case#*|}"
        done
    done
    same "$(./static "$token_one")" "accepted ci"
    run -127 ./shared "$token_one"
}

@test "so are ten lines of C++, against what a package would hold" {
    needs_plain_library
    needs "${CXX:-c++}"
    installed
    libraries=$root/usr/lib/somewhere
    write_program
    write_tokens "$(record ci "$token_one")"
    PKG_CONFIG_PATH=$libraries/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root build "${CXX:-c++} -x c++" program
    same "$(LD_LIBRARY_PATH=$libraries ./program "$token_one")" "accepted ci"
}

@test "the installed libraries show what the header declares, with the version of the interface" {
    needs_plain_library
    installed
    libraries=$root/usr/lib/somewhere
    readelf -d "$libraries/libtoken_verifier.so" | grep SONAME | grep -F "[$(soname)]"
    grep -o '\btoken_verifier_[a-z_]*(' "$root/usr/include/token_verifier.h" | tr -d '(' | sort -u >declared
    [ "$(wc -l <declared)" -ge 6 ]
    # A is what the name of a version is.
    diff <(sed 's/$/@@TOKEN_VERIFIER_0/' declared) <(
        nm -D --defined-only --with-symbol-versions "$libraries/libtoken_verifier.so" |
            awk '$2 != "A" { print $3 }' | sort
    )
    diff declared <(nm -g --defined-only "$libraries/libtoken_verifier.a" | awk 'NF == 3 { print $3 }' | sort)
}

@test "uninstall takes all that is ours and nothing of others, and needs no build" {
    needs_all_built
    copy_tree
    make_in copy install DESTDIR="$PWD/root" PREFIX=/usr
    find root -type d -exec touch {}/token_managers {}/libtoken_verifier.so.9 \;
    # Of a newer version by now.
    ln -sfn libtoken_verifier.so.9 root/usr/lib/libtoken_verifier.so
    find root -name token_managers -o -name libtoken_verifier.so.9 -o -name libtoken_verifier.so -o -type d |
        sort >theirs
    built=$PWD/none make_in copy uninstall DESTDIR="$PWD/root" PREFIX=/usr
    diff theirs <(find root | sort)
    [ ! -e none ]
    # Nothing is left to be taken, which is no failure.
    run -0 make_in copy uninstall DESTDIR="$PWD/root" PREFIX=/usr
    same "$output" ""
}

@test "without DESTDIR, folders that may have been there before stay" {
    mkdir -p own/bin
    make_in "$tree" install PREFIX="$PWD/own"
    make_in "$tree" uninstall PREFIX="$PWD/own"
    same "$(find own ! -type d)" ""
    [ -d own/bin ]
    [ ! -e own/lib/pkgconfig ]
    [ ! -e own/share/doc ]
}

@test "a program that runs is not written over, and neither is what a link leads to" {
    mkdir -p own/bin own/include mine.d
    echo mine >mine
    ln -s "$PWD/mine" own/bin/token_manager
    ln -s "$PWD/mine.d" own/include/token_verifier.h
    echo old >own/bin/token_verifier
    ln own/bin/token_verifier running
    make_in "$tree" install PREFIX="$PWD/own"
    cmp own/bin/token_manager "$BIN/token_manager"
    cmp own/bin/token_verifier "$BIN/token_verifier"
    cmp own/include/token_verifier.h "$tree/src/verify/token_verifier.h"
    same "$(cat mine running)" $'mine\nold'
    same "$(ls -A mine.d)" ""
}

@test "what stands in the way is told before anything is changed" {
    needs_all_built
    while IFS='|' read -r make said; do
        echo "row: $make"
        mkdir own
        (cd own && eval "$make")
        find own | sort >before
        run -2 make_in "$tree" install PREFIX="$PWD/own"
        says "$output" "$PWD/own/$said"
        diff before <(find own | sort)
        rm -r own
    done <<END
touch include|include is no folder
touch share|share is no folder
ln -s nowhere lib|lib is no folder
mkdir -p lib/libtoken_verifier.so|lib/libtoken_verifier.so is a folder
mkdir -p lib/$(soname)|lib/$(soname) is a folder
mkdir -p bin/token_authd|bin/token_authd is a folder
END
}

@test "install builds nothing again, whatever the flags, and changes nothing of the build" {
    find "$BIN" -maxdepth 1 ! -type d -exec stat -c '%n %Y %u' {} + | sort >before
    make_in "$tree" install PREFIX="$PWD/own" CC=false AR=false PKG_CONFIG=false CFLAGS=-O0
    cmp own/bin/token_manager "$BIN/token_manager"
    diff before <(find "$BIN" -maxdepth 1 ! -type d -exec stat -c '%n %Y %u' {} + | sort)
}

@test "what was changed after it was built is not installed" {
    copy_tree
    touch copy/src/base/text.c
    run -2 make_in copy install DESTDIR="$PWD/root"
    says "$output" "run 'make' first"
    says "$output" src/base/text.c
    [ ! -e root ]
}

@test "what belongs to a program that was not built is left out, but taken away" {
    needs_all_built
    copy_tree
    mkdir less
    cp -aP "$BIN"/token_manager "$BIN"/token_verifier "$BIN"/libtoken_verifier.* less/
    built=$PWD/less make_in copy install DESTDIR="$PWD/root" PREFIX=/usr
    diff <(everything | grep -v authd | sort) <(files_in root)
    make_in copy install DESTDIR="$PWD/root" PREFIX=/usr
    built=$PWD/less make_in copy uninstall DESTDIR="$PWD/root" PREFIX=/usr
    same "$(find root)" root
}

@test "DESTDIR may be relative and have blanks, and the other folders begin with /" {
    copy_tree
    make_in copy install DESTDIR='my root' PREFIX=/usr/
    cmp "copy/my root/usr/bin/token_manager" "$BIN/token_manager"
    make_in copy uninstall DESTDIR='my root/' PREFIX=/usr/
    same "$(find 'copy/my root')" "copy/my root"
    for wrong in 'PREFIX=~/.local' PREFIX=usr libdir=lib; do
        echo "row: $wrong"
        run -2 make_in copy install DESTDIR="$PWD/root" "$wrong"
        says "$output" "$wrong: a path that begins with / is wanted"
        [ ! -e root ]
    done
    # These would mean something in the .pc file or in the unit.
    while read -r wrong; do
        echo "row: $wrong"
        run -2 make_in copy install DESTDIR="$PWD/root" PREFIX="/a${wrong}b"
        says "$output" ": a path without \" ' # \$ % & and \\ is wanted"
        [ ! -e root ]
    done <<'END'
"
'
#
$$
%
&
\
END
}

@test "the unit starts the program where it is, and is left out where there is none" {
    needs_all_built
    without=(libdir= includedir= datadir= mandir= docdir=)
    make_in "$tree" install PREFIX="$PWD/own" bindir= "${without[@]}"
    [ ! -e own ]
    for prefix in "$PWD/plain" "$PWD/blanks in it"; do
        echo "row: $prefix"
        make_in "$tree" install PREFIX="$prefix" "${without[@]}"
        unit=$prefix/lib/systemd/system/token_authd
        grep -F "$prefix/bin/token_authd" "$unit.service"
        run -1 grep -F /usr/local "$unit.service"
        # It says so where the program is not there.
        command -v systemd-analyze >/dev/null || continue
        run -0 systemd-analyze verify --man=no "$unit.service" "$unit.socket"
        same "$output" ""
    done
}

@test "who may not write there is told so before anything is changed" {
    as=()
    if [ "$(id -u)" = 0 ]; then
        needs setpriv
        as=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
    fi
    mkdir -p own/bin
    chmod 777 own/bin
    chmod 755 own
    [ "$(id -u)" = 0 ] || chmod 555 own
    at=$PWD
    while [[ $at == "$BATS_RUN_TMPDIR"* ]]; do
        chmod a+x "$at"
        at=${at%/*}
    done
    "${as[@]}" test -r "$BIN/token_manager" -a -r "$tree/Makefile" || skip "an unprivileged user cannot read this tree"
    run -2 "${as[@]}" env -u MAKEFLAGS make --no-print-directory -C "$tree" BUILD="$BIN" install PREFIX="$PWD/own"
    chmod 755 own # or bats cannot take it away
    says "$output" "you may not write to $PWD/own: run this as root, or"
    same "$(find own | sort)" $'own\nown/bin'
}

@test "what has to be done before programs find the library is said only where something has" {
    mkdir tools
    printf '#!/bin/sh\ncat "%s"\n' "$PWD/known" >tools/ldconfig
    chmod +x tools/ldconfig
    PATH=$PWD/tools:$PATH
    touch known
    only_library=(PREFIX="$PWD/own" bindir= includedir= datadir= mandir= docdir= unitdir=)
    run -0 make_in "$tree" install "${only_library[@]}"
    says "${lines[-1]}" "when root has run 'ldconfig'; or"
    [ ! -e own/lib/pkgconfig ] # which would tell of a header that is not there
    says "${lines[-1]}" "when they are linked with -Wl,-rpath,$PWD/own/lib"
    run -0 make_in "$tree" install "${only_library[@]}" DESTDIR="$PWD/root"
    says "${lines[-1]}" "  INSTALL "
    echo "libtoken_verifier.so.0 (libc6,x86-64) => $PWD/own/lib/libtoken_verifier.so.0" >known
    run -0 make_in "$tree" install "${only_library[@]}"
    says "${lines[-1]}" "  INSTALL "
    rm known
    run -0 make_in "$tree" install "${only_library[@]}"
    says "${lines[-1]}" "  INSTALL "
}
