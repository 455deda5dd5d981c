#!/usr/bin/env bats
# The .env file: how it may be written, what is refused, and what wins over it.
# shellcheck disable=SC2154,SC2030,SC2031  # variables of common, verifier and run; a test is a subshell
# shellcheck disable=SC2016  # dollars in single quotes belong to the .env file

bats_require_minimum_version 1.5.0
load common
load verifier

key=a-key-for-this-test

# Every program and command says no to these settings, with exit status 6: all_refuse WORDS
all_refuse() {
    for command in "$verifier check" "$verifier check --json" "$verifier status" \
        "$verifier status --json" "$manager list" "$manager create new" "$manager revoke ci"; do
        echo "row: $command"
        # shellcheck disable=SC2086  # several words
        run_apart $command <<<"$key"
        exits 6
        same "$output" ""
        says "$stderr" "$1"
        lacks "$stderr" "$key"
    done
}

@test "the key is read however people write it" {
    for format in 'FREEGPT_API_KEY=%s\n' 'FREEGPT_API_KEY=%s' 'FREEGPT_API_KEY="%s"\n' \
        "FREEGPT_API_KEY='%s'\\n" "FREEGPT_API_KEY='%s'" 'export FREEGPT_API_KEY=%s\n' \
        'export\tFREEGPT_API_KEY="%s"\n' '  export   FREEGPT_API_KEY=%s\n' \
        'FREEGPT_API_KEY = %s\n' ' \tFREEGPT_API_KEY\t=\t%s \t\n' 'FREEGPT_API_KEY = "%s" \n' \
        'FREEGPT_API_KEY=%s # comment\n' 'FREEGPT_API_KEY="%s" # comment\n' \
        "FREEGPT_API_KEY='%s'# comment\\n" 'FREEGPT_API_KEY=%s\t# it'"'"'s one\n' \
        '# comment\n\n  # another = "\n \t\nFREEGPT_API_KEY=%s\n' \
        'FREEGPT_API_KEY=%s\r\n' 'A=b\r\nFREEGPT_API_KEY="%s"\r\n# c\r\n\r\n' \
        "FREEGPT_API_KEY='%s' # c\\r\\nA=b\\r\\n" 'FREEGPT_API_KEY=%s\r' \
        '\xef\xbb\xbfFREEGPT_API_KEY=%s\n' '\xef\xbb\xbf# comment\r\nFREEGPT_API_KEY=%s\r\n' \
        'FREEGPT_API_KEY="  %s "\n' "FREEGPT_API_KEY='\\n%s\\n'\\n" \
        'NOTE="first\n# second"\nFREEGPT_API_KEY=%s\n' "NOTE='a\\n\\nb'\\nFREEGPT_API_KEY=%s\\n" \
        'FREEGPT_API_KEY=%s\nNOTE="\nFREEGPT_API_KEY=no\n"\n' \
        'FREEGPT_API_KEY=first\nFREEGPT_API_KEY=second\nFREEGPT_API_KEY=%s\n' \
        'FREEGPT_API_KEY=$OTHER\nexport FREEGPT_API_KEY=%s\n' \
        'FREEGPT_API_KEY=%s\n#FREEGPT_API_KEY=no\n' 'FREEGPT_API_KEY=%s\nfreegpt_api_key=no\n' \
        'FREEGPT_API_KEY=%s\nFREEGPT_API_KEY_2=no\nMY_FREEGPT_API_KEY=no\n' \
        'A.B-c=1\n_x=2\nFREEGPT_API_KEY=%s\n'; do
        echo "row: $format"
        # shellcheck disable=SC2059  # the row is the format
        printf "$format" "$key" >.env
        verdict "$key"
        accepted env:FREEGPT_API_KEY FREEGPT_API_KEY
    done
}

