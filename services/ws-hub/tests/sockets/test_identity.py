"""Identity at the three doors of running hubs, through real sockets and a real store."""

import asyncio
import base64
import json

import pytest
import socketio

from bse_shared.access.principal import Principal
from bse_shared.access.revocations import Revocation
from bse_shared.access.roles import ROLES
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.instances import Subscriptions
from bse_shared.service.system_clock import SystemClock
from bse_shared.testing.builders import RELIANCE, TCS
from bse_shared.testing.signing import Signing
from bse_shared.wire.records import SubscriptionRecord, WantedScrips


WITHIN_S = 5
REQUIRED = {"mode": "required"}


@pytest.fixture(autouse=True)
async def access(market, redis, signing):  # noqa: ARG001 - the market comes first: it empties the store
    """The store's side, with the signing key published."""
    store = AccessStore(redis)
    await store.publish_key(signing.record, SystemClock().wall_ms())
    return store


def bearer(token):
    """The header."""
    return {"Authorization": f"Bearer {token}"}


def an_api_key(**changed):
    """What the gateway makes of an API key."""
    role = changed.get("role", "trader")
    given = {"sub": "key:abc", "role": role, "scopes": ROLES[role].scopes}
    now_ms = SystemClock().wall_ms()
    return Principal(**{**given, "issued_at_ms": now_ms, "key_id": "abc", **changed})


