"""Reads the private signing key. Only the gateway has one."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def read_private_key(path: str) -> Ed25519PrivateKey:
    """The Ed25519 key of a PEM file. Raises ValueError or OSError, never with the file's content."""
    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{path} is not an unencrypted PEM private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} is not an Ed25519 key")  # noqa: TRY004 - a bad setting
    return key
