"""What is said of a mechanism that is not offered: what there is, and what to change."""

import pytest

from smtp_probe.config.settings import Mechanism
from smtp_probe.network.mechanisms import say_not_offered


@pytest.mark.parametrize(
    ("wanted", "offered", "said"),
    [
        (Mechanism.PLAIN, ["LOGIN"], "PLAIN; it offers: LOGIN; set auth.mechanism: login"),
        (
            Mechanism.LOGIN,
            ["plain", "cram-md5"],
            "LOGIN; it offers: PLAIN, CRAM-MD5; set auth.mechanism: plain",
        ),
        (Mechanism.XOAUTH2, ["PLAIN"], "XOAUTH2; it offers: PLAIN"),
        (Mechanism.OAUTHBEARER, ["XOAUTH2"], "OAUTHBEARER; it offers: XOAUTH2; set auth.mechanism: xoauth2"),
        (Mechanism.PLAIN, ["XOAUTH2"], "PLAIN; it offers: XOAUTH2"),
        (Mechanism.PLAIN, [], "PLAIN; it offers: none"),
    ],
)
def test_another_is_named_only_where_the_same_secret_would_do(wanted, offered, said):
    assert say_not_offered(wanted, offered) == f"the server does not offer {said}"


@pytest.mark.parametrize(
    "offered", [[f"X{number}" for number in range(1000)], ["X" * 9000], ["X\x1b[31m\u202e" * 99]]
)
def test_a_server_that_offers_everything_or_nonsense_does_not_fill_the_log(offered):
    said = say_not_offered(Mechanism.PLAIN, offered)
    assert said.isprintable()
    assert len(said) < 200
