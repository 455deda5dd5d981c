#!/usr/bin/env python3
"""The two stores of secrets, as far as docs/integrations/ci uses them: github on a Unix socket (for the
real gh, which seals what it sends) and gitlab on a port of 127.0.0.1 (for the real curl).

usage: ci_store.py github|gitlab FOLDER

A secret NAME is the file FOLDER/NAME. In FOLDER/log is a line for each request. While FOLDER/failing
is there, what it says (GET, PUT, POST) fails. The credential is "store-credential".
"""
import base64
import ctypes
import ctypes.util
import http.server
import json
import os
import socketserver
import sys
import urllib.parse

kind, folder = sys.argv[1:]
sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
sodium.sodium_init()
public, private = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
sodium.crypto_box_keypair(public, private)


def opened(sealed):
    text = ctypes.create_string_buffer(len(sealed) - 48)
    size = ctypes.c_ulonglong(len(sealed))
    if sodium.crypto_box_seal_open(text, sealed, size, public, private) != 0:
        raise ValueError("this is not sealed for us")
    return text.raw.decode()


def path_of(name):
    if not name.replace("_", "").isalnum():
        raise ValueError("no name of a secret: " + name)
    return os.path.join(folder, name)


def names():
    return sorted(name for name in os.listdir(folder) if name.isupper())


class Store(http.server.BaseHTTPRequestHandler):
    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = urllib.parse.urlsplit(self.path).path
        with open(os.path.join(folder, "log"), "a", encoding="ascii") as log:
            print(self.command, path, file=log)
        try:
            with open(os.path.join(folder, "failing"), encoding="ascii") as file:
                failing = self.command in file.read().split()
        except FileNotFoundError:
            failing = False
        given = self.headers.get("Authorization", "").split(" ")[-1] or self.headers.get("PRIVATE-TOKEN")
        if given != "store-credential":
            self.answer(401, {"message": "401 Unauthorized"})
        elif failing:
            self.answer(500, {"message": "500 Internal Server Error"})
        else:
            self.answer(*(self.github if kind == "github" else self.gitlab)(path, sent))

    do_GET = do_PUT = do_POST = handle_any

    def put(self, name, value):
        is_new = not os.path.exists(path_of(name))
        with open(path_of(name), "w", encoding="ascii") as file:
            file.write(value)
        return 201 if is_new else 204

    def github(self, path, sent):
        base = "/repos/owner/my-project/actions/secrets"
        name = path[len(base) + 1 :]
        if path == base:
            found = [{"name": name, "updated_at": "2026-01-01T00:00:00Z"} for name in names()]
            return 200, {"total_count": len(found), "secrets": found}
        if path == base + "/public-key":
            return 200, {"key_id": "1", "key": base64.b64encode(public.raw).decode()}
        if path.startswith(base + "/") and self.command == "PUT":
            sealed = base64.b64decode(json.loads(sent)["encrypted_value"])
            return self.put(name, opened(sealed)), {}
        return 404, {"message": "Not Found"}

    def gitlab(self, path, sent):
        base = "/api/v4/projects/42/variables"
        name = path[len(base) + 1 :]
        form = dict(urllib.parse.parse_qsl(sent))
        if path == base and self.command == "GET":
            return 200, [{"key": name, "value": open(path_of(name)).read()} for name in names()]
        if path == base and self.command == "POST":
            if os.path.exists(path_of(form["key"])):
                return 400, {"message": {"key": ["has already been taken"]}}
        elif not path.startswith(base + "/") or not os.path.exists(path_of(name)):
            return 404, {"message": "404 Variable Not Found"}
        elif self.command == "GET":
            return 200, {"key": name, "value": open(path_of(name)).read()}
        if [form.get(flag) for flag in ("masked", "protected", "raw")] != ["true"] * 3:
            return 400, {"message": "it would be seen"}
        return (201 if self.put(form["key"], form["value"]) == 201 else 200), form


if kind == "github":

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    server = Server(os.path.join(folder, "socket"), Store)
else:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
with open(os.path.join(folder, "port.new"), "w", encoding="ascii") as port:
    print(server.server_address[1] if kind == "gitlab" else "socket", file=port)
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
server.serve_forever()
