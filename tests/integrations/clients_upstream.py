"""The API behind nginx for clients.bats and docs/integrations/clients/README.md.

usage: clients_upstream.py FOLDER [ELSEWHERE]

Listens on a free port of 127.0.0.1, whose number it writes to FOLDER/port, and notes the head of each request
in FOLDER/requests. To a chat it answers with the name of the token; and with ELSEWHERE, that it is there.
"""

import http.server
import json
import os
import sys

folder, elsewhere = sys.argv[1], (sys.argv[2:] or [None])[0]


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open(folder + "/requests", "a") as file:
            file.write("%s\n%s" % (self.requestline, self.headers))
        if elsewhere:
            self.send_response(302)
            self.send_header("Location", elsewhere + self.path)
            body = b""
        else:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            message = {"role": "assistant", "content": "Hello, %s!" % self.headers["X-Token-Name"]}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            body = json.dumps({"id": "x", "object": "chat.completion", "choices": [choice]}).encode() + b"\n"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
with open(folder + "/port.new", "w") as file:
    file.write("%d\n" % server.server_address[1])
os.rename(folder + "/port.new", folder + "/port")
server.serve_forever()
