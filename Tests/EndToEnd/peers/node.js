// Node's http as wire-server's double: GET / answers hello, POST /echo reads the whole content before it is answered.
const http = require("http");

const server = http.createServer((request, response) => {
    const path = request.url.replace(/^http:\/\/a/, "").replace(/[?].*/, "") || "/";
    const pieces = [];
    const answer = (status, body) => {
        response.statusCode = status;
        response.end(body);
    };
    request.on("data", (piece) => pieces.push(piece));
    request.on("error", () => response.destroy());
    request.on("end", () => {
        if (path === "/echo") {
            answer(200, Buffer.concat(pieces));
        } else if (path === "*" || path === "/" && request.method === "OPTIONS") {
            answer(204);
        } else if (path === "/") {
            if (["GET", "HEAD"].includes(request.method)) answer(200, "hello");
            else answer(405, "not allowed");
        } else {
            answer(404, "nothing");
        }
    });
});
server.listen(0, "127.0.0.1", () => console.log(`listens on 127.0.0.1:${server.address().port}`));
