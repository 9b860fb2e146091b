// The same answer from Express: the body is parsed, the answer is written as JSON, no flag is evaluated.
// Arguments: the port, and the answer's text.
const express = require('express');
const [port, text] = process.argv.slice(2);
const answer = JSON.parse(text);

const app = express();
app.use(express.json());
app.get('/health/ready', (request, response) => response.json({ status: 'ready' }));
app.post('/ofrep/v1/evaluate/flags/:key', (request, response) => response.json(answer));
app.listen(Number(port), '127.0.0.1');
