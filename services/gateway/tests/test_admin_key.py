"""The command that makes a key."""

import subprocess
import sys

import pytest

from bse_shared.access.api_keys import parse


def run(*arguments, **environment):
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "bse_gateway.admin_key", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


async def test_the_first_key_opens_administration(
    redis_server, redis, make_door, client_of
):
    """The key alone is on standard output; the act is in the audit log."""
    await redis.ping()
    done = run("create", "--role", "admin", "--name", "first", REDIS_URL=redis_server)
    key = parse(done.stdout.strip())
    door = await make_door()
    async with client_of(door.app) as client:
        answer = await client.get("/admin/audit", headers={"x-api-key": key.text})
    (act,) = answer.json()["acts"]
    assert ("api-key.create", key.key_id) == (act["what"], act["target"])
    assert act["who"].startswith("command:")
    assert key.secret not in done.stderr


async def test_a_key_may_have_an_end(redis_server, redis, make_door):
    """In days."""
    await redis.ping()
    arguments = ("create", "--role", "viewer", "--name", "n", "--days", "2")
    done = run(*arguments, REDIS_URL=redis_server)
    door = await make_door()
    record = await door.identity.store.api_key(parse(done.stdout.strip()).key_id)
    assert 2 * 86_400_000 == record.expires_at_ms - record.created_at_ms


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "said"),
    [
        (("create", "--role", "root", "--name", "n"), {}, 2, "invalid choice"),
        (
            ("create", "--role", "admin", "--name", "n"),
            {"REDIS_URL": "redis://127.0.0.1:1/0"},
            1,
            "The store is away",
        ),
        (
            ("create", "--role", "admin", "--name", "n"),
            {"AUTH_ENVIRONMENT": "production", "AUTH_PEPPER": "hunter2"},
            2,
            "Settings are wrong",
        ),
    ],
)
def test_what_goes_wrong_is_said_in_a_line(arguments, environment, code, said):
    """No traceback, no key, no secret."""
    done = run(*arguments, **environment)
    assert (code, "") == (done.returncode, done.stdout)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr
