# For the suites that kill, and fail, the programs at each of their steps: the commands that write, what
# they start from, and what must hold however they end. Loaded after common, place, trace and promises.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154,SC2030,SC2031,SC2015 # variables of the callers, and for them

# Each command that changes tokens: its name in messages, the folder that it starts from, what is run,
# and what is on its standard input (the names of two tokens, where nothing is said).
writers=(
    "create|tokens|manager create probe"
    "create the first|nothing|manager create probe --json"
    "create with options|tokens|manager create probe --scope read --note text --expires 90d --prefix my_ --env=KEY"
    "create several|tokens|manager create --batch ../names"
    "create the first several|nothing|manager create --batch ../names --json"
    "import a list|tokens|manager import ../keys"
    "import into a new file|nothing|manager import ../predecessor.json --json"
    "convert|predecessor|manager import api_tokens.json"
    "rotate|tokens|manager rotate one"
    "rotate at once|tokens|manager rotate one --grace 0 --json"
    "revoke|tokens|manager revoke one"
    "revoke several|tokens|manager revoke - --json"
    "restore|tokens|manager restore old"
    "restore several|tokens|manager restore old older"
    "delete|tokens|manager delete one"
    "delete several|tokens|manager delete - old"
    "revoke with many uses|used|manager revoke one"
)

# Those that write down uses.
recorders=(
    "check|tokens|verifier check|secret.one"
    "check with many uses|used|verifier check|secret.one"
    "check with uses elsewhere|tokens|verifier check --usage ../uses|secret.one"
    "stream|tokens|verifier stream|secret.one"
    "stream with many uses|used|verifier stream|secret.one"
)

# Those that only read. In `environment`, one of the revoked tokens is the environment key too.
readers=(
    "list|used|manager list --json"
    "audit|tokens|manager audit --json"
    "check a good token|tokens|verifier check|secret.one"
    "check a good token for a scope|tokens|verifier check --scope read --json|secret.one"
    "check a revoked token|tokens|verifier check|secret.old"
    "check a revoked environment key|environment|verifier check|secret.old"
    "check the environment key|key|verifier check|secret.old"
    "check a stranger|environment|verifier check|stranger"
    "stream|environment|verifier stream|known"
    "status|environment|verifier status --json"
)

our_files=" .env api_tokens.json api_tokens.json.audit api_tokens.json.lock api_tokens.json.usage "

# What is tested here is the same in memory, where fsync costs nothing, and thousands are quick.
use_memory() {
    scratch=$(mktemp -d /dev/shm/faults.XXXXXX 2>/dev/null) || scratch=$BATS_TEST_TMPDIR
    cd "$scratch" || return
}

leave_memory() {
    [ "${scratch-$BATS_TEST_TMPDIR}" = "$BATS_TEST_TMPDIR" ] || rm -rf "$scratch"
}

teardown() {
    leave_memory
}

# Makes what the commands start from: the folders start.tokens, start.nothing and so on, the files that
# they name, and known, a file of all secrets that there are or may come to be.
make_starts() {
    local name i
    use_memory
    mkdir start.nothing start.predecessor start.tokens start.key
    printf 'batch-%s\n' 1 2 3 >names
    printf 'sk-imported-number-%032d\n' 1 2 3 >keys
    cp "$BATS_TEST_DIRNAME/../data/predecessor_api_tokens.json" predecessor.json
    cp predecessor.json start.predecessor/api_tokens.json
    cd start.tokens || return
    for name in one two old older; do
        create "$name" >"../secret.$name"
    done
    "$manager" revoke old older 2>/dev/null
    "$verifier" check <../secret.two >/dev/null
    chmod 640 api_tokens.json
    setfattr -n user.note -v kept api_tokens.json 2>/dev/null || true # not every file system can
    [ "$(id -u)" != 0 ] || chown 65534:65534 api_tokens.json*
    cd ..
    echo "OPENAI_API_KEY=$(cat secret.old)" >start.key/.env
    cp -a start.tokens start.environment
    cp start.key/.env start.environment/
    # A usage file past its bound.
    cp -a start.tokens start.used
    for name in one two; do
        i=$("$manager" list --file start.used/api_tokens.json --json |
            jq -r --arg name $name '.[] | select(.name == $name) | .id')
        awk -v id="$i" 'BEGIN { for (i = 0; i < 1000; i++)
            printf "%s 20%02d-%02d-%02dT00:00:00Z\n", id, 5 + i / 100, i / 10 % 10 + 1, i % 10 + 1 }'
    done >>start.used/api_tokens.json.usage
    {
        cat secret.one secret.two secret.old secret.older keys
        jq -r 'keys[]' predecessor.json
    } >known
    printf '%s\n' one two >chosen
    echo sk-padxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx390008N8U >stranger # as in verifier.bash
}

# Makes a new copy of the start and enters it.
enter_copy() {
    cd "$scratch" || return
    rm -rf work
    cp -a "start.$start" work
    cd work || return
}

