"""Asks an API for a chat with OpenAI's client, since its version 1: pip install openai

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
