#!/bin/sh
# Install what building and testing need; or with "test" the servers and tools that the tests of
# token_authd talk to (apart, because some systems start a server that is installed); or with "lint"
# what `make lint` and `make sanitize` need; or with "deb" what `make deb` and `make check-deb` need
# beyond the first of these, on Debian and Ubuntu; or with "integrations" what `make check-integrations`
# needs beyond "test" (of which Debian starts sshd and fail2ban). It looks for the things themselves, not for packages, so
# that what was installed by hand counts, and does nothing where nothing is missing.
#
# usage: packaging/deps.sh [test | lint | deb | integrations]
set -eu

# Servers are where only root looks, and prove on Arch Linux where only a login shell does.
PATH=$PATH:/usr/sbin:/sbin:/usr/bin/core_perl

group=${1:-build}
case $group in
build | test | lint | deb | integrations) ;;
*)
    echo "usage: packaging/deps.sh [test | lint | deb | integrations]" >&2
    exit 2
    ;;
esac

# A want is a command or
#   header:FILE   a header that the C compiler finds
#   file:PATH     a file of no program
#   pc:MODULE     a library that pkg-config finds
#   py:MODULE     a module of the system's own Python
#   asan:CC       what the compiler CC needs to link the sanitizers
# Package "-": there is none, and what would use it does without. A comma joins two packages.
wants() {
    sed '/^#/d' <<'END'
# group want       apt-get          dnf                   apk               pacman      brew
build cc           gcc              gcc                   gcc               gcc         -
build header:stdio.h libc6-dev      glibc-devel           musl-dev          glibc       -
build header:linux/landlock.h -     -                     linux-headers     -           -
build make         make             make                  make              make        make
build pkg-config   pkg-config       /usr/bin/pkg-config   pkgconf           pkgconf     pkgconf
build pc:libcjson  libcjson-dev     pkgconfig(libcjson)   cjson-dev         cjson       cjson
build pc:libsodium libsodium-dev    pkgconfig(libsodium)  libsodium-dev     libsodium   libsodium
build pc:libmicrohttpd libmicrohttpd-dev pkgconfig(libmicrohttpd) libmicrohttpd-dev libmicrohttpd libmicrohttpd
build pc:cmocka    libcmocka-dev    pkgconfig(cmocka)     cmocka-dev        cmocka      cmocka
build bash         bash             bash                  bash              bash        bash
build bats         bats             bats                  bats              bats        bats-core
build prove        perl             /usr/bin/prove        perl-utils        perl        perl
build jq           jq               jq                    jq                jq          jq
build git          git              git-core              git               git         git
build curl         curl             curl                  curl              curl        curl
build expect       expect           expect                expect            expect      expect
build b2sum        coreutils        /usr/bin/b2sum        coreutils         coreutils   coreutils
build script       bsdutils         /usr/bin/script       util-linux-misc   util-linux  -
build setfacl      acl              acl                   acl               acl         -
build setfattr     attr             attr                  attr              attr        -
build strace       strace           strace                strace            strace      -
test  c++          g++              gcc-c++               g++               gcc         -
test  nginx        nginx-light      nginx                 nginx             nginx       nginx
test  caddy        caddy            caddy                 caddy             caddy       caddy
test  haproxy      haproxy          haproxy               haproxy           haproxy     haproxy
test  systemd-analyze systemd       systemd               -                 systemd     -
test  /bin/kill    procps           procps-ng             procps            procps-ng   -
test  promtool     prometheus       -                     prometheus        prometheus  prometheus
test  mandoc       mandoc           mandoc                mandoc            mandoc      mandoc
test  groff        groff-base       groff-base            groff             groff       groff
test  zsh          zsh              zsh                   zsh               zsh         zsh
test  fish         fish             fish                  fish              fish        fish
lint  xargs        findutils        findutils             findutils         findutils   -
lint  asan:cc      gcc              libasan-static,libubsan-static -        gcc         -
lint  clang        clang            clang                 clang             clang       -
lint  asan:clang   libclang-rt-dev  compiler-rt           compiler-rt       compiler-rt -
lint  clang-format clang-format     /usr/bin/clang-format clang-extra-tools clang       clang-format
lint  clang-tidy   clang-tidy       /usr/bin/clang-tidy   clang-extra-tools clang       llvm
lint  cppcheck     cppcheck         cppcheck              cppcheck          cppcheck    cppcheck
lint  shellcheck   shellcheck       /usr/bin/shellcheck   shellcheck        shellcheck  shellcheck
deb   dpkg-buildpackage dpkg-dev    -                     -                 -           -
deb   dh           debhelper        -                     -                 -           -
deb   lintian      lintian          -                     -                 -           -
deb   debootstrap  debootstrap      -                     -                 -           -
deb   unshare      util-linux       -                     -                 -           -
deb   ip           iproute2         -                     -                 -           -
deb   systemd-socket-activate systemd -                   -                 -           -
integrations python3 python3         python3               python3           python      python
integrations node nodejs             nodejs                nodejs            nodejs      node
integrations npm npm                 npm                   npm               npm         -
integrations py:fastapi python3-fastapi python3-fastapi    py3-fastapi       python-fastapi -
integrations py:uvicorn python3-uvicorn python3-uvicorn    uvicorn           uvicorn     -
integrations sshd openssh-server     openssh-server        openssh-server    openssh     -
integrations ssh openssh-client      openssh-clients       openssh-client    openssh     -
integrations gh gh                   gh                    github-cli        github-cli  gh
integrations buildah buildah          buildah               buildah           buildah     -
integrations docker-compose docker-compose -               -                 -           -
integrations kubectl kubernetes-client -                   kubectl           kubectl     kubernetes-cli
integrations fail2ban-regex fail2ban fail2ban-server       fail2ban          fail2ban    -
integrations apache2 apache2-bin     -                     -                 -           -
integrations file:/usr/share/lua/5.3/socket.lua lua-socket - -               -           -
END
}