# A file's text without a fork, "" where there is none: slurp NAME VARIABLE
slurp() {
    printf -v "$2" ''
    [ ! -e "$1" ] || IFS= read -r -d '' "$2" <"$1" || true
}

# A token file's text with what is random or of the time of day left out, in $shape: shape_of TEXT
shape_of() {
    local one='[0-9A-Za-z]' hex='[0-9a-f]'
    local eleven=$one$one$one$one$one$one$one$one$one$one$one hex8=$hex$hex$hex$hex$hex$hex$hex$hex
    shape=$1
    shape=${shape//tok_$eleven$one$one$one$one$one/ID}
    shape=${shape//blake2b-256:$hex8$hex8$hex8$hex8$hex8$hex8$hex8$hex8/HASH}
    shape=${shape//\"sk-$eleven\"/PREFIX}
    shape=${shape//\"my_$eleven\"/PREFIX}
    shape=${shape//20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]Z/TIME}
}

# What every verdict is on the secrets that are known and those that were printed, in $verdicts and
# $printed_verdicts; a line each, without ids. Fails where there is a secret that gets no answer.
ask_verdicts() {
    local rest secret lines
    printed=''
    slurp ../out rest
    while [[ $rest =~ (sk-|my_)[0-9A-Za-z]{49} ]]; do
        secret=${BASH_REMATCH[0]}
        printed+=$secret$'\n'
        rest=${rest#*"$secret"}
    done
    # With uses elsewhere: these are not to be taken for those of the command.
    rest=$known$printed
    "$verifier" stream --usage ../asked <<<"${rest%$'\n'}" >../verdicts 2>../verdicts.said || true
    mapfile -t lines <../verdicts
    lines=("${lines[@]//tok_????????????????/ID}")
    printf -v verdicts '%s\n' "${lines[@]:0:known_count}"
    printed_verdicts=${lines[*]:known_count}
}

# Begins with a row of the tables above: sees, without a fault, what comes of it. From then on, $label
# and the array run are the command: begin ROW
begin() {
    local words shape
    IFS='|' read -r label start words input <<<"$1"
    read -ra run <<<"$words"
    run[0]=${!run[0]}
    input=../${input:-chosen}

    enter_copy
    slurp ../known known
    known_count=$(wc -l <../known)
    rm -f ../uses
    : >../out
    slurp api_tokens.json old_text
    slurp api_tokens.json.audit old_audit
    ask_verdicts
    old_verdicts=$verdicts
    enter_copy
    right_code=0
    "${run[@]}" <"$input" >../out 2>../said || right_code=$?
    slurp ../out right_out
    slurp api_tokens.json new_text
    slurp api_tokens.json.audit new_audit
    shape_of "$new_text"
    new_shape=$shape
    ask_verdicts
    new_verdicts=$verdicts
    new_printed_verdicts=$printed_verdicts
    # The records that this command leaves alone.
    kept=()
    if [ "$old_text" != "" ] && [ "$start" != predecessor ]; then
        while IFS= read -r line; do
            [[ $line != *'"id"'* || $new_text != *"${line%,}"* ]] || kept+=("${line%,}")
        done <<<"$old_text"
    fi
}

# What stands after the command ended with $code: sets $changed to yes or no, and fails with a word of
# explanation where it is neither the whole old version nor the whole new one, where a secret was
# printed that is no good, or a verdict is not that version's.
judge() {
    local line shape text wanted
    slurp api_tokens.json text
    changed=no wanted=$old_verdicts
    if [ "$text" != "$old_text" ]; then
        changed=yes wanted=$new_verdicts
        shape_of "$text"
        [ "$shape" = "$new_shape" ] || { complain "neither old nor new: $text" && return 1; }
        for line in "${kept[@]}"; do
            [[ $text == *"$line"* ]] || { complain "lost: $line" && return 1; }
        done
    fi
    ask_verdicts
    [ "$verdicts" = "$wanted" ] || { complain "wrong verdicts: $verdicts" && return 1; }
    # What was killed while it printed several may have shown only the first ones.
    if [[ $new_printed_verdicts != "$printed_verdicts"* ]]; then
        complain "a secret was printed that is not good: $printed_verdicts"
        return 1
    fi
    if [ "$code" = 0 ] && [ "$printed_verdicts" != "$new_printed_verdicts" ]; then
        complain "done, but not shown" && return 1
    fi
    # Each change has its line; and what nobody is told of is not in the trail, but after a crash.
    slurp api_tokens.json.audit text
    if [ "$changed" = yes ]; then
        [ "$(grep -c '^{.*}$' <<<"$text")" -ge "$(grep -c . <<<"$new_audit")" ] ||
            { complain "changed without a line in the trail: $text" && return 1; }
    fi
}

# The next command succeeds without help, and there are no files but ours.
next_command() {
    local next=(create after) trail
    [ "$start/$changed" != predecessor/no ] || next=(import api_tokens.json)
    "$manager" "${next[@]}" >../next.out 2>../next.said ||
        { complain "the next command fails: $(cat ../next.said)" && return 1; }
    # Its line is whole, whatever was left of the one before.
    mapfile -t trail <api_tokens.json.audit
    [[ ${trail[-1]#?} != *'{"time"'* && ${trail[-1]} =~ ^\{\"time\":\ \"[0-9TZ:-]*\",\ \"action\":\ \"${next[0]}\".*\}$ ]] ||
        { complain "the trail ends in ${trail[-1]}" && return 1; }
    only_ours
}

only_ours() {
    local file
    for file in * .[!.]*; do
        [[ ! -e $file || $our_files == *" $file "* ]] || { complain "leaves $file" && return 1; }
    done
}

# For messages: which command, at which step ($step), ended how.
complain() {
    echo "$label, $step: exit $code, $(head -c 400 ../said 2>/dev/null)"
    echo "$*"
}

# Each system call of the command from its main on, as lines "NAME NUMBER", counted from its start.
list_calls() {
    enter_copy
    "${strace[@]}" -o ../trace "${preload[@]}" "${run[@]}" <"$input" >../out 2>../said || true
    # With -f each line begins with a number: those of other processes are not counted.
    awk 'NR == 1 && /^[0-9]+ / { own = $1 }
        own != "" && $1 != own { next }
        { sub(/^[0-9]+ +/, "") }
        match($0, /^[a-z0-9_]+\(/) {
            name = substr($0, 1, RLENGTH - 1)
            number[name]++
            begun = begun || /^fcntl(64)?\(0, F_GETFD/
            if (begun) print name, number[name]
        }' ../trace >../calls
    [ "$(wc -l <../calls)" -gt 20 ] || { cat ../trace && return 1; }
}

# Runs the command, with strace told to do that to it, and takes its exit status into $code:
# injected NAME INJECTION
injected() {
    enter_copy
    code=0
    # What bash says of a command that was killed is no news here.
    {
        "${strace[@]}" -o ../trace -e trace="$1" -e inject="$1:$2" "${preload[@]}" "${run[@]}" \
            <"$input" >../out 2>../said || code=$?
    } 2>/dev/null
}

needs_injection() {
    needs_strace
    set +o functrace # by which bats looks at each command, also at those of the functions here
    strace=(strace)
    preload=()
}

# Calls that are not traced cost next to nothing then. Signals cannot be injected like this.
trace_quickly() {
    ! strace -f --seccomp-bpf -o /dev/null true 2>/dev/null || strace=(strace -f --seccomp-bpf)
}

# The last use of a token as the manager knows it, in $use: use_of NAME
use_of() {
    local list
    list=$("$manager" list --json) || { complain "no list" && return 1; }
    use=''
    [[ ! $list =~ \"name\":\ \"$1\"[^}]*\"last_used_at\":\ \"([^\"]*)\" ]] || use=${BASH_REMATCH[1]}
}

# No use that was known is forgotten, whatever became of a verifier that wrote uses down.
judge_uses() {
    local name
    for name in one two; do
        use_of "$name" || return 1
        # Times are text of one length: the later is the greater.
        [[ ! $use < ${old_uses[$name]} ]] || {
            complain "the use of $name at ${old_uses[$name]} is forgotten: $use"
            return 1
        }
    done
}

remember_uses() {
    declare -gA old_uses
    local name
    enter_copy
    for name in one two; do
        use_of "$name"
        old_uses[$name]=$use
    done
    cd ..
}

# What a command that reads said is right, or it said that it cannot know, and why: judge_reader PATTERN
judge_reader() {
    local out said line i=0 right
    slurp ../out out
    slurp ../said said
    if [ "$code" = "$right_code" ] && [ "$out" = "$right_out" ]; then
        return
    fi
    case "${run[1]}/$code" in
    stream/[016])
        # Each answer by itself is the right one, or none.
        mapfile -t right <<<"$right_out"
        while IFS= read -r line && [ "$line" != "" ]; do
            [ "$line" = "${right[i]}" ] || [ "$line" = "ERR unavailable" ] ||
                { complain "wrong answer: $line, not ${right[i]}" && return 1; }
            i=$((i + 1))
        done <<<"$out"
        ;;
    status/[016]) [[ $out != *'"mode": "open"'* ]] || { complain "takes it for open" && return 1; } ;;
    list/0) [[ $said == *"last uses are not known: "*$1* ]] || { complain "wrong: $out" && return 1; } ;;
    */0) complain "wrong: $out" && return 1 ;;
    check/1) [[ $said == *"standard output"* ]] || { complain "refused on a guess" && return 1; } ;;
    */[16]) ;;
    *) complain "ends like this" && return 1 ;;
    esac
    # What could not be looked at once is taken for a file that was there.
    [ "$code" = 0 ] || [[ $said$out == *$1* || $said == *"is gone; a running verifier"* ]] ||
        { complain "does not name the cause" && return 1; }
}
