# For the bats files that log in by ssh, loaded after ../cli/authd and ../cli/upstream: a real sshd on
# loopback for each server, with keys, port and files of its own.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # variables of the callers, and for them

# sshd is content with no other folder for its unprivileged half; its package makes it at the start.
needs_sshd() {
    needs sshd ssh ssh-keygen
    case $(getent passwd "$(id -u)") in
    */nologin | */false) skip "needs an account that can log in" ;;
    esac
    if [ "$(id -u)" = 0 ]; then
        [[ $(getent shadow root) != *:!* ]] || skip "needs root's account not to be locked"
        [ -d /run/sshd ] || mkdir -m 755 /run/sshd || [ -d /run/sshd ]
    fi
    account=$(id -un)
}

# Pairs of keys, FILE and FILE.pub: new_key FILE...
new_key() {
    local file
    for file; do
        ssh-keygen -q -t ed25519 -N '' -C '' -f "$file"
    done
}

run_sshd() {
    cat >"$server/sshd_config" <<END_OF_CONFIG
Port $1
ListenAddress 127.0.0.1
HostKey $PWD/$server/host_key
AuthorizedKeysFile $PWD/$server/authorized_keys
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin forced-commands-only
Subsystem sftp internal-sftp
# What tests are in may be in /tmp.
StrictModes no
# More than any server should take: it must not matter.
AcceptEnv API_TOKENS_FILE
END_OF_CONFIG
    exec "$(command -v sshd)" -D -e -f "$PWD/$server/sshd_config" >>"$server/sshd.log" 2>&1
}

sshd_is_ready() {
    grep -q "Server listening on 127.0.0.1 port $1\." "$server/sshd.log"
}

# start_sshd SERVER: a folder, with authorized_keys. Sets port, and makes SERVER/known_hosts.
start_sshd() {
    server=$1
    needs_sshd
    mkdir -p "$server"
    [ -e "$server/host_key" ] || new_key "$server/host_key"
    : >"$server/sshd.log"
    start_on_port run_sshd sshd_is_ready
    echo "[127.0.0.1]:$port $(<"$server/host_key.pub")" >"$server/known_hosts"
}

# The script that ssh keys are bound to, for the tokens of SERVER: provision_in SERVER
provision_in() {
    mkdir -p "$1"
    integration ci/provision.sh \
        manager=/usr/local/bin/token_manager "manager=$manager" \
        store=/var/lib/token_manager/api_tokens.json "store=$PWD/$1/api_tokens.json" >"$1/provision.sh"
    chmod 755 "$1/provision.sh"
}

# A line of authorized_keys as FILE has it: authorize SERVER FILE PUBLIC-KEY [FROM TO]...
authorize() {
    local server=$1 file=$2 key
    key=$(cut -d' ' -f1,2 "$3")
    shift 3
    integration "$file" /usr/local/lib/token_manager/provision.sh "$PWD/$server/provision.sh" \
        "ssh-ed25519 AAAA..." "$key" "$@" >>"$server/authorized_keys"
}
