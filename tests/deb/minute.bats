#!/usr/bin/env bats
# What a new user does with a clean Debian.

load root

@test "the minute of README.Debian ends with a key that nginx lets through, and then refuses" {
    needs_clean_root
    root=$BATS_TEST_TMPDIR/root
    mkdir "$root"
    tar -C "$root" -xf "$clean"
    cp "$packages"/token-manager_*.deb "$root/root"
    cp "$BATS_TEST_DIRNAME/../../packaging/debian/tests/one-minute" "$root/root"
    online apt-get -q update
    online sh -c 'apt-get -qy install /root/token-manager_*.deb nginx-light curl'
    # No systemd runs here that could be asked to.
    printf '#!/bin/sh\n[ "$*" = "reload nginx" ] && exec nginx -s reload\n' >"$root/usr/local/bin/systemctl"
    chmod +x "$root/usr/local/bin/systemctl"
    run served sh -c 'nginx && cd /root && exec ./one-minute'
    echo "$output"
    [ "$status" -eq 0 ]
    rm -rf "$root"
}
