"""Credentials files on a server with decentral accounts: whoever the account vouches for works, and nobody else comes in."""

import nkeys
import pytest

from tests.engine.cluster import Cluster
from tests.engine.operator import Key, Operator
from tests.engine.site import Receiver, Site, wait_until

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def operator():
    return Operator()


@pytest.fixture(scope="module")
def site(operator, tmp_path_factory):
    work = tmp_path_factory.mktemp("credentials")
    with (
        Cluster(work / "nats", 1, operator.config) as cluster,
        Receiver(work / "mx", ["user"]) as receiver,
        Site(cluster, receiver, work / "members", "credentials") as made,
    ):
        made.configure({f"r{number}": {"user": "user", "interval": 1} for number in range(2)})
        yield made


def test_a_user_with_a_credentials_file_sends_and_counts(site, operator, tmp_path):
    file = operator.write_credentials(tmp_path / "prober.creds")
    member = site.start("all", "all", auth={"credentials_file": str(file)})
    wait_until(member.is_ready, "the process")
    wait_until(lambda: member.outcomes()["delivered"] >= 3, "deliveries")
    assert "SU" + file.read_text().split("\nSU")[1][:20] not in member.log.read_text()
    code, _ = member.terminate()
    assert code == 0


@pytest.mark.parametrize("kind", ["stranger", "rubbish", "missing"])
def test_who_is_not_let_in_says_so_and_sends_nothing(site, operator, tmp_path, kind):
    file = tmp_path / f"{kind}.creds"
    if kind == "stranger":
        operator.write_credentials(file, issuer=Key(nkeys.PREFIX_BYTE_ACCOUNT))
    elif kind == "rubbish":
        file.write_text("this is no file of credentials\n")
    before = len(site.mails())
    member = site.start("worker", kind, auth={"credentials_file": str(file)})
    words = "see engine.auth" if kind == "stranger" else str(file)
    wait_until(lambda: member.log.exists() and words in member.log.read_text(), words)

    assert not member.is_ready()
    assert "Traceback" not in member.log.read_text()
    assert member.value("smtp_probe_engine_up") == 0
    assert len(site.mails()) == before
    member.terminate()
