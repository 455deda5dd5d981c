#!/usr/bin/env bats
# P7, least privilege: token_authd needs no write access to the token file or its folder, and in its
# sandbox it has none, nor any to what else is on the machine. What it may is found out from inside, by
# tests/preload/tries.c, as somebody would who has taken it over.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034  # variables of common, authd and run; a test is a subshell

bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/trace
load promises

sanitized=${ASAN_OPTIONS-} # needs_strace sets the variable

# A server in its sandbox: start_caged [OPTION...]. Skips the test where the kernel has none. Sets
# version, of Landlock. Its log begins anew with each.
start_caged() {
    # The leak sanitizer reads what the sandbox keeps from it.
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
    : >"$BATS_TEST_TMPDIR/authd.log"
    start_authd --sandbox "$@" 2>/dev/null || true
    version=$(sed -n 's/.* event=ready .* sandbox=landlock-\([0-9]*\)$/\1/p' "$authd_log")
    [ -n "$version" ] || ! grep -q Landlock "$authd_log" || skip "needs Landlock in the kernel"
    [ -n "$version" ] || fail "$(cat "$authd_log")"
}

# The folder tokens, of a token file with all that is beside one, and a folder that is none of our
# business.
lay_out() {
    needs token_authd curl
    mkdir tokens tokens/folder beside
    echo "not yours" | tee tokens/victim beside/victim >beside/secret
    token=$(create one --file tokens/api_tokens.json)
}

# Has the server that starts next try what it may not: prepare_tries [COMMAND...] (to run it under)
prepare_tries() {
    [ -z "$sanitized" ] || skip "the sanitizers want to be loaded first"
    [ -e "$BIN/tests/preload/tries.so" ] || skip "needs tests/preload"
    : >tries.txt
    chmod a+rw tries.txt
    authd_under=("$@" env LD_PRELOAD="$BIN/tests/preload/tries.so" TRIES="$PWD/tries.txt")
}

# What came of the tries in a thread, as far as a version of Landlock knows them:
# tried THREAD [VERSION]
tried() {
    [ "$1" != worker ] || ask /healthz # once it has served it waits in what is put between
    wait_for grep -q "^0 $1 end" tries.txt
    awk -v thread="$1" -v version="${2-100}" \
        '$2 == thread && $1 > 0 && $1 <= version { print $3, $4, $5 }' tries.txt
}

# Of the rows on standard input, which begin with a version of Landlock, those that this one knows.
known() {
    awk -v version="$version" '$1 <= version { print $2, $3, $4 }'
}

# The id of the token, in the usage file: was it recorded?
is_recorded() {
    grep -q "^$(jq -r '.tokens[0].id' tokens/api_tokens.json) " "${1-tokens/api_tokens.json.usage}"
}

so_often() {
    [ "$(logged "$2")" -ge "$1" ]
}

# SIGHUP, and waits until it was done: reread [EVENT]
reread() {
    local before
    before=$(logged "${1-reread}")
    kill -HUP "$authd_pid"
    wait_for so_often $((before + 1)) "${1-reread}"
}

