"""The law of delivery: whatever sockets take, everybody gets every byte, in order, once."""

from hypothesis import given
from hypothesis import strategies as st

from bse_ws_hub.encodings.msgpack_codec import MsgpackCodec
from bse_ws_hub.hub.sessions import Receivers, Session
from bse_ws_hub.sockets.deliver import deliver


class Socket:
    """Takes of each frame what it was told to: so many bytes, all (None), or none by an error."""

    def __init__(self, appetite):
        self.appetite = iter(appetite)
        self.got = b""

    def send(self, frame):
        """See WayOut."""
        taken = next(self.appetite, None)
        if isinstance(taken, type):
            raise taken
        part = frame if taken is None else frame[:taken]
        self.got += part
        return len(part)

    def write(self, frame):
        """See WayOut."""
        self.got += frame


APPETITE = st.lists(
    st.none() | st.integers(0, 6) | st.sampled_from([BlockingIOError, BrokenPipeError]),
    max_size=4,
)


@given(st.lists(APPETITE, max_size=6), st.lists(st.binary(min_size=1, max_size=5)))
def test_everybody_gets_every_byte(appetites, frames):
    """Full, short and failing sends in any mixture."""
    sockets = [Socket(appetite) for appetite in appetites]
    codec = MsgpackCodec()
    sessions = [Session(str(n), codec, s) for n, s in enumerate(sockets)]
    to = Receivers(sessions, [socket.send for socket in sockets])
    sent = deliver((to, frame, 2) for frame in frames)

    assert [b"".join(frames)] * len(sockets) == [socket.got for socket in sockets]
    count, size = len(sockets) * len(frames), sum(map(len, frames))
    assert (count, 2 * count, size * len(sockets)) == sent
