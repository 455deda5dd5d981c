#!/usr/bin/env bats
# token_verifier status: which mode is in force and why, and what is wrong or unwise.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, verifier and run; a test is a subshell

bats_require_minimum_version 1.5.0
load common
load verifier

key=a-key-for-this-test

# status_is EXIT [OPTION...]: the two forms agree; $output is the human one, $json the other, $mode and
# $told the mode and the lines with errors and warnings.
status_is() {
    run_apart "$verifier" status --json "${@:2}"
    exits "$1"
    json=$output
    # One jq for all, because it takes long to start.
    [ "$json" != "" ]
    mapfile -t told < <(jq -r '.mode, "Error: " + (.error // empty), "Warning: " + .warnings[]' <<<"$json")
    mode=${told[0]} told=("${told[@]:1}")
    case $mode in
    open) says "$stderr" "AUTHENTICATION IS OFF: EVERYBODY IS ACCEPTED" ;;
    *) same "$stderr" "" ;;
    esac
    run_apart "$verifier" status "${@:2}"
    exits "$1"
    same "$stderr" ""
    same "$(grep -E '^(Error|Warning): ' <<<"$output" | sort)" "$(printf '%s\n' "${told[@]}" | sort)"
    says "$output" "Mode: $mode"
}

# warned WORDS REMEDY: exit status 1 and one warning, which says both.
warned() {
    status_is 1
    same "${#told[@]}" 1
    says "${told[0]}" "Warning: "
    says "${told[0]}" "$1"
    says "${told[0]}" "$2"
}

@test "a file alone: its path, and how many tokens of each kind" {
    write_tokens "$(record a "$token_one")" \
        "$(record b "$token_two" "\"expires_at\": \"$future\"")" \
        "$(record c "$token_three" "\"revoked_at\": \"$past\", \"expires_at\": \"$past\"")" \
        "$(record d "$stranger" "\"expires_at\": \"$past\"")" \
        "$(record e some-imported-key-1 "\"expires_at\": \"$past\"")" \
        "$(record f some-imported-key-2 "\"expires_at\": \"$past\"")"
    status_is 0
    same "$(jq -Sc . <<<"$json")" "{\"active\":2,\"env_file\":null,\"environment_key\":null,\
\"environment_key_from\":null,\"error\":null,\"expired\":3,\"file\":\"$PWD/api_tokens.json\",\
\"file_from\":\"default\",\"mode\":\"file\",\"readable\":true,\"revoked\":1,\"warnings\":[]}"
    says "$output" "Token file: $PWD/api_tokens.json (2 active, 1 revoked, 3 expired)"
    says "$output" "Environment key: none"
}

@test "a token file without tokens is a file" {
    write_tokens
    status_is 0
    same "$(jq -c '[.mode, .readable, .active, .revoked, .expired]' <<<"$json")" '["file",true,0,0,0]'
}

@test "an environment key alone: which variable, and whence" {
    export OPENAI_API_KEY=$key
    status_is 0
    same "$(jq -Sc . <<<"$json")" "{\"active\":0,\"env_file\":null,\
\"environment_key\":\"OPENAI_API_KEY\",\"environment_key_from\":\"environment\",\"error\":null,\
\"expired\":0,\"file\":\"$PWD/api_tokens.json\",\"file_from\":\"default\",\"mode\":\"environment\",\
\"readable\":false,\"revoked\":0,\"warnings\":[]}"
    says "$output" "only the environment key is accepted"
    says "$output" "Environment key: OPENAI_API_KEY, from environment"
}

@test "a file and a key of .env, which was loaded" {
    write_tokens "$(record a "$token_one")"
    (umask 077 && echo "FREEGPT_API_KEY=$key" >.env)
    status_is 0
    same "$(jq -Sc . <<<"$json")" "{\"active\":1,\"env_file\":\"$PWD/.env\",\
\"environment_key\":\"FREEGPT_API_KEY\",\"environment_key_from\":\".env\",\"error\":null,\
\"expired\":0,\"file\":\"$PWD/api_tokens.json\",\"file_from\":\"default\",\
\"mode\":\"file+environment\",\"readable\":true,\"revoked\":0,\"warnings\":[]}"
    says "$output" "Variables file: $PWD/.env"
    says "$output" "Environment key: FREEGPT_API_KEY, from .env"
}

