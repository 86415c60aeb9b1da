// Follows a stream with our own client and prints what it is told, one JSON line an event.
// usage: node stream.mjs CLIENT_MODULE URL SYMBOLS_JSON WANT_JSON   (a line on stdin: print all quotes)
import { createInterface } from "node:readline";

const [client, url, symbols, want] = process.argv.slice(2);
const { QuoteStream, rupees } = await import(client);
const stream = new QuoteStream(url, { symbols: JSON.parse(symbols), ...JSON.parse(want) });
const say = (event) => console.log(JSON.stringify(event));

stream.listen((event) => {
  if (event.type === "quotes") say({ type: "quotes", codes: event.changes.map(({ quote }) => quote.code) });
  else if (event.type === "heartbeat") say({ type: "heartbeat", digest: event.heartbeat.digest });
  else say(event);
});
for await (const _line of createInterface({ input: process.stdin })) {
  say({ type: "held", mismatches: stream.digestMismatches, quotes: stream.quotes().map((quote) => ({ ...quote, last: rupees(quote.lastPaise) })) });
}
stream.close();
