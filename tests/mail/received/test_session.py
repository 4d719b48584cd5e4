"""Protocol, TLS and authentication are read from all the ways in which they are written."""

from __future__ import annotations

import pytest

from smtp_probe.mail.received.clauses import divide
from smtp_probe.mail.received.session import REGISTERED_PROTOCOLS, normalise_version, read_session
from smtp_probe.mail.syntax.tokens import rows_of, tokenize


def read(text):
    return read_session(divide(rows_of(tokenize(text).tokens)))


def test_the_registered_names_are_those_of_the_registry():
    assert {
        *("SMTP", "ESMTP", "ESMTPA", "ESMTPS", "ESMTPSA", "LMTP", "LMTPA", "LMTPS", "LMTPSA", "MMS"),
        *(
            "UTF8SMTP",
            "UTF8SMTPA",
            "UTF8SMTPS",
            "UTF8SMTPSA",
            "UTF8LMTP",
            "UTF8LMTPA",
            "UTF8LMTPS",
            "UTF8LMTPSA",
        ),
    } == REGISTERED_PROTOCOLS


@pytest.mark.parametrize(
    ("text", "protocol", "authenticated"),
    [
        ("by mx with SMTP", "SMTP", False),
        ("by mx with esmtps id x", "ESMTPS", False),
        ("by mx with ESMTPSA id x", "ESMTPSA", True),
        ("by mx with UTF8SMTPA", "UTF8SMTPA", True),
        ("by mx with LMTP", "LMTP", False),
        ("by mx with LMTPA", "LMTPA", True),
        ("by mx with UTF8ESMTPSA", "UTF8SMTPSA", True),
        ("by mx with UTF8ESMTPS", "UTF8SMTPS", False),
        ("by mx with utf8esmtpa", "UTF8SMTPA", True),
        ("from a [192.0.2.1] (P=esmtpsa X=TLS1.2:AES256-SHA:256) by mx id 1", "ESMTPSA", True),
        ("by mx with asmtp", "asmtp", True),
        ("by mx with SMTPS", "SMTPS", None),
        ("by mx with local", "local", None),
        ("by mx with HTTPREST", "HTTPREST", None),
        ("by mx with Microsoft SMTP Server (TLS) id 1", "Microsoft SMTP Server", None),
        ("by mx with MailEnable ESMTPA", "ESMTPA", True),
        ("by mx with ESMTP with STARTTLS id x", "ESMTP", False),
        ("by mx P=esmtpsa", "ESMTPSA", True),
        ("by mx", None, None),
        ("from a ([192.0.2.1]) (Authenticated sender: me) by mx with ESMTP", "ESMTP", True),
        ("from a ([192.0.2.1]) (authenticated bits=0) by mx with ESMTP", "ESMTP", True),
        ("from a ([192.0.2.1]) (authenticated) by mx", None, True),
        ("from a ([192.0.2.1]) (AUTH: LOGIN me) by mx with esmtp", "ESMTP", True),
        ("from a ([192.0.2.1]) (smtp-auth username me, mechanism cram-md5) by mx", None, True),
        ("from 192.0.2.1 (SquirrelMail authenticated user me) by mx with HTTP", "HTTP", True),
        ("by mx with ESMTPS id x auth=yes user=me", "ESMTPS", True),
        ("by mx with ESMTPS id x auth=no", "ESMTPS", False),
        ("by mx (auth=none) with ESMTPS", "ESMTPS", False),
        ("from a (unauthenticated user [192.0.2.1]) by mx with ESMTP", "ESMTP", False),
        ("from a (authenticated [192.0.2.1]) by mx with ESMTP", "ESMTP", False),
        ("from a (account [192.0.2.1]) by mx with ESMTP", "ESMTP", False),
        ("from a (auth_x.example [192.0.2.1]) by mx with ESMTP", "ESMTP", False),
        ("from a auth=yes by mx with ESMTP", "ESMTP", False),
        ("by mx with ESMTP (envelope-from <authenticated@example.org>)", "ESMTP", False),
    ],
)
def test_protocol_and_authentication(text, protocol, authenticated):
    session = read(text)

    assert (session.protocol, session.authenticated) == (protocol, authenticated)


SUITE = "TLS_AES_256_GCM_SHA384"


