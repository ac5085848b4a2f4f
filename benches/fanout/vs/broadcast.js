"use strict";
// The least chat that one can write on the `ws` package: what anybody says reaches all the others.

const { WebSocketServer } = require("ws");

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, backlog: 4096, perMessageDeflate: false });
let seq = 0;

server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.on("message", (frame) => {
    const said = JSON.parse(frame);
    const place = { room: said.room, seq: ++seq, at: Date.now() };
    const message = { type: "message", ...place, from: "p0", tag: "aaaaaaaa", text: said.text };
    const bytes = Buffer.from(JSON.stringify(message));
    for (const other of server.clients) {
      if (other !== socket && other.readyState === other.OPEN) other.send(bytes, { binary: false });
    }
    socket.send(JSON.stringify({ type: "ack", id: said.id, ...place }));
  });
});

server.on("listening", () => console.log(`localhost:${server.address().port}`));
