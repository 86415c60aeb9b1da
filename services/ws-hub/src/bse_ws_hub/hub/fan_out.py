"""The flush tick: what changed since the last one, encoded once per distinct view, joined once per group.

Pure: `tick` decides and returns deliveries, the edge writes them. An update says which sequence it follows
(`since`), as last sent in that view; every watcher of the view holds at least that, because it was imaged when
it came and got every tick's chunk since. Clients that lag get one merged update of their own when they read
again. A quote that changed its epoch is sent as an image: updates never cross an epoch.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from bse_shared.quotes.frame import NO_IMAGE, Image
from bse_shared.quotes.instrument import InstrumentMaster
from bse_shared.quotes.modes import MODE_MASKS
from bse_shared.quotes.position import Position
from bse_shared.quotes.quality import Quality, quality_of
from bse_shared.quotes.quote_table import (
    ALL_FIELDS,
    Changes,
    QuoteTable,
    add_changes,
)
from bse_ws_hub.hub.hub import Group, Hub, Session, View


QUOTES_PER_FRAME_MAX = 500
"""A whole-market image is cut into several messages, so that no single one is huge."""


class Delivery(NamedTuple):
    """One payload for one or many sessions; `quotes` rows in it."""

    sessions: Collection[Session]
    payload: bytes
    quotes: int


class Now(NamedTuple):
    """What a tick needs to know of the world: the store's time, who the scrips are, whether the market is open."""

    ms: int
    master: InstrumentMaster
    market_open: bool


