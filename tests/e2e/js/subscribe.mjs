// Subscribes with the official Socket.IO client and prints what it is told, one JSON line an event.
// usage: node subscribe.mjs URL MODE TRANSPORTS SYMBOLS_FILE QUOTES [TOKEN]   (ends when it holds so many quotes)
import { readFileSync } from "node:fs";
import { io } from "socket.io-client";

const [url, mode, transports, symbolsFile, quotes, token] = process.argv.slice(2);
const symbols = JSON.parse(readFileSync(symbolsFile, "utf8"));
const socket = io(url, { transports: transports.split(","), forceNew: true, auth: token ? { token } : {} });
const held = new Map();
const say = (event, data) => console.log(JSON.stringify({ event, data }));

socket.on("connect", async () => {
  for (let i = 0; i < symbols.length; i += 500) {
    const answer = await socket.timeout(10000).emitWithAck("subscribe", { symbols: symbols.slice(i, i + 500), mode });
    if (answer.rejected?.length || answer.type !== "subscribed") say("answer", { type: answer.type, rejected: answer.rejected });
  }
});
socket.on("welcome", (data) => say("welcome", data));
socket.on("heartbeat", (data) => say("heartbeat", data));
socket.on("connect_error", (error) => say("connect_error", { message: error.message, data: error.data }));
socket.on("error", (data) => say("error", data));

const holds = (data) => {
  for (const quote of data.quotes) held.set(quote.code, { ...held.get(quote.code), ...quote });
  if (held.size >= Number(quotes)) finish(0);
};
socket.on("image", holds);
socket.on("update", holds);

function finish(code) {
  say("transport", socket.io.engine?.transport?.name ?? null);
  say("held", [...held.values()]);
  socket.close();
  process.exitCode = code;
}
setTimeout(() => finish(3), 25000).unref();
