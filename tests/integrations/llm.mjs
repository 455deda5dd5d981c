// OpenAI's client, as people use it, and what comes of it in lines that a test can compare.
//
// usage: node llm.mjs BASE-URL KEY PIPE WHAT...
//
//   models     lists them
//   chat       asks for an answer in one piece
//   stream     asks for a streamed one, each piece on demand: a byte is written to PIPE for the next one
//              when the one before is here
//   hang-up    the same, but goes away after the first
import { openSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';

const { default: OpenAI } = await import(createRequire(`${process.env.NODE_MODULES}/`).resolve('openai'));
const [baseURL, apiKey, pipe, ...whats] = process.argv.slice(2);

// One retry, where the client makes two by itself, as each takes its time.
const client = new OpenAI({ baseURL, apiKey, maxRetries: 1, timeout: 20_000 });
const question = { model: 'small', messages: [{ role: 'user', content: 'How?' }] };

async function* pieces(next) {
    const stream = await client.chat.completions.create({ ...question, stream: true });
    writeSync(next, '.');
    for await (const piece of stream) {
        yield piece.choices[0].delta.content;
        writeSync(next, '.');
    }
}

async function tell(what) {
    if (what === 'models') {
        for await (const model of client.models.list()) console.log(model.id);
    } else if (what === 'chat') {
        const answer = await client.chat.completions.create(question);
        console.log(answer.choices[0].message.content);
    } else {
        for await (const piece of pieces(openSync(pipe, 'r+'))) {
            console.log(JSON.stringify(piece));
            if (what === 'hang-up') return;
        }
    }
}

for (const what of whats) {
    try {
        await tell(what);
    } catch (error) {
        const name = Object.keys(OpenAI).find((key) => OpenAI[key] === error.constructor);
        console.log(name ?? error.constructor.name, error.status, error.code, error.type);
        console.log(error.message);
    }
}