links() {
    echo 'int main(void) { return 0; }' |
        "$@" -fsanitize=address,undefined -x c -o /dev/null - >/dev/null 2>&1
}

# What a compiler lacks shows only once there is one: without it, nothing is missing yet.
have() {
    case $1 in
    header:*)
        ! have cc || echo "#include <${1#header:}>" | cc -E -x c - >/dev/null 2>&1
        ;;
    file:*)
        [ -e "${1#file:}" ]
        ;;
    pc:*)
        pkg-config --exists "${1#pc:}" 2>/dev/null
        ;;
    py:*)
        "$(command -v /usr/bin/python3 || echo python3)" -c "import ${1#py:}" 2>/dev/null
        ;;
    asan:cc)
        ! have cc || links cc -static-libasan -static-libubsan
        ;;
    asan:*)
        ! have "${1#asan:}" || links "${1#asan:}"
        ;;
    *)
        command -v "$1" >/dev/null
        ;;
    esac
}

# Sets missing (wants) and packages (what brings them here).
look() {
    missing='' packages=''
    while read -r of want apt dnf apk pacman brew; do
        [ "$of" = "$group" ] || continue
        case $manager in
        apt-get) package=$apt ;;
        dnf) package=$dnf ;;
        apk) package=$apk ;;
        pacman) package=$pacman ;;
        brew) package=$brew ;;
        *) package=$want ;;
        esac
        if [ "$package" = - ] || have "$want"; then
            continue
        fi
        missing="$missing ${want#pc:}"
        packages="$packages $(echo "$package" | tr , ' ')"
    done <<END
$(wants)
END
}

as_root() {
    if [ "$manager" = brew ] || [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    elif have doas; then
        doas "$@"
    else
        echo "deps: needs root, and there is no sudo or doas. As root, run: $*" >&2
        exit 1
    fi
}

manager=none
for name in apt-get dnf apk pacman brew; do
    if have "$name"; then
        manager=$name
        break
    fi
done

case $manager in
apt-get)
    refresh='apt-get update'
    install='env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends'
    ;;
dnf)
    refresh='dnf makecache'
    install='dnf install -y'
    ;;
apk)
    refresh='apk update'
    install='apk add'
    ;;
pacman)
    refresh='pacman -Sy'
    install='pacman -S --needed --noconfirm'
    ;;
brew)
    refresh='brew update'
    install='brew install'
    ;;
esac

look
if [ -z "$missing" ]; then
    echo "deps: everything for '$group' is here already"
    exit 0
fi
echo "deps: missing:$missing"
if [ "$manager" = none ]; then
    echo "deps: no package manager that I know; please install these by hand" >&2
    exit 1
fi

# Twice, because a new compiler may lack something in its turn.
# shellcheck disable=SC2086  # these are lists
for _ in 1 2; do
    as_root $install $packages || {
        echo "deps: once more, with fresh package lists"
        as_root $refresh
        as_root $install $packages
    }
    look
    [ -n "$missing" ] || exit 0
done
echo "deps: installed, yet not found:$missing" >&2
exit 1
