"""contracts/asyncapi.yaml is valid, agrees with the golden messages, and says what the hub's code knows: no more, no less."""

import ast
import json
import os
import typing
from pathlib import Path

import msgpack
import pytest
import yaml
from jsonschema import Draft7Validator

import bse_ws_hub
from bse_shared.quotes.quote import FIELDS
from bse_ws_hub.admission.refused import Why
from bse_ws_hub.hub import disconnects
from bse_ws_hub.hub.commands import Command
from bse_ws_hub.hub.disconnects import Disconnect


ROOT = Path(__file__).parents[2]
SPECS = ROOT / "clients/js/node_modules/@asyncapi/specs/schemas/3.0.0.json"
DOCUMENT = yaml.safe_load((ROOT / "contracts" / "asyncapi.yaml").read_text())
VECTORS = json.loads((ROOT / "contracts" / "wire_vectors.json").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
MESSAGES = DOCUMENT["components"]["messages"]

WEBSOCKET_CODES = {1002, 1007}
"""Sent by the WebSocket layer itself."""

FREQUENT = {"image", "update", "quality"}


def valid(schema, value):
    """Whether a value is as a schema of the document says; if not, why."""
    checker = Draft7Validator({**DOCUMENT, "$ref": f"#/components/schemas/{schema}"})
    return [error.message for error in checker.iter_errors(value)]


def schema_of(message):
    """The name of a message's schema."""
    return MESSAGES[message]["payload"]["$ref"].rpartition("/")[2]


def constant(message, member):
    """The value that a member of a message always has, e.g. its type."""
    schema = SCHEMAS[schema_of(message)]
    parts = [schema, *schema.get("allOf", ())]
    found = [part.get("properties", {}).get(member, {}).get("const") for part in parts]
    return next((value for value in found if value is not None), None)


OPS = {constant(name, "op"): name for name in MESSAGES if constant(name, "op")}
TYPES = {constant(name, "type"): name for name in MESSAGES if constant(name, "type")}


def test_the_document_is_valid_asyncapi():
    """By the JSON Schema that the AsyncAPI project publishes."""
    if not SPECS.is_file():
        missing = f"{SPECS} is not installed (npm ci --prefix clients/js)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    checker = Draft7Validator(json.loads(SPECS.read_text()))

    assert [] == [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for error in checker.iter_errors(DOCUMENT)
    ]


def test_every_reference_leads_somewhere():
    """No $ref points to what is not there, and every message and schema is referred to."""
    seen = set()

    def walk(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                target = DOCUMENT
                for step in node["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
                seen.add(node["$ref"])
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(DOCUMENT)
    assert {f"#/components/schemas/{name}" for name in SCHEMAS} <= seen
    assert {f"#/components/messages/{name}" for name in MESSAGES} <= seen
    for channel, content in DOCUMENT["channels"].items():
        said = {f"#/channels/{channel}/messages/{name}" for name in content["messages"]}
        in_replies = {"socketio": "acknowledgement", "sse": "start"}.get(channel)
        assert in_replies or said <= seen


@pytest.mark.parametrize("name", MESSAGES)
def test_examples_are_valid(name):
    """Each message has examples, and each is as its schema says."""
    examples = [example["payload"] for example in MESSAGES[name]["examples"]]
    if name.endswith("_packed"):
        examples = [example["value"] for example in examples]

    assert examples
    for example in examples:
        assert [] == valid(schema_of(name), example)


@pytest.mark.parametrize("vector", VECTORS["messages"], ids=lambda v: v["name"])
def test_golden_messages_are_valid(vector):
    """In both encodings."""
    kind = vector["meaning"]["type"]
    packed = msgpack.unpackb(bytes.fromhex(vector["msgpack"]), strict_map_key=False)

    assert [] == valid(schema_of(TYPES[kind]), json.loads(vector["json"]))
    suffix = "_packed" if kind in FREQUENT else ""
    assert [] == valid(schema_of(TYPES[kind] + suffix), _with_text_keys(packed))


def _with_text_keys(value):
    if isinstance(value, dict):
        return {str(key): _with_text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_text_keys(item) for item in value]
    return value


def test_golden_commands_are_valid():
    """What clients send is what the document lets them send; an unknown member is not."""
    for vector in VECTORS["commands"]:
        schema = schema_of(OPS[vector["meaning"]["op"]])
        assert [] == valid(schema, vector["meaning"])
        assert valid(schema, vector["meaning"] | {"unknown": 1})


def test_commands_are_those_of_the_hub():
    """The same operations, each with the same members."""
    known = {
        struct.__struct_config__.tag: {"op", *struct.__struct_fields__}
        for struct in typing.get_args(Command)
    }
    said = {op: set(SCHEMAS[schema_of(name)]["properties"]) for op, name in OPS.items()}

    assert said == known


def test_close_codes_are_those_of_the_hub():
    """The same codes with the same reasons, and the same word on coming back."""
    said = {row["code"]: row for row in DOCUMENT["x-close-codes"]}
    known = {
        item.code: item
        for item in vars(disconnects).values()
        if isinstance(item, Disconnect)
    }

    assert said.keys() == known.keys() | WEBSOCKET_CODES
    for code, item in known.items():
        row = said[code]
        assert (item.reason, item.reconnect) == (row["reason"], row["reconnect"])
    closes = {
        c["code"]: c["reconnect"] for c in VECTORS["closes"] if "goodbye" not in c
    }
    assert {code: row["reconnect"] for code, row in said.items()} == {
        code: closes[code] for code in said
    }


class Vocabulary(ast.NodeVisitor):
    """The words of the protocol in the hub's source: types, error and rejection reasons, notices."""

    def __init__(self, constants):
        self.types, self.errors, self.rejections, self.notices = (
            set(),
            set(),
            set(),
            set(),
        )
        self._constants = constants

    def visit_Dict(self, node):
        """`{"type": "pong", …}`; a notice's reason stands beside it."""
        keys = [
            key.value if isinstance(key, ast.Constant) else None for key in node.keys
        ]
        pairs = dict(zip(keys, node.values, strict=True))
        if "type" in pairs:
            self.types |= self._words(pairs["type"])
        if "type" in pairs and self._words(pairs["type"]) == {"notice"}:
            self.notices |= self._words(pairs["reason"])
        self.generic_visit(node)

    def visit_Call(self, node):
        """`error("reason", …)`, `BadCommand("reason", …)`, `Rejection(symbol, "reason", …)` and their kin."""
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in {"error", "BadCommand"} and node.args:
            self.errors |= self._words(node.args[0])
        if name == "Rejection" and len(node.args) > 1:
            self.rejections |= self._words(node.args[1])
        if name == "set_answer" and node.args:
            self.types |= self._words(_first(node.args[0]))
        if name == "_limit" and node.args:
            self.notices |= self._words(node.args[-1])
        self.generic_visit(node)

    def _words(self, node):
        if isinstance(node, ast.IfExp):
            return self._words(node.body) | self._words(node.orelse)
        if isinstance(node, ast.Name):
            return (
                {self._constants[node.id]} & set(self._constants.values())
                if node.id in self._constants
                else set()
            )
        return (
            {node.value}
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            else set()
        )


def _first(node):
    """The first argument, also of `*("subscribed", …)`."""
    return node.value.elts[0] if isinstance(node, ast.Starred) else node


def vocabulary():
    """The words in all files of the hub."""
    files = [
        ast.parse(path.read_text())
        for path in Path(bse_ws_hub.__file__).parent.rglob("*.py")
    ]
    constants = {
        target.id: statement.value.value
        for tree in files
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Constant)
        for target in statement.targets
        if isinstance(target, ast.Name) and isinstance(statement.value.value, str)
    }
    words = Vocabulary(constants)
    for tree in files:
        words.visit(tree)
    return words


def test_words_are_those_of_the_hub():
    """Types, error reasons, rejection reasons and notices: what the code says stands in the document, and back."""
    words = vocabulary()

    problems = {f"/problems/{word}" for word in words.types}
    types = {word for word in words.types if word.isidentifier()} - problems
    assert set(TYPES) == types | FREQUENT
    refused = {why.value[0] for why in Why}
    errors = {word for word in words.errors if word.isidentifier()} | refused
    assert set(SCHEMAS["error_reason"]["enum"]) == errors
    said = set(SCHEMAS["rejection_reason"]["enum"])
    assert said == words.rejections
    assert set(SCHEMAS["notice_reason"]["enum"]) == words.notices


def test_fields_are_those_of_a_quote():
    """The names that a client may ask for, and those that a quote carries."""
    names = [field.public_name for field in FIELDS]

    assert names == SCHEMAS["field"]["enum"]
    assert names == list(SCHEMAS["quote_fields"]["properties"])
