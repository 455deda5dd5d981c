#!/usr/bin/env bats
# The packages from their installation to their end, in a clean Debian.

load root

folder=/var/lib/token_manager
tokens=$folder/api_tokens.json

# Each test has a system of its own, a copy of one in which the package is installed.
setup() {
    needs_clean_root
    root=$BATS_FILE_TMPDIR/installed
    [ -e "$root.done" ] || make_installed
    # Nobody changes a file of /usr in its place, so that a link will do, which is quicker.
    mkdir "$BATS_TEST_TMPDIR/root"
    find "$root" -mindepth 1 -maxdepth 1 ! -name usr -exec cp -a -t "$BATS_TEST_TMPDIR/root" {} +
    cp -al "$root/usr" "$BATS_TEST_TMPDIR/root"
    root=$BATS_TEST_TMPDIR/root
}

teardown() {
    rm -rf "$BATS_TEST_TMPDIR/root"
}

make_installed() {
    mkdir "$root"
    tar -C "$root" -xf "$clean"
    cp "$packages"/token-manager_*.deb "$root/root/token-manager.deb"
    online apt-get -q update
    online apt-get -qy install /root/token-manager.deb >"$root.log" 2>&1 || {
        cat "$root.log"
        return 1
    }
    touch "$root.done"
}

create() {
    inside token_manager --file $tokens create "$@"
}

# An older or newer version of what is installed, of which nothing else is different: version VERSION
version() {
    local as=$BATS_TEST_TMPDIR/$1
    dpkg-deb -R "$root/root/token-manager.deb" "$as"
    sed -i "s/^Version: .*/Version: $1/" "$as/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$as" "$root/root/$1.deb" >/dev/null
}

# What has to be unchanged: names, modes, owners and contents in the folder.
state() {
    owned "$folder" "$folder/*"
    (cd "$root$folder" && sha256sum -- *)
    inside getent group api-tokens
}

@test "the programs, their pages and their completions are there, and nothing is in /etc but the socket's link" {
    inside token_manager --version
    inside token_verifier --version
    inside token_authd --version
    [ -s "$root/usr/share/doc/token-manager/README.Debian" ]
    for program in token_manager token_verifier token_authd; do
        compgen -G "$root/usr/share/man/man[18]/$program.[18].gz"
        [ -s "$root/usr/share/bash-completion/completions/$program" ]
        [ -s "$root/usr/share/fish/vendor_completions.d/$program.fish" ]
    done
    # One for all three.
    [ -s "$root/usr/share/zsh/vendor-completions/_token_manager" ]
    same "$(inside find /etc -name '*token*')" \
        "/etc/systemd/system/sockets.target.wants/token_authd.socket"
}

