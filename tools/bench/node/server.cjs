// Baselines: Node `ws` and Socket.IO, as their users would write them.
// `node server.cjs ws|socketio` prints its port, then obeys lines on standard input:
//   go HZ COUNT PAYLOAD   send PAYLOAD at each tick: to everybody (COUNT 0), or to COUNT symbol rooms drawn at random
//   pause
const http = require("node:http");

const SYMBOLS = 1000;
const server = http.createServer();
const tell = process.argv[2] === "ws" ? overWs() : overSocketIo();
let timer;

function overWs() {
  const { WebSocketServer } = require("ws");
  const wss = new WebSocketServer({ server, perMessageDeflate: false });
  return (payload) => {
    const data = Buffer.from(payload);
    for (const client of wss.clients) client.send(data);
  };
}

function overSocketIo() {
  const { Server } = require("socket.io");
  const io = new Server(server, { transports: ["websocket"], pingInterval: 60000 });
  io.on("connection", (socket) =>
    socket.on("subscribe", (rooms, done) => {
      socket.join(rooms);
      done(rooms.length);
    }),
  );
  return (payload, room) => (room === undefined ? io.emit("u", payload) : io.to(room).emit("u", payload));
}

function tick(count, payload) {
  if (!count) return tell(payload);
  const symbols = Array.from({ length: SYMBOLS }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(Math.random() * (SYMBOLS - i));
    [symbols[i], symbols[j]] = [symbols[j], symbols[i]];
    tell(payload, `s${symbols[i]}`);
  }
}

require("node:readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [order, hz, count, payload] = line.split(" ");
    clearInterval(timer);
    if (order === "go") timer = setInterval(tick, 1000 / Number(hz), Number(count), payload);
    console.log("ok");
  })
  .on("close", () => process.exit(0));

server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => console.log(server.address().port));
