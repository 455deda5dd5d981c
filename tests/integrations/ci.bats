#!/usr/bin/env bats
# docs/integrations/ci: the steps of both files of CI as they stand there, through a real ssh and sshd to
# the real script on the server. The real gh and curl talk to ci_store.py, in the place of GitHub's and
# GitLab's stores of secrets. What does not run here is what CI does around the steps.
# shellcheck disable=SC2030,SC2031,SC2154  # a test is a subshell; variables of what is loaded

bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load sshd
load npm

name=ci/my-project/deploy

# The value of an entry, as it stands: entry FILE PATH
entry() {
    documents_of "$integrations/ci/$1" | jq -r "$2"
}

# What the platform's file has for a shell, into ./step, and the variables for it, into ./environment.
take_step() {
    local file job part
    case $platform in
    github) file=github-workflow.yml job='.jobs["api-key"].steps[0]' part=.run ;;
    gitlab) file=gitlab-ci.yml job='.["api-key"]' part='.script[0]' ;;
    esac
    entry "$file" "$job$part" >step
    entry "$file" "$job | .env // .variables | to_entries | .[] | .key + \"=\" + .value" >environment
    # An expression in a script is replaced before any shell quotes it.
    ! grep -F "\${{" step
}

# A server, and a store of secrets for github or gitlab: start_both github|gitlab
start_both() {
    platform=$1
    needs jq python3
    needs_node_modules yaml
    case $platform in
    github) needs gh ;;
    gitlab) needs curl ;;
    esac
    new_key key
    provision_in server
    authorize server ci/authorized_keys key.pub
    start_sshd server
    mkdir store tmp bin
    python3 "$BATS_TEST_DIRNAME/ci_store.py" "$platform" "$PWD/store" 2>store.errors 3>&- &
    started+=("$!")
    wait_for test -e store/port
    # What is in arguments is for all to see: these note them.
    for program in gh curl ssh; do
        printf '#!/bin/sh\nprintf "%%s\\n" "%s $*" >>"%s"\nexec "%s" "$@"\n' "$program" "$PWD/arguments" \
            "$(command -v "$program" || echo false)" >"bin/$program"
        chmod 755 "bin/$program"
    done
    declare -gA values=(
        [ACTION]=create
        [SSH_SERVER]="ssh://$account@127.0.0.1:$port"
        [SSH_KNOWN_HOSTS]=$(<server/known_hosts)
        [SSH_KEY]=$(<key)
        [GH_TOKEN]=store-credential
        [GH_REPO]=owner/my-project
        # What GitLab sets, and what is set there.
        [PROVISION_SERVER]="ssh://$account@127.0.0.1:$port"
        [PROVISION_KNOWN_HOSTS]=$PWD/server/known_hosts
        [PROVISION_SSH_KEY]=$PWD/key
        [PROVISION_API_TOKEN]=store-credential
        [CI_API_V4_URL]="http://127.0.0.1:$(<store/port)/api/v4"
        [CI_PROJECT_ID]=42
    )
}

# The step, with the variables that the file gives it and no others: job ACTION. Sets output and status.
job() {
    local variable value shell environment=()
    values[ACTION]=$1
    [ -e step ] || take_step
    while IFS='=' read -r variable value; do
        if [[ $value == "\${{"* ]]; then
            value=${values[$variable]?"the test has no $variable"}
        fi
        environment+=("$variable=$value")
    done <environment
    case $platform in
    github)
        shell='bash --noprofile --norc -eo pipefail'
        mkdir -p gh
        echo "http_unix_socket: $PWD/store/socket" >gh/config.yml
        environment+=("GH_CONFIG_DIR=$PWD/gh")
        ;;
    gitlab)
        shell='sh -e'
        for variable in ACTION PROVISION_SERVER PROVISION_KNOWN_HOSTS PROVISION_SSH_KEY PROVISION_API_TOKEN \
            CI_API_V4_URL CI_PROJECT_ID; do
            environment+=("$variable=${values[$variable]}")
        done
        ;;
    esac
    # shellcheck disable=SC2086 # words
    run env -i PATH="$PWD/bin:$PATH" HOME="$PWD" TMPDIR="$PWD/tmp" "${environment[@]}" $shell step
    [ -z "$(ls tmp)" ] || fail "this was left behind:" tmp/*
}

# In the store of the platform there is a key that the server takes, in the log and in arguments it is
# not. Sets stored.
is_stored() {
    [ -s store/API_KEY ] || fail "nothing is stored" "$output"
    stored=$(<store/API_KEY)
    good "$stored"
    lacks "$(grep -v '^::add-mask::' <<<"$output")" "$stored"
    [ "$platform" != github ] || says "$output" "::add-mask::$stored"
    lacks "$(<arguments)" "$stored"
    lacks "$(<arguments)" store-credential
    says "$(<arguments)" ssh # they are noted
}

# good KEY: the server takes it, and knows it by that name.
good() {
    local found
    found=$("$verifier" check --file server/api_tokens.json <<<"$1") || fail "$1 is not good" "$output"
    says "$found" " $name"
}

no_request() {
    ! grep -E "^($1) " store/log || fail "so much was asked of the store"
}

stores_the_first_time_only() {
    start_both "$1"
    job create
    exits 0
    is_stored
    first=$stored
    : >store/log
    cp server/api_tokens.json before
    job create
    exits 0
    says "$output" "nothing to do"
    same "$(<store/API_KEY)" "$first"
    no_request 'PUT|POST'
    cmp before server/api_tokens.json
}

@test "GitHub: the first run stores the key, the second stores nothing and leaves it" {
    stores_the_first_time_only github
}

@test "GitLab: the first run stores the key, the second stores nothing and leaves it" {
    stores_the_first_time_only gitlab
}

rotates() {
    start_both "$1"
    job create
    is_stored
    first=$stored
    job rotate
    exits 0
    is_stored
    [ "$stored" != "$first" ] || fail "it is the old one"
    good "$first"
    same "$(jq -r '.tokens[0].previous[].expires_at' server/api_tokens.json | wc -l)" 1
}

@test "GitHub: rotation stores a new key, and the old one is good for now" {
    rotates github
}

@test "GitLab: rotation stores a new key, and the old one is good for now" {
    rotates gitlab
}

# It fails, and so stores nothing: leaves_what_is_stored ACTION [WHAT-IT-SAYS]
leaves_what_is_stored() {
    job "$1"
    [ "$status" -ne 0 ] || fail "it should fail" "$output"
    says "$output" "${2-}"
    same "$(<store/API_KEY)" sk-stored-before
    no_request 'PUT|POST'
}

stores_nothing_where_ssh_fails() {
    start_both "$1"
    printf sk-stored-before >store/API_KEY
    cp server/known_hosts good_hosts
    new_key stranger
    echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 stranger.pub)" >server/known_hosts
    values[SSH_KNOWN_HOSTS]=$(<server/known_hosts)
    leaves_what_is_stored create "Host key verification failed"

    cp good_hosts server/known_hosts
    values[SSH_KNOWN_HOSTS]=$(<good_hosts)
    sed -i 's#ci/my-project/#ci/other/#' server/authorized_keys
    leaves_what_is_stored rotate "names that begin with ci/other/"
    [ ! -e server/api_tokens.json ] || fail "a token was made"
}

@test "GitHub: where ssh fails, nothing is stored" {
    stores_nothing_where_ssh_fails github
}

@test "GitLab: where ssh fails, nothing is stored" {
    stores_nothing_where_ssh_fails gitlab
}

# The server answers with SCRIPT in the place of provision.sh: answers SCRIPT
answers() {
    printf '#!/bin/sh\n%s\n' "$1" >server/provision.sh
}

stores_no_nonsense() {
    start_both "$1"
    printf sk-stored-before >store/API_KEY
    answers 'echo "Welcome to this server!"'
    leaves_what_is_stored create "is no key"
    answers 'echo Welcome' # what a .bashrc says, where create has nothing to say
    leaves_what_is_stored create "is no key"
    answers 'echo sk-0123456789ABCDEFGHIJKLM; exit 1'
    leaves_what_is_stored rotate
    answers 'echo; exit 0'
    leaves_what_is_stored rotate "gave no key"
}

@test "GitHub: what is no key, or is empty, is not stored" {
    stores_no_nonsense github
}

@test "GitLab: what is no key, or is empty, is not stored" {
    stores_no_nonsense gitlab
}

survives_a_store_that_fails() {
    start_both "$1"
    # Before anything has changed …
    echo GET >store/failing
    job create
    [ "$status" -ne 0 ] || fail "it should fail" "$output"
    [ ! -e server/api_tokens.json ] || fail "a token was made that nobody has"
    # … and after: it says what to do, and that helps.
    echo "PUT POST" >store/failing
    job create
    [ "$status" -ne 0 ] || fail "it should fail" "$output"
    [ ! -e store/API_KEY ]
    says "$output" "run this again with rotate"
    rm store/failing
    job create
    [ "$status" -ne 0 ] || fail "the key is lost: that is no success" "$output"
    says "$output" "run this again with rotate"
    [ ! -e store/API_KEY ]
    job rotate
    exits 0
    is_stored
    # A rotation that is not stored: the old one stays, and is good.
    first=$stored
    echo "PUT POST" >store/failing
    job rotate
    [ "$status" -ne 0 ] || fail "it should fail" "$output"
    same "$(<store/API_KEY)" "$first"
    good "$first"
    rm store/failing
    job rotate
    exits 0
    is_stored
    good "$first"
}

@test "GitHub: a store that fails loses no good key, and the next rotation mends it" {
    survives_a_store_that_fails github
}

@test "GitLab: a store that fails loses no good key, and the next rotation mends it" {
    survives_a_store_that_fails gitlab
}

@test "both: an action that is none changes nothing" {
    local platform
    for platform in github gitlab; do
        mkdir "$platform"
        cd "$platform" || return
        start_both "$platform"
        job 'create; id'
        [ "$status" -ne 0 ] || fail "it should fail" "$output"
        [ ! -e store/log ] || fail "the store was asked" "$(<store/log)"
        [ ! -e arguments ] || fail "something was run" "$(<arguments)"
        cd ..
    done
}

# As CI's key may: on_server REQUEST [OPTION...]
on_server() {
    local request=$1
    shift
    ssh -T -F none -i key -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes \
        -o UserKnownHostsFile="$PWD/server/known_hosts" -o ControlPath="$PWD/control" "$@" \
        "ssh://$account@127.0.0.1:$port" "$request"
}

# One connection for many requests, because each costs. It ends by itself when it is told so.
keep_connected() {
    on_server "" -M -N -f 3>&- 2>control.log
    is_connected=yes
}

teardown() {
    [ -z "${is_connected:-}" ] || on_server "" -O exit || true
    stop_started
}

# In $request it was asked for too much.
was_refused() {
    local file
    [ "$status" -ne 0 ] || fail "it was done: ${request@Q}" "$output"
    [ -z "$output" ] || fail "it was answered: ${request@Q}" "$output"
    cmp before server/api_tokens.json || fail "it was done: ${request@Q}"
    for file in {.,~}/{pwned,other.json}; do
        [ ! -e "$file" ] || fail "it made $file: ${request@Q}"
    done
}

@test "the server's script refuses whatever is not exactly one of two requests for its names" {
    local request requests
    start_both github
    keep_connected
    run_apart on_server "token_manager create $name --if-not-exists"
    exits 0
    cp server/api_tokens.json before
    requests=(
        "token_manager create ci/my-project/x"
        "token_manager create ci/my-project/x --if-not-exists "
        " token_manager create ci/my-project/x --if-not-exists"
        "token_manager create  --if-not-exists"
        "token_manager create ci/my-project/ --if-not-exists"
        "token_manager create ci/my-project --if-not-exists"
        "token_manager create ci/other/x --if-not-exists"
        "token_manager create CI/my-project/x --if-not-exists"
        "token_manager create deploy --if-not-exists"
        "token_manager create xci/my-project/x --if-not-exists"
        "token_manager create ci/my-project/../other/x --if-not-exists"
        "token_manager create ci/my-project/x; touch pwned --if-not-exists"
        "token_manager create ci/my-project/x --if-not-exists; touch pwned"
        "token_manager create ci/my-project/x --if-not-exists | touch pwned"
        "token_manager create ci/my-project/\$(touch pwned) --if-not-exists"
        "token_manager create ci/my-project/\`touch pwned\` --if-not-exists"
        "token_manager create ci/my-project/\${IFS}x --if-not-exists"
        $'token_manager create ci/my-project/x\ntouch pwned\n --if-not-exists'
        $'token_manager create ci/my-project/x --if-not-exists\n'
        $'token_manager create ci/my-project/x --if-not-exists\ntouch pwned'
        $'touch pwned\ntoken_manager create ci/my-project/x --if-not-exists'
        $'token_manager create ci/my-project/x\t--if-not-exists'
        "token_manager create ci/my-project/* --if-not-exists"
        "token_manager create 'ci/my-project/x' --if-not-exists"
        "token_manager create \"ci/my-project/x\" --if-not-exists"
        "token_manager create ci/my-project/x\\ y --if-not-exists"
        "token_manager create ci/my-project/ü --if-not-exists"
        "token_manager create ci/my-project/x --file other.json --if-not-exists"
        "token_manager create --file=other.json ci/my-project/x --if-not-exists"
        "token_manager create --file other.json --if-not-exists"
        "token_manager create --batch=/etc/passwd --if-not-exists"
        "token_manager create - --if-not-exists"
        "token_manager create ci/my-project/x --prefix ci- --if-not-exists"
        "token_manager rotate $name"
        "token_manager rotate $name --grace 0"
        "token_manager rotate $name --grace 24h --grace 0"
        "token_manager rotate $name --grace 0 --grace 24h"
        "token_manager rotate ci/my-project/none --grace 24h"
        "token_manager rotate $(jq -r '.tokens[0].id' before) --grace 24h"
        "token_manager rotate $(jq -r '.tokens[0].prefix' before) --grace 24h"
        "token_manager rotate $output --grace 24h"
        "token_manager revoke $name"
        "token_manager delete --yes $name"
        "token_manager list"
        "$manager create ci/my-project/x --if-not-exists"
        "cat server/api_tokens.json"
        "sh"
        "token_manager create ci/my-project/$(printf '%0200d' 0) --if-not-exists"
    )
    for request in "${requests[@]}"; do
        SSH_ORIGINAL_COMMAND=$request run_apart server/provision.sh ci/my-project/
        was_refused
    done
    # sshd hands the script what it was sent, whatever that is.
    for request in "${requests[0]}" "${requests[12]}" "${requests[15]}" "${requests[17]}" "${requests[20]}"; do
        run_apart on_server "$request"
        was_refused
    done
    # The session is well.
    run_apart on_server "token_manager create ci/my-project/x --if-not-exists"
    exits 0
    check "$output" --file server/api_tokens.json
    exits 0
}

@test "the key is good for no shell, no other file, no forwarding and no terminal" {
    start_both github
    keep_connected
    run_apart on_server ""
    exits 1
    says "$stderr" "refused: only"
    same "$output" ""
    run_apart on_server sftp -s
    same "$output" ""
    run on_server "token_manager create ci/my-project/tty --if-not-exists" -tt -o LogLevel=INFO
    says "$output" "PTY allocation request failed"
    forward=$(free_port)
    run on_server "" -O forward -L "$forward:127.0.0.1:$port"
    run ssh-keyscan -T 2 -p "$forward" 127.0.0.1
    lacks "$output" ssh-
    API_TOKENS_FILE=$PWD/other.json run_apart on_server "token_manager create $name --if-not-exists" \
        -o SendEnv=API_TOKENS_FILE -o ControlPath=none
    exits 0
    [ ! -e other.json ] || fail "it went to another file"
    good "$output"
}

@test "a key can be for one name only" {
    start_both github
    sed -i 's#provision.sh ci/my-project/#provision.sh ci/my-project#' server/authorized_keys
    run_apart on_server "token_manager create ci/my-project --if-not-exists"
    exits 0
    for request in ci/my-project/x ci/my-projec ci/my-projectx; do
        run_apart on_server "token_manager create $request --if-not-exists"
        exits 1
        says "$stderr" "for the name ci/my-project"
    done
    same "$(jq '.tokens | length' server/api_tokens.json)" 1
}

@test "GitHub's parser takes the workflow, and would not take others" {
    needs jq
    needs_node_modules yaml @actions/workflow-parser
    export NODE_NO_WARNINGS=1 # Node 18 has one about the parser's JSON
    run node "$BATS_TEST_DIRNAME/ci_check.mjs" "$BIN/node/node_modules" "$integrations/ci/github-workflow.yml"
    exits 0
    same "$output" ""
    integration ci/github-workflow.yml timeout-minutes timeout-hours >bad.yml
    run node "$BATS_TEST_DIRNAME/ci_check.mjs" "$BIN/node/node_modules" bad.yml
    exits 1
    says "$output" "Unexpected value 'timeout-hours'"
    # A run by hand names the action, and one by schedule does not.
    same "$(entry github-workflow.yml '.jobs["api-key"].steps[0].env.ACTION')" "\${{ inputs.action || 'rotate' }}"
    same "$(entry github-workflow.yml .permissions)" "{}"
}

@test "GitLab's schema takes the job" {
    local validate=$BIN/node/node_modules/.bin/gitlab-ci-local
    needs node git
    [ -x "$validate" ] || skip "needs gitlab-ci-local (make deps-integrations)"
    git init -q .
    git remote add origin https://example.org/owner/my-project.git
    cp "$integrations/ci/gitlab-ci.yml" .gitlab-ci.yml
    HOME=$PWD run "$validate" --list
    exits 0
    says "$output" "json schema validated"
}
