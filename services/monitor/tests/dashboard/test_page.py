"""The page is self-contained and cannot be made to run anything else."""

import re
from base64 import b64encode
from hashlib import sha256

from bse_monitor.dashboard.page import build_page


def inside(html, tag):
    """The text of the only element with that tag."""
    (found,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    return found


def test_the_policy_allows_its_own_style_and_script_and_nothing_else():
    """By the hash of exactly what the document holds."""
    page = build_page()
    rules = dict(
        rule.split(" ", 1) for rule in page.security_policy.split("; ") if " " in rule
    )

    assert "'none'" == rules["default-src"]
    for tag in ("style", "script"):
        digest = b64encode(sha256(inside(page.html, tag).encode()).digest()).decode()
        assert f"'sha256-{digest}'" == rules[f"{tag}-src"]


def test_nothing_is_loaded_from_elsewhere():
    """It works without any network but the one to the monitor."""
    html = build_page().html

    assert "//" not in re.sub(r"^\s*//.*$", "", html, flags=re.MULTILINE)
    assert " src=" not in html
    assert ["data:,", "status/summary", "status"] == re.findall(r'href="([^"]*)"', html)


def test_what_instances_say_is_only_ever_text():
    """No way from a string to markup in the script."""
    script = inside(build_page().html, "script")

    for door in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
    ):
        assert door not in script
