"""Not run by our tests, for Debian has no package of OpenAI's client. Asks an API for a chat with it.

pip install openai, version 1 or later

usage: OPENAI_API_KEY=... OPENAI_BASE_URL=http://127.0.0.1:8080/v1 python3 chat_openai.py
"""

import sys

import openai

client = openai.OpenAI()  # or OpenAI(api_key=..., base_url=...)

try:
    answer = client.chat.completions.create(
        model="my-model", messages=[{"role": "user", "content": "Hello!"}]
    )
    print(answer.choices[0].message.content)
except openai.APIError as error:
    sys.exit(str(error))  # of an AuthenticationError where the key is not good