async def refused(hub, http, query="", headers=None, path="/ws"):
    """The HTTP answer instead of a stream: status, reason and detail, and the challenge."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    asked = {**(upgrade if path == "/ws" else {}), **(headers or {})}
    async with http.get(f"{hub.url}{path}{query}", headers=asked) as answer:
        found = await answer.json(content_type="application/problem+json")
        reason = found["type"].removeprefix("/problems/").replace("-", "_")
        return (
            answer.status,
            reason,
            found.get("reason", ""),
            answer.headers.get("WWW-Authenticate", ""),
        )


async def socketio_refusal(hub, http, auth):
    """What a Socket.IO client is told instead of being connected."""
    client = socketio.AsyncClient(reconnection=False, http_session=http)
    told = asyncio.get_running_loop().create_future()
    client.on("connect_error", told.set_result)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(hub.url, transports=["websocket"], auth=auth)
    return await asyncio.wait_for(told, WITHIN_S)


@pytest.fixture
async def connect_socketio(http):
    """Opens Socket.IO clients."""
    opened = []

    async def open_one(hub, auth, transport="websocket"):
        client = socketio.AsyncSimpleClient(reconnection=False, http_session=http)
        await client.connect(hub.url, transports=[transport], auth=auth)
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        await client.client.eio.disconnect(abort=True)


async def event(client, name):
    """The next event of this name of a Socket.IO client."""
    while (found := await client.receive(timeout=WITHIN_S))[0] != name:
        pass
    return found[1]


# Who it is.


@pytest.mark.parametrize("protocol", ["bse.v1.json", "bse.v1.msgpack"])
async def test_a_token_in_the_header(start_hub, connect, signing, protocol):
    """The welcome says who it is and what he may."""
    hub = await start_hub(REQUIRED)
    token = signing.token(role="operator")
    client = await connect(hub, headers=bearer(token), protocols=[protocol])
    identity = client.welcome["identity"]
    await client.send(op="subscribe", symbols=["*"])
    answer = await client.until("subscribed")

    assert ("key:abc", "operator") == (identity["subject"], identity["role"])
    assert 590_000 < identity["expires_at_ms"] - SystemClock().wall_ms() <= 600_000
    assert (3_000, True) == (
        client.welcome["limits"]["symbols"],
        client.welcome["limits"]["all_symbols"],
    )
    assert [] == answer["rejected"]


async def test_a_token_in_band(start_hub, connect, signing):
    """Nothing but that is answered before; what is sent right behind it waits for it."""
    hub = await start_hub(REQUIRED)
    client = await connect(hub)
    await client.send(op="subscribe", symbols=["TCS"], id=1)
    await client.send(op="ping", id=2)
    await client.send(op="authenticate", token=signing.token(), id=3)
    await client.send(op="subscribe", symbols=["TCS"], id=4)
    early, pong = await client.until("error"), await client.until("pong")
    proved = await client.until("authenticated")
    answer = await client.until("subscribed")

    assert None is client.welcome["identity"]
    assert ("not_authenticated", 1, 2) == (early["reason"], early["id"], pong["id"])
    assert (3, "key:abc", 50) == (
        proved["id"],
        proved["identity"]["subject"],
        proved["limits"]["commands_per_s"],
    )
    assert (4, [TCS.code]) == (answer["id"], [s["code"] for s in answer["symbols"]])


async def test_a_ticket_opens_one_stream(start_hub, access, http, connect):
    """With the client id and its set; the second time it proves nothing."""
    hub = await start_hub(REQUIRED)
    wants = [WantedScrips(codes=[TCS.code], mode="ltp")]
    await Subscriptions(access._redis).save(
        SubscriptionRecord(client_id="desk", wants=wants, updated_at_ms=1)
    )
    ticket = await access.issue_ticket("desk", an_api_key())
    client = await connect(hub, query=f"?client_id=desk&ticket={ticket}")
    answer = await client.until("subscribed")

    assert {"subject": "key:abc", "role": "trader", "expires_at_ms": None} == (
        client.welcome["identity"]
    )
    assert [TCS.code] == [s["code"] for s in answer["symbols"]]
    assert (401, "token_refused", "ticket") == (
        await refused(hub, http, f"?ticket={ticket}")
    )[:3]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_socketio_auth_and_refresh(
    start_hub, connect_socketio, signing, transport
):
    """In the `auth` object; later by the event, with its acknowledgement."""
    hub = await start_hub(REQUIRED)
    auth = {"token": signing.token(lifetime_s=100)}
    client = await connect_socketio(hub, auth, transport)
    welcome = await event(client, "welcome")
    again = await client.call("authenticate", {"token": signing.token()}, timeout=5)
    other = await client.call(
        "authenticate", {"token": signing.token("key:other")}, timeout=5
    )

    assert "key:abc" == welcome["identity"]["subject"]
    assert ("authenticated", "key:abc") == (again["type"], again["identity"]["subject"])
    assert (
        again["identity"]["expires_at_ms"] - welcome["identity"]["expires_at_ms"]
        >= 400_000
    )
    assert "other_subject" == other["reason"]


async def test_socketio_by_ticket_and_without(
    start_hub, access, connect_socketio, signing
):
    """Who shows nothing may prove himself by the event."""
    hub = await start_hub(REQUIRED)
    ticket = await access.issue_ticket("desk", an_api_key())
    first = await connect_socketio(hub, {"ticket": ticket})
    nobody = await connect_socketio(hub, None)
    early = await nobody.call("subscribe", {"symbols": ["TCS"]}, timeout=5)
    await nobody.call("authenticate", {"token": signing.token()}, timeout=5)
    late = await nobody.call("subscribe", {"symbols": ["TCS"]}, timeout=5)

    assert "key:abc" == (await event(first, "welcome"))["identity"]["subject"]
    assert ("not_authenticated", "subscribed") == (early["reason"], late["type"])


async def test_sse_by_header_and_ticket(start_hub, access, http, signing, until):
    """And 401 with a challenge for who shows nothing where something is required; a client id means nothing."""
    hub = await start_hub(REQUIRED)
    ticket = await access.issue_ticket("desk", an_api_key())
    url = f"{hub.url}/sse?symbols=TCS&mode=ltp"
    found = []
    for more, headers in (("", bearer(signing.token())), (f"&ticket={ticket}", {})):
        async with http.get(url + more, headers=headers) as answer:
            while not (line := await answer.content.readline()).startswith(b"data: "):
                assert 200 == answer.status
            found.append(json.loads(line[6:])["identity"]["subject"])
            assert {} == hub.clients.by_client_id
    nobody = await refused(hub, http, "?symbols=TCS", path="/sse")
    await until(lambda: not any(hub.left_over().values()))

    assert ["key:abc", "key:abc"] == found
    assert (401, "not_authenticated", "", "Bearer") == nobody


HOSTILE = {
    "huge": ("x" * 5000, "too_long"),
    "no token": ("rubbish", "malformed"),
    "NUL": ("a.\0.c", "malformed"),
    "an API key": ("bsq_live_abc_def_12345678", "api_key"),
    "expired": ({"age_s": 1000}, "expired"),
    "just expired": ({"age_s": 610}, "expired"),
    "from the future": ({"age_s": -100}, "not_yet"),
    "too long a life": ({"lifetime_s": 9999}, "lifetime"),
    "other issuer": ({"iss": "evil"}, "issuer"),
    "other audience": ({"aud": "evil"}, "audience"),
    "nobody's role": ({"role": "anonymous"}, "role"),
    "alg none": ({"headers": {"alg": "none"}}, "algorithm"),
    "alg HS256": ({"headers": {"alg": "HS256"}}, "algorithm"),
    "jku": ({"headers": {"jku": "https://evil.example"}}, "header"),
    "unknown key": ({"headers": {"kid": "other"}}, "unknown_key"),
    "other type": ({"headers": {"typ": "JWT"}}, "type"),
    "forged": ({"forged": True}, "signature"),
    "no stream": ({"scope": "quotes:read"}, "scope"),
}


def hostile(signing, recipe):
    """The credential."""
    if isinstance(recipe, str):
        return recipe
    recipe = dict(recipe)
    headers = dict(recipe.pop("headers", {}))
    if recipe.pop("forged", False):
        headers["kid"] = signing.record.key_id
        signing = Signing(SystemClock())
    algorithm = headers.pop("alg", None)
    token = signing.token(headers=headers, **recipe)
    head, payload, signature = token.split(".")
    if algorithm:
        told = {"alg": algorithm, "typ": "at+jwt", "kid": signing.record.key_id}
        told = json.dumps(told).encode()
        head = base64.urlsafe_b64encode(told).rstrip(b"=").decode()
    return f"{head}.{payload}.{signature}"


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_tokens_have_typed_answers(
    start_hub, http, connect, signing, name
):
    """The same word at every door, in band too; the connection that tried lives on as it was."""
    recipe, detail = HOSTILE[name]
    hub = await start_hub(REQUIRED | {"failures_per_minute": 100})
    token = hostile(signing, recipe)
    status = 403 if detail == "scope" else 401
    if "\0" not in token:  # no HTTP header could carry it
        raw = await refused(hub, http, headers=bearer(token))
        sse = await refused(hub, http, "?symbols=TCS", bearer(token), "/sse")
        assert (status, "token_refused", detail) == raw[:3] == sse[:3]
        assert raw[3].startswith("Bearer error=")
    told = await socketio_refusal(hub, http, {"token": token})
    client = await connect(hub)
    await client.send(op="authenticate", token=token, id="t")
    error = await client.until("error")
    await client.send(op="ping")
    await client.until("pong")

    assert ("token_refused", {"reason": "token_refused", "detail": detail}) == (
        told["message"],
        told["data"],
    )
    assert ("token_refused", detail, "t") == (
        error["reason"],
        error["detail"],
        error["id"],
    )


@pytest.mark.parametrize(
    ("query", "headers", "detail"),
    [
        ("?token=a.b.c", {}, "in_address"),
        ("?access_token=a.b.c", {}, "in_address"),
        ("?ticket=a&ticket=b", {}, "ambiguous"),
        ("?ticket=a", {"Authorization": "Bearer a.b.c"}, "ambiguous"),
        ("", {"Authorization": "Basic dTpw"}, "scheme"),
        ("", {"X-API-Key": "bsq_live_a_b_c"}, "api_key"),
        ("?ticket=unknown", {}, "ticket"),
        ("?ticket=%00", {}, "ticket"),
        ("?ticket=" + "x" * 100, {}, "ticket"),
    ],
)
async def test_hostile_ways_to_show_a_credential(
    start_hub, http, log_lines, query, headers, detail
):
    """A token in an address is none; of two credentials none is taken; nothing of it is logged."""
    hub = await start_hub()
    status, *told, _ = await refused(hub, http, query, headers)
    assert (401, "token_refused", detail) == (status, *told)
    assert [] == log_lines.all()


async def test_off_looks_at_nothing(start_hub, connect):
    """As at the gateway."""
    hub = await start_hub({"mode": "off"})
    client = await connect(hub, headers=bearer("rubbish"), query="?token=x")
    await client.send(op="authenticate", token="rubbish")
    assert None is (await client.until("authenticated"))["identity"]
    assert client.welcome["limits"]["all_symbols"]


async def test_who_proves_nothing_in_time_is_closed(start_hub, connect):
    """After five seconds, counted here by hand; pings do not help."""
    hub = await start_hub(REQUIRED)
    client = await connect(hub)
    (stream,) = hub.clients.all
    hub.clients.expiry._unproved.set(stream, 0)
    goodbye = await client.until("goodbye")
    assert ("not_authenticated", False, 4503) == (
        goodbye["reason"],
        goodbye["reconnect"],
        await client.closed(),
    )


# How long it holds.


async def test_warned_and_closed_at_the_end_unless_refreshed(
    start_hub, connect, signing
):
    """A token of two seconds: the warning at once, then 4001; a refreshed stream stays."""
    hub = await start_hub()
    token = signing.token(lifetime_s=2)
    ends, stays = [await connect(hub, headers=bearer(token)) for _ in range(2)]
    notice = await ends.until("notice")
    await stays.send(op="authenticate", token=signing.token())
    goodbye = await ends.until("goodbye")
    code = await ends.closed()
    await stays.send(op="ping")
    await stays.until("pong")

    assert ("token_expiring", ends.welcome["identity"]["expires_at_ms"]) == (
        notice["reason"],
        notice["expires_at_ms"],
    )
    assert ("token_expired", True, 4001) == (
        goodbye["reason"],
        goodbye["reconnect"],
        code,
    )
    assert [] == [m for m in stays.taken if m.get("type") == "goodbye"]


@pytest.mark.parametrize("kind", ["jti", "sid", "sub"])
async def test_a_revocation_closes_streams_on_every_hub(
    start_hub, access, connect, connect_socketio, signing, kind
):
    """Within two seconds, told by the gateway's store; others are not touched."""
    hubs = [await start_hub(REQUIRED, name=f"hub-{n}") for n in (1, 2)]
    token = signing.token(jti="t-1", sid="s-1")
    doomed = [await connect(hub, headers=bearer(token)) for hub in hubs]
    browser = await connect_socketio(hubs[1], {"token": token})
    other = await connect(hubs[0], headers=bearer(signing.token("key:other")))
    value = {"jti": "t-1", "sid": "s-1", "sub": "key:abc"}[kind]
    now_ms = SystemClock().wall_ms() + 1
    await access.revoke(
        Revocation(kind=kind, value=value, at_ms=now_ms, until_ms=now_ms + 600_000),
        now_ms,
    )
    async with asyncio.timeout(2):
        codes = [await client.closed() for client in doomed]
        goodbye = await event(browser, "goodbye")
    await other.send(op="ping")
    await other.until("pong")

    assert [4502, 4502] == codes
    assert ("revoked", False) == (goodbye["reason"], goodbye["reconnect"])


