"""Files of credentials and seeds: what is in them is taken, and what is not there is told with the file's name."""

import base64
import os

import nkeys
import pytest

from smtp_probe.config.engine import EngineAuth
from smtp_probe.network.jetstream.credentials import CredentialsFileError, read_credentials

SEED = bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)).decode()
TOKEN = "-----BEGIN NATS USER JWT-----\neyJ0.eyJq.c2ln\n------END NATS USER JWT------\n"
KEY = f"-----BEGIN USER NKEY SEED-----\n{SEED}\n------END USER NKEY SEED------\n"


def test_a_file_of_credentials_is_read_with_each_connection(tmp_path):
    path = tmp_path / "prober.creds"
    path.write_text(TOKEN + KEY)
    options = read_credentials(EngineAuth(credentials_file=path))
    path.write_text(TOKEN.replace("c2ln", "bmV3").replace("\n", "\r\n") + KEY)

    assert options["user_jwt_cb"]() == b"eyJ0.eyJq.bmV3"
    signed = base64.b64decode(options["signature_cb"]("nonce"))
    assert nkeys.from_seed(bytearray(SEED.encode())).verify(b"nonce", signed)


@pytest.mark.parametrize("text", ["", "rubbish\n", TOKEN, KEY, TOKEN + KEY.replace(SEED, "SUNONE")])
def test_a_file_that_is_none_is_named_and_not_shown(tmp_path, text):
    path = tmp_path / "prober.creds"
    path.write_text(text)

    with pytest.raises(CredentialsFileError, match=r"prober\.creds has no") as caught:
        read_credentials(EngineAuth(credentials_file=path))
    assert SEED not in str(caught.value)


@pytest.mark.parametrize("text", ["", "rubbish", SEED[:-3], "ä"])
def test_a_file_without_a_seed_is_named(tmp_path, text):
    path = tmp_path / "prober.nk"
    path.write_text(text)

    with pytest.raises(CredentialsFileError, match=r"prober\.nk has no seed"):
        read_credentials(EngineAuth(nkey_file=path))


def test_a_seed_is_given_as_it_is(tmp_path):
    path = tmp_path / "prober.nk"
    path.write_text(SEED + "\n")

    assert read_credentials(EngineAuth(nkey_file=path)) == {"nkeys_seed_str": SEED}
