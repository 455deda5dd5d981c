# A reader in the folder with the three files, with Debian's Python and FastAPI.
# shellcheck shell=bash disable=SC2154 # what is loaded sets variables

prepare() {
    local python=/usr/bin/python3 port
    [ -z "${ASAN_OPTIONS-}" ] || skip "the library is built with sanitizers"
    needs curl
    "$python" -c 'import fastapi, uvicorn' 2>/dev/null || skip "needs FastAPI and uvicorn (make deps-integrations)"
    use common verifier authd upstream
    port=$(free_port)
    mkdir my-api
    from_tree docs/integrations/python
    cp docs/integrations/python/*.py .
    export LD_LIBRARY_PATH=$BIN PYTHONDONTWRITEBYTECODE=1
    replace /var/lib/my-api "$PWD/my-api"
    replace "--port 9000" "--port $port"
    replace 127.0.0.1:9000 "127.0.0.1:$port"
}

uvicorn() {
    exec /usr/bin/python3 -m uvicorn "$@"
}

afterwards() {
    printed '"name":"my-application"'
    printed "Invalid API key provided"
}