@test "in the sandbox all it can write is the usage file, and all it can read is what it serves" {
    lay_out
    prepare_tries
    before=$(cat tokens/api_tokens.json)
    start_caged --threads 1 --file tokens/api_tokens.json
    # The last column is what the kernel says; root is told the same as everybody.
    known >wanted <<'END'
1 read tokens/api_tokens.json done
1 read beside/secret EACCES
1 read /etc/passwd EACCES
1 list tokens EACCES
1 list / EACCES
1 write tokens/api_tokens.json EACCES
1 write tokens/api_tokens.json.lock EACCES
1 write tokens/api_tokens.json.audit EACCES
1 write tokens/api_tokens.json.usage done
1 write beside/victim EACCES
1 write /dev/null EACCES
3 truncate tokens/api_tokens.json EACCES
3 truncate tokens/api_tokens.json.usage done
1 chmod tokens/api_tokens.json done
1 make-file tokens/new EACCES
1 make-file beside/new EACCES
1 make-folder tokens/new EACCES
1 make-symlink tokens/new EACCES
1 make-link tokens/new EACCES
1 make-pipe tokens/new EACCES
1 make-socket tokens/new EACCES
1 remove-file tokens/victim EACCES
1 remove-folder tokens/folder EACCES
1 rename tokens/victim EACCES
1 rename beside/victim EACCES
1 execute /bin/true EACCES
1 trace parent EPERM
1 gain privileges EPERM
4 bind tcp EACCES
4 connect tcp EACCES
6 connect abstract EPERM
6 signal parent EPERM
END
    diff wanted <(tried main "$version")
    diff wanted <(tried worker "$version")
    same "$(cat tokens/api_tokens.json)" "$before"
    lets_in "$token"
    figure "cage: $((2 * $(wc -l <wanted))) tries from two threads in landlock-$version:" \
        "$((2 * $(grep -vc ' done$' wanted))) refused, the others are to read the tokens, to write" \
        "the usage file, and chmod"
}

@test "without the sandbox each of these tries goes well, so it is the sandbox that fails them" {
    lay_out
    prepare_tries
    start_authd --sandbox=off --threads 1 --file tokens/api_tokens.json
    for thread in main worker; do
        # Some systems let nobody trace but a child.
        run -1 grep -v ' done$\|^trace parent EPERM$' < <(tried "$thread")
        same "$output" ""
        [ "$(tried "$thread" | wc -l)" -ge 32 ]
    done
}

# The token folder as one who only verifies gets it: to read, but for the usage file. Sets
# authd_under, so that the server is somebody else, if we are root; else it is we who may not write.
give_for_reading() {
    if [ "$(id -u)" = 0 ] && ! as_nobody test -x "$BIN/token_authd"; then
        mkdir -p bin/tests/preload
        cp "$BIN"/token_authd "$BIN"/token_verifier bin
        cp "$BIN/tests/preload/tries.so" bin/tests/preload
        BIN=$PWD/bin
        verifier=$BIN/token_verifier # share_folder looks whether it can be run
    fi
    share_folder
    authd_under=()
    if [ "$(id -u)" = 0 ]; then
        as_nobody true || skip "needs another user"
        chown -R root:65534 tokens
        authd_under=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
    fi
    chmod 440 tokens/api_tokens.json
    chmod 660 tokens/api_tokens.json.usage
    chmod 400 tokens/victim
    close_folder
}

close_folder() {
    chmod 400 tokens/api_tokens.json.lock tokens/api_tokens.json.audit
    chmod 550 tokens
}

# Runs a command of who keeps the tokens, with leave to write to their folder: as_keeper COMMAND...
as_keeper() {
    chmod 750 tokens
    chmod 600 tokens/api_tokens.json.lock tokens/api_tokens.json.audit
    "$@"
    close_folder
}

teardown() {
    stop_started
    chmod -f 750 tokens || true # or it could not be removed
}

@test "a user who may read the token folder can write the usage file there, and no more" {
    lay_out
    give_for_reading
    prepare_tries "${authd_under[@]}"
    start_authd --sandbox=off --threads 1 --file tokens/api_tokens.json
    tried worker >said
    diff - <(grep '^[rwtm].* tokens/' said | sed 's/ E[A-Z]*$/ refused/') <<'END'
read tokens/api_tokens.json done
write tokens/api_tokens.json refused
write tokens/api_tokens.json.lock refused
write tokens/api_tokens.json.audit refused
write tokens/api_tokens.json.usage done
truncate tokens/api_tokens.json refused
truncate tokens/api_tokens.json.usage done
make-file tokens/new refused
make-folder tokens/new refused
make-symlink tokens/new refused
make-link tokens/new refused
make-pipe tokens/new refused
make-socket tokens/new refused
remove-file tokens/victim refused
remove-folder tokens/folder refused
rename tokens/victim refused
END
    # Who does not own the files cannot let himself in either, which Landlock does not see.
    [ "$(id -u)" != 0 ] || grep -qx "chmod tokens/api_tokens.json EPERM" said
    lets_in "$token"
    figure "cage: an unprivileged user with a read-only token folder, no sandbox:" \
        "$(grep -c ' tokens/.* E' said) of its tries there refused"
}

