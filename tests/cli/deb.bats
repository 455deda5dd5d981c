#!/usr/bin/env bats
# What packaging/debian says, as far as no package has to be built for it; `make check-deb` does the rest.

load common

source=$BATS_TEST_DIRNAME/../..
debian=$source/packaging/debian

@test "the packages have the version of the programs" {
    version=$("$manager" --version)
    version=${version##* }
    [ "$(sed -n '1s/^token-manager (\(.*\)) .*/\1/p' "$debian/changelog")" = "$version" ]
    grep -qx "Package: libtoken-verifier${version%%.*}" "$debian/control"
    grep -q "^libtoken_verifier.so.${version%%.*} libtoken-verifier${version%%.*} " \
        "$debian/libtoken-verifier${version%%.*}.symbols"
}

# A copy of this tree without git and without what was built.
copy_tree() {
    mkdir copy
    tar -C "$source" --exclude=./build --exclude=./.git -cf - . | tar -C copy -xf -
}

# Its deb.sh, with a dpkg-buildpackage that only notes what it is given.
deb_sh() {
    mkdir bin
    cat >bin/dpkg-buildpackage <<END
#!/bin/sh
find . ! -type d ! -path './debian/*' | sort >'$PWD/packed'
touch ../token-manager_0.0.1_all.deb
END
    printf '#!/bin/sh\n' >bin/dh
    chmod +x bin/*
    PATH=$PWD/bin:$PATH VERSION=0.0.1 copy/packaging/deb.sh "$1"
}

@test "the source package of a tree without git has what git knows, and no secret that lies there" {
    copy_tree
    secrets=(.env .env.local docs/.env.production old.env secrets.env tokens.tsv new.tsv keys.txt
        docs/keys.txt api_tokens.json src/api_tokens.json.audit anything)
    for secret in "${secrets[@]}"; do
        echo sk-secret >"copy/$secret"
    done
    deb_sh "$PWD/folder"
    grep -xF ./README.md packed
    for secret in "${secrets[@]}"; do
        echo "row: $secret"
        run grep -xF "./$secret" packed
        [ "$status" -eq 1 ]
    done
    git -C "$source" ls-files --error-unmatch Makefile >/dev/null 2>&1 || skip "needs git, and a tree that it knows"
    # dpkg-source leaves .gitignore out.
    diff <(git -C "$source" ls-files ':!.gitignore' | sed 's#^#./#' | sort) packed
    # And git takes none of them, whatever its name, but the last.
    git init -q copy
    for secret in "${secrets[@]}"; do
        echo "row: $secret"
        [ "$secret" = anything ] || git -C copy check-ignore -q "$secret"
    done
}

@test "the folder for the packages keeps all but packages of another version" {
    copy_tree
    mkdir -p folder/token-manager-0.0.0
    touch folder/{mine,token-manager-0.0.0/mine,other_1_all.deb,token-manager_0.0.0_all.deb}
    deb_sh "$PWD/folder"
    [ "$(find folder | sort)" = "folder
folder/mine
folder/other_1_all.deb
folder/token-manager-0.0.0
folder/token-manager-0.0.0/mine
folder/token-manager_0.0.1_all.deb" ]
}

@test "the symbols that the package tells of are those of the library" {
    needs nm
    [ -e "$BIN/libtoken_verifier.so" ]
    diff <(nm -D --defined-only "$BIN/libtoken_verifier.so" | sed 's/.* //; s/@@*.*//' | sort) \
        <(sed -n 's/^ \([A-Za-z_0-9]*\)@.*/\1/p' "$debian"/*.symbols | sort)
}

@test "every library that make deps installs for building is one that the package is built with" {
    libraries=$(sed -n 's/^build pc:[^ ]*  *\([^ ]*\) .*/\1/p' "$source/packaging/deps.sh")
    [[ $libraries == *libsodium-dev* ]]
    for library in $libraries; do
        grep -q "^ $library\( <!nocheck>\)\?,$" "$debian/control"
    done
}

# The maintainer script of that name, in a folder of ours: with its group taken for granted, since not
# everybody may make one.
scripted() {
    mkdir -p bin
    printf '#!/bin/sh\nexit 0\n' >bin/getent
    chmod +x bin/getent
    sed "s#/var/lib/token_manager#$PWD/tokens#; s/ -o root -g api-tokens//; /^#DEBHELPER#/d" \
        "$debian/token-manager.$1" >"$1"
    PATH=$PWD/bin:$PATH sh "$@"
}

@test "what an installation leaves is a token file that refuses everybody, and a usage file" {
    scripted postinst configure ""
    [ "$(stat -c %a tokens tokens/* | xargs)" = "2750 640 660" ]
    [ "$(echo tokens/*)" = "tokens/api_tokens.json tokens/api_tokens.json.usage" ]
    run "$manager" --file tokens/api_tokens.json list
    [[ $output == "No tokens found"* ]]
    run "$verifier" check --file tokens/api_tokens.json <<<nonsense
    [ "$status" -eq 1 ]
    token=$("$manager" --file tokens/api_tokens.json create one 2>/dev/null)
    "$verifier" check --file tokens/api_tokens.json <<<"$token"
    "$manager" --file tokens/api_tokens.json list --json | grep -q '"last_used_at": "2'
    [ "$(head -c 6 tokens/api_tokens.json.usage)" = "since " ]
}

@test "an upgrade changes nothing that is there, and writes through no link" {
    scripted postinst configure ""
    "$manager" --file tokens/api_tokens.json create one 2>/dev/null
    before=$(stat -c '%n %a %Y %i' tokens tokens/*; cat tokens/*)
    scripted postinst configure 0.0.1
    [ "$(stat -c '%n %a %Y %i' tokens tokens/*; cat tokens/*)" = "$before" ]
    rm tokens/api_tokens.json # which somebody means
    scripted postinst configure 0.0.1
    [ ! -e tokens/api_tokens.json ]
    rm -r tokens
    mkdir tokens
    ln -s ../elsewhere tokens/api_tokens.json.usage
    run scripted postinst configure 0.0.1
    [ "$status" -ne 0 ]
    [ ! -e elsewhere ]
}

@test "purging removes what an installation left, and no token" {
    scripted postinst configure ""
    run scripted postrm remove
    [ "$status" -eq 0 ]
    [ -e tokens/api_tokens.json ]
    run scripted postrm purge
    [ "$status" -eq 0 ]
    [ "$output" = "" ]
    [ ! -e tokens ]
    run scripted postrm purge
    [ "$status" -eq 0 ]

    scripted postinst configure ""
    "$manager" --file tokens/api_tokens.json create one 2>/dev/null
    "$manager" --file tokens/api_tokens.json delete --yes one 2>/dev/null
    before=$(cat tokens/*)
    run scripted postrm purge
    [ "$status" -eq 0 ]
    [[ $output == *"is kept"* ]]
    [ "$(cat tokens/*)" = "$before" ]
}

@test "purging tells what it keeps, and how all of that is removed, also where the folder is a link" {
    while IFS='|' read -r at file kept; do
        echo "row: $at with $file"
        mkdir "$at"
        [ "$at" = tokens ] || ln -s "$at" tokens
        scripted postinst configure ""
        [ "$file" = "" ] || echo "$file" >"tokens/$file"
        run scripted postrm purge
        [ "$status" -eq 0 ]
        [ "${output/. If nobody needs *: rm -r */}" = "$PWD/tokens is kept${kept/LINK/, a link to $PWD/$at}" ]
        [ "$(ls tokens)" = "$file" ] || [ "$file" = api_tokens.json ]
        eval "${output##*: }"
        [ ! -e "$at" ]
        [ ! -L tokens ]
    done <<'END'
tokens|api_tokens.json|, with its tokens
tokens|stray|, with files that are not api_tokens.json
other|api_tokens.json|LINK, with its tokens
other|stray|LINK, with files that are not api_tokens.json
other||LINK, and is empty
END
}

@test "what stands where the folder should be is not touched, and an installation says what to do" {
    for make in "ln -s nowhere" "touch"; do
        echo "row: $make"
        $make tokens
        run scripted postinst configure ""
        [ "$status" -eq 1 ]
        [ "$output" = "$PWD/tokens is no folder, and no link to one. Make it one, or move it away; then run \
'dpkg --configure token-manager'." ]
        [ ! -s tokens ]
        rm tokens
        scripted postinst configure ""
        rm -r tokens
    done
}
