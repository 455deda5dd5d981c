#!/usr/bin/env bats
# token_authd: its options, where it listens, and whom it leaves alone there.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, authd and run; a test is a subshell

bats_require_minimum_version 1.5.0
load common
load verifier
load authd

# A good token is let in there, and who has none is not: is_served [CURL OPTION...]
is_served() {
    ask /verify "$@" -H "X-Api-Key: $token_one"
    same "$code" 200
    ask /verify "$@"
    same "$code" 401
}

# Starts systemd-socket-activate for token_authd; SOCKETS are for its -l:
# activate "SOCKET..." [OPTION of token_authd...]. Sets authd_pid and authd_log.
activate() {
    local socket sockets=()
    needs systemd-socket-activate curl
    needs token_authd
    for socket in $1; do
        sockets+=(-l "$socket")
    done
    authd_log=$BATS_TEST_TMPDIR/activate.log
    systemd-socket-activate "${sockets[@]}" "$BIN/token_authd" "${@:2}" 2>"$authd_log" 3>&- &
    authd_pid=$!
    started+=("$authd_pid")
    wait_for listens_or_ended
}

listens_or_ended() {
    grep -q "^Listening on " "$authd_log" || has_ended "$authd_pid"
}

# The same on a port of HOST that is free, as it takes no port 0. Sets authd_url.
activate_tcp() {
    local try port
    for ((try = 0; try < 50; try++)); do
        port=$((20000 + RANDOM % 10000))
        activate "$1:$port" "${@:2}"
        if ! has_ended "$authd_pid"; then
            authd_url=http://127.0.0.1:$port
            return
        fi
    done
    fail "no port is free" "$(cat "$authd_log")"
}

@test "the help names every option and the default address, in 80 columns" {
    needs token_authd
    run_apart "$BIN/token_authd" --help
    exits 0
    same "$stderr" ""
    for option in "--listen ADDRESS" --listen-public "--file FILE" "--realm NAME" "--threads N" \
        "--max-connections N" "--timeout SECONDS" "--env-file FILE" --no-env-file "--usage FILE" \
        "--sandbox[=off]" --allow-open --require-auth --help --version; do
        says "$output" "  $option "
    done
    says "$output" "(127.0.0.1:8008)"
    says "$output" "Example:"
    same "$(awk 'length > 80' <<<"$output")" ""
}