@test "there is a folder of the group with a file without tokens, for the group to read" {
    same "$(owned "$folder" "$folder/*")" "$folder 2750 root:api-tokens
$tokens 640 root:api-tokens
$tokens.usage 660 root:api-tokens"
    [[ $(inside token_manager --file $tokens list) == "No tokens found"* ]]
    run as api-tokens token_verifier check --file $tokens <<<nonsense
    echo "$output"
    [ "$status" -eq 1 ]
}

@test "before there is a token, the service refuses everybody" {
    same "$(served perl -e "$ask")" 401
}

# shellcheck disable=SC2016  # it is Perl
# A request to the socket, of which the status is printed; there is no curl in a clean system.
ask='use IO::Socket::UNIX;
    my $s = IO::Socket::UNIX->new(Peer => "/run/token_authd.sock") or die "$!";
    print $s "GET /verify HTTP/1.1\r\nHost: x\r\n", (@ARGV ? "X-Api-Key: $ARGV[0]\r\n" : ""), "\r\n";
    print +(split / /, <$s>)[1], "\n";'

@test "what root creates is good for the service, which notes its use" {
    token=$(create one)
    same "$(owned $tokens $tokens.usage)" "$tokens 640 root:api-tokens
$tokens.usage 660 root:api-tokens"
    same "$(served perl -e "$ask; sleep 2" "$token")" 200
    grep -q sandbox= "$root/root/authd.log"
    [[ $(inside token_manager --file $tokens list) == *"Last used: 2"* ]]
    inside token_manager --file $tokens revoke one
    same "$(served perl -e "$ask" "$token")" 401
}

@test "a member of the group can verify, and change nothing" {
    token=$(create one)
    before=$(sha256sum <"$root$tokens")
    run as api-tokens token_verifier check --file $tokens <<<"$token"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $(inside token_manager --file $tokens list) == *"Last used: 2"* ]]
    for try in "token_manager --file $tokens create two" "token_manager --file $tokens revoke one" \
        "rm -f $tokens" "mv $tokens $tokens.old" "touch $folder/new" "sh -c ':>>$tokens'" \
        "cat $tokens.audit"; do
        run as api-tokens sh -c "$try"
        echo "$try: $output"
        [ "$status" -ne 0 ]
    done
    same "$(sha256sum <"$root$tokens")" "$before"
}

@test "who is not in the group sees nothing" {
    token=$(create one)
    run as "" token_verifier check --file $tokens <<<"$token"
    echo "$output"
    [ "$status" -eq 6 ]
    run as "" ls $folder
    [ "$status" -ne 0 ]
}

@test "the socket is for the web server, and for nobody else" {
    same "$(served stat -c '%a %U:%G' /run/token_authd.sock)" "660 root:www-data"
    same "$(served setpriv --reuid=33 --regid=33 --clear-groups perl -e "$ask")" 401
    run served setpriv --reuid=61235 --regid=61235 --clear-groups perl -e "$ask"
    echo "$output"
    [ "$status" -ne 0 ]
}

@test "an upgrade keeps the tokens, and all that the operator has changed" {
    version 0.0.1
    inside dpkg -i --force-downgrade /root/0.0.1.deb
    create one
    inside chmod 2770 $folder
    inside addgroup --system another
    inside chgrp another $tokens
    before=$(state)
    inside apt-get -qy install /root/token-manager.deb
    same "$(state)" "$before"
    version 99
    inside apt-get -qy install /root/99.deb
    same "$(state)" "$before"
}

@test "a token file that the operator has taken away is not put back" {
    create one
    inside rm $tokens
    inside dpkg-reconfigure token-manager
    [ ! -e "$root$tokens" ]
}

@test "a group and a folder that are there already stay as they are" {
    inside apt-get -qy purge token-manager
    inside groupdel api-tokens
    inside groupadd --gid 4321 api-tokens
    inside install -d -m 2755 -o daemon -g api-tokens $folder
    inside apt-get -qy install /root/token-manager.deb
    same "$(owned $folder $tokens)" "$folder 2755 daemon:api-tokens
$tokens 640 root:api-tokens"
    same "$(inside getent group api-tokens)" "api-tokens:x:4321:"
}

@test "removing keeps the tokens, which are good after it is installed again" {
    token=$(create one)
    before=$(state)
    inside apt-get -qy remove token-manager
    [ ! -e "$root/usr/bin/token_manager" ]
    same "$(state)" "$before"
    inside apt-get -qy install /root/token-manager.deb
    same "$(state)" "$before"
    same "$(served perl -e "$ask" "$token")" 200
}

@test "purging keeps tokens and says so, and they are good after it is installed again" {
    token=$(create one)
    before=$(state)
    run inside apt-get -qy purge token-manager
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"$folder is kept, with its tokens. If nobody needs them any more: rm -r $folder"* ]]
    same "$(state)" "$before"
    inside apt-get -qy install /root/token-manager.deb
    same "$(state)" "$before"
    same "$(served perl -e "$ask" "$token")" 200
}

@test "purging where no token was made leaves nothing" {
    inside token_manager --file $tokens list
    run inside apt-get -qy purge token-manager
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output != *"is kept"* ]]
    same "$(inside find / -xdev -path /proc -prune -o -path /root -prune -o -path /tmp -prune -o \
        \( -name '*token*' -o -name '*api-tokens*' \) -print | grep -v '/libp11\|/perl')" ""
}
