"""The events that Socket.IO clients emit: commands, and their acknowledgements."""

import asyncio

from bse_ws_hub.answers import TOO_MANY_COMMANDS, Answers
from bse_ws_hub.clients import Client
from bse_ws_hub.encodings.messages import Message, error
from bse_ws_hub.hub.commands import (
    Authenticate,
    BadCommand,
    Command,
    command_from_object,
)
from bse_ws_hub.hub.disconnects import BAD_MESSAGES
from bse_ws_hub.sockets import socketio_packets as packets
from bse_ws_hub.sockets.socketio_packets import InPacket


EVENTS = frozenset(
    {"subscribe", "unsubscribe", "resume", "rate", "heartbeat", "authenticate"}
)


async def take_event(answers: Answers, client: Client, packet: InPacket) -> None:
    """Carry the event out and acknowledge it. Returns when the client may send the next one."""
    clients = answers.clients
    answer: Message
    going_on = True
    try:
        command = _command(packet)
        if isinstance(command, Authenticate):
            answer = await answers.authenticate(client, command)
        else:
            answer = answers.command(client, command)
    except BadCommand as wrong:
        answer = error(wrong.reason, str(wrong))
        going_on = clients.count_bad(client, wrong)
    if packet.id is not None:
        clients.send_payload(client, packets.ack_packet(packet.id, answer))
    elif answer["type"] == "error":
        clients.send(client, answer)
    if not going_on:
        clients.close(client, BAD_MESSAGES)
    if answer.get("reason") == TOO_MANY_COMMANDS:
        # Read on when the next one is earned: a flood backs up in its sender.
        await asyncio.sleep(1 / client.budget.per_s)


def _command(packet: InPacket) -> Command:
    name, argument = packets.parse_event(packet.data)
    if name not in EVENTS:
        raise BadCommand("unknown_op", f"no such event: {name[:40]}")
    return command_from_object(name, argument)
