"""Every filter's header fields are read to score, threshold and verdict, and nothing that a stranger writes breaks it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.spam_filters import describe_spam, read_spam_results
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.model import SpamFilter, SpamVerdict


def read(*lines):
    header = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return [
        (each.filter.value, each.score, each.threshold, each.verdict.value, each.detail)
        for each in read_spam_results(split_fields(header))
    ]


SPAMASSASSIN = [
    (
        "X-Spam-Status: Yes, score=15.3 required=5.0 tests=BAYES_99,\r\n\tRDNS_NONE autolearn=no",
        15.3,
        5.0,
        "spam",
    ),
    ("X-Spam-Status: No, score=-2.6 required=5.0 tests=BAYES_00,RCVD_IN_DNSWL_LOW", -2.6, 5.0, "not_spam"),
    ("X-Spam-Status: No, hits=1.2 required=6.31 tests=NONE", 1.2, 6.31, "not_spam"),
    (
        "X-Spam-Status: No, score=-1.9 tagged_above=-999 required=6.2 tests=[BAYES_00=-1.9]",
        -1.9,
        6.2,
        "not_spam",
    ),
    ("X-Spam-Status: score=7,5 required=5,0", 7.5, 5.0, "spam"),
    ("X-Spam-Flag: YES\r\nX-Spam-Score: 8.1\r\nX-Spam-Level: ********", 8.1, None, "spam"),
    ("X-Spam-Flag: NO", None, None, "not_spam"),
    ("X-Spam_score: 3.4", 3.4, None, "unknown"),
    (
        "X-Spam-Score: 51\r\nX-Spam-Bar: +++++\r\nX-Spam-Flag: YES",
        5.1,
        None,
        "spam",
    ),  # cPanel: ten times the score
    ("X-Spam-Score: -19\r\nX-Spam-Bar: -\r\nX-Spam-Flag: NO", -1.9, None, "not_spam"),
    ("X-Spam-Score: 5\r\nX-Spam-Bar: +++++", 5.0, None, "unknown"),
    ("X-Spam-Score: ** (2.1)", 2.1, None, "unknown"),
    ("X-Spam-Score: - (-1.2)", -1.2, None, "unknown"),
    ("X-Spam-Score: (-1.9)", -1.9, None, "unknown"),
    (
        "X-Ours-MailScanner-SpamCheck: spam, SpamAssassin (not cached,\r\n\tscore=7.1, required 6)",
        7.1,
        6.0,
        "spam",
    ),
    (
        "X-MailScanner-SpamCheck: not spam, SpamAssassin (cached, score=-2.1, required 6)",
        -2.1,
        6.0,
        "not_spam",
    ),
    (
        "X-Spam-Flag: YES\r\nX-Spam-Report: Content analysis details: (5.6 points, 5.0 required)",
        5.6,
        5.0,
        "spam",
    ),
    ("X-Spam_report: details:   (1.6 points, 5.0 required)", 1.6, 5.0, "not_spam"),
    ("X-SPAM-LEVEL: Spam detection results:  3\r\n\tAWL 0.1", 3.0, None, "unknown"),  # Proxmox
]
RSPAMD = [
    (
        "X-Rspamd-Action: no action\r\nX-Spamd-Result: default: False [-2.16 / 15.00];\r\n\tARC_ALLOW(-1.00)[x:s=y]",
        (-2.16, 15.0, "not_spam", "no action"),
    ),
    (
        (
            "X-Spamd-Bar: ++++++\r\nX-Spam-Level: ******\r\nX-Spam-Status: Yes, score=6.40\r\nX-Spam-Score: 6.40\r\n"
            "X-Spamd-Result: default: False [6.40 / 15.00]; FROM_HAS_DN(0.00)[]"
        ),
        (6.4, 15.0, "spam", ""),
    ),
    ("X-Spamd-Result: default: True [16.20 / 15.00];", (16.2, 15.0, "spam", "")),
    ("X-Rspamd-Action: add header\r\nX-Rspamd-Score: 7.2", (7.2, None, "spam", "add header")),
    ("X-Spam: Yes", (None, None, "spam", "")),
]
OTHERS = [
    (
        (
            "X-MS-Exchange-Organization-SCL: 1\r\nX-Forefront-Antispam-Report: CIP:198.51.100.7;CTRY:DE;LANG:en;SCL:1;SRV:;"
            "IPV:NLI;SFV:NSPM;H:mail.example.org;PTR:mail.example.org;CAT:NONE;SFS:(13230);DIR:INB;"
        ),
        [("microsoft", 1.0, 5.0, "not_spam", "SFV:NSPM CAT:NONE")],
    ),
    (
        (
            "X-Forefront-Antispam-Report: CIP:198.51.100.7;CTRY:;LANG:en;SCL:9;SRV:;SFV:SPM;CAT:HPHSH;SFTY:9.25\r\n"
            "X-Microsoft-Antispam: BCL:8;ARA:13230040;"
        ),
        [
            ("microsoft", 9.0, 5.0, "spam", "SFV:SPM CAT:HPHSH SFTY:9.25"),
            ("microsoft_bulk", 8.0, None, "unknown", ""),
        ],
    ),
    ("X-Forefront-Antispam-Report: SFV:SKB;", [("microsoft", None, None, "spam", "SFV:SKB")]),
    ("X-MS-Exchange-Organization-SCL: -1", [("microsoft", -1.0, 5.0, "not_spam", "")]),
    ("X-Microsoft-Antispam: UriScan:;BCL:0;PCL:0;", [("microsoft_bulk", 0.0, None, "unknown", "")]),
    ("X-Gm-Spam: 0\r\nX-Gm-Phishy: 0", [("gmail", None, None, "not_spam", "")]),
    ("X-Gm-Spam: 1\r\nX-Gm-Phishy: 0", [("gmail", None, None, "spam", "")]),
    ("X-Gm-Spam: 0\r\nX-Gm-Phishy: 1", [("gmail", None, None, "spam", "phishing")]),
    (
        (
            "X-Barracuda-Spam-Score: 3.38\r\nX-Barracuda-Spam-Status: No, SCORE=3.38 using global scores of "
            "TAG_LEVEL=1000.0 QUARANTINE_LEVEL=1000.0 KILL_LEVEL=5.0 tests=FH_DATE_PAST_20XX"
        ),
        [("barracuda", 3.38, 5.0, "not_spam", "")],
    ),
    (
        "X-Barracuda-Spam-Status: Yes, SCORE=4.00 using per-user scores of TAG_LEVEL=3.5 QUARANTINE_LEVEL=6.0 KILL_LEVEL=9.0",
        [("barracuda", 4.0, 6.0, "spam", "tagged")],
    ),
    (
        "X-Barracuda-Spam-Status: Yes, SCORE=7.10 using global scores of TAG_LEVEL=3.5 QUARANTINE_LEVEL=1000.0 KILL_LEVEL=7.0",
        [("barracuda", 7.1, 7.0, "spam", "")],
    ),
    (
        "X-Barracuda-Spam-Status: Yes, SCORE=4.00 using global scores of TAG_LEVEL=3.5 QUARANTINE_LEVEL=1000.0 KILL_LEVEL=1000.0",
        [("barracuda", 4.0, None, "spam", "tagged")],
    ),
    (
        "X-Barracuda-Spam-Status: No, SCORE=2.10 using global scores of TAG_LEVEL=3.5 QUARANTINE_LEVEL=5.0 KILL_LEVEL=9.0",
        [("barracuda", 2.1, 5.0, "not_spam", "")],
    ),
    (
        (
            "X-Barracuda-Spam-Score: 0.00\r\nX-Barracuda-Spam-Status: No, SCORE=0.00 using global scores of "
            "TAG_LEVEL=1000.0 QUARANTINE_LEVEL=1000.0 KILL_LEVEL=1000.0 tests=NO_REAL_NAME"
        ),
        [("barracuda", 0.0, None, "not_spam", "")],
    ),
    (
        (
            "X-Proofpoint-Spam-Details: rule=outbound_notspam policy=outbound score=0\r\n suspectscore=0 spamscore=0 "
            "priorityscore=1501 clxscore=1015 classifier=spam adjust=0"
        ),
        [("proofpoint", 0.0, None, "not_spam", "outbound_notspam")],
    ),
    (
        "X-Proofpoint-Spam-Details: rule=spam policy=default score=98 spamscore=98",
        [("proofpoint", 98.0, None, "spam", "spam")],
    ),
    ("X-Mimecast-Spam-Score: 0.001", [("mimecast", 0.001, None, "unknown", "")]),
    (
        "X-Mimecast-Spam-Score: 12\r\nX-Mimecast-Bulk-Signature: yes",
        [("mimecast", 12.0, None, "unknown", "bulk")],
    ),
    ("X-Mimecast-Spam-Signature: yes", [("mimecast", None, None, "spam", "")]),
]


@pytest.mark.parametrize(("lines", "score", "threshold", "verdict"), SPAMASSASSIN)
def test_spamassassin_and_its_likes(lines, score, threshold, verdict):
    assert read(lines) == [("spamassassin", score, threshold, verdict, "")]


@pytest.mark.parametrize(("lines", "found"), RSPAMD)
def test_rspamd_also_where_it_writes_the_fields_of_spamassassin(lines, found):
    assert read(lines) == [("rspamd", *found)]


@pytest.mark.parametrize(("lines", "found"), OTHERS)
def test_the_other_filters(lines, found):
    assert read(lines) == found


def test_the_filter_nearest_to_the_mailbox_comes_first():
    lines = (
        "X-Mimecast-Spam-Score: 3",
        "X-Spam-Status: No, score=1 required=5",
        "X-Proofpoint-Spam-Details: score=0",
    )
    assert [each[0] for each in read(*lines)] == ["mimecast", "spamassassin", "proofpoint"]
    assert [each[0] for each in read(*reversed(lines))] == ["proofpoint", "spamassassin", "mimecast"]


def test_of_the_same_field_the_topmost_counts():
    assert read("X-Spam-Status: Yes, score=9 required=5", "X-Spam-Status: No, score=1 required=5") == [
        ("spamassassin", 9.0, 5.0, "spam", "")
    ]


def test_two_filters_of_one_organisation_are_both_heard():
    lines = ("X-Spam-Status: No, score=1.0 required=5.0", "X-Spamd-Result: default: False [2.00 / 15.00]")
    assert [each[:3] for each in read(*lines)] == [("spamassassin", 1.0, 5.0), ("rspamd", 2.0, 15.0)]


@pytest.mark.parametrize(
    "line",
    [
        "Subject: X-Spam-Status: Yes, score=9 required=5",
        "X-Spam-Status: perhaps",
        "X-Spam-Score: nan",
        "X-Spam-Score: inf",
        "X-Spam-Score: 1e9",
        "X-Spam-Score: 123456789012345",
        "X-MS-Exchange-Organization-SCL: high",
        "X-Microsoft-Antispam: ABCL:5",
        "X-Proofpoint-Spam-Details: suspectscore=5",
        "X-Mimecast-Spam-Score: 1.2.3.4",
        "X-Barracuda-Spam-Status:",
    ],
)
def test_what_is_no_figure_and_no_verdict_says_nothing(line):
    assert read(line) == []


FIELDS = [
    b"X-Spam-Status", b"X-Spamd-Result", b"X-Rspamd-Action", b"X-Forefront-Antispam-Report", b"X-Microsoft-Antispam",
    b"X-Barracuda-Spam-Status", b"X-Proofpoint-Spam-Details", b"X-Mimecast-Spam-Score", b"X-Gm-Spam", b"X-Spam",
]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(FIELDS), st.binary(max_size=80))))
def test_nothing_breaks_it(lines):
    header = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
    for result in read_spam_results(split_fields(header)):
        assert result.filter in SpamFilter
        assert result.verdict in SpamVerdict
        assert result.detail.isprintable()
        assert len(result.detail) <= 80


@pytest.mark.parametrize("piece", [b"; ", b"SCL: ", b"score=", b" rule=", b"[1 / ", b"=9.", b"- ", b"SFV:A;"])
def test_long_values_take_linear_time(piece):
    header = b"".join(name + b": " + piece * 4000 + b"\r\n" for name in FIELDS)
    began = time.process_time()
    read_spam_results(split_fields(header))
    assert time.process_time() - began < 0.5


def test_it_is_said_in_a_sentence():
    header = b"X-Spam-Status: Yes, score=15.3 required=5.0\r\nX-Gm-Spam: 1\r\nX-Forefront-Antispam-Report: SFV:SPM;\r\n\r\n"
    assert list(describe_spam(read_spam_results(split_fields(header)))) == [
        "The filter spamassassin took the message for spam, with a score of 15.3 where 5 is spam.",
        "The filter gmail took the message for spam.",
        "The filter microsoft took the message for spam (SFV:SPM).",
    ]
