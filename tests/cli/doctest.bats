#!/usr/bin/env bats
# What tests/doctest makes of documents that are not as they should be.

load common
load verifier

# document NAME: a document of this test, from standard input.
document() {
    mkdir -p "tree/$(dirname "$1")" tree/tests
    cat >"tree/$1"
}

doctest() {
    DOCTEST_TREE=$PWD/tree TMPDIR=$BATS_TEST_TMPDIR run_apart "$BATS_TEST_DIRNAME/../doctest" "$@"
    printf '%s\n' "$output" "$stderr"
}

@test "blocks of a document are run in a row, and what is shown of their output has to be true" {
    document README.md <<'END'
```sh
TOKEN=$(token_manager create app)
mkdir sub && cd sub && mv ../api_tokens.json .
```

1. In a list:

   ```console
   $ printf %s "$TOKEN" | token_verifier check
   tok_0123456789abcdef app
   $ echo one; echo two;
   > echo three
   one
   …
   three
   ```

```text
tok_… app
```

```c
int main(void) { return 0; }
```

    token_manager list
END
    printf '%s\n' 'README.md: token_manager list' '    for this test' >tree/tests/doctest.exceptions
    doctest
    exits 0
    same "$stderr" ""
    says "${lines[0]}" "ok 1 - README.md:2 sh: TOKEN="
    same "${lines[4]}" 'ok 5 - README.md:26 -: token_manager list, listed: for this test'
    same "${lines[-1]}" 1..7
}

@test "a block that fails is named, with what it printed, and what follows is not reached" {
    document SECURITY.md <<'END'
```sh
echo fine
```

```sh
echo "told before"
token_manager revoke nobody
```

```sh
echo never
```
END
    doctest SECURITY.md
    exits 1
    says "$output" "ok 1 - SECURITY.md:2 sh: echo fine"
    says "$output" "not ok 2 - SECURITY.md:6 sh: "
    says "$output" "not ok 3 - SECURITY.md:11 sh: echo never (not reached)"
    says "$stderr" "# told before"
    says "$stderr" "# SECURITY.md:7: exit status 6: token_manager revoke nobody"
}

@test "a sample that was not printed is not true" {
    document docs/a.md <<'END'
```sh
printf '%s\n' one two three
```

```text
one
three
```

~~~text
three
~~~
END
    doctest docs/a.md
    exits 1
    says "$output" "not ok 2 - docs/a.md:6 text: one"
    says "$output" "ok 3 - docs/a.md:11 text: three"
    says "$stderr" "this line was not printed (there): three"
}

@test "a block that is neither run nor listed fails, and so does an exception of none" {
    document docs/a.md <<'END'
    indented

```
no language
```

```cobol
STOP RUN.
```

<pre>
one
</pre>
END
    document docs/man/a.1 <<'END'
.Bd -unfilled
never printed
.Ed
.Dl false
END
    printf '%s\n' 'docs/a.md: gone' '    for this test' 'docs/a.md: one' >tree/tests/doctest.exceptions
    doctest
    exits 1
    says "$output" "not ok 1 - docs/a.md:1 -: indented"
    says "$output" "not ok 2 - docs/a.md:4 -: no language"
    says "$output" "not ok 3 - docs/a.md:8 cobol: STOP RUN."
    says "$output" "not ok 5 - docs/man/a.1:2 text: never printed"
    says "$output" "not ok 6 - docs/man/a.1:4 sh: false"
    says "$output" "not ok 8 - every exception is one"
    says "$stderr" "docs/a.md has no block that begins with gone"
    says "$stderr" "no reason is given for one of docs/a.md"
}

@test "a document that is not there, and none with a block, is no pass" {
    document docs/a.md <<<'No block.'
    doctest docs/b.md
    exits 1
    says "$stderr" "there is no docs/b.md"
    doctest
    exits 1
    says "$stderr" "no document has a block"
    doctest docs/a.md
    exits 0
    same "$output" "1..0"
}

