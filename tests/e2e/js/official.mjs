// Subscribes with one version of the official Socket.IO client; prints the answer and the first image.
// usage: node official.mjs MODULE URL TRANSPORTS
const [module, url, transports] = process.argv.slice(2);
const { io } = await import(module);
const socket = io(url, { transports: transports.split(","), reconnection: false });
const found = {};

function finish() {
  console.log(JSON.stringify(found));
  process.exit();
}
socket.on("connect", () => socket.emit("subscribe", { symbols: ["RELIANCE"] }, (answer) => (found.answer = answer)));
socket.on("heartbeat", () => {
  found.transport = socket.io.engine.transport.name;
  if (found.image) finish();
});
socket.on("image", (image) => (found.image = image));
socket.on("connect_error", (error) => {
  found.error = error.message;
  finish();
});
setTimeout(finish, 15000);
