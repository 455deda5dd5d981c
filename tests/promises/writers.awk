# What writers say they did, against the audit trail, against the tokens that are there. Prints what does
# not agree, and fails if anything does not:
#
#     awk -f writers.awk known trail now
#
# known is the ledger of tests/helpers/writers.c with blanks between, trail has the lines "NAME ACTION
# ID", or "torn", and now "NAME STATUS ID".

function wrong(what) {
    print what
    failures++
}

# The words of a text in an order that does not depend on theirs.
function sorted(text, words, n, i, j, word) {
    n = split(text, words)
    for (i = 2; i <= n; i++) {
        word = words[i]
        for (j = i - 1; j > 0 && words[j] > word; j--) {
            words[j + 1] = words[j]
        }
        words[j + 1] = word
    }
    text = ""
    for (i = 1; i <= n; i++) {
        text = text " " words[i]
    }
    return text
}

# Every action that was done has its line, once. On its own tokens each writer knows the order; one
# that was killed may have left a line.
function compare_trail(name, line) {
    line = name in trail ? trail[name] : ""
    if (name ~ /^shared/ && sorted(line) == sorted(done[name])) {
        return
    }
    if (line != done[name] && !(name in killed && line == done[name] " " killed[name])) {
        wrong(name ": done:" done[name] "; killed: " killed[name] "; in the trail:" line)
    }
}

# All tokens of a group are in the same one of two states.
function compare_group(states, group, either, words, n, i, name, is, first) {
    n = split(group, words)
    split(states, either, ",")
    for (i = 1; i <= n; i++) {
        name = words[i]
        made[name] = 1
        is = tokens[name] == 0 ? "absent" : status[name]
        first = i == 1 ? is : first
        if (tokens[name] > 1) {
            wrong(name " is there " tokens[name] " times")
        }
        if (is != first || (is != either[1] && is != either[2])) {
            wrong(name " is " is ", and not " states " like all of " group)
        }
        if (name in killed && is != either[1] && trail[name] == done[name]) {
            wrong(name " was changed without a line in the trail")
        }
    }
}

FILENAME == "known" && $1 == "done" { done[$2] = done[$2] " " $3 }
FILENAME == "known" && $1 == "killed" { killed[$2] = $3 }
FILENAME == "known" && $1 == "final" {
    states[++finals] = $2
    $1 = $2 = ""
    groups[finals] = $0
}
FILENAME == "trail" && $1 == "torn" { torn++ }
FILENAME == "trail" && $1 != "torn" {
    trail[$1] = trail[$1] " " $2
    latest[$3] = $2
    named[$3] = $1
}
FILENAME == "now" {
    now[$3] = $2
    status[$1] = $2
    tokens[$1]++
}

END {
    after["create"] = after["restore"] = after["rotate"] = "active"
    after["revoke"] = "revoked"
    after["delete"] = ""
    for (name in done) {
        compare_trail(name)
    }
    for (name in trail) {
        if (!(name in done)) {
            compare_trail(name)
        }
    }
    # What the trail says of a token comes to what it is, unless the last who changed it was killed.
    for (id in latest) {
        if (!(named[id] in killed) && now[id] != after[latest[id]]) {
            wrong(named[id] " " id " is " now[id] ", after " latest[id])
        }
    }
    for (id in now) {
        if (!(id in latest)) {
            wrong(id " is there, and not in the trail")
        }
    }
    for (i = 1; i <= finals; i++) {
        compare_group(states[i], groups[i])
    }
    for (name in tokens) {
        if (name !~ /^shared/ && !(name in made)) {
            wrong("nobody made " name)
        }
    }
    printf "%d torn lines in the trail\n", torn
    exit failures > 0
}
