#!/bin/sh
# Build the Debian packages of this tree, and the source package, into a folder.
#
# usage: VERSION=x.y.z packaging/deb.sh FOLDER
set -eu

if [ $# -ne 1 ] || [ -z "${VERSION-}" ]; then
    echo "usage: VERSION=x.y.z packaging/deb.sh FOLDER" >&2
    exit 2
fi
for command in dpkg-buildpackage dh; do
    command -v "$command" >/dev/null || {
        echo "$command is missing: run 'make deps-deb'" >&2
        exit 1
    }
done

# What git knows. In a tree without git, what is named here, as anything else may be somebody's secret.
files() {
    if [ -e .git ] && git ls-files -z --error-unmatch Makefile >/dev/null 2>&1; then
        git ls-files -z
    else
        printf '%s\0' .clang-format .clang-tidy .env.example .shellcheckrc CHANGELOG.md \
            CONTRIBUTING.md LICENSE Makefile README.md SECURITY.md api_tokens.json.example
        find .ci docs packaging src tests \( -type f -o -type l \) ! -name '*.env' ! -name '.env.*' \
            ! -name tokens.tsv ! -name new.tsv ! -name keys.txt \
            ! \( -name 'api_tokens.json*' ! -name '*.5' \) -print0
    fi
}

umask 022
cd "$(dirname "$0")/.."
mkdir -p "$1"
folder=$(cd "$1" && pwd)
made=$(mktemp -d "$folder/build.XXXXXX")
trap 'rm -rf "$made"' EXIT
trap 'exit 1' HUP INT TERM
tree=$made/token-manager-$VERSION
mkdir "$tree"
files >"$made/files"
tar -cf "$made/tree.tar" --null --no-recursion -T "$made/files"
tar -xf "$made/tree.tar" -C "$tree"
rm "$made/files" "$made/tree.tar"
cp -R "$tree/packaging/debian" "$tree/debian"

# Whatever is set where this runs (WERROR, CFLAGS, a make that has called it) is not for the packages. The
# tests of this tree have their own target, so they run here only if DEB_BUILD_OPTIONS is set without
# nocheck.
options=${DEB_BUILD_OPTIONS-nocheck parallel=$(getconf _NPROCESSORS_ONLN)}
profiles=$(case " $options " in *" nocheck "*) echo nocheck ;; esac)
(
    cd "$tree"
    env -i PATH="$PATH" HOME="${HOME-/}" LC_ALL=C.UTF-8 DEB_BUILD_OPTIONS="$options" \
        DEB_BUILD_PROFILES="$profiles" dpkg-buildpackage --no-sign
)
rm -rf "$tree"

# Those of another version go; the folder may hold what is not ours.
for kind in deb dsc tar.xz buildinfo changes; do
    rm -f "$folder"/token-manager_*."$kind" "$folder"/token-manager-dbgsym_*."$kind" \
        "$folder"/libtoken-verifier*_*."$kind"
done
cd "$made"
ls -- *.deb
mv -- * "$folder"
