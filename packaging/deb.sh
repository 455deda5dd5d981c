#!/bin/sh
# Build the Debian packages of this tree, and the source package, into a folder, which is emptied.
#
# usage: packaging/deb.sh FOLDER
set -eu

if [ $# -ne 1 ]; then
    echo "usage: packaging/deb.sh FOLDER" >&2
    exit 2
fi
for command in dpkg-buildpackage dh; do
    command -v "$command" >/dev/null || {
        echo "$command is missing: run 'make deps-deb'" >&2
        exit 1
    }
done

cd "$(dirname "$0")/.."
mkdir -p "$1"
folder=$(cd "$1" && pwd)
version=$(sed -n 's/.*TOKEN_MANAGER_VERSION "\(.*\)"/\1/p' src/base/version.h)
tree=$folder/token-manager-$version

# What git knows, or in a tree without git all but what was built, and secrets, which .gitignore names.
files() {
    if [ -e .git ] && git ls-files -z --error-unmatch Makefile >/dev/null 2>&1; then
        git ls-files -z
    else
        find . -path ./build -prune -o -path ./.git -prune -o \( -type f -o -type l \) \
            ! -name .env ! \( -name 'api_tokens.json*' ! -name '*.example' ! -name '*.5' \) \
            ! -path ./token_manager ! -path ./token_verifier ! -path ./token_authd -print0
    fi
}

umask 022
rm -rf "$folder"
mkdir -p "$tree"
files >"$folder/files"
tar -cf "$folder/tree.tar" --null --no-recursion -T "$folder/files"
tar -xf "$folder/tree.tar" -C "$tree"
rm -rf "$tree/debian" # which is there in a tree that came from a source package
cp -R "$tree/packaging/debian" "$tree/debian"
rm "$folder/files" "$folder/tree.tar"

# Whatever is set where this runs (WERROR, CFLAGS, a make that has called it) is not for the packages. The
# tests of this tree have their own target, so they run here only if DEB_BUILD_OPTIONS is set without
# nocheck.
options=${DEB_BUILD_OPTIONS-nocheck parallel=$(getconf _NPROCESSORS_ONLN)}
profiles=$(case " $options " in *" nocheck "*) echo nocheck ;; esac)
cd "$tree"
env -i PATH="$PATH" HOME="${HOME-/}" LC_ALL=C.UTF-8 DEB_BUILD_OPTIONS="$options" \
    DEB_BUILD_PROFILES="$profiles" dpkg-buildpackage --no-sign
cd "$folder"
rm -rf "$tree"
ls -- *.deb
