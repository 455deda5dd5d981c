# Clean Debian systems, in which the files here install the packages that `make deb` has made. What is
# mounted and started there has namespaces of its own, so that it ends with the command, come what may.
# shellcheck shell=bash disable=SC2034,SC2154,SC2016  # what is set is for the callers, and by
# them; shells inside expand what is in single quotes

# shellcheck disable=SC1091 # looked at by itself
. "${BASH_SOURCE[0]%/*}/../cli/basics.bash"

packages=${BIN-}/deb
brought_by=deps-deb

needs_packages() {
    needs_build
    compgen -G "$packages/token-manager_*.deb" >/dev/null || skip "needs the packages (make deb)"
}

# Sets clean, an archive of a Debian of this machine's release with nothing but the least. It takes long
# to make, so it is kept.
needs_clean_root() {
    local release
    [ "$(id -u)" = 0 ] || skip "needs root"
    needs_packages
    needs debootstrap unshare ip setpriv systemd-socket-activate apt-get
    unshare --mount --net --pid --fork true 2>/dev/null || skip "cannot make namespaces"
    release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    clean=$BIN/clean-$release.tar
    # Others who need it at the same time wait for who is first.
    exec 8>"$clean.lock"
    flock 8
    [ -e "$clean" ] || make_clean_root "$release"
    exec 8>&-
}

# The mirror is that of this machine.
make_clean_root() {
    local release=$1 mirror folder=$BATS_TEST_TMPDIR/clean log=$BATS_TEST_TMPDIR/debootstrap.log
    mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        sed -n "s/^$release main //p" | head -n 1)
    [ -n "$mirror" ] || skip "apt has no packages of $release"
    if ! unshare --mount --pid --fork --kill-child \
        debootstrap --variant=minbase "$release" "$folder" "$mirror" >"$log" 2>&1; then
        ! grep -q "Failed getting release file" "$log" || skip "cannot reach $mirror"
        tail -n 20 "$log"
        return 1
    fi
    apt-config dump | grep -E '^Acquire::https?::Proxy' >"$folder/etc/apt/apt.conf.d/proxy" || true
    echo force-unsafe-io >"$folder/etc/dpkg/dpkg.cfg.d/quick"
    echo 'Acquire::Languages "none";' >"$folder/etc/apt/apt.conf.d/quick"
    # No service is started by what is installed.
    printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
    chmod +x "$folder/usr/sbin/policy-rc.d"
    rm -f "$folder"/var/cache/apt/archives/*.deb
    tar -C "$folder" -cf "$clean.new" .
    mv "$clean.new" "$clean"
    rm -rf "$folder"
}

# What a command in a root has around it.
around=(env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
    DEBIAN_FRONTEND=noninteractive)

# Runs a command in $root, with the network of this machine.
online() {
    unshare --mount --pid --fork --kill-child bash -euc '
        mount -t proc proc "$0/proc"
        exec chroot "$0" "$@"' "$root" "${around[@]}" "$@"
}

# Runs a command in $root, with a network that nobody else is in.
inside() {
    unshare --mount --net --pid --fork --kill-child bash -euc '
        mount -t proc proc "$0/proc"
        ip link set lo up
        exec chroot "$0" "$@"' "$root" "${around[@]}" "$@"
}

# What a unit in $root says: setting UNIT KEY
setting() {
    sed -n "s/^$2=//p" "$root/lib/systemd/system/$1" | head -n 1
}

# The same as inside, and the units are obeyed as far as that can be done without systemd: the socket is
# there, and its first client starts the service, as a user who is in the groups of the service alone.
served() {
    local command socket
    socket=$(setting token_authd.socket ListenStream)
    read -ra command <<<"$(setting token_authd.service ExecStart)"
    unshare --mount --net --pid --fork --kill-child bash -euc '
        root=$0 socket=$1 owner=$2 mode=$3 groups=$4 words=$5
        shift 5
        mount -t proc proc "$root/proc"
        ip link set lo up
        rm -f "$root$socket"
        systemd-socket-activate --listen="$root$socket" chroot "$root" setpriv --reuid=61234 \
            --regid=61234 --groups="$groups" --no-new-privs --inh-caps=-all --bounding-set=-all \
            "${@:1:words}" 2>"$root/root/authd.log" &
        until [ -S "$root$socket" ]; do sleep 0.02; done
        chroot "$root" chown "$owner" "$socket"
        chroot "$root" chmod "$mode" "$socket"
        chroot "$root" "${@:words+1}"' "$root" "$socket" \
        "root:$(setting token_authd.socket SocketGroup)" "$(setting token_authd.socket SocketMode)" \
        "$(setting token_authd.service SupplementaryGroups)" "${#command[@]}" "${command[@]}" \
        "${around[@]}" "$@"
}

# Runs a command in $root as somebody in these groups, or in none but his own: as GROUPS COMMAND...
as() {
    local groups=(--clear-groups)
    [ "$1" = "" ] || groups=(--groups="$1")
    inside setpriv --reuid=61235 --regid=61235 "${groups[@]}" -- "${@:2}"
}

# Mode, owner and group of files in $root, where patterns are matched, too: owned PATTERN...
owned() {
    inside sh -c 'stat -c "%n %a %U:%G" $*' sh "$@"
}

