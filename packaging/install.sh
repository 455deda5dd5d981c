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

# Does $1 for each file, with its mode, its folder, and where it comes from. Nothing goes to a folder
# that is "".
files() {
    do=$1
    for program in $PROGRAMS $OPTIONAL; do
        file 755 "$bindir" "$BUILD/$program"
    done
    file 755 "$libdir" "$BUILD/$library"
    for link in $links; do
        file link "$libdir" "$BUILD/$link"
    done
    file 644 "$libdir" "$BUILD/libtoken_verifier.a"
    # It tells of the header, too; and a unit without its program, below, would start nothing.
    file 644 "${includedir:+${libdir:+$libdir/pkgconfig}}" packaging/token_verifier.pc.in
    file 644 "$includedir" src/verify/token_verifier.h
    file 644 "$docdir" LICENSE
    file 644 "$docdir" api_tokens.json.example
    for page in docs/man/*.[1-9]; do
        file 644 "${mandir:+$mandir/man${page##*.}}" "$page"
    done
    for shell in bash:bash-completion/completions zsh:zsh/site-functions fish:fish/vendor_completions.d; do
        for completion in packaging/completions/"${shell%:*}"/*; do
            file 644 "${datadir:+$datadir/${shell#*:}}" "$completion"
        done
    done
    for unit in packaging/systemd/*; do
        file 644 "${bindir:+$unitdir}" "$unit"
    done
}

file() {
    [ -n "$2" ] || return 0
    mode=$1 folder=$DESTDIR$2 from=$3
    to=${from##*/}
    to=$folder/${to%.in}
    "$do"
}

# What belongs to a program that was not built is not installed.
left_out() {
    for without in $OPTIONAL; do
        case ${from##*/} in
        "$without"* | "_$without"*) [ -e "$BUILD/$without" ] || return 0 ;;
        esac
    done
    return 1
}

# A folder as pkg-config is told it: by its place below the prefix, so that all can be moved at once.
below_prefix() {
    case $1 in
    "$PREFIX"/*) echo "\${prefix}${1#"$PREFIX"}" ;;
    *) echo "$1" ;;
    esac
}

# What the file holds then; where things are is not known before.
content() {
    case $from in
    *.pc.in)
        sed -e "s#@PREFIX@#$PREFIX#" -e "s#@libdir@#$(below_prefix "$libdir")#" \
            -e "s#@includedir@#$(below_prefix "$includedir")#" \
            -e "s#@VERSION@#$VERSION#" -e "s#@PKGS@#$PKGS#" "$from"
        ;;
    *.service)
        quote=''
        case $bindir in
        *[!A-Za-z0-9_./+-]*) quote='"' ;; # or systemd would take it for several words
        esac
        sed "s#^\\(Exec[A-Za-z]*=[-@:+!]*\\)/usr/local/bin/\\([a-z_]*\\)#\\1$quote$bindir/\\2$quote#" "$from"
        ;;
    *)
        cat "$from"
        ;;
    esac
}

# Before anything is changed, because half an installation is worse than none.
check() {
    ! left_out || return 0
    [ -r "$from" ] || fail "$from is missing: run 'make' first"
    at=$folder
    until [ -e "$at" ] || [ -L "$at" ]; do
        at=${at%/*}
        [ -n "$at" ] || at=/
    done
    [ -d "$at" ] || fail "$at is no folder, and no link to one, where a folder is needed"
    [ -w "$at" ] || fail "you may not write to $at: run this as root," \
        "or choose a folder of your own, as with PREFIX=\$HOME/.local"
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
    ! left_out || return 0
    [ -d "$folder" ] || mkdir -p "$folder"
    temporary=$(mktemp "$folder/.install.XXXXXX")
    if [ "$mode" = link ]; then
        ln -sf "$library" "$temporary"
    else
        content >"$temporary"
        chmod "$mode" "$temporary"
        case $to in
        # On macOS, programs ask for the library by the path that it gives as its own.
        *.dylib) install_name_tool -id "$libdir/${links%% *}" "$temporary" ;;
        esac
    fi
    # A link to a folder, into which mv would go.
    [ ! -d "$to" ] || rm -f "$to"
    mv -f "$temporary" "$to"
    echo "  INSTALL $to"
}

take() {
    [ -f "$to" ] || [ -L "$to" ] || return 0
    # It may lead to another version by now.
    [ "$mode" != link ] || [ "$(readlink "$to")" = "$library" ] || return 0
    rm -f "$to"
    echo "  RM      $to"
}

# Folders that are empty now. Those that a variable names stay, as they may have been there before; but
# DESTDIR is a heap of things on their way elsewhere.
take_folders() {
    at=$folder
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
    known=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null) || return 0
    case $known in
    *"=> $libdir/libtoken_verifier.so."*) ;;
    *)
        echo "Programs find libtoken_verifier.so when root has run 'ldconfig'; or, where that does not look in" \
            "$libdir, when they are linked with -Wl,-rpath,$libdir"
        ;;
    esac
}

case $DESTDIR in
'' | /*) ;;
*) DESTDIR=$PWD/$DESTDIR ;;
esac
for variable in DESTDIR PREFIX bindir libdir includedir datadir mandir docdir unitdir; do
    eval "value=\$$variable"
    while [ "$value" != "${value%/}" ]; do
        value=${value%/}
    done
    eval "$variable=\$value"
    [ "$variable" != DESTDIR ] || continue # which is written into no file
    case $value in
    *[\"\'\#\$%\&\\]*) fail "$variable=$value: a path without \" ' # \$ % & and \\ is wanted" ;;
    '' | /*) ;;
    *) fail "$variable=$value: a path that begins with / is wanted (DESTDIR is put in front of it)" ;;
    esac
done

case ${1-} in
install)
    temporary=''
    trap '[ -z "$temporary" ] || rm -f "$temporary"' EXIT
    trap 'exit 1' HUP INT TERM
    check_age
    files check
    files put
    tell_of_library
    ;;
uninstall)
    files take
    files take_folders
    ;;
*)
    fail "usage: packaging/install.sh install | uninstall"
    ;;
esac
