// Asks an API for a chat with OpenAI's client: npm install openai
//
// usage: OPENAI_API_KEY=… OPENAI_BASE_URL=http://127.0.0.1:8080/v1 node chat_openai.mjs
import OpenAI from 'openai';

const client = new OpenAI(); // or new OpenAI({ apiKey: …, baseURL: … })

try {
  const answer = await client.chat.completions.create({
    model: 'my-model',
    messages: [{ role: 'user', content: 'Hello!' }],
  });
  console.log(answer.choices[0].message.content);
} catch (error) {
  if (!(error instanceof OpenAI.APIError)) {
    throw error;
  }
  console.error(error.message); // an AuthenticationError where the key is not good
  process.exitCode = 1;
}
