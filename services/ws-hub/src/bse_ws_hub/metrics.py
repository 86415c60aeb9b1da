"""Every metric of the hub."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class HubMetrics:
    """What an operator needs to know of the fan-out."""

    def __init__(self, registry: CollectorRegistry):
        # Clients now, by door (json, msgpack, socketio, sse).
        self.connections = Gauge(
            "ws_hub_connections", "Clients connected.", ["door"], registry=registry
        )
        self.subscriptions = Gauge(
            "ws_hub_subscriptions", "Pairs of client and scrip.", registry=registry
        )
        self.groups = Gauge(
            "ws_hub_groups", "Different subscriptions.", registry=registry
        )
        # Frames handed to sockets, and the quote rows in them.
        self.deliveries = Counter(
            "ws_hub_deliveries", "Messages of quotes sent.", registry=registry
        )
        self.symbol_updates = Counter(
            "ws_hub_symbol_updates", "Quote rows sent to clients.", registry=registry
        )
        self.sent_bytes = Counter(
            "ws_hub_sent_bytes", "Bytes of these messages' frames.", registry=registry
        )
        self.conflated = Counter(
            "ws_hub_conflated", "Updates merged for slow clients.", registry=registry
        )
        # Connections that ended, by reason (client, slow_consumer, …).
        self.closes = Counter(
            "ws_hub_closes", "Connections ended.", ["reason"], registry=registry
        )
        self.bad_messages = Counter(
            "ws_hub_bad_messages", "Messages refused.", ["reason"], registry=registry
        )
        # New connections and proofs that were refused; `detail` is one word of a closed set.
        self.refused = Counter(
            "ws_hub_refused",
            "Connections and proofs refused.",
            ["reason", "detail"],
            registry=registry,
        )
        self.identities = Gauge(
            "ws_hub_identities",
            "Different identities (or addresses of nobody in particular) connected.",
            registry=registry,
        )
        self.takeovers = Counter(
            "ws_hub_takeovers",
            "Streams closed because a newer one has their session name.",
            registry=registry,
        )
        self.flush_seconds = Histogram(
            "ws_hub_flush_seconds",
            "Duration of a flush tick that had something to send.",
            registry=registry,
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25),
        )
        # Once a tick, for the newest change that went out in it: images at the start are none.
        self.received_to_sent_seconds = Histogram(
            "ws_hub_received_to_sent_seconds",
            "Exchange answer received by the fetcher to frame written by the hub.",
            registry=registry,
            buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
        )
        # Of WebSocket pings: what the network and the client add.
        self.round_trip_seconds = Histogram(
            "ws_hub_client_round_trip_seconds",
            "WebSocket ping sent to pong received.",
            registry=registry,
            buckets=(0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
        )
        self.buffer_bytes = Gauge(
            "ws_hub_buffer_bytes",
            "Sent to clients, but still held here because they have not read it.",
            registry=registry,
        )
        self.lost_steps = Counter(
            "ws_hub_lost_steps",
            "Times that a client which wants every change got some merged.",
            registry=registry,
        )
        self.feed_age_seconds = Gauge(
            "ws_hub_feed_age_seconds",
            "Since the source last confirmed the market, as this hub has heard.",
            registry=registry,
        )
        self.loop_lag_seconds = Histogram(
            "ws_hub_loop_lag_seconds",
            "How much later than due the flush tick began.",
            registry=registry,
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1),
        )
        self.lagging = Gauge(
            "ws_hub_lagging_clients", "Clients that read too slowly.", registry=registry
        )
