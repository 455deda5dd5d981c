"""Asks an API for a chat, with nothing but Python's own library.

usage: API_KEY=... [API_URL=http://127.0.0.1:8080] python3 chat.py
"""

import json
import os
import sys
import urllib.error
import urllib.request

key = os.environ.get("API_KEY") or sys.exit("API_KEY is not set")
url = os.environ.get("API_URL", "http://127.0.0.1:8080")

question = {"model": "my-model", "messages": [{"role": "user", "content": "Hello!"}]}
request = urllib.request.Request(
    url + "/v1/chat/completions", json.dumps(question).encode(), {"Content-Type": "application/json"}
)
request.add_unredirected_header("Authorization", "Bearer " + key)  # to this server, and to no other

try:
    with urllib.request.urlopen(request) as response:
        print(json.load(response)["choices"][0]["message"]["content"])
except urllib.error.HTTPError as error:
    # 401: no good key. 403: it is not allowed to do that. 503: try again later.
    sys.exit("%s: %s" % (error.code, json.load(error)["error"]["message"]))