@test "the version is the one of the other programs" {
    needs token_authd
    run_apart "$BIN/token_authd" --version
    exits 0
    [[ $output =~ ^token_authd\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    same "${output#* }" "$("$verifier" --version | sed -n '1s/^[^ ]* //p')"
}

@test "what cannot be an address is refused, with what could" {
    for address in x 127.0.0.1 127.0.0.1: 127.0.0.1:http :port ::1:8008 '[::1]' '[::1:0' "127.0.0.1:0 "; do
        echo "row: $address"
        fails_to_start 2 "write 127.0.0.1:8008, [::1]:8008, or unix:/run/token_authd.sock" \
            --listen "$address"
    done
    fails_to_start 2 "--listen is set to nothing" --listen ""
    fails_to_start 2 "--listen" --listen
    fails_to_start 2 "no-such-host.invalid" --listen no-such-host.invalid:0
    fails_to_start 2 "path of 1 to 107 characters" --listen unix:
    fails_to_start 2 "path of 1 to 107 characters" --listen unix::660
}

@test "a port above 65535 is refused, not taken for another" {
    write_tokens "$(record one "$token_one")"
    for port in 65536 99999 4294967296 99999999999; do
        echo "row: $port"
        fails_to_start 2 "127.0.0.1:$port" --listen "127.0.0.1:$port"
    done
}

@test "an address that others can reach takes --listen-public, and why is said" {
    write_tokens "$(record one "$token_one")"
    for address in 0.0.0.0:0 '*:0' :0 192.0.2.1:0 '[2001:db8::1]:0' '[::ffff:192.0.2.1]:0'; do
        echo "row: $address"
        fails_to_start 2 "can be reached from other machines" --listen "$address"
        says "$stderr" "credentials would cross the network in the clear"
        says "$stderr" "--listen-public"
    done
    start_authd --listen 0.0.0.0:0 --listen-public
    is_served
    says "$(log_lines ready)" " listen=0.0.0.0:$authd_port "
    start_authd --listen '*:0' --listen-public
    is_served
}

@test "the addresses of loopback need no leave" {
    write_tokens "$(record one "$token_one")"
    if getent hosts localhost >/dev/null; then
        start_authd --listen localhost:0
        ask /verify
        same "$code" 401
    fi
    start_authd --listen 127.9.8.7:0
    says "$(log_lines ready)" " listen=127.9.8.7:"
    authd_url=http://127.9.8.7:$authd_port
    is_served
}

@test "IPv6: ::1 needs no leave, and :: does" {
    [ -e /proc/net/if_inet6 ] && grep -q '^0\{31\}1 ' /proc/net/if_inet6 || skip "needs IPv6"
    write_tokens "$(record one "$token_one")"
    fails_to_start 2 "[::]:0 can be reached from other machines" --listen '[::]:0'
    start_authd --listen '[::1]:0'
    says "$(log_lines ready)" " listen=[::1]:$authd_port "
    authd_url="http://[::1]:$authd_port"
    is_served
}

@test "a port that is in use is said to be" {
    write_tokens "$(record one "$token_one")"
    start_authd
    fails_to_start 1 "cannot listen on 127.0.0.1:$authd_port: Address " \
        --listen "127.0.0.1:$authd_port"
    is_served
}

@test "a port can be listened on again at once" {
    write_tokens "$(record one "$token_one")"
    start_authd
    is_served
    stop_authd
    start_authd --listen "127.0.0.1:$authd_port"
    is_served
}

@test "a Unix socket has the mode that was asked for, 660 unless told, whatever the umask" {
    write_tokens "$(record one "$token_one")"
    for mask in 077 000; do
        umask "$mask"
        start_authd --listen unix:a.sock
        same "$(stat -c %a a.sock)" 660
        is_served --unix-socket a.sock
        stop_authd
        for mode in 600 0666 700; do
            echo "row: $mask $mode"
            start_authd --listen "unix:$PWD/a.sock:$mode"
            same "$(stat -c %a a.sock)" "${mode#0}"
            is_served --unix-socket a.sock
            stop_authd
        done
    done
    says "$(log_lines ready)" " listen=unix:a.sock "
    says "$(log_lines ready)" " listen=unix:$PWD/a.sock "
}

@test "what is no mode belongs to the path" {
    write_tokens "$(record one "$token_one")"
    start_authd --listen unix:a:b
    same "$(stat -c %a a:b)" 660
    start_authd --listen unix:a:9:600
    same "$(stat -c %a a:9)" 600
}

@test "without a sandbox, the Unix socket is removed at the end" {
    write_tokens "$(record one "$token_one")"
    start_authd --listen unix:a.sock --sandbox=off
    stop_authd
    same "$status" 0
    [ ! -e a.sock ]
}

@test "the Unix socket of a dead process is replaced" {
    write_tokens "$(record one "$token_one")"
    start_authd --listen unix:a.sock
    kill -KILL "$authd_pid"
    wait "$authd_pid" || true
    [ -S a.sock ]
    start_authd --listen unix:a.sock
    is_served --unix-socket a.sock
}

@test "the Unix socket of a living process is left to it" {
    write_tokens "$(record one "$token_one")"
    start_authd --listen unix:a.sock
    fails_to_start 1 "a.sock is in use: another process listens there" --listen unix:a.sock
    is_served --unix-socket a.sock
}

@test "what is no socket is left alone" {
    write_tokens "$(record one "$token_one")"
    echo mine >a.sock
    mkdir folder
    ln -s a.sock link
    for path in a.sock folder link; do
        echo "row: $path"
        fails_to_start 1 "$path is there already and is no socket" --listen "unix:$path"
    done
    same "$(cat a.sock)" mine
    [ -d folder ]
    [ -L link ]
    fails_to_start 1 "cannot listen on unix:nowhere/a.sock: No such file" --listen unix:nowhere/a.sock
}

@test "what another put in the place of the Unix socket is not removed" {
    write_tokens "$(record one "$token_one")"
    start_authd --listen unix:a.sock
    first=$authd_pid
    start_authd --listen unix:b.sock
    mv b.sock a.sock
    kill "$first"
    wait "$first"
    is_served --unix-socket a.sock
    rm a.sock
    echo mine >a.sock
    stop_authd
    same "$status" 0
    same "$(cat a.sock)" mine
}

# Of the processes in the background one runs, and answers.
one_is_left() {
    [ "$(jobs -rp | wc -l)" = 1 ] && curl --silent --unix-socket a.sock http://authd/healthz
}

@test "of several that start at once on a socket that was left, one gets it" {
    local pid
    needs token_authd
    write_tokens "$(record one "$token_one")"
    for _ in 1 2 3 4 5; do
        "$BIN/token_authd" --listen unix:a.sock 2>/dev/null 3>&- &
        wait_for test -S a.sock
        kill -KILL "$!"
        wait "$!" || true
        pids=()
        for i in 1 2 3 4; do
            "$BIN/token_authd" --listen unix:a.sock 2>>"said.$i" 3>&- &
            pids+=("$!")
            started+=("$!")
        done
        wait_for one_is_left
        for pid in "${pids[@]}"; do
            kill "$pid" 2>/dev/null || true
            wait "$pid" || true
        done
    done
    same "$(grep -c "a.sock is in use: another process listens there" < <(cat said.?))" 15
    same "$(cat said.? | grep -c " event=ready ")" 5
}

@test "a path is as long as a Unix socket's may be, or refused" {
    write_tokens "$(record one "$token_one")"
    path=$(printf 'a%.0s' {1..107})
    start_authd --listen "unix:$path"
    is_served --unix-socket "$path"
    fails_to_start 2 "a path of 1 to 107 characters is wanted" --listen "unix:a$path"
    fails_to_start 2 "a path of 1 to 107 characters is wanted" --listen "unix:a$path:600"
}

@test "the realm is what the challenge names" {
    write_tokens "$(record one "$token_one")"
    start_authd --realm "My API, no. 1"
    ask /verify
    same "$(header WWW-Authenticate)" 'Bearer realm="My API, no. 1"'
    start_authd --realm "$(printf 'r%.0s' {1..100})"
    ask /verify
    same "$(header WWW-Authenticate)" "Bearer realm=\"$(printf 'r%.0s' {1..100})\""
}

@test "a realm that a challenge cannot carry is refused" {
    write_tokens "$(record one "$token_one")"
    for realm in 'a"b' 'a\b' $'a\nb' $'a\tb' $'a\x7fb' café; do
        echo "row: $realm"
        fails_to_start 2 "--realm " --realm "$realm"
        says "$stderr" "visible ASCII characters and blanks are wanted"
    done
    fails_to_start 2 "--realm is set to nothing" --realm ""
}

@test "a realm of 101 characters is refused, as 100 are said to be the limit" {
    write_tokens "$(record one "$token_one")"
    fails_to_start 2 "at most 100" --listen 127.0.0.1:0 --realm "$(printf 'r%.0s' {1..101})"
}

@test "--sandbox takes no value but off" {
    fails_to_start 2 '--sandbox="on": write --sandbox to insist on it, or --sandbox=off' --sandbox=on
    fails_to_start 2 "--sandbox is set to nothing" --sandbox=
    fails_to_start 2 '"off"' --sandbox off
}

@test "numbers out of range, or none, are refused" {
    write_tokens "$(record one "$token_one")"
    while read -r option number; do
        echo "row: $option $number"
        fails_to_start 2 "$option" "$option" "$number"
        says "$stderr" "whole number"
        says "$stderr" "\"$number\""
    done <<'END'
--threads 0
--threads 257
--threads -1
--threads 1.5
--threads two
--threads 9999999999
--max-connections 15
--max-connections 1000001
--max-connections many
--timeout 0
--timeout 3601
--timeout 1s
--timeout 0.5
END
    fails_to_start 2 "--threads is set to nothing" --threads ""
    fails_to_start 2 "--threads is given twice" --threads 1 --threads 2
}

@test "the numbers at the ends of their ranges are taken" {
    write_tokens "$(record one "$token_one")"
    start_authd --threads 1 --max-connections 16 --timeout 3600
    is_served
    start_authd --threads 256 --max-connections 16 --timeout 1
    is_served
}

@test "a mistyped option, and anything beside the options, is refused" {
    fails_to_start 2 "did you mean --listen?" --lisen 127.0.0.1:0
    fails_to_start 2 '"--scope"' --scope x
    fails_to_start 2 '"verify"' verify
    fails_to_start 2 '"--help"' -- --help
}

@test "more connections than the system allows are refused, with what to do" {
    needs token_authd
    write_tokens "$(record one "$token_one")"
    # shellcheck disable=SC2016  # for that shell
    run_apart bash -c 'ulimit -n 256
        exec timeout 10 "$BIN/token_authd" --listen 127.0.0.1:0 --max-connections 1000'
    exits 1
    says "$stderr" "1000 connections need "
    says "$stderr" "the limit is 256; raise it"
    says "$stderr" "--max-connections"
}

@test "the limit of descriptors is raised as far as the connections need it" {
    write_tokens "$(record one "$token_one")"
    [ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge 800 ] || skip "needs 800 descriptors"
    ulimit -Sn 100
    start_authd --max-connections 500
    limit=$(awk '/^Max open files/ { print $4 }' "/proc/$authd_pid/limits")
    [ "$limit" -gt 500 ] || fail "$limit"
    is_served
}

@test "systemd's TCP socket is taken in place of an address" {
    write_tokens "$(record one "$token_one")"
    activate_tcp 127.0.0.1 --listen 127.0.0.1:1
    is_served
    says "$(log_lines ready)" " listen=${authd_url#http://} "
    stop_authd
    same "$status" 0
}

@test "systemd's Unix socket is taken, and left there at the end" {
    write_tokens "$(record one "$token_one")"
    activate "$PWD/a.sock" --listen unix:b.sock
    authd_url=http://localhost
    is_served --unix-socket a.sock
    says "$(log_lines ready)" " listen=unix:$PWD/a.sock "
    [ ! -e b.sock ]
    stop_authd
    same "$status" 0
    [ -S a.sock ]
}

@test "systemd's socket that others can reach takes --listen-public too" {
    write_tokens "$(record one "$token_one")"
    activate_tcp 0.0.0.0
    run curl --silent --max-time 10 "$authd_url/verify"
    [ "$status" -ne 0 ]
    wait_for_end
    exits 2
    says "$(cat "$authd_log")" "can be reached from other machines"
    activate_tcp 0.0.0.0 --listen-public
    is_served
}

@test "two sockets of systemd are refused" {
    write_tokens "$(record one "$token_one")"
    activate "$PWD/a.sock $PWD/b.sock"
    run curl --silent --max-time 10 --unix-socket a.sock http://localhost/verify
    [ "$status" -ne 0 ]
    wait_for_end
    exits 2
    says "$(cat "$authd_log")" "systemd hands over 2 sockets"
}

@test "what systemd hands over must be a socket that listens" {
    needs token_authd
    write_tokens "$(record one "$token_one")"
    for file in /dev/null api_tokens.json; do
        # shellcheck disable=SC2016  # for that shell
        run_apart timeout 10 bash -c \
            'LISTEN_PID=$$ LISTEN_FDS=1 exec "$BIN/token_authd" 3<"$1"' bash "$file"
        exits 2
        says "$stderr" "no socket that listens"
    done
}

@test "a socket that systemd hands to another process is not taken" {
    write_tokens "$(record one "$token_one")"
    export LISTEN_PID=1 LISTEN_FDS=1 LISTEN_FDNAMES=x
    start_authd
    is_served
}
