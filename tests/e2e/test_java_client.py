"""The official Socket.IO client for Java against the real product. Optional: a machine without Java names what is missing."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest


JAVA = Path(__file__).parent / "java"
LIBRARIES = JAVA / "target" / "lib"


@pytest.fixture
def java_line():
    """The beginning of the command line that runs it."""
    if shutil.which("java") is None:
        pytest.skip("Java is not installed (Debian: apt-get install default-jdk maven)")
    if not LIBRARIES.is_dir():
        missing = f"the Java client was not fetched (make {LIBRARIES.relative_to(JAVA.parents[2])})"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return ("java", "-cp", f"{LIBRARIES}/*", str(JAVA / "Official.java"))


@pytest.mark.timeout(120)
async def test_the_official_java_client(start_product, java_line):
    """Over each transport: an acknowledgement, an image, heartbeats."""
    async with start_product() as product:
        for transports in ("websocket", "polling", "polling,websocket"):
            process = await asyncio.create_subprocess_exec(
                *java_line,
                *(product.url("ws-hub"), transports),
                stdout=asyncio.subprocess.PIPE,
            )
            out, _ = await process.communicate()
            transport, answer, image = out.decode().splitlines()

            assert transports.split(",")[-1] == transport, out
            assert "subscribed" == json.loads(answer)["type"]
            assert "RELIANCE" == json.loads(image)["quotes"][0]["symbol"]