# How much.


async def test_limits_are_those_of_the_role(start_hub, connect, signing):
    """Nobody in particular gets little, and not all scrips at once."""
    hub = await start_hub()
    nobody = await connect(hub)
    await nobody.send(op="subscribe", symbols=["*", "TCS"])
    answer = await nobody.until("subscribed")
    await nobody.send(op="authenticate", token=signing.token(role="service"))
    proved = await nobody.until("authenticated")
    await nobody.send(op="subscribe", symbols=["*"])
    everything = await nobody.until("subscribed")

    assert [("*", "not_allowed")] == [
        (r["symbol"], r["reason"]) for r in answer["rejected"]
    ]
    assert [TCS.code] == [s["code"] for s in answer["symbols"]]
    assert (10_000, 200, 1_000, True) == tuple(proved["limits"].values())
    assert [] == everything["rejected"]
    assert len(everything["symbols"]) > 1


async def test_streams_of_an_identity_are_limited_over_hubs(
    start_hub, http, connect, signing
):
    """The eleventh of a viewer is closed with 4011, at whichever hub; Socket.IO and SSE are told so, too."""
    hubs = [await start_hub(name=f"hub-{n}") for n in (1, 2)]
    headers = bearer(signing.token(role="viewer"))
    opened = [await connect(hubs[n % 2], headers=headers) for n in range(10)]
    for hub in hubs:
        late = await connect(hub, greet=False, headers=headers)
        assert 4011 == await late.closed()
    token = signing.token(role="viewer")
    told = await socketio_refusal(hubs[0], http, {"token": token})
    sse = await refused(hubs[1], http, "?symbols=TCS", headers, "/sse")
    other = await connect(hubs[0], headers=bearer(signing.token("key:other")))
    await opened[0].socket.close()
    async with asyncio.timeout(WITHIN_S):
        while True:
            again = await connect(hubs[1], greet=False, headers=headers)
            if isinstance(await again.next(), dict):
                break

    assert "connection_limit" == told["message"]
    assert (429, "connection_limit") == sse[:2]
    assert other.welcome["identity"]


