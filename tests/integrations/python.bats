#!/usr/bin/env bats
# docs/integrations/python: the module over the shared library, and the FastAPI app under uvicorn.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154  # a test is a subshell; variables are of what is loaded, and for it

bats_require_minimum_version 1.5.0
load ../cli/common
load ../cli/verifier
load ../cli/authd
load ../cli/upstream
load ../cli/library

python=/usr/bin/python3 # Debian's, which has Debian's FastAPI
[ -x "$python" ] || python=python3
header_file=$BATS_TEST_DIRNAME/../../src/verify/token_verifier.h

# A program with the module and this library: py [ARGUMENT...] <PROGRAM
py() {
    needs "$python"
    [ -z "$(sanitizers)" ] || skip "needs a library that was built without a sanitizer"
    LD_LIBRARY_PATH=$BIN PYTHONPATH=$integrations/python PYTHONDONTWRITEBYTECODE=1 \
        timeout 60 "$python" -X dev -W error "$@"
}

# The app of these files, on a free port; sets authd_url, so that `ask` asks it: start_app
start_app() {
    needs curl "$python"
    [ -z "$(sanitizers)" ] || skip "needs a library that was built without a sanitizer"
    "$python" -c 'import fastapi, uvicorn' 2>/dev/null ||
        skip "needs FastAPI and uvicorn (make deps-integrations)"
    start_on_port run_app app_is_ready
    authd_url=http://127.0.0.1:$port
}

run_app() {
    export LD_LIBRARY_PATH=$BIN PYTHONPATH=$integrations/python PYTHONDONTWRITEBYTECODE=1
    exec "$python" -m uvicorn --port "$1" app:app >>app.log 2>&1
}

app_is_ready() {
    grep -q "running on http://127.0.0.1:$1" app.log
}

# refused_with STATUS CODE CHALLENGE [TYPE]: so says the last answer.
refused_with() {
    same "$code" "$1"
    same "$(header WWW-Authenticate)" "$3"
    same "$(header Cache-Control)" no-store
    same "$(header Content-Type)" application/json
    has_body_of_refusal "$2" "${4-invalid_request_error}"
}

@test "python: structures, sizes, constants and functions are those of the header, by the C compiler" {
    py "$BATS_TEST_DIRNAME/python_layout.py" "$header_file" >layout.c
    ${CC:-cc} -std=c17 -Wall -Werror -I"${header_file%/*}" -o layout layout.c
    run -0 ./layout
    [ "${#lines[@]}" -gt 60 ]
}

@test "python: the module and the programs say the same" {
    write_tokens "$(record ci "$token_one" '"scopes": ["read", "write"]')" \
        "$(record old "$token_two" "\"revoked_at\": \"$past\"")" "$(record ünïcode "$token_three")"
    credentials=("$token_one" " $token_one " "$token_two" "$token_three" "$stranger" "" " " "${token_one:0:40}"
        "two words" "$(id_of "$token_one")" "$(digest "$token_one")" eyJhbGciOiJIUzI1NiJ9.e30.c2ln "ké" x)
    printf '%s\0' "${credentials[@]}" >credentials
    py - <<'END' >said
from token_verifier import TokenVerifier

with TokenVerifier() as verifier, open("credentials") as file:
    assert verifier.mode() == ("file", ""), verifier.mode()
    for credential in file.read().split("\0")[:-1]:
        got = verifier.check(credential)
        assert got == verifier.check(credential.encode()) and bool(got) is got.accepted
        print("|".join([got.reason, got.mode, got.id, got.name, " ".join(got.scopes), got.message]))
END
    for credential in "${credentials[@]}"; do
        verdict "$credential" --json
        jq -r '[if .accepted then "accepted", .mode, .id, .name, (.scopes // ["*"] | join(" ")), ""
            else .reason, .mode, "", "", "", .message end] | join("|")' <<<"$output"
    done >wanted
    diff wanted said
    grep -q '^accepted|file|tok_[0-9a-f]*|ünïcode|\*|$' said
}

@test "python: headers are taken as they came, and a key that was sent twice is refused" {
    write_tokens "$(record one "$token_one" '"scopes": ["chat"]')" \
        "$(record two "$token_two" "\"expires_at\": \"$future\"")"
    py - "$token_one" "$token_two" "$(date -u -d "$future" +%s)" <<'END'
import sys
from token_verifier import TokenVerifier

one, two, expiry = sys.argv[1:]
verifier = TokenVerifier("api_tokens.json", require_auth=True)


def reason(*headers):
    return verifier.check(headers=headers).reason


