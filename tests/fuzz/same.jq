# What jq reads in token files, held against what we did. Of each file that we accept, fuzz_token_file
# tells four documents: the file, its records as we understand them, the file after changes of all kinds,
# its records as they should be then. Prints the files that are not as they should be, and how many there
# were:
#
#     jq -n -f same.jq VIEWS

def ours: with_entries(select(.key | startswith("x_") | not));
def theirs: with_entries(select(.key | startswith("x_")));

# Records without what is other people's. No previous secrets are none.
def records: .tokens | map(ours | if has("previous") then .previous |= map(ours) else . end
    | if .previous == [] then del(.previous) else . end);

# What is other people's, by what it belongs to.
def belongings: [.tokens[] | {key: .id, value: theirs}] | from_entries;
def older_belongings: [.tokens[].previous // [] | .[] | {key: .hash, value: theirs}] | from_entries;

# Is all that is left of one still what it was?
def kept_in($before): to_entries | all(.key as $key | .value == ($before[$key] // {}));

def faults($old; $old_view; $new; $new_view):
    (if ($old | records) != $old_view then "not read alike" else empty end),
    (if ($new | records) != $new_view then "not written as it should be" else empty end),
    (if ($new | del(.tokens)) != ($old | del(.tokens)) then "other top fields" else empty end),
    (if ($new | belongings | kept_in($old | belongings)) then empty else "other x_ fields" end),
    (if ($new | older_belongings | kept_in($old | older_belongings)) then empty
        else "other x_ fields of previous secrets" end);

foreach (inputs, "the end") as $next ({files: 0, four: []};
    (if (.four | length) == 4 then .four = [] else . end) | .four += [$next]
    | if (.four | length) == 4 then .files += 1 else . end;
    if (.four | length) == 4
    then .four as [$old, $old_view, $new, $new_view]
        | faults($old; $old_view; $new; $new_view) | "\(.): \($old)"
    elif $next == "the end" then "\(.files) files" else empty end)
