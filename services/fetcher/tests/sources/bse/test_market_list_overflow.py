"""A price that no double can hold in paise."""

import json

import pytest

from bse_fetcher.sources.bse.market_list import read_market


ROW = {
    "scrip_cd": 541770,
    "scripname": "CREDITACC",
    "LONG_NAME": "CreditAccess Grameen Ltd",
    "scrip_grp": "A",
    "openrate": 1439.65,
    "highrate": 1560.0,
    "lowrate": 1425.9,
    "ltradert": 1523.05,
    "prevdayclose": 1389.55,
    "index_code": "",
    "trd_val": 1531.0,
    "trd_vol": 101527,
    "nooftrd": 5827,
    "dt_tm": "2023-10-23T13:02:34",
}


@pytest.mark.parametrize(
    "name", ["ltradert", "openrate", "highrate", "lowrate", "prevdayclose", "trd_val"]
)
def test_a_row_with_an_absurd_number_is_named(name):
    """It costs its row, not the market."""
    good = {**ROW, "scrip_cd": 500209}
    body = json.dumps({"Table": [good, {**ROW, name: 1.7e308}]}).encode()
    answer = read_market(body)

    assert {500209} == set(answer.seen)
    (rejected,) = answer.rejected
    assert name in rejected.reason