@test "so kept, it serves: verdicts, reloads, last uses, .env anew, the end" {
    lay_out
    echo "FREEGPT_API_KEY=the-old-key" >tokens/variables
    give_for_reading
    chmod 444 tokens/variables
    start_caged --file tokens/api_tokens.json --env-file tokens/variables
    lets_in "$token"
    keeps_out "$stranger"
    lets_in the-old-key
    wait_for is_recorded
    # The files are replaced by others of their names.
    two=$(as_keeper create two --file tokens/api_tokens.json)
    lets_in "$two"
    as_keeper "$manager" revoke one --file tokens/api_tokens.json 2>/dev/null
    keeps_out "$token"
    wait_for so_often 1 reloaded
    echo "FREEGPT_API_KEY=the-new-key" >next
    chmod 444 next
    as_keeper mv next tokens/variables
    reread
    lets_in the-new-key
    keeps_out the-old-key
    stop_authd
    same "$status" 0
    "$manager" list --json --file tokens/api_tokens.json >list.json
    same "$(jq -c 'map(.last_used_at != null)' list.json)" "[true,true]"
}

@test "every thread is barred from new privileges, and no file is open to be written" {
    lay_out
    # Without what it would inherit from the tests.
    # shellcheck disable=SC2016  # for that shell
    authd_under=(bash -c 'for ((fd = 3; fd < 100; fd++)); do eval "exec $fd>&-"; done; exec "$@"'
        bash)
    start_caged --threads 4 --file tokens/api_tokens.json
    lets_in "$token"
    for status in /proc/"$authd_pid"/task/*/status; do
        same "$(sed -n 's/^NoNewPrivs:\t//p' "$status")" 1
    done
    same "$(cat /proc/"$authd_pid"/task/*/status | grep -c '^NoNewPrivs:')" 5
    needs_root # what it has open it shows to nobody else
    for fd in /proc/"$authd_pid"/fd/*; do
        file=$(readlink "$fd") || continue
        # Its log is standard error; what stands in for no file is no file.
        [ "${fd##*/}" -gt 2 ] && [ -f "$file" ] || continue
        same "$file" "$PWD/tokens/api_tokens.json"
        same "$(sed -n 's/^flags:\t.*\(.\)$/\1/p' "/proc/$authd_pid/fdinfo/${fd##*/}")" 0
    done
}

@test "links are swapped under it as Kubernetes does it, and others swap a folder" {
    mkdir -p volume/..1 volume/..2 releases/1 releases/2
    token_file=volume/..1/api_tokens.json write_tokens "$(record one "$token_one")"
    token_file=volume/..2/api_tokens.json write_tokens "$(record two "$token_two")"
    cp volume/..1/api_tokens.json releases/1
    cp volume/..2/api_tokens.json releases/2
    ln -s ..1 volume/..data
    ln -s ..data/api_tokens.json volume/api_tokens.json
    ln -s releases/1 current
    for file in volume/api_tokens.json volume/..data/api_tokens.json current/api_tokens.json; do
        echo "row: $file"
        ln -sfn ..1 volume/..data
        ln -sfn releases/1 current
        start_caged --file "$file"
        lets_in "$token_one"
        keeps_out "$token_two"
        ln -s ..2 volume/..next
        mv -T volume/..next volume/..data
        ln -s releases/2 next
        mv -T next current
        lets_in "$token_two"
        keeps_out "$token_one"
    done
}

