// The least that Express does for an evaluation: the body is parsed, the answer is written as JSON, no flag is evaluated.
// `POST /echo` answers the content. Arguments: the port, the answer's text, and for TLS 1.3 the files of the certificate
// and its key.
const express = require('express');
const { listen } = require('./listen.js');
const [port, text, certificate, key] = process.argv.slice(2);
const answer = JSON.parse(text);

const app = express();
app.get('/', (request, response) => response.send('hello'));
app.post('/ofrep/v1/evaluate/flags/:key', express.json(), (request, response) => response.json(answer));
app.post('/echo', express.text({ type: () => true }), (request, response) =>
  response.type('application/json').send(request.body));
listen(app, port, certificate, key);