async def test_who_comes_too_fast_is_told_when_to_come_again(start_hub, http, connect):
    """Before the upgrade, with Retry-After, at every door; by address, behind a proxy by the client's own."""
    hub = await start_hub(arrivals_per_s=1)
    there = {"X-Forwarded-For": "198.51.100.7"}
    for _ in range(2):
        await connect(hub, headers=there)
    raw = await refused(hub, http, headers=there)
    sse = await refused(hub, http, "?symbols=TCS", there, "/sse")
    url = f"{hub.url}/socket.io/?EIO=4&transport=polling"
    async with http.get(url, headers=there) as polled:
        retry_after = polled.headers["Retry-After"]
    await connect(hub, headers={"X-Forwarded-For": "198.51.100.8"})

    assert (429, "rate_limited") == raw[:2] == sse[:2]
    assert (429, "1") == (polled.status, retry_after)


# Sessions and client ids.


async def test_the_newest_of_a_session_name_lives(
    start_hub, connect, connect_socketio, signing
):
    """Across hubs and doors: the older one is told and closed with 4504."""
    hubs = [await start_hub(name=f"hub-{n}") for n in (1, 2)]
    headers = bearer(signing.token())
    older = await connect(hubs[0], headers=headers, query="?session=desk")
    named = await connect(hubs[0], headers=headers, query="?session=other")
    newer = await connect(hubs[1], headers=headers, query="?session=desk")
    async with asyncio.timeout(WITHIN_S):
        goodbye = await older.until("goodbye")
        code = await older.closed()
    browser = await connect_socketio(
        hubs[0], {"token": signing.token(), "session": "desk"}
    )
    async with asyncio.timeout(WITHIN_S):
        second = await newer.closed()
    await event(browser, "welcome")
    await named.send(op="ping")
    await named.until("pong")

    assert ("taken_over", False, 4504, 4504) == (
        goodbye["reason"],
        goodbye["reconnect"],
        code,
        second,
    )
    assert 1 == hubs[1].clients.metrics.takeovers._value.get()