assert reason() == "missing"
assert reason(("Host", "x"), ("AUTHORIZATION", "bearer " + one)) == "accepted"
assert reason((b"x-api-key", one.encode()), (b"api-key", b"nonsense")) == "accepted"
assert reason(("X-Api-Key", one), ("x-api-key", one)) == "malformed"
assert reason(("X-Api-Key", one + "\0")) == "malformed"
assert reason(("X-Api-Key", one + "\ud800")) == "malformed"
assert verifier.check(one + "\0junk").reason == "malformed"
assert verifier.check(headers=(pair for pair in [("api-key", one)])).name == "one"
assert verifier.check("", headers=[("api-key", one)]).reason == "missing"
assert verifier.check(one, scopes=["chat"]).scopes == ("chat",)
assert verifier.check(one, scopes="chat")
assert verifier.check(one, scopes=["chat", "models"]).reason == "scope"
assert verifier.check(one, scopes=[""]).reason == "scope"
try:
    verifier.check(one, scopes=["chat\0models"])
    raise SystemExit("a scope was cut short")
except ValueError:
    pass
assert verifier.check(two).scopes == ("*",) and verifier.check(two).expires_at == int(expiry)
assert verifier.check(one).expires_at is None
END
}

@test "python: settings that cannot be understood raise, and a file that is gone lets nobody in" {
    py - "$token_one" <<'END'
import sys
from token_verifier import TokenVerifier

for wrong in {"file": ""}, {"env_file": "gone.env"}, {"usage": "x", "file": "x"}, {"file": "x\0y"}:
    try:
        TokenVerifier(**wrong)
        raise SystemExit("opened with %r" % wrong)
    except ValueError as error:
        assert len(str(error)) > 10
with TokenVerifier("gone.json") as verifier:
    got = verifier.check(sys.argv[1])
    assert not got and got.reason == "unavailable" and "gone.json" in got.message
    assert verifier.mode()[0] == "unavailable" and "gone.json" in verifier.mode()[1]
with TokenVerifier("gone.json", allow_open=True) as verifier:
    assert verifier.check().id == "anonymous" and verifier.mode() == ("open", "")
for call in verifier.check, verifier.mode, verifier.flush:
    try:
        call()
        raise SystemExit("used after it was closed")
    except ValueError as error:
        assert "closed" in str(error)
verifier.close()
END
}

@test "python: a change of the file counts from the next check on" {
    token=$(create ci)
    py - "$manager" "$token" <<'END'
import subprocess
import sys
from token_verifier import TokenVerifier

manager, token = sys.argv[1:]
with TokenVerifier() as verifier:
    for _ in range(10):
        for change, reason in ("revoke", "revoked"), ("restore", "accepted"):
            subprocess.run([manager, change, "ci"], check=True, capture_output=True)
            got = verifier.check(token)
            assert got.reason == reason, got
            assert (got.id if got else got.refused_id).startswith("tok_")
END
}

@test "python: uses are written by flush, by close, and at the end of a program that forgets to" {
    write_tokens "$(record a "$token_one")" "$(record b "$token_two")" "$(record c "$token_three")"
    py - "$token_one" "$token_two" "$token_three" <<'END'
import sys
from token_verifier import TokenVerifier


def written():
    with open("api_tokens.json.usage") as file:
        return file.read().count("tok_")


with TokenVerifier() as verifier:
    verifier.check(sys.argv[1])
    assert verifier.flush() and written() == 1
    verifier.check(sys.argv[2])
assert written() == 2
forgotten = TokenVerifier()
forgotten.check(sys.argv[3])
END
    same "$(grep -c '^tok_' api_tokens.json.usage)" 3
}

@test "python: eight threads check while another changes the file, forks and closes" {
    steady=$(create steady)
    py - "$manager" "$steady" <<'END'
import os
import subprocess
import sys
import threading
import warnings
from token_verifier import TokenVerifier

warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads, which are the point here
manager, steady = sys.argv[1:]
verifier, wrong, stop = TokenVerifier(), [], threading.Event()


def hammer():
    while not stop.is_set():
        try:
            if not verifier.check(headers=[("x-api-key", steady)]):
                wrong.append("refused")
        except ValueError as error:
            if not stop.is_set() or "closed" not in str(error):
                wrong.append(error)


threads = [threading.Thread(target=hammer) for _ in range(8)]
for thread in threads:
    thread.start()
for i in range(8):
    subprocess.run([manager, "create", "new%d" % i], check=True, capture_output=True)
    child = os.fork()
    if child == 0:
        os._exit(0 if verifier.check(steady) and not verifier.check("x") else 1)
    if os.waitpid(child, 0)[1] != 0:
        wrong.append("child")
stop.set()
verifier.close()
for thread in threads:
    thread.join()
assert wrong == [], wrong[:3]
END
}

@test "python: while a call is under way, no other thread closes the verifier or forks" {
    write_tokens "$(record one "$token_one")"
    py - "$token_one" <<'END'
import os
import sys
import threading
import warnings
from token_verifier import TokenVerifier

warnings.simplefilter("ignore", DeprecationWarning)
verifier, threads = TokenVerifier(), []
real = verifier._library.token_verifier_check


def forks():
    if os.fork() == 0:
        os._exit(0)


def slow(*arguments):
    for target in forks, verifier.close:
        threads.append(threading.Thread(target=target))
        threads[-1].start()
        threads[-1].join(0.1)
        assert threads[-1].is_alive(), target
    return real(*arguments)


verifier._library.token_verifier_check = slow
assert verifier.check(sys.argv[1])
for thread in threads:
    thread.join()
assert os.WEXITSTATUS(os.wait()[1]) == 0
END
}

