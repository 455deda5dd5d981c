#!/bin/sh
# What `make install` and `make uninstall` do. The Makefile says in the environment where things go
# (and explains those folders); `files` says what goes there, for both of them.
#
# usage: packaging/install.sh install | uninstall
set -eu
umask 022
LC_ALL=C
export LC_ALL

fail() {
    echo "$*" >&2
    exit 1
}

# SHARED is the file of the shared library, the name that programs ask for, and the one that linkers
# look for.
library=${SHARED%% *}
links=${SHARED#* }

# Calls a function for each file, with its mode, its folder, and where it comes from.
files() {
    for program in $PROGRAMS $OPTIONAL; do
        "$1" 755 "$bindir" "$BUILD/$program"
    done
    "$1" 755 "$libdir" "$BUILD/$library"
    "$1" 644 "$libdir" "$BUILD/libtoken_verifier.a"
    "$1" 644 "${libdir:+$libdir/pkgconfig}" packaging/token_verifier.pc.in
    "$1" 644 "$includedir" src/verify/token_verifier.h
    "$1" 644 "$docdir" LICENSE
    "$1" 644 "$docdir" api_tokens.json.example
    for page in docs/man/*.[1-9]; do
        [ ! -e "$page" ] || "$1" 644 "${mandir:+$mandir/man${page##*.}}" "$page"
    done
    for completion in packaging/completions/*/*; do
        case $completion in
        */bash/*) folder=bash-completion/completions ;;
        */zsh/*) folder=zsh/site-functions ;;
        */fish/*) folder=fish/vendor_completions.d ;;
        *) continue ;;
        esac
        "$1" 644 "${datadir:+$datadir/$folder}" "$completion"
    done
    for unit in packaging/systemd/*; do
        "$1" 644 "$unitdir" "$unit"
    done
}

# Nothing goes to a folder that is "", nor anywhere what belongs to a program that was not built.
left_out() {
    [ -n "$2" ] || return 0
    for without in $OPTIONAL; do
        case ${3##*/} in
        "$without"* | "_$without"*) [ -e "$BUILD/$without" ] || return 0 ;;
        esac
    done
    return 1
}

