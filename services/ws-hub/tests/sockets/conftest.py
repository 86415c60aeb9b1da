"""Engine.IO and Socket.IO by hand, for what no official client does."""

import json
from contextlib import asynccontextmanager

import pytest


class EngineIo:
    """A session over polling."""

    def __init__(self, http, hub):
        self.http = http
        self.url = f"{hub.url}/socket.io/?EIO=4&transport=polling"
        self.sid = ""

    async def get(self, query=""):
        """A poll: (status, packets)."""
        async with self.http.get(self.url + query) as answer:
            return answer.status, (await answer.text()).split("\x1e")

    async def open(self, *, connect=True):
        """A session, in namespace / if `connect`."""
        _, (packet,) = await self.get()
        self.sid = json.loads(packet[1:])["sid"]
        self.url += f"&sid={self.sid}"
        if connect:
            await self.post("40")
        return self

    async def post(self, body, **options):
        """Packets; (status, answer)."""
        async with self.http.post(self.url, data=body, **options) as answer:
            return answer.status, await answer.text()


@pytest.fixture
def polling(http):
    """A session of a hub over polling, not opened yet."""
    return lambda hub: EngineIo(http, hub)


@pytest.fixture
async def engine(polling, hub):
    """A session of the hub by hand."""
    return await polling(hub).open()


@pytest.fixture
def websocket(http):
    """Socket.IO over a WebSocket, connected: as far as the first heartbeat."""

    @asynccontextmanager
    async def opened(hub):
        url = f"{hub.url}/socket.io/?EIO=4&transport=websocket"
        async with http.ws_connect(url) as ws:
            await ws.receive_str()
            await ws.send_str("40")
            while not (await ws.receive_str()).startswith('42["heartbeat"'):
                pass
            yield ws

    return opened