@test "open mode is said in capitals" {
    status_is 0
    same "$(jq -Sc . <<<"$json")" "{\"active\":0,\"env_file\":null,\"environment_key\":null,\
\"environment_key_from\":null,\"error\":null,\"expired\":0,\"file\":\"$PWD/api_tokens.json\",\
\"file_from\":\"default\",\"mode\":\"open\",\"readable\":false,\"revoked\":0,\"warnings\":[]}"
    says "$output" "AUTHENTICATION IS OFF"
}

@test "who named the token file, and its absolute path" {
    mkdir data
    token_file=data/t.json write_tokens "$(record a "$token_one")"
    status_is 0 --file data/t.json
    same "$(jq -c '[.file, .file_from]' <<<"$json")" "[\"$PWD/data/t.json\",\"option\"]"
    echo 'API_TOKENS_FILE=./data/t.json' >.env
    status_is 0
    same "$(jq -c '[.file, .file_from]' <<<"$json")" "[\"$PWD/data/t.json\",\".env\"]"
    export API_TOKENS_FILE=$PWD/data/t.json
    status_is 0
    same "$(jq -c '[.file, .file_from]' <<<"$json")" "[\"$PWD/data/t.json\",\"environment\"]"
    status_is 0 --no-env-file
    same "$(jq -c '[.file_from, .env_file]' <<<"$json")" '["environment",null]'
}

@test "--env-file is named by its absolute path" {
    mkdir data
    (umask 077 && echo "OPENAI_API_KEY=$key" >data/keys)
    status_is 0 --env-file data/keys
    same "$(jq -c '[.env_file, .environment_key]' <<<"$json")" "[\"$PWD/data/keys\",\"OPENAI_API_KEY\"]"
}

@test "a file that cannot be used: no verdict, and why" {
    : >api_tokens.json
    status_is 6
    same "$(jq -c '[.mode, .readable, .active]' <<<"$json")" '["unavailable",false,0]'
    says "$output" "NOBODY IS ACCEPTED"
    says "$output" "Error: $PWD/api_tokens.json:1: the file is empty"
    export FREEGPT_API_KEY=$key
    status_is 6
    same "$(jq -r .environment_key <<<"$json")" FREEGPT_API_KEY
}

@test "of a file that is broken in its middle nothing is counted" {
    write_tokens "$(record a "$token_one")" "$(record b "$token_two")" '{}'
    status_is 6
    same "$(jq -c '[.mode, .readable, .active]' <<<"$json")" '["unavailable",false,0]'
    verdict "$token_one"
    unavailable "api_tokens.json:1: "
}

@test "the path may have any characters, and --json is still JSON" {
    for name in 'two words' 'a "quoted" one' 'back\slash' 'käse' $'new\nline'; do
        printf 'row: %q\n' "$name"
        mkdir "$name"
        pushd "$name"
        write_tokens
        run_apart "$verifier" status --json
        exits 0
        same "$(jq -r .file <<<"$output")" "$PWD/api_tokens.json"
        popd
    done
}

@test "--json is UTF-8, even of a path that is not" {
    name=$'caf\xe9'
    mkdir "$name" || skip "this file system takes no such name"
    cd "$name"
    write_tokens
    "$verifier" status --json >../output
    iconv -f UTF-8 -t UTF-8 ../output >/dev/null
}

@test "a file that others can read" {
    write_tokens "$(record a "$token_one")"
    chmod 644 api_tokens.json
    warned "every user of this machine can read the token file" "chmod o-rwx $PWD/api_tokens.json"
    chmod o-rwx api_tokens.json
    status_is 0
}

@test "a variables file that others can read, if it has a key in it" {
    write_tokens "$(record a "$token_one")"
    echo "API_TOKENS_FILE=$PWD/api_tokens.json" >.env
    chmod 644 .env
    status_is 0
    echo "OPENAI_API_KEY=$key" >>.env
    warned "every user of this machine can read the variables file, and the key in it" "chmod o-rwx $PWD/.env"
    # Another key counts, and this one may again some day.
    export FREEGPT_API_KEY=$key
    warned "can read the variables file" "chmod o-rwx $PWD/.env"
    chmod o-rwx .env
    status_is 0
}

@test "a file that others can write" {
    write_tokens "$(record a "$token_one")"
    for mode in 660 620 602; do
        echo "row: $mode"
        chmod "$mode" api_tokens.json
        warned "users other than its owner can write the token file" "chmod go-w $PWD/api_tokens.json"
    done
    chmod go-w api_tokens.json
    status_is 0
}

