// An API for those who have a token, on Node alone: node app.mjs
import http from 'node:http';
import tokenAuth from './token_auth.cjs';

const socketPath = '/run/token_authd.sock';
const anybody = tokenAuth({ socketPath });
const withModels = tokenAuth({ socketPath, scope: 'models' });

const routes = new Map([
  ['/v1/whoami', [anybody, (req) => req.token]],
  ['/v1/models', [withModels, (req) => ({ data: [], for: req.token.name })]],
]);
const elsewhere = [anybody, (req, res) => ((res.statusCode = 404), {})];

const server = http.createServer((req, res) => {
  const [auth, answer] = routes.get(req.url.split('?')[0]) ?? elsewhere;
  auth(req, res, () => {
    const body = JSON.stringify(answer(req, res));
    res.setHeader('Content-Type', 'application/json');
    res.end(body);
  });
});
server.listen(9000, '127.0.0.1');
