"""What a client asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.report.negotiation import Format, accepts_gzip, choose_format

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", Format.TEXT),
        (PROMETHEUS_2, Format.OPENMETRICS),
        (PROMETHEUS_3, Format.OPENMETRICS),
        (BROWSER, Format.TEXT),
        ("text/plain", Format.TEXT),
        ("application/openmetrics-text", Format.OPENMETRICS),
        ("application/openmetrics-text;q=0.1, text/plain;q=0.9", Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=much", Format.TEXT),
        ("APPLICATION/OpenMetrics-Text ; Q=0.5", Format.OPENMETRICS),
    ],
)
def test_the_format_follows_the_weights(accept, chosen):
    assert choose_format(accept) is chosen


@pytest.mark.parametrize(
    ("accept_encoding", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("*", True),
        ("*, gzip;q=0", False),
        ("identity", False),
        ("gzipped", False),
    ],
)
def test_gzip_is_used_where_it_is_taken(accept_encoding, accepted):
    assert accepts_gzip(accept_encoding) is accepted


@given(st.text(st.sampled_from("gzip text/plain;q=0.5,*\x00é=") | st.characters(), max_size=300))
def test_no_header_is_too_strange(header):
    assert choose_format(header) in Format
    assert accepts_gzip(header) in (True, False)