@test "a file that its group can read is as it should be" {
    write_tokens "$(record a "$token_one")"
    chmod 640 api_tokens.json
    status_is 0
}

@test "each of several warnings is given" {
    write_tokens "$(record a "$token_one" "\"revoked_at\": \"$past\"")"
    chmod 666 api_tokens.json
    export FREEGPT_API_KEY='' OPENAI_API_KEY=$token_one
    status_is 1
    same "$(jq '.warnings | length' <<<"$json")" 4
}

@test "a warning is whole, however long the path" {
    long=$(printf '%200s' '' | tr ' ' x)
    mkdir -p "$long/$long"
    cd "$long/$long"
    write_tokens "$(record a "$token_one")"
    chmod 644 api_tokens.json
    warned "every user of this machine can read the token file" "chmod o-rwx $PWD/api_tokens.json"
}

@test "a token file that is tracked by git" {
    git_init
    write_tokens "$(record a "$token_one")"
    status_is 0
    git add api_tokens.json
    warned "git tracks the token file" "\`git -C $PWD rm --cached api_tokens.json\`"
    says "$output" ".gitignore"
    git rm --quiet --cached api_tokens.json
    status_is 0
}

@test "the commands of the warnings can be pasted, whatever the folder is called" {
    mkdir "my \$(tokens)" && cd "my \$(tokens)"
    for folder in "it's" $'a\nb\e\\' 'ключ'; do
        git_init "$folder"
        token_file=$folder/api_tokens.json write_tokens "$(record a "$token_one")"
        chmod 666 "$folder/api_tokens.json"
        git -C "$folder" add api_tokens.json
        status_is 1 --file "$folder/api_tokens.json"
        echo "$output"
        # shellcheck disable=SC2016  # these quotes are around a command
        commands=$(sed -n 's/^Warning: .*`\(.*\)`$/\1/p' <<<"$output")
        [ "$(wc -l <<<"$commands")" -eq 3 ]
        (cd / && bash -euc "$commands")
        status_is 0 --file "$folder/api_tokens.json"
    done
}

@test "a token file that is tracked by git in another folder than the working one" {
    git_init repository
    token_file=repository/api_tokens.json write_tokens "$(record a "$token_one")"
    git -C repository add api_tokens.json
    status_is 1 --file repository/api_tokens.json
    says "$output" "git tracks the token file" "$PWD/repository/api_tokens.json"
}

@test "a token file that is tracked by git behind a link" {
    git_init repository
    token_file=repository/api_tokens.json write_tokens "$(record a "$token_one")"
    git -C repository add api_tokens.json
    ln -s repository/api_tokens.json api_tokens.json
    warned "git tracks the token file" "\`git -C $PWD/repository rm --cached api_tokens.json\`"
}

@test "a token file is not taken for a tracked one that its name would match as a pattern" {
    git_init
    token_file=t.json write_tokens "$(record a "$token_one")"
    git add t.json
    cp t.json '[t].json'
    status_is 0 --file '[t].json'
}

@test "a .env that is tracked by git, whose keys must be changed" {
    git_init
    write_tokens "$(record a "$token_one")"
    (umask 077 && echo "FREEGPT_API_KEY=$key" >.env)
    status_is 0
    git add .env
    warned "git tracks the variables file" "change the keys in it"
    says "$output" "\`git -C $PWD rm --cached .env\`"
    git rm --quiet --cached .env
    status_is 0
}

@test "git that is not there is no fault" {
    mkdir bin
    write_tokens "$(record a "$token_one")"
    run_apart env PATH="$PWD/bin" "$verifier" status
    exits 0
    says "$output" "Mode: file"
}

@test "the predecessor's file, and what to do with it" {
    cp "$BATS_TEST_DIRNAME/../data/predecessor_api_tokens.json" api_tokens.json
    chmod 600 api_tokens.json
    before=$(digest "$(cat api_tokens.json)")
    status_is 6
    says "$output" "api_tokens.json:1: this is the format of the Python token_manager.py"
    says "$output" "token_manager --file $PWD/api_tokens.json import $PWD/api_tokens.json"
    verdict sk-d0474cb691123b0a4cb989533b9df27ad860303a183cbeb87b1d87917e6945f4
    unavailable "plain text"
    same "$(digest "$(cat api_tokens.json)")" "$before"
}

