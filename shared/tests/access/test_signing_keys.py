"""The published key set."""

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bse_shared.access.signing_keys import jwks_document, key_ring, record_of


NOW_MS = 1_795_334_400_000


def test_the_set_is_a_jwk_set_that_others_read(mint):
    """PyJWT's own reader takes it, under the same id."""
    document = jwks_document([mint.record], NOW_MS)
    (read,) = jwt.PyJWKSet.from_dict(document).keys
    assert mint.record.key_id == read.key_id
    assert read.key.public_bytes_raw() == mint.private.public_key().public_bytes_raw()
    assert "d" not in document["keys"][0]


def test_a_key_that_is_not_what_its_id_says_is_passed_over(mint):
    """An id can't be given to another key."""
    other = record_of(Ed25519PrivateKey.generate().public_key(), NOW_MS + 1)
    swapped = msgspec.structs.replace(other, key_id=mint.record.key_id)
    broken = msgspec.structs.replace(other, x="é")
    assert {} == key_ring([swapped, broken], NOW_MS)
    assert {other.key_id} == set(key_ring([swapped, other, broken], NOW_MS))


def test_a_key_whose_signer_is_gone_runs_out(mint):
    """It stays for as long as its last tokens live."""
    end_ms = mint.record.verify_until_ms
    assert key_ring([mint.record], end_ms - 1)
    assert {} == key_ring([mint.record], end_ms)
    assert [] == jwks_document([mint.record], end_ms)["keys"]