@pytest.mark.parametrize(
    ("text", "version", "cipher"),
    [
        (
            f"from a (using TLSv1.3 with cipher {SUITE} (256/256 bits) key-exchange X25519) by mx",
            "TLSv1.3",
            SUITE,
        ),
        (f"by mx with ESMTPS (version=TLSv1.3 cipher={SUITE} bits=256 verify=NOT) id x", "TLSv1.3", SUITE),
        (f"by mx with Microsoft SMTP Server (version=TLS1_3, cipher={SUITE}) id 1", "TLSv1.3", SUITE),
        (f"by mx with esmtps (TLS1.3) tls {SUITE} (Exim 4.98)", "TLSv1.3", SUITE),
        (f"by mx with ESMTPS id x tls {SUITE} group X25519", None, SUITE),
        (
            "by mx with esmtps (TLS1.2:ECDHE_RSA_AES_256_GCM_SHA384:256)",
            "TLSv1.2",
            "ECDHE_RSA_AES_256_GCM_SHA384",
        ),
        (
            "by mx with esmtps (TLSv1.2:ECDHE-RSA-AES256-GCM-SHA384:256)",
            "TLSv1.2",
            "ECDHE-RSA-AES256-GCM-SHA384",
        ),
        ("by mx with esmtps (TLS-1.0:RSA_AES_256_CBC_SHA1:32)", "TLSv1", "RSA_AES_256_CBC_SHA1"),
        ("by mx with esmtp (Cipher SSLv3:DES-CBC3-SHA:168)", "SSLv3", "DES-CBC3-SHA"),
        (f"by mx with ESMTPS id x (TLSv1.3:{SUITE}:256:NO)", "TLSv1.3", SUITE),
        (f"from a (TLS: TLSv1.3,256bits,{SUITE}) by mx", "TLSv1.3", SUITE),
        (
            "from a (AUTH: LOGIN me, SSL: TLS1.2,128bits,ECDHE_RSA_AES_128) by mx",
            "TLSv1.2",
            "ECDHE_RSA_AES_128",
        ),
        ("by mx (version=TLSv1/SSLv3 cipher=AES128-SHA bits=128)", None, "AES128-SHA"),
        (f"by mx with ({SUITE} encrypted) ESMTPS", None, SUITE),
        ("by mx with ECDHE-RSA-AES256-SHA encrypted SMTP", None, "ECDHE-RSA-AES256-SHA"),
        (f"by mx with ESMTP/TLS/{SUITE}", None, SUITE),
        (f"by mx P=esmtps X=TLS1.3:{SUITE}:256", "TLSv1.3", SUITE),
        (f"from a [192.0.2.1] (P=esmtps X=TLS1.3:{SUITE}:256) by mx id 1", "TLSv1.3", SUITE),
        (f"from a (TLSv1.3 with cipher {SUITE} (256/256 bits)) by mx with ESMTPSA", "TLSv1.3", SUITE),
        ("by mx with SMTP (version=TLS\\Tls12 cipher=Aes256 bits=256)", "TLSv1.2", "Aes256"),
        (f"by mx with ESMTPA (TLS 1.3, {SUITE})", "TLSv1.3", SUITE),
        ("by mx with ESMTPA (TLS 1.2)", "TLSv1.2", None),
        ("from a (TLSv1.3:FAKE@192.0.2.1) by mx with SMTP", None, None),
        ('from a (Client CN "a, TLS: TLSv1.3,1bits,FAKE") by mx with ESMTP', None, None),
        ("by mx with Microsoft SMTP Server (TLS) id 1", None, None),
        ("from a (Using TLS) by mx with ESMTP", None, None),
        ("by mx (version=NO cipher=) with ESMTP", None, None),
        ("by mx with ESMTPS tls <script>", None, None),
        ("by mx with ESMTP (envelope-from <version=TLSv1.3 cipher=X>)", None, None),
        ("by mx with ESMTP", None, None),
    ],
)
def test_tls(text, version, cipher):
    session = read(text)

    assert (session.tls_version, session.tls_cipher) == (version, cipher)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("TLS1_2", "TLSv1.2"),
        ("tlsv1.1", "TLSv1.1"),
        ("TLSv1.0", "TLSv1"),
        ("TLS 1.3", "TLSv1.3"),
        ("TLSv1/SSLv3", None),
        ("", None),
    ],
)
def test_versions_have_one_spelling(text, version):
    assert normalise_version(text) == version


@pytest.mark.parametrize(
    "text",
    [
        "from a.test (a.test [192.0.2.1]) (Using TLS) by b.test with ESMTP id 1",
        "from a.test (192.0.2.1) by b.test with Microsoft SMTP Server (TLS) id 14.3.123.3",
        "from a.test ([192.0.2.1]) by b.test over TLS secured channel with Microsoft SMTPSVC(10.0.17763.1697)",
        "from unknown (HELO a.test) (encrypted) (192.0.2.1) by b.test with SMTP",
        "from a.test (a.test. [192.0.2.1]) by b.test with SMTPS id 1 (Google Transport Security)",
        "from a.test (a.test [192.0.2.1]) by b.test with ESMTP with STARTTLS id 1",
        "from a.test by b.test with ESMTP/TLS",
        "from a.test by b.test with ESMTP-TLS id 1",
    ],
)
def test_a_line_may_say_that_there_was_tls_and_no_more(text):
    session = read(text)

    assert session.says_tls
    assert (session.tls_version, session.tls_cipher) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "from a.test (a.test [192.0.2.1]) by b.test with ESMTP id 1",
        "from tls.test (TLS.test [192.0.2.1]) by over.TLS.test with ESMTP id TLS",
        "from a.test (a.test [192.0.2.1]) (No client certificate requested) by b.test with ESMTP id 1",
        "from a.test (a.test [192.0.2.1]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384) by b.test with ESMTPS id 1",
    ],
)
def test_other_lines_do_not_say_so_or_say_more(text):
    assert not read(text).says_tls


def test_a_version_alone_is_read():
    assert read("from a.test ([192.0.2.1]) (using TLSv1) by b.test with SMTP").tls_version == "TLSv1"
