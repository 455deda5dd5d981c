// For node.bats: what docs/integrations/node/token_auth.cjs does, seen from within.
//
// usage: node node_cases.mjs MODULE CASE [ARGUMENT...]
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { createRequire } from 'node:module';

const [modulePath, name, ...args] = process.argv.slice(2);
const tokenAuth = createRequire(import.meta.url)(modulePath);

const listen = async (server, ...where) => {
  await once(server.listen(...where), 'listening');
  return server;
};

// An app behind the middleware, which answers with what it knows of the request, and how to ask it.
const appWith = async (auth) => {
  const app = { passed: 0 };
  const server = http.createServer((req, res) =>
    auth(req, res, async () => {
      app.passed++;
      let body = '';
      for await (const chunk of req) body += chunk;
      res.end(JSON.stringify({ token: req.token, headers: req.headers, body }));
    }),
  );
  await listen(server, 0, '127.0.0.1');
  app.ask = async (headers = {}, body = undefined) => {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/`, {
      headers,
      body,
      method: body === undefined ? 'GET' : 'POST',
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  return app;
};

const cases = {
  // Between the middleware and token_authd stands a server that counts connections.
  async many(socketPath, token) {
    let connections = 0;
    const relay = await listen(
      net.createServer((socket) => {
        connections++;
        const behind = net.connect(socketPath);
        socket.pipe(behind).pipe(socket);
        socket.on('error', () => behind.destroy());
        behind.on('error', () => socket.destroy());
      }),
      'relay.sock',
    );
    const app = await appWith(tokenAuth({ socketPath: 'relay.sock' }));
    for (let round = 0; round < 2; round++) {
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, i) => app.ask({ 'X-Api-Key': i % 2 ? token : 'nonsense' })),
      );
      assert.deepEqual(answers.map((answer, i) => answer.status === (i % 2 ? 200 : 401)), Array(200).fill(true));
      assert.equal(app.passed, 100 * (round + 1));
    }
    assert.ok(connections >= 2 && connections <= 16, `${connections} connections`);
    relay.close();
  },

  // Connections end when they are used for the second time, as if token_authd had given them up.
  async again(socketPath, token) {
    let connections = 0;
    await listen(
      net.createServer((socket) => {
        connections++;
        const behind = net.connect(socketPath);
        let requests = 0;
        behind.pipe(socket);
        socket.on('data', (data) => (++requests > 1 ? socket.destroy() : behind.write(data)));
        socket.on('error', () => {});
      }),
      'relay.sock',
    );
    const app = await appWith(tokenAuth({ socketPath: 'relay.sock' }));
    for (let i = 1; i <= 3; i++) {
      assert.equal((await app.ask({ 'X-Api-Key': token })).status, 200);
      assert.equal(connections, i);
    }
  },

  // Whatever is no verdict lets nobody in, and is told in one line.
  async nonsense() {
    const identity = { 'X-Token-Id': 'tok_0', 'X-Token-Name': 'x', 'X-Token-Scopes': '*', 'X-Auth-Mode': 'file' };
    const answers = {
      good: (res) => res.writeHead(200, identity).end(),
      nobody: (res) => res.writeHead(200).end(),
      nameless: (res) => res.writeHead(200, { ...identity, 'X-Token-Name': '' }).end(),
      undecodable: (res) => res.writeHead(200, { ...identity, 'X-Token-Name': '%' }).end(),
      accepted: (res) => res.writeHead(202, identity).end(),
      elsewhere: (res) => res.writeHead(302, { ...identity, Location: '/' }).end(),
      missing: (res) => res.writeHead(404, identity).end(),
      failed: (res) => res.writeHead(500, identity).end(),
      endless: (res) => res.writeHead(200, identity).end('x'.repeat(100000)),
      torn: (res) => {
        res.writeHead(200, { ...identity, 'Content-Length': 5 });
        res.write('x');
        setImmediate(() => res.destroy());
      },
      switched: (res) => res.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
      silent: () => {},
      gone: (res) => res.destroy(),
    };
    let answer;
    await listen(http.createServer((req, res) => answer(res)), 'other.sock');
    for (const [kind, how] of Object.entries(answers)) {
      const told = [];
      const app = await appWith(tokenAuth({ socketPath: 'other.sock', timeout: kind === 'silent' ? 100 : 10000, log: (error) => told.push(error) }));
      answer = how;
      const got = await app.ask({ 'X-Api-Key': 'x' });
      assert.deepEqual([kind, got.status, app.passed, told.length], [kind, ...(kind === 'good' ? [200, 1, 0] : [503, 0, 1])]);
      if (kind !== 'good') {
        assert.equal(JSON.parse(got.text).error.code, 'service_unavailable');
        assert.equal(got.headers.get('content-type'), 'application/json');
        assert.equal(got.headers.get('cache-control'), 'no-store');
      }
    }
    const app = await appWith(tokenAuth({ socketPath: 'nobody.sock', log: () => {} }));
    assert.deepEqual([(await app.ask({ 'X-Api-Key': 'x' })).status, app.passed], [503, 0]);
  },

  // A body goes to the app whole, and what names the client is the verdict's.
  async passes(socketPath, token) {
    const app = await appWith(tokenAuth({ socketPath }));
    const forged = { 'X-Token-Id': 'forged', X_Token_Name: 'forged', 'x-token-scopes': 'forged', 'X-Auth_Mode': 'forged' };
    const got = await app.ask({ ...forged, 'X-Api-Key': token, Cookie: 'secret=cookie' }, 'b'.repeat(300000));
    assert.equal(got.status, 200);
    const { token: who, headers, body } = JSON.parse(got.text);
    assert.equal(body.length, 300000);
    assert.equal(who.name, 'my app ü');
    assert.deepEqual(who.scopes, ['chat', 'models']);
    assert.equal(headers['x-token-id'], who.id);
    assert.equal(headers['x-token-name'], 'my%20app%20%C3%BC');
    assert.equal(headers['x-token-scopes'], 'chat%20models');
    assert.equal(headers['x-auth-mode'], 'file');
    assert.ok(!got.text.includes('forged'));
  },
};

await cases[name](...args);
process.exit(0);
