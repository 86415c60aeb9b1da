"""API keys and the audit log: what is asked and answered."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bse_gateway.rest.replies.base import EpochMs, Reply, whole_number
from bse_shared.access.roles import GRANTABLE, Scope


# Whole numbers as JSON Schema has them: `60.0` is one, `true` and `"60"` are none.
Days = Annotated[int, Field(ge=1, le=3650), BeforeValidator(whole_number)]

GraceSeconds = Annotated[
    int, Field(ge=0, le=90 * 24 * 3600), BeforeValidator(whole_number)
]

Role = Literal["viewer", "trader", "service", "operator", "admin"]
if set(Role.__args__) != set(GRANTABLE):  # type: ignore[attr-defined]  # a Literal has them
    raise AssertionError("the contract's roles are not the table's")


class AskedKey(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        pattern=r"^[ -~]{1,64}$",
        description="whose or what for",
        examples=["night batch"],
    )
    role: Role
    scopes: list[Scope] | None = Field(
        None, max_length=len(Scope), description="left out: all of the role's"
    )
    expires_in_days: Days | None = None


class AskedRotation(BaseModel):
    """How long the secret before stays good."""

    model_config = ConfigDict(extra="forbid")

    grace_s: GraceSeconds = 24 * 3600


class KeyReply(Reply):
    """What is known of a key: never its secret."""

    key_id: str
    kind: str
    name: str
    role: str
    scopes: list[str]
    created_at_ms: EpochMs
    created_by: str
    expires_at_ms: EpochMs | None
    revoked_at_ms: EpochMs | None
    last_used_at_ms: EpochMs | None = Field(description="to within 30 s")
    secrets: int = Field(description="secrets that open it now; two amid a rotation")


class NewKeyReply(Reply):
    """A key with its secret, shown this once."""

    api_key: str = Field(description="keep it: it is not shown again")
    key: KeyReply


class KeysReply(Reply):
    """All keys, the newest first."""

    keys: list[KeyReply]


class AuditReply(Reply):
    """One administrative act."""

    at_ms: EpochMs
    who: str
    what: str
    target: str
    result: str
    request_id: str
    address: str


class AuditLogReply(Reply):
    """The newest acts, the newest first."""

    acts: list[AuditReply]
    chain_holds: bool = Field(
        description="false: somebody changed, dropped or inserted an entry behind our back"
    )
