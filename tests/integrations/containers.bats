#!/usr/bin/env bats
# docs/integrations/containers: the Containerfile is built by buildah on a base that has this machine's own
# /usr, as there is no registry to take another from; what it made is run as a container engine would.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of what is loaded and of run; a test is a subshell

bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load ../cli/nginx
load npm

tree=$BATS_TEST_DIRNAME/../..
containers=$tree/docs/integrations/containers
# What the helpers look for beside the test.
BATS_TEST_DIRNAME=${BATS_TEST_DIRNAME%/*}/cli

setup_file() {
    [ "$(id -u)" = 0 ] && command -v buildah >/dev/null && cd "$BATS_FILE_TMPDIR" || return 0
    mkdir -p base/{etc,proc,root,sys,tmp,usr,var,first} source
    ln -s usr/bin usr/lib usr/sbin base/
    [ ! -e /lib64 ] || ln -s usr/lib64 base/
    cp -a /etc/alternatives base/etc/ # cc is there
    # In place of apt-get, which would need a registry: each package has to be there.
    dpkg-query -W -f '${binary:Package}\n' | sed 's/:.*//' >base/etc/packages
    cat >base/first/apt-get <<'END'
#!/bin/sh
[ "$1" != update ] || exit 0
for word; do
    case $word in
    install | -*) ;;
    *) grep -qx "$word" /etc/packages || { echo "no package $word" >&2; exit 1; } ;;
    esac
done
END
    chmod +x base/first/apt-get
    printf 'FROM scratch\nCOPY base /\nENV PATH=/first:/usr/bin:/usr/sbin\n' >base.containerfile
    # As somebody's tree may be: with secrets in it, which belong into no image.
    cp -r "$BATS_TEST_DIRNAME/../../Makefile" "$BATS_TEST_DIRNAME/../../src" source/
    echo "OPENAI_API_KEY=a-secret-of-the-tree" | tee source/.env >source/api_tokens.json
    if ! { images build --pull-never -t docker.io/library/debian:bookworm-slim -f base.containerfile . &&
        images build --pull-never -v /usr:/usr:ro --build-arg CFLAGS=-O0 -t token_manager \
            -f "$BATS_TEST_DIRNAME/../../docs/integrations/containers/Containerfile" source &&
        images from --pull-never --name made token_manager && images mount made >mounted; } >build.log 2>&1; then
        echo failed >mounted
    fi
}

teardown_file() {
    [ ! -e "$BATS_FILE_TMPDIR/root" ] || { images umount made && images rm made; } >/dev/null 2>&1 || true
}

# buildah with a place of its own
images() {
    BUILDAH_ISOLATION=chroot buildah --storage-driver vfs --root "$BATS_FILE_TMPDIR/root" \
        --runroot "$BATS_FILE_TMPDIR/run" "$@"
}

# Sets made (the folder of the container) and config (the image's, as JSON).
needs_image() {
    needs_root
    needs buildah
    made=$(cat "$BATS_FILE_TMPDIR/mounted")
    [ "$made" != failed ] || fail "$(tail -n 12 "$BATS_FILE_TMPDIR/build.log")"
    config=$(images inspect --type image token_manager | jq -c .OCIv1.config)
    unshare --mount true 2>/dev/null || skip "needs to mount"
}

# The folders of compose.yaml, on the host.
make_folders() {
    install -d -m 700 -o 10001 -g 10001 tokens usage
    install -d -m 750 -o 10001 -g 10001 sockets # its volume's options
    chmod a+x .
}

# What an engine makes of a service in compose.yaml: a read-only root, these mounts, the image's user and
# variables, no capability, and in place of itself that command: contained MOUNT... -- COMMAND...
# with MOUNT as HOST:INSIDE[:ro]. In place of the shell, too, where in_place is (exec).
in_place=()
contained() {
    local mounts=() variables=()
    while [ "$1" != -- ]; do
        mounts+=("$1")
        shift
    done
    shift
    mapfile -t variables < <(jq -r '.Env[]' <<<"$config")
    # shellcheck disable=SC2016 # for that shell
    "${in_place[@]}" unshare --mount bash -c 'set -eu
        made=$1 user=$2 mounts=$3
        shift 3
        mount --make-rprivate /
        mount --bind "$made" "$made"
        for one in $mounts; do
            IFS=: read -r host inside mode <<<"$one"
            mkdir -p "$made$inside"
            mount --bind "$host" "$made$inside"
            [ -z "$mode" ] || mount -o remount,bind,ro "$made$inside"
        done
        mount -o remount,bind,ro "$made"
        exec env -i "$@"' - "$made" - "${mounts[*]}" "${variables[@]}" \
        chroot --userspec="$(jq -r .User <<<"$config")" --groups= "$made" "$@"
}

