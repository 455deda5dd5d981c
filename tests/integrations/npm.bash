# For bats files that use packages of npm, loaded after common: where those are, and YAML as JSON.
# shellcheck shell=bash

# Skips the test where npm's packages are missing: needs_node_modules NAME...
needs_node_modules() {
    local name
    command -v node >/dev/null || skip "needs node (make deps-integrations)"
    for name in "$@"; do
        [ -d "$BIN/node/node_modules/$name" ] || skip "needs $name of npm (make deps-integrations)"
    done
}

# in_node PROGRAM [ARGUMENT...]: it finds what npm has installed.
in_node() {
    local program=$1
    shift
    NODE_PATH=$BIN/node/node_modules node -e "$program" -- "$@"
}

# The documents of a file, one JSON line each: documents_of FILE
documents_of() {
    in_node 'require("yaml").parseAllDocuments(require("fs").readFileSync(process.argv[1], "utf8"))
        .forEach((document) => {
            if (document.errors.length) throw document.errors[0];
            console.log(JSON.stringify(document));
        })' "$1"
}
