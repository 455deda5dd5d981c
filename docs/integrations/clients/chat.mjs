// Asks an API for a chat, with nothing but fetch.
//
// usage: API_KEY=… [API_URL=http://127.0.0.1:8080] node chat.mjs

const { API_KEY: key, API_URL: url = 'http://127.0.0.1:8080' } = process.env;
if (!key) {
  throw new Error('API_KEY is not set');
}

const response = await fetch(`${url}/v1/chat/completions`, {
  method: 'POST',
  headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
  body: JSON.stringify({ model: 'my-model', messages: [{ role: 'user', content: 'Hello!' }] }),
  redirect: 'error', // the key is for this server, and for no other
});
const answer = await response.json();

if (response.ok) {
  console.log(answer.choices[0].message.content);
} else {
  // 401: no good key. 403: it is not allowed to do that. 503: try again later.
  console.error(`${response.status}: ${answer.error.message}`);
  process.exitCode = 1;
}
