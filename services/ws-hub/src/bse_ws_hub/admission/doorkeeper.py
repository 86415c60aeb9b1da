"""Stands at every door of the hub: who comes, may he, has he room; and lets him prove himself later, in band."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bse_shared.access.addresses import payer
from bse_shared.access.principal import Principal
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.stream_leases import SessionName
from bse_ws_hub.admission.admission import Admission
from bse_ws_hub.admission.arrivals import Arrivals
from bse_ws_hub.admission.asked import Asked, asked_in_auth, asked_in_request
from bse_ws_hub.admission.identity import (
    Ceiling,
    Identity,
    identity_of,
    identity_of_nobody,
    uncounted,
)
from bse_ws_hub.admission.lease_desk import LeaseDesk
from bse_ws_hub.admission.places import Places
from bse_ws_hub.admission.proofs import Proofs
from bse_ws_hub.admission.refused import Refused, Why
from bse_ws_hub.admission.takeovers import Takeovers


@dataclass(slots=True)
class Doorkeeper:
    """One for a process. `mode`: optional, required, off. `name` must be this process's alone."""

    mode: str
    name: str
    ceiling: Ceiling
    proofs: Proofs
    store: AccessStore
    desk: LeaseDesk
    takeovers: Takeovers
    arrivals: Arrivals
    clock: Clock
    on_refused: Callable[[Refused], None] = lambda _: None
    on_taken_over: Callable[[Admission], None] = lambda _: None
    places: Places = field(init=False)
    _streams: dict[str, Admission] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.takeovers.on_taken = self._taken_over
        self.places = Places(self.desk)

    @property
    def is_off(self) -> bool:
        """Whether nobody is asked, and nobody counted."""
        return self.mode == "off"

    def arrive(self, host: str) -> None:
        """One more connection from there. Raises Refused where too many come, before anything is spent on it."""
        if self.is_off:
            return
        address = payer(host)
        with self._counting():
            self._arrive(f"ip:{address}")
            self.proofs.check_failures(address)

    def asked_in_request(self, scope: Mapping[str, Any]) -> Asked:
        """What a request says of itself, as far as it is looked at. Raises Refused."""
        with self._counting():
            return asked_in_request(
                scope["headers"], scope["query_string"], looks=not self.is_off
            )

    def asked_in_auth(self, auth: Any) -> Asked:
        """The same of the `auth` object of a Socket.IO client. Raises Refused."""
        with self._counting():
            return asked_in_auth(auth, looks=not self.is_off)

    async def admit(self, asked: Asked, host: str) -> Admission:
        """Let in who `arrive` has seen. Raises Refused. Whoever gets an Admission must `leave` some day."""
        address = payer(host)
        admission = Admission(
            stream=f"{self.name}.{next(self._numbers)}",
            address=address,
            identity=self._nobody(address),
            unclaimed=asked.client_id,
            session_name=asked.session_name,
        )
        self._streams[admission.stream] = admission
        try:
            with self._counting():
                identity = await self._identify(admission, asked)
                await self._become(admission, identity)
        except BaseException:
            del self._streams[admission.stream]
            raise
        return admission

    async def authenticate(self, admission: Admission, token: str) -> None:
        """Prove or refresh the identity of an open stream. Raises Refused; with CONNECTION_LIMIT it must end."""
        if self.is_off:
            return
        with self._counting():
            principal = await self.proofs.of_token(token, admission.address)
            await self._renew(admission, identity_of(principal, self.ceiling))

    def leave(self, admission: Admission) -> None:
        """The stream is over."""
        admission.left = True
        self._streams.pop(admission.stream, None)
        self.places.leave(admission.counted)
        admission.counted = None
        session, admission.session = admission.session, None
        if session is not None:
            self.takeovers.release(session, admission.stream)

    async def claim(self, admission: Admission, identity: Identity) -> None:
        """Make the client id that was named the stream's own.

        Nobody in particular is refused nothing: he may prove himself yet. Raises Refused, StoreUnavailable.
        """
        wanted = admission.unclaimed
        if not wanted or not identity.proved:
            return
        if await self.store.may_use_client(wanted, identity.principal):
            admission.client_id, admission.unclaimed = wanted, ""
        elif identity.is_named:
            raise Refused(Why.NOT_YOURS)

    # Private.

    @contextmanager
    def _counting(self) -> Iterator[None]:
        try:
            yield
        except Refused as refused:
            self.on_refused(refused)
            raise

    def _nobody(self, address: str) -> Identity:
        if self.is_off:
            return uncounted(address, self.ceiling)
        proved = self.mode != "required"
        return identity_of_nobody(address, self.ceiling, proved=proved)

    async def _identify(self, admission: Admission, asked: Asked) -> Identity:
        if self.is_off:
            return admission.identity
        if asked.ticket:
            ticket = await self.proofs.of_ticket(asked.ticket, admission.address)
            if asked.client_id not in {"", ticket.client_id}:
                raise Refused(Why.NOT_YOURS)
            admission.unclaimed = ticket.client_id
            return self._identity(ticket.principal, admission.address)
        if asked.token:
            principal = await self.proofs.of_token(asked.token, admission.address)
            return self._identity(principal, admission.address)
        return admission.identity

    def _identity(self, principal: Principal, address: str) -> Identity:
        if principal.is_anonymous:
            # A ticket of somebody whom the gateway let in without asking proves as much as no ticket.
            return self._nobody(address)
        identity = identity_of(principal, self.ceiling)
        self._arrive(identity.owner)
        return identity

    async def _renew(self, admission: Admission, identity: Identity) -> None:
        if not admission.identity.is_named:
            await self._become(admission, identity)
        elif admission.identity.principal.sub == identity.principal.sub:
            admission.identity = identity
        else:
            raise Refused(Why.OTHER_SUBJECT)

    async def _become(self, admission: Admission, identity: Identity) -> None:
        """Take the identity, and with it a place among its streams, the client id and the session name."""
        if not self.desk.is_away:
            with suppress(StoreUnavailable):  # the door tries again later
                await self.claim(admission, identity)
        name = admission.session_name if identity.proved else ""
        session = SessionName(identity.owner, name) if name else None
        replaces = session is not None and await self.takeovers.hold(
            session, admission.stream, is_away=self.desk.is_away
        )
        has_room = await self.places.take(identity, replaces=replaces)
        if not has_room or admission.left:
            if session is not None:
                self.takeovers.release(session, admission.stream)
            if has_room:
                self.places.leave(identity)
                return
            raise Refused(Why.CONNECTION_LIMIT)
        self.places.leave(admission.counted)
        before, admission.session = admission.session, session
        admission.identity = admission.counted = identity
        if before is not None:
            self.takeovers.release(before, admission.stream)

    def _arrive(self, name: str) -> None:
        wait_s = self.arrivals.wait_s(name, self.clock.monotonic_ms())
        if wait_s:
            raise Refused(Why.RATE_LIMITED, retry_after_s=wait_s)

    def _taken_over(self, stream: str) -> None:
        admission = self._streams.get(stream)
        if admission is not None:
            admission.taken_over = True
            self.on_taken_over(admission)