@test "a token file that moves out of reach is no verdict, and the log tells of the sandbox" {
    mkdir here there
    token_file=here/api_tokens.json write_tokens "$(record one "$token_one")"
    token_file=there/api_tokens.json write_tokens "$(record two "$token_two")"
    # That a link leads here from there does not open what is beside it there.
    ln -s "$PWD/here" there/absolute
    ln -s ../here there/upward
    for folder in here there/absolute there/upward; do
        echo "row: $folder"
        ln -sfn "$PWD/here/api_tokens.json" here/link
        start_caged --file "$folder/link"
        lets_in "$token_one"
        ln -sfn "$PWD/there/api_tokens.json" here/link
        keeps_out "$token_one" 503
        keeps_out "$token_two" 503
        says "$(log_lines mode)" " mode=unavailable "
        says "$(log_lines mode)" "ermission denied"
        says "$(log_lines mode)" " sandbox=landlock-"
        ln -sfn "$PWD/here/api_tokens.json" here/link
        lets_in "$token_one"
    done
}

@test "a variables file elsewhere is read anew; one that comes to be elsewhere is not" {
    mkdir tokens variables
    token_file=tokens/api_tokens.json write_tokens "$(record one "$token_one")"
    echo "FREEGPT_API_KEY=the-old-key" >variables/env
    start_caged --file tokens/api_tokens.json --env-file variables/env
    lets_in the-old-key
    echo "FREEGPT_API_KEY=the-new-key" >variables/next
    mv variables/next variables/env
    reread
    lets_in the-new-key
    stop_authd
    start_caged --file tokens/api_tokens.json
    echo "FREEGPT_API_KEY=the-old-key" >.env
    reread reread-failed
    says "$(log_lines reread-failed)" ".env: Permission denied"
    says "$(log_lines reread-failed)" " sandbox=landlock-"
    lets_in "$token_one"
    keeps_out the-old-key
}

@test "a usage file that is named is made before; where none is, that is said" {
    lay_out
    start_caged --file tokens/api_tokens.json --usage elsewhere
    [[ $(cat elsewhere) == "since "* ]]
    lets_in "$token"
    wait_for is_recorded elsewhere
    stop_authd
    same "$(logged sandbox)" 0
    rm tokens/api_tokens.json.usage
    start_caged --file tokens/api_tokens.json
    says "$(log_lines sandbox)" " level=warn "
    says "$(log_lines sandbox)" "no usage file, so last uses are not recorded: when there is one, restart"
    lets_in "$token"
    stop_authd
    same "$status" 0
    [ ! -e tokens/api_tokens.json.usage ]
}

@test "of the root folder nothing is given away for a .env, and all, with a warning, for the tokens" {
    local root=$PWD/root
    needs token_authd curl
    [ -z "$sanitized" ] || skip "the sanitizers have no place there"
    unshare=(unshare -m)
    [ "$(id -u)" = 0 ] || unshare=(unshare -U -r -m)
    mkdir -p "$root/whole" "$root/data"
    "${unshare[@]}" mount --rbind / "$root/whole" 2>/dev/null || skip "cannot mount anything"
    for link in bin lib lib64 usr etc; do
        [ ! -e "/$link" ] || ln -s "whole/$link" "$root/$link"
    done
    token_file=$root/data/api_tokens.json write_tokens "$(record one "$token_one")"
    cp "$root/data/api_tokens.json" "$root"
    echo "FREEGPT_API_KEY=the-old-key" >"$root/.env"
    echo "not yours" >"$root/other"
    for file in data/api_tokens.json api_tokens.json; do
        # shellcheck disable=SC2016  # for that shell
        authd_under=("${unshare[@]}" bash -euc 'root=$1 program=$2
            mount --rbind / "$root/whole"
            exec chroot "$root" "/whole$program" "${@:3}"' bash "$root")
        start_caged --listen 127.0.0.1:0 --env-file /.env --file "/$file"
        lets_in the-old-key
        # What the path of the token file leads to is what shows what may be read.
        cp "$root/$file" kept
        ln -sf /other "$root/$file"
        keeps_out "$token_one" 503
        if [ "$file" = api_tokens.json ]; then
            says "$(log_lines sandbox)" "the token file is in the root folder"
            says "$(log_lines mode | tail -n 1)" "api_tokens.json:1: "
        else
            same "$(log_lines sandbox | grep -c 'root folder')" 0
            says "$(log_lines mode | tail -n 1)" "ermission denied"
        fi
        rm "$root/$file"
        cp kept "$root/$file"
        echo "FREEGPT_API_KEY=the-new-key" >"$root/.env" # not replaced: written
        reread
        lets_in the-new-key
        echo "FREEGPT_API_KEY=the-old-key" >"$root/.env"
        stop_authd
        same "$status" 0
    done
}

@test "its Unix socket stays behind, answers nobody, and is replaced at the next start" {
    write_tokens "$(record one "$token_one")"
    for _ in 1 2; do
        start_caged --listen unix:a.sock
        ask /verify --unix-socket a.sock -H "X-Api-Key: $token_one"
        same "$code" 200
        stop_authd
        same "$status" 0
        [ -S a.sock ]
        run curl --silent --unix-socket a.sock http://authd/healthz
        exits 7
    done
}

@test "unless told otherwise it is in force where the kernel has it, and said to be" {
    write_tokens "$(record one "$token_one")"
    start_caged
    stop_authd
    : >"$authd_log"
    start_authd
    if [ -n "$sanitized" ]; then
        says "$(log_lines ready)" ' sandbox=off sandbox_reason="the sanitizers '
    else
        says "$(log_lines ready)" " sandbox=landlock-$version"
    fi
    stop_authd
    : >"$authd_log"
    start_authd --sandbox=off
    says "$(log_lines ready)" ' sandbox=off sandbox_reason="it was not wanted"'
    same "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$authd_pid/status")" \
        "$(sed -n 's/^NoNewPrivs:\t//p' /proc/self/status)"
}

