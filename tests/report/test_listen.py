"""Listen addresses."""

import socket

import pytest

from smtp_probe.errors import ConfigError
from smtp_probe.report.listen import ListenAddress, bound_address, open_socket, parse_listen_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (":10925", "", 10925),
        ("127.0.0.1:10925", "127.0.0.1", 10925),
        ("[::1]:0", "::1", 0),
        ("localhost:80", "localhost", 80),
    ],
)
def test_the_usual_forms_are_read_and_written_back(text, host, port):
    address = parse_listen_address(text)

    assert address == ListenAddress(host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "10925", "127.0.0.1", ":", ":http", ":65536", ":-1", "::1:80", "[::1]", "[host]:80", ":٣"]
)
def test_anything_else_is_a_config_error_that_names_it(text):
    with pytest.raises(ConfigError) as caught:
        parse_listen_address(text)

    assert repr(text) in str(caught.value)
    assert str(caught.value).startswith("--web.listen-address: ")


def test_no_host_means_every_address_of_both_families():
    with open_socket(ListenAddress("", 0)) as bound:
        port = bound_address(bound).port
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port), timeout=5).close()


def test_an_address_that_is_taken_is_a_config_error_that_says_so():
    with open_socket(ListenAddress("127.0.0.1", 0)) as bound:
        taken = bound_address(bound)
        with pytest.raises(ConfigError, match=f"'127.0.0.1:{taken.port}'.*in use"):
            open_socket(taken)


def test_an_address_of_another_machine_is_a_config_error():
    with pytest.raises(ConfigError, match="does not have that address"):
        open_socket(ListenAddress("192.0.2.1", 0))


def test_a_name_that_is_none_is_a_config_error():
    with pytest.raises(ConfigError, match=r"no-such-host\.invalid"):
        open_socket(ListenAddress("no-such-host.invalid", 0))
