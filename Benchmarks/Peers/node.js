// Node's own HTTP server: `POST /echo` answers the content, everything else a greeting. Arguments: the port, nothing, and
// for TLS 1.3 the files of the certificate and its key.
const { listen } = require('./listen.js');
const [port, , certificate, key] = process.argv.slice(2);

function answer(request, response) {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const content = parts.length ? Buffer.concat(parts) : Buffer.from('hello');
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': content.length });
    response.end(content);
  });
}

listen(answer, port, certificate, key);