async def test_a_client_id_belongs_to_who_first_proved_himself_with_it(
    start_hub, http, connect, signing
):
    """Others are refused; who shows nothing is told, and has it once he proves who he is."""
    hub = await start_hub()
    mine = await connect(hub, headers=bearer(signing.token()), query="?client_id=desk")
    await mine.send(op="subscribe", symbols=["TCS"])
    await mine.until("image")
    stranger = bearer(signing.token("key:other"))
    raw = await refused(hub, http, "?client_id=desk", stranger)
    auth = {"token": signing.token("key:other"), "client_id": "desk"}
    told = await socketio_refusal(hub, http, auth)
    nobody = await connect(hub, query="?client_id=desk")
    error = await nobody.until("error")
    await nobody.send(op="authenticate", token=signing.token())
    await nobody.until("authenticated")
    taken = await nobody.until("subscribed")

    assert (403, "not_yours") == raw[:2]
    assert "not_yours" == told["message"] == error["reason"]
    assert [TCS.code] == [s["code"] for s in taken["symbols"]]


@pytest.mark.parametrize("chooses", [False, True])
async def test_who_proves_himself_late_has_his_set_from_then_on(
    start_hub, connect, signing, redis, until, chooses
):
    """What is stored under his client id; unless he has chosen since: then that is stored."""
    hub = await start_hub()
    writer = hub.service.drain.__self__.writer
    before = await connect(
        hub, headers=bearer(signing.token()), query="?client_id=desk"
    )
    await before.send(op="subscribe", symbols=["TCS"])
    await before.until("image")
    await before.socket.close()
    await until(lambda: not hub.clients.all and not writer.is_pending("desk"))
    late = await connect(hub, query="?client_id=desk")
    await late.until("error")
    if chooses:
        await late.send(op="subscribe", symbols=["RELIANCE"])
        await late.until("subscribed")
    await late.send(op="authenticate", token=signing.token())
    await late.until("authenticated")
    if chooses:
        await until(lambda: not writer.is_pending("desk"))
        expected = [RELIANCE.code]
    else:
        async with asyncio.timeout(WITHIN_S):
            taken = await late.until("subscribed")
        expected = [TCS.code]
        assert expected == [s["code"] for s in taken["symbols"]]

    assert expected == (await Subscriptions(redis).load("desk")).codes


