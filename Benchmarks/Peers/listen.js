// Serves a handler of requests on this machine, with TLS 1.3 where there is a certificate.
const fs = require('fs');
const http = require('http');
const https = require('https');

exports.listen = function (handler, port, certificate, key) {
  const server = certificate
    ? https.createServer(
        { cert: fs.readFileSync(certificate), key: fs.readFileSync(key), minVersion: 'TLSv1.3' }, handler)
    : http.createServer(handler);
  server.listen(Number(port), '127.0.0.1');
};
