// An API for those who have a token, with Express: npm install express && node express.mjs
import express from 'express';
import tokenAuth from './token_auth.cjs';

const socketPath = '/run/token_authd.sock';
const app = express();

app.use(tokenAuth({ socketPath })); // before all routes, and before what reads bodies
app.use('/v1/models', tokenAuth({ socketPath, scope: 'models' }));

app.get('/v1/whoami', (req, res) => res.json(req.token));
app.get('/v1/models', (req, res) => res.json({ data: [], for: req.token.name }));

app.listen(9000, '127.0.0.1');
