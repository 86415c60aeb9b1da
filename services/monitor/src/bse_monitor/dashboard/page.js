
"use strict";
// Everything shown goes through textContent: what instances say of themselves is never markup.

const REFRESH_MS = 2000;
const EVENTS_SHOWN = 20;

const at = (id) => document.getElementById(id);

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

const state = (name) => element("span", `state ${/^[a-z]+$/.test(name) ? name : ""}`, name);
const lines = (texts) => element("ul", "", ...texts.map((text) => element("li", "", text)));

function span(seconds) {
  if (seconds === null) return "never";
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

function figure(name, value) {
  if (name === "memory_bytes") return `${Math.round(value / 2 ** 20)} MiB`;
  if (name === "cpu_s") return `${value.toFixed(1)} s CPU`;
  return `${name.replaceAll("_", " ")} ${value}`;
}

function instanceCard(instance) {
  const facts = [
    instance.role,
    `up ${span(instance.uptime_s)}`,
    `beat ${span(instance.heartbeat_age_s)} ago`,
    ...Object.entries(instance.figures).map(([name, value]) => figure(name, value)),
    instance.version,
    instance.url,
  ];
  return element(
    "div", "instance",
    element("p", "", state(instance.status), ` ${instance.instance}`),
    element("p", "faint", facts.filter(Boolean).join(" · ")),
    ...(instance.reasons.length ? [lines(instance.reasons)] : []),
  );
}

function serviceCard(service) {
  const wanted = service.expected ? `${service.up} up, ${service.wanted} wanted` : "not expected";
  return element(
    "div", "card",
    element("h3", "", `${service.service} `, state(service.status)),
    element("p", "faint", wanted),
    ...(service.instances.length ? [] : [lines(service.reasons)]),
    ...service.instances.map(instanceCard),
  );
}

function sourceLine(source) {
  const parts = [
    `${source.source} ${source.endpoint} (${source.role}): ${source.circuit.replace("_", " ")}`,
    source.answered_s_ago === null ? "never answered" : `answered ${span(source.answered_s_ago)} ago`,
    source.asked_again_in_s > 0 && `asked again in ${span(source.asked_again_in_s)}`,
    source.last_error,
  ];
  return parts.filter(Boolean).join(", ");
}

function feedFacts(feed) {
  const ends = feed.order_ends_at_ms === null ? "" : `, until ${new Date(feed.order_ends_at_ms).toLocaleTimeString()}`;
  const counted = (counts) => Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ");
  const suspects = Object.entries(feed.suspects).map(([symbol, why]) => `${symbol} ${why.replaceAll("_", " ")}`);
  const more = feed.suspect > suspects.length ? ", …" : "";
  return [
    feed.order && `ordered: ${feed.order}${ends}`,
    feed.suspect > 0 && `${feed.suspect} suspect prices: ${suspects.join(", ")}${more}`,
    Object.keys(feed.drift).length > 0 && `schema drift: ${counted(feed.drift)}`,
    Object.keys(feed.demand).length > 0 && `scrips wanted: ${counted(feed.demand)}`,
    ...feed.sources.map(sourceLine),
  ].filter(Boolean);
}

function feedCard(feed) {
  const session = feed.session ? `market ${feed.session.phase}` : "";
  const facts = [
    feed.source && `source ${feed.source}`,
    feed.rows !== null && `${feed.rows} rows`,
    feed.writer && `written by ${feed.writer}`,
    session,
  ];
  return element(
    "div", "card",
    element("h3", "", state(feed.status)),
    element("p", "", `newest confirmation: ${span(feed.age_s)}${feed.age_s === null ? "" : " old"}`),
    element("p", "faint", facts.filter(Boolean).join(" · ")),
    ...(feed.reasons.length ? [lines(feed.reasons)] : []),
    lines(feedFacts(feed)),
  );
}

function storeCard(store) {
  const latency = store.latency_ms === null ? "no answer" : `round trip ${store.latency_ms} ms`;
  return element(
    "div", "card",
    element("h3", "", state(store.status)),
    element("p", "faint", latency),
    ...(store.reasons.length ? [lines(store.reasons)] : []),
  );
}

function eventItem(event) {
  const when = new Date(event.at_ms).toLocaleString();
  return element(
    "li", "",
    element("span", "faint", `${when}  `), `${event.part}: ${event.was} → `, state(event.now),
  );
}

function show(view) {
  at("overall").replaceChildren(state(view.status));
  document.title = `${view.status} · BSE quotes`;
  at("as-of").replaceChildren(
    `as of ${new Date(view.as_of_ms).toLocaleTimeString()}, ${span(view.age_s)} ago`,
  );
  at("reasons").replaceChildren(...view.reasons.map((text) => element("li", "", text)));
  at("feed").replaceChildren(feedCard(view.feed));
  at("services").replaceChildren(...view.services.map(serviceCard));
  at("store").replaceChildren(storeCard(view.store));
  at("events").replaceChildren(...view.events.slice(0, EVENTS_SHOWN).map(eventItem));
}

async function refresh() {
  try {
    const reply = await fetch("status", { signal: AbortSignal.timeout(5000), cache: "no-store" });
    if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
    show(await reply.json());
  } catch (error) {
    at("overall").replaceChildren(state("unknown"));
    at("as-of").replaceChildren(`the monitor does not answer (${error.message}); what follows is old`);
    document.title = "unknown · BSE quotes";
  }
  setTimeout(refresh, REFRESH_MS);
}

refresh();