mounts_of_authd="tokens:/tokens:ro usage:/usage sockets:/sockets"

# token_manager in its container, as compose.yaml has it: manage ARGUMENT...
manage() {
    contained tokens:/tokens usage:/usage:ro -- token_manager "$@"
}

# token_authd in its container, by the image's own command; its log is ./authd.log.
start_contained() {
    local command
    mapfile -t command < <(jq -r '.Cmd[]' <<<"$config")
    authd_log=$PWD/authd.log
    : >"$authd_log"
    # shellcheck disable=SC2086 # words
    (in_place=(exec) && contained $mounts_of_authd -- "${command[@]}") 2>"$authd_log" 3>&- &
    authd_pid=$!
    started+=("$authd_pid")
    wait_for so_often 1 ready
}

# A request at the socket, as a user of nginx' container: ask_socket TOKEN, in $code
ask_socket() {
    code=$(setpriv --reuid=101 --regid="${group:-10001}" --clear-groups curl --silent --output /dev/null \
        --write-out '%{http_code}' --unix-socket sockets/token_authd.sock -H "X-Api-Key: $1" http://x/verify) || true
}

@test "the image has the three programs and their libraries, no shell, no secret of the tree, and no root" {
    needs_image
    same "$(cd "$made" && find . -type f -path '*bin*' | sort | xargs)" \
        "./usr/bin/token_authd ./usr/bin/token_manager ./usr/bin/token_verifier"
    same "$(cd "$made" && find . -type f ! -name '*.so*' ! -path './usr/bin/*' | sort | xargs)" "./etc/group ./etc/passwd"
    ! grep -rq a-secret-of-the-tree "$made" || fail "a secret is in the image"
    [ "$(du -sm "$made" | cut -f1)" -lt 16 ] || fail "it is large: $(du -sm "$made")"
    same "$(jq -r .User <<<"$config")" 10001:10001
    same "$(find "$made" -perm /6000)" ""
    for program in token_manager token_verifier token_authd; do
        says "$(contained -- "$program" --version)" "$program "
    done
}

@test "in a container: the manager makes a token, token_authd lets it in, and revoked, refuses it" {
    needs_image
    make_folders
    token=$(manage create app 2>/dev/null)
    start_contained
    ask_socket "$token"
    same "$code" 200
    manage revoke app
    ask_socket "$token"
    same "$code" 401
    manage restore app
    ask_socket "$token"
    same "$code" 200
    group=101 ask_socket "$token" # not in the socket's group
    same "$code" 000
    same "$(awk '/^(Uid|Gid|CapEff|CapPrm):/ { print $2 }' "/proc/$authd_pid/status" | xargs)" \
        "10001 10001 0000000000000000 0000000000000000"
    stop_authd
    exits 0
    says "$(manage list --usage /usage/last_uses)" "Last used: 20"
    lacks "$(cat tokens/api_tokens.json.usage)" tok_
}

@test "the verifier's container cannot write the token file, nor anything but its last uses and its socket" {
    needs_image
    make_folders
    manage create app >/dev/null 2>&1
    # shellcheck disable=SC2086 # words
    run -6 contained $mounts_of_authd -- token_manager create other
    says "$output" "Read-only file system"
    run -6 contained tokens:/tokens:ro -- token_manager revoke app
    same "$(manage list --json | jq length)" 1
}

@test "an image that is run without a token file lets nobody in: it does not start" {
    needs_image
    make_folders
    # shellcheck disable=SC2086 # words
    run contained $mounts_of_authd -- token_authd --listen unix:/sockets/token_authd.sock
    exits 6
    run contained -- token_verifier check <<<"$stranger"
    exits 6
}

# nginx.conf and watch.conf in ./here/containers, as the first block of README.md makes them.
make_configuration() {
    mkdir -p here/containers
    ln -s "$tree/docs/integrations/nginx" "$tree/docs/integrations/watching" here/
    cp "$containers/README.md" here/containers/
    (cd here/containers && eval "$(sed -n '/^cp .*watch.conf/,/>nginx.conf$/p' README.md)")
}

@test "nginx in front, with the configuration that README.md makes, asks at the shared socket" {
    needs_image
    needs nginx curl
    make_folders
    make_configuration
    token=$(manage create app 2>/dev/null)
    start_contained
    start_upstream
    watch_port=$(free_port)
    # nginx_configuration, of what was made: with what only tests need.
    sed -i "s/127.0.0.1:8081/127.0.0.1:$watch_port/" here/containers/watch.conf
    # shellcheck disable=SC2034 # for nginx_configuration
    integrations=$PWD/here
    mkdir here/made
    mv here/containers/*.conf here/made
    sed -i -e 's/listen 8080;/listen 127.0.0.1:8080;/' -e 's/server api:9000;/server 127.0.0.1:9000;/' \
        -e 's#unix:/sockets/token_authd.sock#unix:/run/token_authd.sock#' here/made/nginx.conf
    rm here/nginx
    mv here/made here/nginx
    cp here/nginx/watch.conf .
    ln -s sockets/token_authd.sock authd.sock
    start_nginx
    ask / -H "Authorization: Bearer $token"
    same "$code $(got X-Token-Name)" "200 app"
    manage revoke app
    ask / -H "Authorization: Bearer $token"
    same "$code" 401
    authd_url=http://127.0.0.1:$watch_port ask /healthz # what the health check of compose.yaml asks
    same "$code" 200
}

@test "the configuration that README.md makes has each change, and no address of the machine's own" {
    make_configuration
    same "$(diff "$tree/docs/integrations/nginx/nginx.conf" here/containers/nginx.conf | sed -n 's/^> *//p')" \
        $'server unix:/sockets/token_authd.sock;\nserver api:9000;\nlisten 8080;\ninclude watch.conf;'
}

# Has what follows run with one file mounted in the place of ./mounted/api_tokens.json. No function: what is
# started in the background has to be the command itself, or it would outlive the test.
# shellcheck disable=SC2016 # for that shell
with_single_file=(unshare --mount bash -c 'mount --make-rprivate / &&
    mount --bind host/api_tokens.json mounted/api_tokens.json && exec "$@"' -)

@test "a single file that is mounted: the manager inside cannot replace it, and says what to do" {
    needs_root
    unshare --mount true 2>/dev/null || skip "needs to mount"
    mkdir host mounted
    token_file=host/api_tokens.json write_tokens "$(record one "$token_one")"
    cp host/api_tokens.json before
    : >mounted/api_tokens.json
    run "${with_single_file[@]}" "$manager" --file mounted/api_tokens.json create two
    exits 6
    says "$output" "mount its folder"
    cmp host/api_tokens.json before
}

@test "a single file that is mounted: once the host replaces it, the verifier inside refuses everybody" {
    needs_root
    unshare --mount true 2>/dev/null || skip "needs to mount"
    mkdir host mounted
    token_file=host/api_tokens.json write_tokens "$(record one "$token_one")"
    : >mounted/api_tokens.json
    # shellcheck disable=SC2034 # for start_authd
    authd_under=("${with_single_file[@]}")
    start_authd --file mounted/api_tokens.json
    lets_in "$token_one"
    "$manager" --file host/api_tokens.json create two >/dev/null 2>&1
    keeps_out "$token_one" 503
    ask /healthz
    same "$code" 503
    says "$(jq -r .reason <<<"$body")" "mount"
}

@test "compose.yaml: only nginx has a port, only the manager may write tokens, nobody has rights or a writable root" {
    local compose
    needs_node_modules yaml
    compose=$(documents_of "$containers/compose.yaml")
    same "$(jq -r '.services | to_entries[] | select(.value.ports) | .key' <<<"$compose")" nginx
    jq -e '.services.nginx.ports | all(startswith("127.0.0.1:"))' <<<"$compose"
    jq -e '.services | del(.api) | all(.read_only and .cap_drop == ["ALL"]
        and .security_opt == ["no-new-privileges:true"])' <<<"$compose"
    # The mounts that the tests above are run with, and no single file.
    same "$(jq -r '.services.token_authd.volumes | map(ltrimstr("./")) | join(" ")' <<<"$compose")" "$mounts_of_authd"
    same "$(jq -r '.services.token_manager.volumes | map(ltrimstr("./")) | join(" ")' <<<"$compose")" \
        "tokens:/tokens usage:/usage:ro"
    jq -e '.services.token_manager.logging.driver == "none"' <<<"$compose" # P1: in no log
    same "$(jq -r '.services.nginx.user, .volumes.sockets.driver_opts.o' <<<"$compose" | xargs)" \
        "101:10001 uid=10001,gid=10001,mode=0750"
}

@test "docker-compose takes compose.yaml" {
    needs docker-compose
    cp "$containers/compose.yaml" .
    run docker-compose config
    exits 0
    says "$output" token_authd
}