@test "a kernel that has none: it serves and says so, and with --sandbox it does not start" {
    needs_strace
    write_tokens "$(record one "$token_one")"
    while read -r error reason; do
        echo "row: $error"
        authd_under=(strace -D -f -o trace.txt -e trace=landlock_create_ruleset
            -e inject=landlock_create_ruleset:error="$error")
        if [ -z "$sanitized" ]; then
            : >"$BATS_TEST_TMPDIR/authd.log"
            start_authd
            says "$(log_lines ready)" " sandbox=off sandbox_reason=\"$reason\""
            lets_in "$token_one"
            stop_authd
        fi
        run --separate-stderr timeout 10 "${authd_under[@]}" "$BIN/token_authd" \
            --listen 127.0.0.1:0 --sandbox
        exits 1
        same "$stderr" "token_authd: --sandbox: $reason; leave the option out to serve without a sandbox"
    done <<'END'
ENOSYS this kernel has no Landlock
EOPNOTSUPP Landlock is not switched on in this kernel
EPERM this process is kept from using Landlock
END
}

@test "a sandbox that cannot be entered ends the start, wanted by name or not" {
    needs_strace
    write_tokens "$(record one "$token_one")"
    start_caged
    stop_authd
    while read -r inject; do
        # With sanitizers, core dumps are not switched off, which is the first prctl.
        [ -z "$sanitized" ] || [[ $inject != prctl:* ]] || inject=${inject%2}1
        for option in --sandbox "--realm x"; do
            [ -z "$sanitized" ] || [ "$option" = --sandbox ] || continue
            echo "row: $inject $option"
            read -ra words <<<"$option"
            run --separate-stderr timeout 10 strace -D -f -o trace.txt -e "inject=$inject" \
                "$BIN/token_authd" --listen 127.0.0.1:0 "${words[@]}"
            exits 1
            says "$stderr" "token_authd: cannot "
            says "$stderr" "sandbox"
            lacks "$stderr" "event=ready"
        done
    done <<'END'
landlock_create_ruleset:error=ENOMEM:when=2
landlock_add_rule:error=ENOMEM:when=1
landlock_add_rule:error=EBADFD:when=3
prctl:error=EPERM:when=2
landlock_restrict_self:error=EPERM
landlock_restrict_self:error=E2BIG
END
}
