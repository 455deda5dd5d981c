// Middleware for Express, or for anything else that calls (req, res, next): asks token_authd, over its Unix
// socket, whether the credential of a request is good. See README.md beside this file.
//
//     app.use(tokenAuth());
//     app.get('/v1/models', tokenAuth({ scope: 'models' }), (req, res) => res.json({ for: req.token.name }));
//
// Who is let through has req.token, with id, name, scopes and mode. Who is not gets token_authd's own refusal,
// and `next` is not called; where there is no verdict, for whatever reason, that is a 503.
'use strict';

const http = require('node:http');

const CREDENTIALS = new Set(['authorization', 'x-api-key', 'x-auth-token', 'api-key']);
const IDENTITY = ['x-token-id', 'x-token-name', 'x-token-scopes', 'x-auth-mode'];
const REFUSALS = new Set([401, 403, 503]);
const BODY_LIMIT = 65536;

const UNAVAILABLE = JSON.stringify({
  error: {
    message: 'The service is unavailable at the moment. Try again later.',
    type: 'server_error',
    param: null,
    code: 'service_unavailable',
  },
});

// socketPath  where token_authd listens
// scope       what a token must be allowed to do; several with blanks between
// timeout     milliseconds for a verdict
// agent       connections to token_authd; by default all that use this socket share a few
// log         told why there was no verdict
function tokenAuth({
  socketPath = '/run/token_authd.sock',
  scope,
  timeout = 5000,
  agent = agentFor(socketPath),
  log = (error) => console.error(`token_auth: no verdict: ${error.message}`),
} = {}) {
  return (req, res, next) => {
    delete req.token;
    ask({ socketPath, scope, agent, signal: AbortSignal.timeout(timeout) }, req, (error, verdict) => {
      if (error) {
        log(error);
        refuse(res, 503, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }, `${UNAVAILABLE}\n`);
      } else if (verdict.status !== 200) {
        refuse(res, verdict.status, verdict.headers, verdict.body);
      } else {
        admit(req, verdict);
        next();
      }
    });
  };
}

const agents = new Map();

// Idle connections are given up before token_authd does so, after its --timeout of 10 seconds.
function agentFor(socketPath) {
  if (!agents.has(socketPath)) {
    agents.set(socketPath, new http.Agent({ keepAlive: true, maxSockets: 16, timeout: 5000 }));
  }
  return agents.get(socketPath);
}

// Calls `done` once: with an error, or with an answer that is a verdict.
function ask(options, req, done) {
  let asked;
  let answered = false;
  const answer = (error, verdict) => {
    if (!answered) {
      answered = true;
      done(error, verdict);
    }
  };
  try {
    asked = http.get({
      agent: options.agent,
      socketPath: options.socketPath,
      path: '/verify',
      headers: question(req, options.scope),
      signal: options.signal,
    });
  } catch (error) {
    answer(error);
    return;
  }
  asked.on('error', (error) => {
    // token_authd may have closed an idle connection in the moment in which we took it. A new one is not
    // tried again, so this ends.
    if (asked.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE') && !answered) {
      answered = true;
      ask(options, req, done);
    } else {
      answer(error);
    }
  });
  asked.on('close', () => answer(new Error('no answer'))); // an upgrade, for one; no news after all else
  asked.on('response', (response) => {
    const chunks = [];
    let size = 0;
    response.on('error', answer);
    response.on('data', (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > BODY_LIMIT) {
        response.destroy(new Error('the answer is too long'));
      }
    });
    response.on('end', () => {
      let verdict;
      try {
        verdict = verdictOf(response, Buffer.concat(chunks));
      } catch (error) {
        answer(error);
        return;
      }
      answer(null, verdict); // not within the try: what `next` throws is not ours
    });
  });
}

// The headers that hold credentials as they came, each line of them: token_authd refuses one that was sent
// twice, which req.headers does not tell.
function question(req, scope) {
  const headers = ['Host', 'token_authd'];
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    if (CREDENTIALS.has(req.rawHeaders[i].toLowerCase())) {
      headers.push(req.rawHeaders[i], req.rawHeaders[i + 1]);
    }
  }
  if (scope !== undefined) {
    headers.push('X-Required-Scope', String(scope));
  }
  if (req.socket?.remoteAddress) {
    headers.push('X-Forwarded-For', req.socket.remoteAddress); // for its log
  }
  return headers;
}

// Throws where it is none.
function verdictOf(response, body) {
  const status = response.statusCode;
  if (REFUSALS.has(status)) {
    const headers = {};
    for (const name of ['WWW-Authenticate', 'Content-Type', 'Cache-Control']) {
      if (response.headers[name.toLowerCase()] !== undefined) {
        headers[name] = response.headers[name.toLowerCase()];
      }
    }
    return { status, headers, body };
  }
  const identity = IDENTITY.map((name) => response.headers[name]);
  if (status !== 200 || !identity.every(Boolean)) {
    throw new Error(`status ${status} is no verdict`);
  }
  const [id, name, scopes, mode] = identity.map(decodeURIComponent);
  return { status, identity, token: Object.freeze({ id, name, scopes: scopes.split(' '), mode }) };
}

// What the client called by these names is overwritten, for whoever passes req.headers on.
function admit(req, { token, identity }) {
  for (const name of Object.keys(req.headers)) {
    if (IDENTITY.includes(name.replaceAll('_', '-'))) {
      delete req.headers[name];
    }
  }
  IDENTITY.forEach((name, i) => {
    req.headers[name] = identity[i];
  });
  req.token = token;
}

function refuse(res, status, headers, body) {
  if (res.headersSent) {
    return; // somebody else has answered meanwhile
  }
  res.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  res.end(body);
}

module.exports = tokenAuth;