@test "the predecessor's file that others can read is warned of, for its secrets are in it" {
    cp "$BATS_TEST_DIRNAME/../data/predecessor_api_tokens.json" api_tokens.json
    chmod 644 api_tokens.json
    status_is 6
    says "$output" "Warning: every user of this machine can read the token file"
}

@test "a key variable that is set to nothing" {
    write_tokens "$(record a "$token_one")"
    for variable in FREEGPT_API_KEY OPENAI_API_KEY; do
        for value in '' '  '; do
            echo "row: $variable='$value'"
            export "$variable=$value"
            warned "$variable is set to nothing" "unset it"
            same "$(jq -r .mode <<<"$json")" file
            unset "$variable"
            echo "$variable=$value" >.env
            warned "$variable is set to nothing" "unset it"
            rm .env
        done
    done
}

@test "a key variable that is set to nothing without a token file: nobody is accepted" {
    export FREEGPT_API_KEY=''
    warned "FREEGPT_API_KEY is set to nothing" "unset it"
    says "$output" "NOBODY IS ACCEPTED"
}

@test "a key of less than 16 characters" {
    for short in x fifteen-chars-1 '  fifteen-chars-1 '; do
        echo "row: '$short'"
        export OPENAI_API_KEY=$short
        warned "OPENAI_API_KEY has only" "token_manager create"
    done
    export OPENAI_API_KEY=sixteen-chars--1
    status_is 0
}

@test "a key that is a revoked token" {
    write_tokens "$(record a "$token_one" "\"revoked_at\": \"$past\"")"
    export FREEGPT_API_KEY=$token_one
    warned "FREEGPT_API_KEY is a token of the file that is revoked" "put another there"
}

@test "a key that is an expired token" {
    write_tokens "$(record a "$token_one" "\"expires_at\": \"$past\"")"
    export FREEGPT_API_KEY=$token_one
    warned "FREEGPT_API_KEY" "expired"
}

@test "a key that is a good token is no fault" {
    write_tokens "$(record a "$token_one")"
    export FREEGPT_API_KEY=$token_one
    status_is 0
}

@test "a key that can never be sent" {
    for value in "two words of a key" $'a-key\nof-two-lines' "clé-für-diesen-test" \
        "$(printf '%513s' '' | tr ' ' k)"; do
        printf 'row: %q\n' "$value"
        export FREEGPT_API_KEY=$value
        warned "FREEGPT_API_KEY can never be sent" "choose another"
    done
}

@test "a clock that is behind the newest record" {
    for times in '"created_at": "9990-01-01T00:00:00Z"' \
        '"created_at": "2020-01-01T00:00:00Z", "revoked_at": "9990-01-01T00:00:00Z"'; do
        for others in before after; do
            echo "row: $times, others $others it"
            new=$(record new "$token_one" | sed "s/\"created_at\": [^,}]*/$times/")
            old=$(record old "$token_two")
            if [ "$others" = before ]; then
                write_tokens "$old" "$new"
            else
                write_tokens "$new" "$old"
            fi
            warned "the token file tells of 9990-01-01T00:00:00Z" "set the clock"
        done
    done
}

@test "a clock that is behind a record that was revoked since it was set back" {
    write_tokens "$(record a "$token_one" "\"revoked_at\": \"$past\"" | sed s/2020-/9990-/)"
    warned "the token file tells of 9990-01-01T00:00:00Z" "set the clock"
}

@test "a token that will expire says nothing of the clock" {
    write_tokens "$(record a "$token_one" "\"expires_at\": \"$future\"")"
    status_is 0
}

@test "no form of status shows a key or a digest" {
    write_tokens "$(record a "$token_one" "\"revoked_at\": \"$past\"")"
    chmod 666 api_tokens.json
    for value in "$token_one" "$key-and-more" short "two words of it"; do
        echo "row: $value"
        printf 'OPENAI_API_KEY="%s"\n' "$value" >.env
        export FREEGPT_API_KEY=$value
        status_is 1
        lacks "$output$json" "$value"
        lacks "$output$json" "$(digest "$value")"
        unset FREEGPT_API_KEY
        status_is 1
        lacks "$output$json" "$value"
        lacks "$output$json" "$(digest "$value")"
    done
}