# What the file is called when it is installed.
name() {
    base=${1##*/}
    echo "${base%.in}"
}

# For the right side of an s#…#…# of sed.
quoted() {
    printf '%s\n' "$1" | sed 's/[\\&#]/\\&/g'
}

# A folder as pkg-config is told it: by its place below the prefix, so that all can be moved at once.
below_prefix() {
    case $1 in
    "$PREFIX"/*) echo "\${prefix}${1#"$PREFIX"}" ;;
    *) echo "$1" ;;
    esac
}

# What it holds then; where things are is not known before.
content() {
    case $1 in
    *.pc.in)
        sed -e "s#@PREFIX@#$(quoted "$PREFIX")#" -e "s#@libdir@#$(quoted "$(below_prefix "$libdir")")#" \
            -e "s#@includedir@#$(quoted "$(below_prefix "$includedir")")#" \
            -e "s#@VERSION@#$VERSION#" -e "s#@PKGS@#$PKGS#" "$1"
        ;;
    *.service)
        # systemd takes % for its own, and what is in quotes for one word.
        quote=''
        case $bindir in
        *[!A-Za-z0-9_./%+-]*) quote='"' ;;
        esac
        command=$quote$(quoted "$bindir" | sed 's/%/%%/g')
        sed "s#^\\(Exec[A-Za-z]*=[-@:+!]*\\)/usr/local/bin/\\([a-z_]*\\)#\\1$command/\\2$quote#" "$1"
        ;;
    *)
        cat "$1"
        ;;
    esac
}

# Before anything is changed, because half an installation is worse than none.
check() {
    ! left_out "$@" || return 0
    [ -r "$3" ] || fail "$3 is missing: run 'make' first"
    at=$DESTDIR$2
    until [ -d "$at" ]; do
        at=${at%/*}
        [ -n "$at" ] || at=/
    done
    [ -w "$at" ] || fail "you may not write to $at: run this as root," \
        "or choose a folder of your own, as with PREFIX=\$HOME/.local"
    to=$DESTDIR$2/$(name "$3")
    [ -L "$to" ] || [ ! -d "$to" ] || fail "$to is a folder, where a file is to be installed"
}

# What make would make anew is not installed; and not made here, where root would be its owner.
check_age() {
    set -- src -name '*.[ch]'
    for built in $PROGRAMS $OPTIONAL; do
        if [ -e "$BUILD/$built" ]; then
            set -- "$@" -newer "$BUILD/$built"
        else
            set -- "$@" ! -path "src/$built/*"
        fi
    done
    newer=$(find "$@" -newer "$BUILD/libtoken_verifier.a")
    [ -z "$newer" ] || fail "This was changed after the last make: run 'make' first." "$newer"
}

# Whoever runs the old file meanwhile has it to the end: a new one takes its name.
put() {
    ! left_out "$@" || return 0
    to=$DESTDIR$2/$(name "$3")
    mkdir -p "${to%/*}"
    temporary=$(mktemp "${to%/*}/.install.XXXXXX")
    content "$3" >"$temporary"
    chmod "$1" "$temporary"
    case $to in
    # On macOS, programs ask for the library by the path that it gives as its own.
    *.dylib) install_name_tool -id "$libdir/${links%% *}" "$temporary" ;;
    esac
    mv -f "$temporary" "$to"
    echo "  INSTALL $to"
}

put_links() {
    for link in $links; do
        rm -f "$DESTDIR$libdir/$link"
        ln -s "$library" "$DESTDIR$libdir/$link"
        echo "  INSTALL $DESTDIR$libdir/$link"
    done
}

take() {
    [ -z "$2" ] || take_name "$DESTDIR$2/$(name "$3")"
}

take_name() {
    [ -e "$1" ] || [ -L "$1" ] || return 0
    rm -f "$1"
    echo "  RM      $1"
}

# Folders that are empty now. Those that a variable names stay, as they may have been there before; but
# DESTDIR is a heap of things on their way elsewhere.
take_folders() {
    [ -n "$2" ] || return 0
    at=$DESTDIR$2
    while [ "$at" != "$DESTDIR" ]; do
        if [ -z "$DESTDIR" ]; then
            for kept in "$PREFIX" "$bindir" "$libdir" "$includedir" "$datadir" "$mandir"; do
                [ "$at" != "$kept" ] || return 0
            done
        fi
        [ ! -d "$at" ] || rmdir "$at" 2>/dev/null || return 0
        at=${at%/*}
    done
}

# Does the system find the library by its name? Where it cannot tell, nothing is said.
tell_of_library() {
    [ -z "$DESTDIR" ] && [ -n "$libdir" ] || return 0
    PATH=$PATH:/usr/sbin:/sbin
    known=$(ldconfig -p 2>/dev/null) || return 0
    case $known in
    *"=> $libdir/libtoken_verifier.so."*) ;;
    *)
        if ldconfig -N -X -v 2>/dev/null | grep -q "^$libdir:"; then
            echo "Run 'ldconfig' as root, and programs find libtoken_verifier.so."
        else
            echo "Programs find libtoken_verifier.so when they are linked with -Wl,-rpath,$libdir"
        fi
        ;;
    esac
}

for variable in PREFIX bindir libdir includedir datadir mandir docdir unitdir; do
    eval "folder=\$$variable"
    while [ "$folder" != "${folder%/}" ]; do
        folder=${folder%/}
    done
    case $folder in
    '' | /*) eval "$variable=\$folder" ;;
    *) fail "$variable=$folder: a path that begins with / is wanted (DESTDIR is put in front of it)" ;;
    esac
done
case $DESTDIR in
'' | /*) ;;
*) DESTDIR=$PWD/$DESTDIR ;;
esac
while [ "$DESTDIR" != "${DESTDIR%/}" ]; do
    DESTDIR=${DESTDIR%/}
done

case ${1-} in
install)
    temporary=''
    trap '[ -z "$temporary" ] || rm -f "$temporary"' EXIT
    trap 'exit 1' HUP INT TERM
    check_age
    files check
    files put
    [ -z "$libdir" ] || put_links
    tell_of_library
    ;;
uninstall)
    files take
    [ -z "$libdir" ] || for link in $links; do
        take_name "$DESTDIR$libdir/$link"
    done
    files take_folders
    ;;
*)
    fail "usage: packaging/install.sh install | uninstall"
    ;;
esac