@test "python: a forked child has a verifier of its own, and leaves its parent's alone" {
    write_tokens "$(record one "$token_one")"
    py - "$token_one" <<'END'
import os
import sys
import token_verifier
from token_verifier import TokenVerifier

token, parent, load = sys.argv[1], os.getpid(), token_verifier._load


def watched(path):
    library = load(path)
    for name in "check", "flush", "close", "current_mode":

        def call(handle, *rest, real=getattr(library, "token_verifier_" + name)):
            if os.getpid() != parent and handle in parents:
                os._exit(9)
            return real(handle, *rest)

        setattr(library, "token_verifier_" + name, call)
    return library


def in_child(function):
    child = os.fork()
    if child == 0:
        sys.exit(function())  # with all that is done at exit
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def uses_it():
    assert verifier.check(token) and verifier.flush() and not verifier.check("x")
    verifier.close()


parents = []
token_verifier._load = watched
verifier = TokenVerifier()
parents.append(verifier._handle)
assert verifier.check(token)
assert in_child(lambda: verifier._library.token_verifier_flush(verifier._handle)) == 9
assert in_child(uses_it) == 0
assert in_child(verifier.close) == 0
assert in_child(lambda: None) == 0
assert verifier.check(token)

# Where authentication was on, it stays on in children; a new verifier would have it off.
os.rename("api_tokens.json", "away")
assert TokenVerifier().check("x").mode == "open"
assert in_child(lambda: verifier.check("x").reason != "unavailable") == 0
END
}

@test "fastapi: a token is let in by each header, and the identity is the verdict's, not the client's" {
    write_tokens "$(record one "$token_one")" "$(record 'zwei ü' "$token_two" '"scopes": ["chat", "models"]')"
    start_app
    for header in "Authorization: bearer" X-Api-Key: X-Auth-Token: Api-Key:; do
        ask /v1/whoami -H "$header $token_one" -H "X-Token-Id: forged" -H "X-Token-Name: forged" \
            -H "X-Token-Scopes: forged"
        same "$code $body" "200 {\"id\":\"$(id_of "$token_one")\",\"name\":\"one\",\"scopes\":[\"*\"],\"mode\":\"file\"}"
    done
    ask /v1/whoami -H "X-Api-Key: $token_two" -H "X-Auth-Mode: open"
    says "$body" '"name":"zwei ü","scopes":["chat","models"],"mode":"file"}'
    ask /v1/models -H "X-Api-Key: $token_two"
    same "$code $body" '200 {"data":[],"for":"zwei ü"}'
    lacks "$(cat app.log)" "${token_one:8:16}"
}

@test "fastapi: refusals are 401, 403 and 503, with their challenge and a body for OpenAI's clients" {
    write_tokens "$(record few "$token_one" '"scopes": ["chat"]')" \
        "$(record old "$token_two" "\"revoked_at\": \"$past\"")"
    start_app
    ask /v1/whoami
    refused_with 401 missing_api_key 'Bearer realm="api"'
    ask /v1/whoami -H "X-Api-Key: $stranger"
    refused_with 401 invalid_api_key 'Bearer realm="api", error="invalid_token"'
    unknown=$body
    ask /v1/whoami -H "X-Api-Key: $token_two"
    refused_with 401 invalid_api_key 'Bearer realm="api", error="invalid_token"'
    same "$body" "$unknown"
    ask /v1/whoami -H "X-Api-Key: ${token_one::30}"
    refused_with 401 invalid_api_key 'Bearer realm="api", error="invalid_token"'
    says "$body" "cut short"
    ask /v1/whoami -H "Authorization: Bearer $token_one" -H "Authorization: Bearer $token_one"
    refused_with 401 invalid_api_key 'Bearer realm="api", error="invalid_token"'
    ask /v1/models -H "X-Api-Key: $token_one"
    refused_with 403 insufficient_scope 'Bearer realm="api", error="insufficient_scope", scope="models"'
    says "$(cat app.log)" "refused reason=revoked id=$(id_of "$token_two")"
    echo garbage >api_tokens.json
    ask /v1/whoami -H "X-Api-Key: $token_one"
    refused_with 503 verifier_unavailable "" server_error
    rm api_tokens.json
    ask /v1/whoami -H "X-Api-Key: $token_one"
    refused_with 503 verifier_unavailable "" server_error
    for path in /docs /redoc /openapi.json; do
        ask "$path"
        same "$path $code" "$path 404"
    done
}

@test "fastapi: a revoke counts at the next request" {
    token=$(create ci)
    start_app
    for change in revoke restore revoke; do
        ask /v1/whoami -H "X-Api-Key: $token"
        [ "$change" = restore ] || same "$code" 200
        "$manager" "$change" ci
        ask /v1/whoami -H "X-Api-Key: $token"
        same "$change $code" "$change $([ "$change" = revoke ] && echo 401 || echo 200)"
    done
}