@test "JSON has to be JSON, and a token file one that is accepted" {
    needs jq
    document docs/a.md <<'END'
```json
{"a": [1, …], "b": "…"}
```

```json
{"a": 1,}
```

```json
{
  "version": 1,
  "tokens": [
    {"id": "tok_…", "name": "a", "prefix": "sk-a1b2c3d4e5f", "hash": "blake2b-256:…", "created_at": "2026-11-20T10:30:00Z"},
    …
  ]
}
```

```json
{"version": 1, "tokens": [], "more": 1}
```
END
    doctest docs/a.md
    exits 1
    same "${lines[*]/% - */}" "ok 1 not ok 2 ok 3 not ok 4 1..4"
}

@test "a command of make is known to the Makefile, or the document is wrong" {
    document docs/a.md <<'END'
```sh
make install-nothing
```
END
    # shellcheck disable=SC2016 # for make
    printf '# NO_TEST is yours, and so is OF.\n\ninstall:\n\ttouch made $(TESTS)\n' >tree/Makefile
    doctest docs/a.md
    exits 1
    sed -i s/-nothing// tree/docs/a.md
    doctest docs/a.md
    exits 0
    sed -i 's/install/& OF=a TESTS=docs/' tree/docs/a.md
    doctest docs/a.md
    exits 0
    [ ! -e tree/made ]
    sed -i 's/TESTS=/TEST=/' tree/docs/a.md
    doctest docs/a.md
    exits 1
    says "$stderr" "the Makefile does not know the variable TEST"
    sed -i 's/TEST=/TESTS=/' tree/docs/a.md
    doctest
    exits 1
    says "$stderr" "make is stood in for, and not listed"
}

@test "a program in C has to compile, without a warning" {
    document docs/a.md <<'END'
```c
#include <token_verifier.h>
struct token_verifier_request request;
```

```c
int main(void) { int unused; return 0; }
```
END
    doctest docs/a.md
    exits 1
    says "$output" "ok 1 - "
    says "$output" "not ok 2 - "
}

@test "what would change the machine is not run, and no more of that document" {
    document docs/a.md <<'END'
```sh
mkdir here
mount -t proc proc here || true
rmdir here
```
END
    doctest docs/a.md
    exits 1
    says "$stderr" "mount is not run here: see tests/doctest.exceptions"
}

@test "what would change the machine is not run by other programs for the document either" {
    document docs/a.md <<'END'
```sh
touch before
(sh -c 'mount -t proc proc here; touch after') || touch after
touch after
```
END
    mkdir -p tree/tests/doctest.d
    # shellcheck disable=SC2016 # for the session
    echo 'at_end() { echo "at the end: $(echo before* after*)"; }' >tree/tests/doctest.d/docs-a.md.bash
    doctest docs/a.md
    exits 1
    says "$stderr" "mount is not run here"
    says "$stderr" "at the end: before after*"
}

@test "arguments that a program of ours does not take fail a block, whatever the block makes of that" {
    local line
    for line in 'token_manager list --statsu active || echo "none"' \
        'printf "%s\n" one | token_verifier check --scpoe chat | cat' \
        'token_authd --listen unix:authd.sock --relm x & wait'; do
        document docs/a.md <<END
\`\`\`sh
$line
echo goes on
\`\`\`
END
        doctest docs/a.md
        exits 1
        says "$output" "not ok 1 - "
        says "$stderr" "goes on"
        says "$stderr" " does not take these arguments: "
    done
    sed -i 's/^token.*/token_manager list --status active \&\& ! token_manager revoke nobody/' tree/docs/a.md
    doctest docs/a.md
    exits 0
}

@test "who makes or joins a group has that of a unit" {
    document packaging/systemd/token_authd.service <<<'SupplementaryGroups=api-tokens'
    document docs/a.md <<'END'
```sh
groupadd --system api-tokens
adduser my-server api-tokens
```
END
    doctest docs/a.md
    exits 0
    sed -i 's/server api-tokens/server api-token/' tree/docs/a.md
    doctest docs/a.md
    exits 1
    says "$stderr" "no unit of packaging/systemd has the group api-token"
}

@test "what a unit would start is started with what token_authd takes" {
    needs token_authd systemd-analyze
    document docs/a.md <<'END'
```ini
[Service]
ExecStart=
ExecStart=/usr/bin/token_authd --require-auth \
    --realm "my api"
```
END
    doctest docs/a.md
    exits 0
    sed -i 's/--realm/--relm/' tree/docs/a.md
    doctest docs/a.md
    exits 1
    says "$stderr" 'unknown option "--relm"'
}