class FanOut:
    """Turns the table's changes into deliveries."""

    def __init__(self, hub: Hub, table: QuoteTable):
        self._hub = hub
        self._table = table
        self._dirty: Changes = {}
        self._sent: dict[View, dict[int, Position]] = {}
        self._quality: dict[int, Quality] = {}

    def changed(self, changes: Changes) -> None:
        """The table changed."""
        add_changes(self._dirty, changes)

    def tick(self, now: Now, ready: Collection[Session] = ()) -> list[Delivery]:
        """Everything that is due: to sessions that keep up, and to those lagging ones that read again."""
        dirty, self._dirty = self._dirty, {}
        watched = {
            code: mask
            for code, mask in dirty.items()
            if code in self._hub.watchers and code in self._table.images
        }
        deliveries: list[Delivery] = []
        for session in self._hub.sessions.values():
            if session.lagging:
                self._miss(session, dirty)
                if session in ready:
                    deliveries += self._catch_up(session, now)
            elif session.images_due:
                deliveries += self._images_due(session, now)
        deliveries += self._updates(watched, now)
        return deliveries

    def qualities(self, now: Now) -> list[Delivery]:
        """Tell the watchers of every scrip whose quality changed since last told."""
        found: dict[int, Quality] = {}
        groups: dict[Group, None] = {}
        for code, views in self._hub.watchers.items():
            quality = found[code] = self._quality_now(code, now)
            if self._quality.get(code, quality) == quality:
                continue
            for view_groups in views.values():
                chunk = view_groups[0].codec.quality_chunk(
                    code, now.master.symbol_of(code), quality
                )
                for group in view_groups:
                    group.qualities.append(chunk)
                    groups[group] = None
            for session in self._hub.sessions.values():
                if session.lagging and code in session.wants:
                    session.requalified.add(code)
        self._quality = found
        return [
            delivery
            for group in groups
            for delivery in self._frames(
                group.members.values(), group, _drain(group.qualities), "quality", now
            )
        ]

    # Private.

    def _catch_up(self, session: Session, now: Now) -> list[Delivery]:
        """What a session missed while it lagged, merged; it follows its group again from here.

        Only right after `_miss` in a tick: an update claims all changes up to the image it is made from.
        """
        rows: dict[str, list[bytes]] = {"image": [], "update": [], "quality": []}
        missed, session.missed = session.missed, {}
        for code, (since, mask) in missed.items():
            image = self._table.get(code)
            if image is None:
                continue  # lost by the store; its quality tells
            if mask == ALL_FIELDS or since.epoch != image.position.epoch:
                session.images_due.add(code)
            elif code not in session.images_due:
                visible = mask & MODE_MASKS[session.wants[code]]
                rows["update"].append(
                    session.codec.update_chunk(
                        code,
                        now.master.symbol_of(code),
                        image,
                        visible,
                        since.sequence,
                    )
                )
        requalified, session.requalified = session.requalified, set()
        for code in requalified:
            rows["quality"].append(self._quality_chunk(session, code, now))
        self._hub.caught_up(session)
        return [
            *self._images_due(session, now),
            *self._frames([session], session, rows["update"], "update", now),
            *self._frames([session], session, rows["quality"], "quality", now),
        ]

    def _updates(self, watched: Changes, now: Now) -> Iterator[Delivery]:
        touched: dict[Group, None] = {}
        received_at_ms = 0
        for code, mask in watched.items():
            image = self._table.images[code]
            received_at_ms = max(received_at_ms, image.changed_at_ms)
            for view, groups in self._hub.watchers[code].items():
                self._chunk(code, image, mask, view, groups, now)
                touched.update(dict.fromkeys(groups))
        for group in touched:
            members = group.members.values()
            yield from self._frames(
                members, group, _drain(group.images), "image", now, received_at_ms
            )
            yield from self._frames(
                members, group, _drain(group.updates), "update", now, received_at_ms
            )

    def _chunk(
        self,
        code: int,
        image: Image,
        mask: int,
        view: View,
        groups: list[Group],
        now: Now,
    ) -> None:
        """Encode one scrip's change for one view, for all groups that have it."""
        view_mask = MODE_MASKS[view[1]]
        if mask != ALL_FIELDS and not mask & view_mask:
            return
        sent = self._sent.setdefault(view, {})
        since = sent.get(code)
        codec = groups[0].codec
        symbol = now.master.symbol_of(code)
        if mask == ALL_FIELDS or since is None or since.epoch != image.position.epoch:
            quality = self._known_quality(code, now)
            chunk = codec.image_chunk(code, symbol, image, view_mask, quality)
            for group in groups:
                group.images.append(chunk)
        elif since < image.position:
            chunk = codec.update_chunk(
                code, symbol, image, mask & view_mask, since.sequence
            )
            for group in groups:
                group.updates.append(chunk)
        sent[code] = image.position

    def _images_due(self, session: Session, now: Now) -> Iterable[Delivery]:
        due, session.images_due = session.images_due, set()
        chunks = []
        for code in sorted(due):
            # A scrip without a quote yet has an image too, all null: the client knows where it stands.
            image = self._table.get(code) or NO_IMAGE
            mode = session.wants[code]
            sent = self._sent.setdefault((session.codec.chunks, mode), {})
            if code not in sent or sent[code].epoch != image.position.epoch:
                sent[code] = image.position
            chunks.append(
                session.codec.image_chunk(
                    code,
                    now.master.symbol_of(code),
                    image,
                    MODE_MASKS[mode],
                    self._known_quality(code, now),
                )
            )
        return self._frames([session], session, chunks, "image", now)

    def _miss(self, session: Session, dirty: Changes) -> None:
        for code in dirty.keys() & session.wants.keys():
            mask = dirty[code]
            if mask != ALL_FIELDS:
                mask &= MODE_MASKS[session.wants[code]]
                if not mask:
                    continue
            held = session.missed.get(code)
            if held is None:
                view = (session.codec.chunks, session.wants[code])
                since = self._sent.get(view, {}).get(code, Position(0, 0))
                session.missed[code] = (since, mask)
            else:
                session.missed[code] = (held[0], held[1] | mask)
                session.conflated += 1

    def _frames(
        self,
        sessions: Collection[Session],
        owner: Session | Group,
        chunks: list[bytes],
        kind: str,
        now: Now,
        received_at_ms: int = 0,
    ) -> Iterator[Delivery]:
        for start in range(0, len(chunks), QUOTES_PER_FRAME_MAX):
            part = chunks[start : start + QUOTES_PER_FRAME_MAX]
            payload = owner.codec.frame(kind, now.ms, received_at_ms or now.ms, part)
            yield Delivery(sessions, payload, len(part))

    def _quality_chunk(self, session: Session, code: int, now: Now) -> bytes:
        return session.codec.quality_chunk(
            code, now.master.symbol_of(code), self._known_quality(code, now)
        )

    def _known_quality(self, code: int, now: Now) -> Quality:
        """The quality that watchers were last told; found now for a scrip that nobody watched."""
        known = self._quality.get(code)
        if known is None:
            known = self._quality[code] = self._quality_now(code, now)
        return known

    def _quality_now(self, code: int, now: Now) -> Quality:
        image = self._table.get(code)
        confirmed_ms = self._table.confirmed_at_ms(code)
        return quality_of(
            image.quote.condition if image else None,
            now.ms - confirmed_ms if confirmed_ms else None,
            market_open=now.market_open,
        )


def _drain(chunks: list[bytes]) -> list[bytes]:
    drained = chunks[:]
    chunks.clear()
    return drained
