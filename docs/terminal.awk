# What a program wrote to a terminal of 80 columns, as SVG: text in the colours that were asked for, each
# piece at its column, whatever the font. Other escapes than those for colours end it: they would need
# a terminal to be understood.
#
# usage: LC_ALL=C awk -v title=TITLE -v desc=DESCRIPTION -f docs/terminal.awk

BEGIN {
    columns = 80
    width = 8.4   # of a character
    height = 20   # of a line
    left = 20
    top = 46
    split("black red green yellow blue magenta cyan white", colour_name, " ")
    for (i = 0; i < 256; i++)
        code[sprintf("%c", i)] = i
    style("0")
}

# Takes the numbers of one escape: style("1;32")
function style(numbers, count, number, i, n) {
    count = split(numbers == "" ? "0" : numbers, number, ";")
    for (i = 1; i <= count; i++) {
        n = number[i] + 0
        if (n == 0)
            bold = dim = colour = ""
        else if (n == 1)
            bold = "bold"
        else if (n == 2)
            dim = "dim"
        else if (n == 22)
            bold = dim = ""
        else if (n >= 30 && n <= 37)
            colour = colour_name[n - 29]
        else if (n >= 90 && n <= 97)
            colour = colour_name[n - 89]
        else if (n == 39)
            colour = ""
        else
            give_up("the colour " numbers)
    }
}

function give_up(what) {
    print "docs/terminal.awk cannot draw " what > "/dev/stderr"
    failed = 1
    exit 1
}

function escaped(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    return text
}

# Puts down the piece of text that ends here. Blanks at its ends need no ink.
function flush_piece(class) {
    while (substr(piece, 1, 1) == " ") {
        piece = substr(piece, 2)
        from++
    }
    sub(/ +$/, "", piece)
    if (piece != "") {
        cells = length(piece) - gsub(/[\200-\277]/, "&", piece)
        class = bold (bold != "" && (dim colour) != "" ? " " : "") dim \
            (dim != "" && colour != "" ? " " : "") colour
        body = body sprintf("<text%s x=\"%.1f\" y=\"%d\" textLength=\"%.1f\">%s</text>\n", \
            class == "" ? "" : " class=\"" class "\"", left + from * width, top + row * height, \
            cells * width, escaped(piece))
    }
    piece = ""
    from = column
}

function new_row() {
    flush_piece()
    row++
    column = from = 0
}

{
    sub(/\r+$/, "")
    for (i = 1; i <= length($0); i++) {
        c = substr($0, i, 1)
        if (c == "\033") {
            rest = substr($0, i)
            if (!match(rest, /^\033\[[0-9;]*m/))
                give_up("this: " substr(rest, 2, 8))
            flush_piece()
            style(substr(rest, 3, RLENGTH - 3))
            i += RLENGTH - 1
        } else if (code[c] < 32 || code[c] == 127) {
            give_up("the character " code[c])
        } else if (code[c] < 128) {
            if (column == columns)
                new_row()
            piece = piece c
            column++
        } else {
            # One character of UTF-8, which may come from another font: a piece of its own.
            flush_piece()
            if (column == columns)
                new_row()
            from = column
            while (i <= length($0) && (piece == "" || (code[substr($0, i, 1)] >= 128 && \
                code[substr($0, i, 1)] < 192)))
                piece = piece substr($0, i++, 1)
            i--
            column++
            flush_piece()
        }
    }
    new_row()
}

END {
    if (failed)
        exit 1
    w = left * 2 + columns * width
    h = top + row * height
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" ", w, h, w, h
    print "role=\"img\" aria-labelledby=\"t d\" xml:space=\"preserve\">"
    print "<title id=\"t\">" escaped(title) "</title>"
    print "<desc id=\"d\">" escaped(desc) "</desc>"
    print "<style>"
    print "text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace;"
    print "    fill: #d0d7de; white-space: pre }"
    print ".bold { font-weight: bold; fill: #ffffff } .dim { fill: #8b949e }"
    print ".red { fill: #ff7b72 } .green { fill: #56d364 } .yellow { fill: #e3b341 } .blue { fill: #79c0ff }"
    print ".magenta { fill: #d2a8ff } .cyan { fill: #56d4dd } .black { fill: #6e7681 } .white { fill: #f0f6fc }"
    print "</style>"
    printf "<rect x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"10\" fill=\"#0d1117\" stroke=\"#444c56\"/>\n", \
        w - 1, h - 1
    print "<g fill=\"#444c56\"><circle cx=\"22\" cy=\"18\" r=\"5\"/><circle cx=\"40\" cy=\"18\" r=\"5\"/>" \
        "<circle cx=\"58\" cy=\"18\" r=\"5\"/></g>"
    printf "%s</svg>\n", body
}
