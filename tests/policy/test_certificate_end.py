"""The end of a certificate is what the library says, and of other octets there is none."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.policy.certificate_end import certificate_end_seconds

KEY = ec.generate_private_key(ec.SECP256R1())


def make(end: datetime, names: int = 1) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.example.org")] * 1)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(f"mx{n}.example.org") for n in range(names)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(KEY.public_key())
    builder = builder.serial_number(x509.random_serial_number()).add_extension(alternatives, critical=False)
    builder = builder.not_valid_before(end - timedelta(days=1)).not_valid_after(end)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


@given(st.datetimes(datetime(1950, 1, 3), datetime(9999, 12, 31, 23, 59, 59)))
def test_any_date(moment: datetime) -> None:
    end = moment.replace(tzinfo=UTC, microsecond=0)
    assert certificate_end_seconds(make(end)) == int(end.timestamp())


@pytest.mark.parametrize("year", [1950, 1999, 2000, 2049, 2050, 9999])
def test_the_years_at_which_the_form_changes(year: int) -> None:
    end = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert certificate_end_seconds(make(end, names=200)) == int(end.timestamp())


def test_what_is_cut_off_has_no_end() -> None:
    whole = make(datetime(2030, 1, 1, tzinfo=UTC))
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="."):
            certificate_end_seconds(whole[:length])


@pytest.mark.parametrize(
    "date", [b"301301000000Z", b"3001010000Z\0\0", b"300101000000+", b"\xd9\xa1" * 6 + b"Z"]
)
def test_what_is_no_date_is_none(date: bytes) -> None:
    whole = make(datetime(2030, 1, 1, tzinfo=UTC))
    assert whole.count(b"300101000000Z") == 1
    with pytest.raises(ValueError, match="."):
        certificate_end_seconds(whole.replace(b"300101000000Z", date))


def test_a_date_without_its_zone_is_none() -> None:
    """RFC 5280 section 4.1.2.5: always Z. The lengths around the date are made one less each."""
    date = b"\x17\x0d300101000000Z"
    whole = make(datetime(2030, 1, 1, tzinfo=UTC))
    begin = whole.rindex(b"\x30\x1e", 0, whole.index(date))  # the validity: two dates of 13 octets
    outer = whole[:begin] + b"\x30\x1d" + whole[begin + 2 :].replace(date, b"\x17\x0c300101000000", 1)
    with pytest.raises(ValueError, match="another form"):
        certificate_end_seconds(outer + b"\0")


@given(st.binary(max_size=300))
def test_nothing_else_is_raised(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        certificate_end_seconds(data)
    with contextlib.suppress(ValueError):
        certificate_end_seconds(b"\x30\x82\x01\x2c\x30\x82\x01\x20" + data)
