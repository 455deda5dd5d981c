# Completion for token_manager, token_verifier and token_authd. Commands and options are those that
# the program's own --help tells, tokens those of `token_manager list --selectors`.
#
# Names of tokens are other people's text: nothing of them is ever evaluated, and fish quotes what it
# inserts. (It takes * at the beginning of a word, quoted or not, for a wildcard, and completes that to
# no name: fish 3.6 does so for every program.)
#
# Helpers marked --no-scope-shadowing share the variables of __token_manager_complete.

# A finished word as the program would get it: fish has taken off the quotes, but not expanded it.
function __token_manager_word
    if string match -qr '^~($|/)' -- $argv[1]
        printf '%s\n' $HOME(string sub -s 2 -- $argv[1])
    else if set -l match (string match -r '^(.*?)\$(\w+)(.*)' -- $argv[1]); and set -q $match[3]
        set -l name $match[3]
        printf '%s\n' $match[2]$$name$match[4]
    else
        printf '%s\n' $argv[1]
    end
end

function __token_manager_run --no-scope-shadowing
    command -q $program; and command $program $argv 2>/dev/null </dev/null
end

# Goes through the finished words. Sets program; help, the lines of that of the command or program;
# cmd; operands, how many there are; given, the options; ended, if by --; store, the options that
# tell where the tokens are; and option, if the word at the cursor is its value.
function __token_manager_walk --no-scope-shadowing
    set -l words (commandline -opc)
    set program (__token_manager_word $words[1])
    set help (__token_manager_run --help)
    for finished in $words[2..]
        set -l w (__token_manager_word $finished)
        if test -n "$option"
            contains -- $option --file --env-file; and set -a store $option=$w
            set option
        else if test -z "$ended" -a "$w" = --
            set ended 1
        else if test -z "$ended"; and string match -q -- '--*' $w
            set -a given (string replace -r '=.*' '' -- $w)
            string match -qr -- '^--(file=|env-file=|no-env-file$)' $w; and set -a store $w
            string match -qr -- '^  '(string escape --style=regex -- $w)' [^ ]' $help; and set option $w
        else if test -z "$cmd"; and string match -q 'Commands*' -- $help
            test $w = help; and continue # `help COMMAND` is `COMMAND --help`
            set cmd $w
            if contains -- $w (__token_manager_commands | string replace -r '\t.*' '')
                set help (__token_manager_run $w --help)
            else
                set help
            end
        else
            set operands (math $operands + 1)
        end
    end
end

function __token_manager_commands --no-scope-shadowing
    string replace -rf '^  ([a-z]+).*  +(.*)' '$1\t$2' -- $help
end

# Those that may still be given. (What help says of those that may come again contains "repeat".)
function __token_manager_options --no-scope-shadowing
    for line in (string match -r '^  --.*' -- $help)
        set -l match (string match -r '^  (--[a-z-]+)((?:\[=[a-z]*)?)[^ ]*(?: [^ ]+)?  +(.*)' -- $line)
        or continue
        contains -- $match[2] $given; and not string match -q '*repeat*' -- $line; and continue
        printf '%s\t%s\n' $match[2] $match[4]
        string match -qr '[a-z]' -- $match[3]
        and printf '%s%s\t%s\n' $match[2] (string sub -s 2 -- $match[3]) $match[4]
    end
end

# The word may be a whole secret, and `ps` shows the arguments of programs before these can hide them:
# START stays unused, and fish chooses, as it does among all words that are offered.
function __token_manager_selectors --no-scope-shadowing
    switch $cmd
        case revoke rotate
            set -a store --status active
        case restore
            set -a store --status revoked
    end
    __token_manager_run list --selectors $store
end

# Values of option, after $argv[1] in the same word. Where it is a time, help has examples.
function __token_manager_values --no-scope-shadowing
    set -l match (string match -r '^  '(string escape --style=regex -- $option)'(?:\[=| )([^] ]+)\]? +(.*)' -- $help)
    or return
    set -l values
    switch $option:$match[2]
        case '*:FILE'
            set values (__fish_complete_path (string replace -- "$argv[1]" '' $word))
        case '--status:*'
            set values active revoked expired
        case '--format:*'
            set values token_manager.py list env
        case '--color:*'
            set values auto always never
        case '--sandbox:*'
            set values off
        case '*:WHEN' '*:TIME'
            set values (string match -ra '\b(?:\d+[a-z]|never)\b' -- $match[3])
    end
    test -z "$values"; or printf '%s\n' $argv[1]$values
end

function __token_manager_complete
    set -l word (commandline -ct)
    set -l program
    set -l help
    set -l cmd
    set -l operands 0
    set -l given
    set -l ended
    set -l store
    set -l option
    __token_manager_walk
    if test -n "$option"
        __token_manager_values ''
    else if test -z "$ended"; and string match -q -- '--*=*' $word
        set option (string replace -r '=.*' '' -- $word)
        __token_manager_values $option=
    else if test -z "$ended"; and string match -q -- '-*' $word
        __token_manager_options
    else if string match -q 'Commands*' -- $help
        __token_manager_commands
    else if string match -q '* SELECTOR... *' -- $help[1]
        __token_manager_selectors
    else if test $operands -eq 0; and string match -q '*SELECTOR*' -- $help[1]
        __token_manager_selectors
    else if test $operands -eq 0; and string match -q '* FILE *' -- $help[1]
        __fish_complete_path $word
    end
end

for program in token_manager token_verifier token_authd
    complete -c $program -e
    complete -c $program -f -a '(__token_manager_complete)'
end