@test "a value means what it would mean to a shell or a dotenv library" {
    while IFS='|' read -r value expected; do
        echo "row: $value"
        printf 'OPENAI_API_KEY=%s\n' "$value" >.env
        verdict "$expected"
        accepted env:OPENAI_API_KEY OPENAI_API_KEY
    done <<'END'
ab#cd|ab#cd
a=b==|a=b==
it's|it's
say"hi"|say"hi"
a\nb|a\nb
'a$b#c"d\e`f'|a$b#c"d\e`f
'#1'|#1
"#1"|#1
"a\"b"|a"b
"a\\b"|a\b
"a\$b"|a$b
"a\`b"|a`b
"a\xb"|a\xb
"it's"|it's
"a#b" #c|a#b
END
}

@test "the last line of a name wins, also if it sets the name to nothing" {
    printf 'OPENAI_API_KEY=%s\nOPENAI_API_KEY=\n' "$key" >.env
    verdict "$key"
    refused unknown "no token"
}

@test "a broken line is refused with its number, whatever it says" {
    write_tokens "$(record ci "$token_one")"
    cp api_tokens.json before
    while IFS='|' read -r text line words; do
        printf 'A=b\n%b\n' "$text" >.env
        echo "row: $text"
        all_refuse ".env:$line: $words"
        cmp api_tokens.json before
    done <<END
FREEGPT_API_KEY $key|2|not a NAME=value line
FREEGPT_API_KEY|2|not a NAME=value line
export FREEGPT_API_KEY|2|not a NAME=value line
FREEGPT_API_KEY: $key|2|not a NAME=value line
=$key|2|not a NAME=value line
1A=$key|2|not a NAME=value line
{"FREEGPT_API_KEY": "$key"}|2|not a NAME=value line
A="$key|2|the quote " is not closed
A='$key\nB=c|2|the quote ' is not closed
A="$key"b|2|text after the closing quote
A='$key' 'b'|2|text after the closing quote
A="b\nc\nd"\n\n?|6|not a NAME=value line
A='b\nc\nd'e|4|text after the closing quote
A=b\r\n!\r\n|3|not a NAME=value line
A=\000$key|2|a NUL byte
END
}

@test "a variable of ours that refers to another one is refused, by line and name" {
    write_tokens "$(record ci "$token_one")"
    for variable in FREEGPT_API_KEY OPENAI_API_KEY API_TOKENS_FILE TOKEN_VERIFIER_REQUIRE_AUTH; do
        for value in '$HOME' '${HOME}/x' '"$HOME"' '"a-$(id)"' 'a$'; do
            echo "row: $variable=$value"
            printf '# comment\n%s=%s\n' "$variable" "$value" >.env
            verdict "$token_one"
            exits 6
            same "$output" ""
            says "$stderr" ".env:2: \"$variable\" refers to another variable"
        done
    done
}

@test "other variables may refer, and a quoted dollar is none" {
    printf '%s\n' 'PATH=$HOME/bin:$PATH' 'X="${Y}"' 'FREEGPT_API_KEY="a\$b-c"' >.env
    verdict 'a$b-c'
    accepted env:FREEGPT_API_KEY FREEGPT_API_KEY
}

@test "a reference is not looked at where the real environment has the variable" {
    export FREEGPT_API_KEY=$key
    echo 'FREEGPT_API_KEY=$SECRET' >.env
    verdict "$key"
    accepted env:FREEGPT_API_KEY FREEGPT_API_KEY
}

@test "the real environment wins variable by variable" {
    printf '%s\n' "FREEGPT_API_KEY=freegpt-of-the-file" "OPENAI_API_KEY=openai-of-the-file" >.env
    # The variables of the environment, and what is accepted then.
    while IFS='|' read -r variables credential id; do
        echo "row: $variables"
        # shellcheck disable=SC2086  # several words
        run_apart env $variables "$verifier" check <<<"$credential"
        accepted "env:$id" "$id"
        for other in freegpt-of-the-file openai-of-the-file freegpt-of-mine openai-of-mine; do
            [ "$other" = "$credential" ] && continue
            # shellcheck disable=SC2086
            run_apart env $variables "$verifier" check <<<"$other"
            refused unknown "no token"
        done
    done <<'END'
|freegpt-of-the-file|FREEGPT_API_KEY
FREEGPT_API_KEY=freegpt-of-mine|freegpt-of-mine|FREEGPT_API_KEY
OPENAI_API_KEY=openai-of-mine|freegpt-of-the-file|FREEGPT_API_KEY
FREEGPT_API_KEY=|openai-of-the-file|OPENAI_API_KEY
FREEGPT_API_KEY= OPENAI_API_KEY=openai-of-mine|openai-of-mine|OPENAI_API_KEY
FREEGPT_API_KEY=freegpt-of-mine OPENAI_API_KEY=|freegpt-of-mine|FREEGPT_API_KEY
END
}

@test "keys that the environment sets to nothing are not taken from the file" {
    printf '%s\n' "FREEGPT_API_KEY=$key" "OPENAI_API_KEY=$key" >.env
    export FREEGPT_API_KEY='' OPENAI_API_KEY=''
    verdict "$key"
    refused unknown "no token"
}

@test "no .env is fine, and so is an empty one" {
    write_tokens "$(record ci "$token_one")"
    verdict "$token_one"
    accepted "$(id_of "$token_one")" ci
    for text in '' '\n' '# nothing\n\n' '\xef\xbb\xbf' '\r\n'; do
        echo "row: '$text'"
        printf '%b' "$text" >.env
        verdict "$token_one"
        accepted "$(id_of "$token_one")" ci
    done
}

@test "a folder, a link that leads nowhere and a pipe are no .env" {
    write_tokens "$(record ci "$token_one")"
    mkdir .env
    all_refuse ".env is a folder"
    rmdir .env
    ln -s nowhere .env
    all_refuse ".env"
    rm .env
    mkfifo .env
    all_refuse ".env is a device, pipe or socket"
}

@test "a .env that may not be read is refused" {
    write_tokens "$(record ci "$token_one")"
    chmod 644 api_tokens.json
    echo "FREEGPT_API_KEY=$key" >.env
    chmod 000 .env
    share_folder
    for command in "$verifier check" "$verifier status" "$manager list"; do
        echo "row: $command"
        # shellcheck disable=SC2086  # several words
        run_apart unprivileged $command <<<"$token_one"
        exits 6
        same "$output" ""
        says "$stderr" ".env: Permission denied"
    done
    run_apart unprivileged "$verifier" check --no-env-file <<<"$token_one"
    exits 0
}

@test "a .env that is too large is refused" {
    write_tokens "$(record ci "$token_one")"
    yes '# a comment' | head -c 2000000 >.env
    all_refuse ".env is larger than"
}

@test "a link to a .env is followed" {
    echo "FREEGPT_API_KEY=$key" >keys
    ln -s keys .env
    verdict "$key"
    accepted env:FREEGPT_API_KEY FREEGPT_API_KEY
}

@test "--env-file is read instead of .env" {
    echo "FREEGPT_API_KEY=$key" >.env
    echo "OPENAI_API_KEY=another-key-of-mine" >keys
    verdict another-key-of-mine --env-file keys
    accepted env:OPENAI_API_KEY OPENAI_API_KEY
    verdict "$key" --env-file=keys
    refused unknown "no token"
    mkdir elsewhere
    cd elsewhere
    verdict another-key-of-mine --env-file ../keys
    accepted env:OPENAI_API_KEY OPENAI_API_KEY
    verdict another-key-of-mine --env-file "$BATS_TEST_TMPDIR/keys"
    accepted env:OPENAI_API_KEY OPENAI_API_KEY
}

@test "--env-file that is missing or broken is refused, by every command" {
    write_tokens "$(record ci "$token_one")"
    echo '?' >broken
    mkdir folder
    while IFS='|' read -r file words; do
        for command in "$verifier check" "$verifier status" "$manager list"; do
            echo "row: $command --env-file $file"
            # shellcheck disable=SC2086  # several words
            run_apart $command --env-file "$file" <<<"$token_one"
            exits 6
            same "$output" ""
            says "$stderr" "$words"
        done
    done <<'END'
gone|gone: No such file or directory
broken|broken:1: not a NAME=value line
folder|folder is a folder
END
}

@test "--no-env-file reads none, whatever it is" {
    write_tokens "$(record ci "$token_one")"
    echo "FREEGPT_API_KEY=$key" >.env
    verdict "$key" --no-env-file
    refused unknown "no token"
    echo "API_TOKENS_FILE=gone" >.env
    verdict "$token_one" --no-env-file
    accepted "$(id_of "$token_one")" ci
    run "$manager" list --no-env-file
    exits 0
    says "$output" "Name: ci"
    echo '?' >.env
    verdict "$token_one" --no-env-file
    accepted "$(id_of "$token_one")" ci
}

@test "--file wins over API_TOKENS_FILE, the environment over .env, all over the default" {
    for name in default env-file environment option; do
        token_file=$name.json write_tokens "$(record "$name" "$token_one")"
    done
    mv default.json api_tokens.json
    # The .env line, the environment, the options, and whose file it is.
    while IFS='|' read -r line variables options expected; do
        echo "row: $line|$variables|$options"
        echo "$line" >.env
        # shellcheck disable=SC2086  # several words
        {
            run_apart env $variables "$verifier" check $options <<<"$token_one"
            accepted "$(id_of "$token_one")" "$expected"
            run_apart env $variables "$manager" list --json $options
            exits 0
            same "$(jq -r '.[].name' <<<"$output")" "$expected"
        }
    done <<'END'
|||default
API_TOKENS_FILE=env-file.json|||env-file
API_TOKENS_FILE="./env-file.json"|||env-file
|API_TOKENS_FILE=environment.json||environment
API_TOKENS_FILE=env-file.json|API_TOKENS_FILE=environment.json||environment
API_TOKENS_FILE=env-file.json|API_TOKENS_FILE=environment.json|--file option.json|option
API_TOKENS_FILE=env-file.json||--file=option.json|option
API_TOKENS_FILE=gone.json|API_TOKENS_FILE=gone.json|--file ./option.json|option
API_TOKENS_FILE=|API_TOKENS_FILE=environment.json||environment
API_TOKENS_FILE=|API_TOKENS_FILE=|--file option.json|option
END
}

@test "create writes to the file that .env names" {
    mkdir data
    echo 'API_TOKENS_FILE=data/tokens.json' >.env
    token=$(create ci)
    [ -s data/tokens.json ]
    [ ! -e api_tokens.json ]
    verdict "$token"
    exits 0
}

@test "API_TOKENS_FILE that is set to nothing is refused, and no default takes its place" {
    write_tokens "$(record ci "$token_one")"
    echo 'API_TOKENS_FILE=' >.env
    all_refuse "API_TOKENS_FILE is set to nothing"
    rm .env
    export API_TOKENS_FILE=''
    all_refuse "API_TOKENS_FILE is set to nothing"
    echo 'API_TOKENS_FILE=api_tokens.json' >.env
    all_refuse "API_TOKENS_FILE is set to nothing"
}
