# The code blocks of documents: each goes to a file FOLDER/NUMBER, and has a line of output, which is
#
#   NUMBER  DOCUMENT  LINE  LANGUAGE  NAME  FIRST LINE
#
# with tabs between: the line where its text begins, "-" for a language that is not told, and the file
# name that may follow the language ("-" for none).
#
# usage: awk -v folder=FOLDER -f tests/doctest.awk DOCUMENT...
#
# A block is in Markdown what stands between fences, or in <pre>, or is indented; in a plain text what
# is indented; in mdoc a display: .Bd -literal and .Dl are to be run, .Bd -unfilled is a sample.

function begin(its_language, its_name) {
    number++
    language = its_language
    name = its_name == "" ? "-" : its_name
    at = 0
    first = ""
    held = ""
    file = folder "/" number
    printf "" >file
}

# Empty lines wait for one that is not: those at the end of an indented block are not part of it.
function add(text) {
    if (!at)
        at = FNR
    if (text ~ /^[ \t]*$/) {
        held = held text "\n"
        return
    }
    if (first == "") {
        first = text
        gsub(/^[ \t]+|[ \t]+$/, "", first)
        gsub(/\t/, " ", first)
    }
    printf "%s%s\n", held, text >file
    held = ""
}

function end() {
    close(file)
    printf "%d\t%s\t%d\t%s\t%s\t%s\n", number, document, at ? at : last, language, name, first
    inside = ""
}

function indentation(text) {
    match(text, /^ */)
    return RLENGTH
}

# Where nothing names the language, how the text begins does.
function guess(text, otherwise) {
    if (text ~ /^#include/)
        return "c"
    if (text ~ /^[{]/ || text ~ /^\[ *[{"]? *$/)
        return "json"
    if (text ~ /^\[[A-Z][a-z]+\]$/)
        return "ini"
    if (otherwise == "text" && text ~ /^(# .*|[A-Z_]+=.*)$/)
        return "env"
    return otherwise
}

function without_escapes(text) {
    gsub(/\\&/, "", text)
    gsub(/\\-/, "-", text)
    gsub(/\\\(aq/, "'", text)
    gsub(/\\\(dq/, "\"", text)
    gsub(/\\\(ga/, "`", text)
    gsub(/\\\(ti/, "~", text)
    gsub(/\\\(ha/, "^", text)
    gsub(/\\\(bu/, "•", text)
    gsub(/\\\[u2026\]/, "…", text)
    gsub(/\\\[u2713\]/, "✓", text)
    gsub(/\\e|\\\(rs/, "\\", text)
    return text
}

FNR == 1 {
    if (inside != "")
        end()
    document = FILENAME
    depth = 0
    list[0] = 0
    after_blank = 1
    kind = document ~ /\.md$/ ? "markdown" : document ~ /\.[1-9]$/ ? "mdoc" : "text"
}

{ last = FNR }

kind == "mdoc" {
    if ($0 ~ /^\.\\"/)
        next
    if (inside == "") {
        if ($0 ~ /^\.Bd .*-(literal|unfilled)/) {
            inside = "display"
            begin($0 ~ /-literal/ ? "sh" : "text")
            otherwise = language
        } else if ($0 ~ /^\.Dl /) {
            begin("sh")
            add(without_escapes(substr($0, 5)))
            end()
        }
    } else if ($0 ~ /^\.Ed/) {
        language = guess(first, otherwise)
        end()
    } else {
        add($0 == ".Pp" ? "" : without_escapes($0))
    }
    next
}

# Fences, and what stands between them.
inside == "fence" {
    rest = $0
    sub(/^ */, "", rest)
    sub(/ *$/, "", rest)
    if (substr(rest, 1, length(fence)) == fence && rest !~ "[^" substr(fence, 1, 1) "]") {
        end()
        after_blank = 1
    } else {
        cut = indentation($0)
        add(substr($0, (cut < fence_at ? cut : fence_at) + 1))
    }
    next
}

inside == "pre" {
    if ($0 ~ /<\/pre>/) {
        end()
        after_blank = 1
    } else {
        add($0)
    }
    next
}

{
    gsub(/\t/, "    ")
    blank = $0 ~ /^ *$/
    at_column = indentation($0)
}

inside == "indented" {
    if (blank || at_column >= code_at) {
        add(substr($0, code_at + 1))
        next
    }
    if (kind == "text")
        language = guess(first, first ~ /^\$ / ? "console" : "sh")
    end()
    after_blank = 1
}

!blank {
    while (after_blank && depth && at_column < list[depth])
        depth--
}

kind == "markdown" && /^ *(```+|~~~+)/ {
    inside = "fence"
    fence_at = at_column
    fence = $0
    sub(/^ */, "", fence)
    words = fence
    match(fence, /^(```+|~~~+)/)
    fence = substr(fence, 1, RLENGTH)
    words = substr(words, RLENGTH + 1)
    count = split(words, word, " ")
    begin(count ? tolower(word[1]) : "-", word[2])
    next
}

kind == "markdown" && /^ *<pre/ {
    inside = "pre"
    begin("-")
    next
}

# What is indented four more than the text around it, in a list by its items, and follows an empty
# line.
!blank {
    if (after_blank && at_column >= list[depth] + 4) {
        inside = "indented"
        code_at = kind == "text" ? at_column : list[depth] + 4
        begin("-")
        add(substr($0, code_at + 1))
        next
    }
    if (kind == "markdown" && match($0, /^ *([-*+]|[0-9]+[.)]) +/)) {
        while (depth && at_column < list[depth])
            depth--
        list[++depth] = RLENGTH
    }
}

{ after_blank = blank || /^#/ }

END {
    if (inside != "")
        end()
}
