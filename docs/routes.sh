#!/bin/sh
# Draw docs/routes.svg: the two ways that data takes through the floors.
#
# usage: docs/routes.sh >docs/routes.svg
#
# A line of a table is one station: the floor it is on, the name it has there, what is done. Stations
# stand below one another in the order in which data comes by.
set -eu

# Colours that can be read on white and on black: the picture brings its own paper.
awk -F' *[|] *' '
BEGIN {
    split("programs verify store token base", names, " ")
    column = 176; left = 12; width = 5 * column + 2 * left; row = 46; top = 8
    y = top
}

function text(x, y, class, what) {
    gsub(/&/, "\\&amp;", what); gsub(/</, "\\&lt;", what)
    body = body sprintf("<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", x, y, class, what)
}

function x_of(floor) { return left + (4 - floor) * column }

/^#/ {
    sub(/^# */, "")
    text(left + 4, y + 24, "title", $0)
    y += 36
    for (f = 4; f >= 0; f--)
        text(x_of(f) + column / 2, y + 12, "floor", "floor " f ": " names[5 - f])
    begun = y += 20
    before = ""
    next
}

/^$/ {
    bands()
    y += 10
    next
}

NF == 3 {
    x = x_of($1) + 8
    if (before != "")
        arrows = arrows sprintf("<path d=\"M%d %d C%d %d %d %d %d %d\" marker-end=\"url(#tip)\"/>\n",
            from, y - 8, from, y + 2, x + 80, y - 10, x + 80, y - 1)
    body = body sprintf("<rect x=\"%d\" y=\"%d\" width=\"160\" height=\"36\" rx=\"5\" class=\"room\"/>\n", x, y)
    text(x + 80, y + 15, "name", $2)
    text(x + 80, y + 29, "does", $3)
    from = before = x + 80
    y += row
}

function bands(    f) {
    for (f = 4; f >= 0; f--)
        paper = paper sprintf("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"/>\n",
            x_of(f), begun - 4, column, y - begun, f % 2 ? "odd" : "even")
}

END {
    bands()
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n",
        width, y + top, width, y + top
    print "<title>The two routes through the floors</title>"
    print "<style>"
    print "text { font-family: sans-serif; fill: #1f2933 }"
    print ".title { font-size: 15px; font-weight: bold }"
    print ".floor { font-size: 12px; text-anchor: middle; fill: #52606d }"
    print ".name { font-size: 11px; font-family: monospace; font-weight: bold; text-anchor: middle }"
    print ".does { font-size: 11px; text-anchor: middle; fill: #3e4c59 }"
    print ".room { fill: #ffffff; stroke: #486581 }"
    print ".even { fill: #e4ecf4 } .odd { fill: #f0f4f8 }"
    print "path { fill: none; stroke: #b44d12; stroke-width: 1.6 }"
    print "</style>"
    print "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">" \
        "<path d=\"M0 0 L8 4 L0 8 z\" style=\"fill: #b44d12; stroke: none\"/></marker></defs>"
    printf "<rect width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#f8fafc\" stroke=\"#cbd2d9\"/>\n", width, y + top
    printf "%s%s%s</svg>\n", paper, body, arrows
}' <<'END'
# A change: from the command line to the token that is shown
4 | arguments_parse | the command line
4 | create_run | one file a command
2 | store_begin | the lock, the old file
1 | token_json_read_set | checked, into records
1 | token_set_add | changed in memory
1 | token_json_write | into text again
0 | atomic_file_stage | beside it, synced
2 | audit_append | who, what, when
0 | atomic_file_publish | renamed over it
4 | secret_output_write | only now it is shown

# A request: from the header to the answer
4 | routes_answer | the path
4 | gate_answer | scopes demanded
3 | credential_from_headers | one of four headers
2 | store_changed | one stat: reload?
3 | verdict_decide | the rules, in order
0 | secret_digest | BLAKE2b-256
3 | digest_index_find | which token it is
3 | use_recorder_note | last use, in memory
4 | let_in | or refusal_answer
END
