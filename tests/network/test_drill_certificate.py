"""The certificate of the drills' receiver."""

from __future__ import annotations

import asyncio
import ssl
import time

from cryptography import x509

from smtp_probe.network.drill_certificate import make_tls_context


async def test_a_client_that_checks_nothing_is_served_and_sees_the_name():
    now_ns = time.time_ns()
    server = await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=make_tls_context("mx.drill.test", now_ns)
    )
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    port = server.sockets[0].getsockname()[1]
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    raw = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    server.close()
    certificate = x509.load_der_x509_certificate(raw)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["mx.drill.test"]
    assert (
        certificate.not_valid_before_utc.timestamp()
        < now_ns / 1e9
        < certificate.not_valid_after_utc.timestamp()
    )


def test_a_long_name_is_no_error():
    make_tls_context("a" * 60 + "." + "b" * 60 + ".example.org", time.time_ns())
