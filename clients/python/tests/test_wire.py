"""The decoder: golden messages of both encodings, and nothing but MalformedMessage for the rest."""

import json
import runpy
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bse_client.checked import paise_of_rupees
from bse_client.close_codes import Ending
from bse_client.digest import digest
from bse_client.errors import MalformedMessage
from bse_client.fields import CONDITIONS, FIELDS, SOURCES, Kind, Quality
from bse_client.messages import Image, QuoteImage, Unknown
from bse_client.quote import Level
from bse_client.testing.encoding import to_json, to_msgpack
from bse_client.testing.golden_messages import MESSAGES, SYMBOLS
from bse_client.wire import decode, encode


MAKER = runpy.run_path(str(Path(__file__).with_name("make_vectors.py")))
FRAMES = [
    frame
    for message in MESSAGES.values()
    for frame in (to_json(message, SYMBOLS), to_msgpack(message))
]


def test_vectors_are_current():
    """The golden file is what its maker makes: code and file agree."""
    assert MAKER["FILE"].read_text(encoding="utf-8") == MAKER["vectors"](), (
        "run clients/python/tests/make_vectors.py"
    )


def test_golden_messages(vectors):
    """Each golden message has the same meaning in both encodings."""
    for case in vectors["messages"]:
        of_json = decode(case["json"])
        assert decode(bytes.fromhex(case["msgpack"])) == of_json, case["name"]
        meaning = json.loads(json.dumps(MAKER["_meaning"](of_json)))
        assert meaning == case["meaning"], case["name"]


def test_golden_commands(vectors):
    """Each golden command is encoded to exactly these frames."""
    for case in vectors["commands"]:
        assert encode(case["meaning"], "json") == case["json"]
        packed = encode(case["meaning"], "msgpack")
        assert packed == bytes.fromhex(case["msgpack"])


def test_golden_malformed(vectors):
    """Frames that are no messages are refused, in both encodings."""
    for name, frame in vectors["malformed_json"].items():
        with pytest.raises(MalformedMessage):
            pytest.fail(f"{name}: {decode(frame)}")
    for name, frame in vectors["malformed_msgpack"].items():
        with pytest.raises(MalformedMessage):
            pytest.fail(f"{name}: {decode(bytes.fromhex(frame))}")


def test_golden_passed_over(vectors):
    """Types that only a newer hub knows are no error."""
    for frame in vectors["passed_over"]["json"].values():
        assert isinstance(decode(frame), Unknown)
    for frame in vectors["passed_over"]["msgpack"].values():
        assert isinstance(decode(bytes.fromhex(frame)), Unknown)


def test_golden_digests(vectors):
    """Each golden set has the check sum that its positions give."""
    for case in vectors["digests"]:
        positions = [(code, int(epoch), seq) for code, epoch, seq in case["positions"]]
        assert digest(positions) == case["digest"], case["name"]


def test_golden_closes(vectors):
    """The end of a connection invites to come back or not, as the table says."""
    for case in vectors["closes"]:
        goodbye = case.get("goodbye", {"reconnect": True, "after_ms": None})
        ending = Ending("x", case["code"], goodbye["reconnect"], goodbye["after_ms"])
        assert ending.is_final is not case["reconnect"], case
        told = int(ending.told_wait_s * 1000) if ending.told_wait_s else None
        assert case.get("after_ms") == (told if case["reconnect"] else None), case


def test_examples_of_the_document():
    """The JSON messages printed in docs/protocol.md are understood."""
    document = Path(__file__).parents[3] / "docs" / "protocol.md"
    lines = document.read_text(encoding="utf-8").splitlines()
    examples = [decode(line) for line in lines if line.startswith('{"type":"')]
    assert [type(item).__name__ for item in examples] == [
        "Image",
        "Update",
        "Qualities",
    ]
    assert examples[0].quotes[0].fields == {
        "last_paise": 290_135,
        "previous_close_paise": 289_000,
    }


