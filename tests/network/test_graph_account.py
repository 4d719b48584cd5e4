"""The smaller readings of what Graph answers."""

from __future__ import annotations

import pytest

from smtp_probe.network.graph_account import read_size


@pytest.mark.parametrize(
    ("properties", "size"),
    [
        ([{"id": "Integer 0xe08", "value": "2048"}], 2048), ([], None), (None, None), ([7, {"value": 7}], None),
        ([{"value": "-1"}], None), ([{"value": "9" * 40}], None), ([{"value": "٣"}], None),
    ],
)  # fmt: skip
def test_a_size_is_a_number_or_unknown(properties, size):
    assert read_size({"singleValueExtendedProperties": properties}) == size