async def test_a_set_goes_with_its_client_id_in_every_detail(start_hub, connect):
    """To another connection at another hub while both live, and to a return; no echo comes back."""
    hubs = [await start_hub(name=f"hub-{n}") for n in (1, 2)]
    one, two = [await connect(hub, query="?client_id=desk") for hub in hubs]
    fields = {"fields": ["last", "volume"], "max_hz": 2}
    await one.send(op="subscribe", symbols=["TCS"], **fields)
    await one.until("subscribed")
    await one.send(op="subscribe", symbols=["RELIANCE"], mode="ltp", every=True)
    await one.until("subscribed")
    told = await two.until("subscribed", lambda m: len(m["symbols"]) == 2)
    await two.send(op="unsubscribe", symbols=["TCS"])
    back = await one.until("subscribed", lambda m: len(m["symbols"]) == 1)
    await two.send(op="subscribe", symbols=["TCS"], mode="full")
    await two.socket.close()  # at once: the last state is stored all the same
    final = await one.until("subscribed", lambda m: len(m["symbols"]) == 2)
    again = await connect(hubs[1], query="?client_id=desk")
    first = await again.until("subscribed")
    await one.send(op="ping")
    await one.until("pong")

    by_code = {s["code"]: s for s in told["symbols"]}
    assert fields.items() <= by_code[TCS.code].items()
    assert {"mode": "ltp", "every": True}.items() <= by_code[RELIANCE.code].items()
    assert [RELIANCE.code] == [s["code"] for s in back["symbols"]]
    assert final["symbols"] == first["symbols"]
    assert [] == [m for m in one.taken if m["type"] == "subscribed"]


async def test_a_drain_stores_the_last_set(start_hub, connect, redis):
    """What came a moment before the end is there for the next hub."""
    hub = await start_hub()
    client = await connect(hub, query="?client_id=desk")
    for symbol in ("TCS", "RELIANCE"):
        await client.send(op="subscribe", symbols=[symbol])
        await client.until("subscribed")
    await hub.service.drain()
    record = await Subscriptions(redis).load("desk")
    assert [TCS.code, RELIANCE.code] == record.codes


# Without the store.


async def reconnect_at(pool, port):
    """All connections of the pool, those that it holds and those to come, are to this port from now on."""
    pool.connection_kwargs["port"] = port
    for connection in [*pool._available_connections, *pool._in_use_connections]:
        connection.port = port
    await pool.disconnect()


async def test_a_stream_opens_and_lives_without_the_store(
    start_hub, connect, signing, redis, until
):
    """Tokens are judged in memory, streams counted here; nobody who is connected is thrown out."""
    hub = await start_hub(REQUIRED)
    headers = bearer(signing.token(role="viewer"))
    before = await connect(hub, headers=headers)
    keeper = hub.clients.doorkeeper
    kept = redis.connection_pool.connection_kwargs["port"]
    pool = keeper.store._redis.connection_pool
    await reconnect_at(pool, 1)
    with pytest.raises(StoreUnavailable):
        await keeper.store.may_use_client("desk", an_api_key())
    query = "?client_id=desk&session=s"
    others = [
        await connect(hub, headers=headers, query=query if n == 0 else "")
        for n in range(9)
    ]
    late = await connect(hub, greet=False, headers=headers)
    await others[0].send(op="subscribe", symbols=["TCS"])
    await others[0].until("image")
    await before.send(op="ping")
    await before.until("pong")
    assert 4011 == await late.closed()

    assert "desk" not in hub.clients.by_client_id
    await reconnect_at(pool, kept)
    await until(lambda: "desk" in hub.clients.by_client_id, 15)
    async with asyncio.timeout(15):
        while await Subscriptions(redis).load("desk") is None:  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.05)