def test_newer_hub():
    """Members, fields, sources and conditions of a newer hub are passed over."""
    frame = to_json(MESSAGES["image in mode ltp"], SYMBOLS)
    newer = frame.replace('"condition":"good"', '"condition":"novel","mood":[1]')
    assert decode(newer).quotes[0].fields["condition"] is None
    assert "mood" not in decode(newer).quotes[0].fields
    row = [1, 2, 3, 4, 0, {20: 99, 77: "x"}, "more"]
    packed = msgpack.packb([1, 5, 6, [row], 7, "more"])
    assert decode(packed).quotes[0].fields == {"source": None}


int64 = st.integers(-(2**62), 2**62)
values = {
    Kind.PAISE: st.integers(-(10**15), 10**15),
    Kind.COUNT: int64,
    Kind.SOURCE: st.sampled_from(SOURCES),
    Kind.CONDITION: st.sampled_from(CONDITIONS),
    Kind.LEVELS: st.lists(
        st.builds(Level, st.integers(0, 10**15), st.integers(0, 2**40)), max_size=5
    ).map(tuple),
}
fields = st.fixed_dictionaries(
    {}, optional={f.name: st.none() | values[f.kind] for f in FIELDS}
)
counts = st.integers(0, 2**62)
images = st.builds(
    QuoteImage, counts, counts, counts, counts, st.sampled_from(Quality), fields
)


@settings(deadline=None)
@given(st.builds(Image, counts, counts, st.lists(images, max_size=3).map(tuple)))
def test_both_encodings_are_exact(message):
    """Whatever a hub encodes, both decoders give back exactly, to the last paisa."""
    assert decode(to_json(message, SYMBOLS)) == message
    assert decode(to_msgpack(message)) == message


@settings(deadline=None)
@given(st.text() | st.binary())
@example("[" * 100_000)
@example(b"\x91" * 100_000)
@example(b"\x81\x80\x00")
@example(b"\xd6\xff\x00\x00\x00\x00")
@example('{"type":"\\ud800"}')
@example('{"type":"pong","id":1,"server_time_ms":1e99999999999999999999}')
@example("9" * 5_000)
@example('{"type":{}}')
def test_any_frame(frame):
    """Random frames give a message or MalformedMessage, nothing else."""
    with suppress(MalformedMessage):
        decode(frame)


junk = st.sampled_from(
    [b"\x00", b"\xc0", b"\xff", b"null", b"[]", b"-1", b"1e999", b'"', b"\xcf" * 9]
) | st.binary(max_size=6)


@settings(deadline=None)
@given(st.sampled_from(FRAMES), st.data())
def test_mutated_frames(frame, data):
    """Golden frames with a damaged stretch give a message or MalformedMessage."""
    raw = frame.encode() if isinstance(frame, str) else frame
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 8)))
    damaged = raw[:start] + data.draw(junk) + raw[end:]
    is_text = isinstance(frame, str)
    with suppress(MalformedMessage):
        decode(damaged.decode(errors="replace") if is_text else damaged)


@settings(deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**63) | st.text(max_size=3) | st.floats(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.integers(0, 22), inner),
))  # fmt: skip
def test_any_structure(value):
    """Well-formed MessagePack of a wrong shape is a MalformedMessage."""
    for packed in (value, [1, 2, 3, value], [2, 2, 3, [value]], [3, 2, [value]]):
        with suppress(MalformedMessage):
            decode(msgpack.packb(packed))


@settings(deadline=None)
@given(st.integers(-(10**15), 10**15))
def test_paise_of_rupees(paise):
    """Every number of paise survives as rupees with two decimals."""
    assert paise_of_rupees(Decimal(paise).scaleb(-2)) == paise


@pytest.mark.parametrize(
    "rupees", ["1.005", "1E+30", "1E-30", "0.1000000000000000000001", "NaN"]
)
def test_amounts_that_are_none(rupees):
    """Parts of a paisa and absurd amounts are refused."""
    with pytest.raises(MalformedMessage):
        paise_of_rupees(Decimal(rupees))
