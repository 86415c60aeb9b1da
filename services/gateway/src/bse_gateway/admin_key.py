"""`python -m bse_gateway.admin_key create --role admin --name NAME`: a key made beside the running service.

For the first key: whoever can write the store may. Reads REDIS_URL and AUTH_* as the gateway does. The key is
shown once.
"""

import argparse
import asyncio
import getpass
import sys

import structlog
from pydantic import ValidationError

from bse_gateway.identity.act_log import Actor
from bse_gateway.identity.key_desk import KeyDesk, KeyWish
from bse_gateway.settings import AuthSettings
from bse_shared.access.roles import GRANTABLE
from bse_shared.redis_edge.connection import RedisSettings, StoreUnavailable, open_redis
from bse_shared.redis_edge.identity_store import IdentityStore
from bse_shared.service.system_clock import SystemClock
from bse_shared.sessions.session import DAY_MS


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, 1 where the store is away, 2 for wrong settings."""
    asked = _parser().parse_args(arguments)
    wish = KeyWish(
        asked.name, asked.role, lifetime_ms=asked.days and asked.days * DAY_MS
    )
    try:
        key = asyncio.run(_create(wish, RedisSettings(), AuthSettings()))
    except ValidationError as error:
        wrong = "; ".join(str(each["msg"]) for each in error.errors())
        sys.stderr.write(f"Settings are wrong: {wrong}\n")
        return 2
    except StoreUnavailable as error:
        sys.stderr.write(f"The store is away (REDIS_URL): {error}\n")
        return 1
    sys.stderr.write("Keep this key; it is not shown again:\n")
    sys.stdout.write(key + "\n")
    return 0


async def _create(wish: KeyWish, redis: RedisSettings, auth: AuthSettings) -> str:
    async with open_redis(redis, "admin-key") as client:
        store = IdentityStore(client, auth.pepper_bytes)
        desk = KeyDesk(store, auth.pepper_bytes, SystemClock())
        actor = Actor(f"command:{getpass.getuser()}")
        key, _ = await desk.create(wish, actor)
        return key.text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bse_gateway.admin_key")
    create = parser.add_subparsers(required=True).add_parser("create")
    create.add_argument("--role", choices=GRANTABLE, required=True)
    create.add_argument("--name", required=True, help="whose or what for")
    create.add_argument("--days", type=int, help="ends after so many days")
    return parser


if __name__ == "__main__":
    # The key alone goes to stdout, so that a script can take it.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    sys.exit(main())
