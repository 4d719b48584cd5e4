"""Who may come in."""

import asyncio
import base64
import time

import bcrypt
import pytest
from pydantic import SecretStr

from smtp_probe.report.doors import users as module
from smtp_probe.report.doors.users import Busy, Users

pytestmark = pytest.mark.slow


def hashed(password, cost=4):
    return SecretStr(bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode())


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
async def users():
    return Users({"alice": hashed("right"), "bob": hashed("other")})


@pytest.mark.parametrize(
    ("header", "is_admitted"),
    [
        (basic("alice", "right"), True),
        (basic("alice", "right").replace("Basic", "basic"), True),
        (basic("alice", "other"), False),
        (basic("bob", "right"), False),
        (basic("carol", "right"), False),
        (basic("", ""), False),
        ("", False),
        ("Basic", False),
        ("Basic !!!", False),
        ("Basic " + base64.b64encode(b"alice").decode(), False),
        ("Basic " + base64.b64encode(b"\xff:right").decode(), False),
        ("Bearer " + basic("alice", "right")[6:], False),
        (basic("alice", "right" + "x" * 3000), False),
    ],
)
async def test_only_who_knows_the_password(users, header, is_admitted):
    for _ in range(2):  # the second time from memory
        assert await users.admit(header) is is_admitted


async def test_what_bcrypt_would_cut_off_is_no_password():
    users = Users({"alice": hashed("p" * 72)})

    assert await users.admit(basic("alice", "p" * 72))
    assert not await users.admit(basic("alice", "p" * 73))


async def test_a_name_that_does_not_exist_costs_what_a_wrong_password_costs():
    users = Users({"alice": hashed("right", 8)})
    took = {"alice": [], "nobody": []}
    for number in range(20):
        for name, seconds in took.items():
            begun = time.perf_counter()
            await users.admit(basic(name, f"wrong{number}"))
            seconds.append(time.perf_counter() - begun)

    assert min(took["nobody"]) == pytest.approx(min(took["alice"]), rel=0.5)


async def test_every_look_at_a_name_uses_the_same_function(monkeypatch):
    users, compared = Users({"alice": hashed("right", 5)}), []

    def compare(_, hashed):
        compared.append(hashed[:7])
        return False

    monkeypatch.setattr(bcrypt, "checkpw", compare)
    await users.admit(basic("alice", "x"))
    await users.admit(basic("nobody", "x"))

    assert compared == [b"$2b$05$", b"$2b$05$"]


async def test_the_dearest_hash_is_paid_once(monkeypatch):
    users, calls = Users({"alice": hashed("right")}), []

    def compare(*_):
        calls.append(1)
        return True

    monkeypatch.setattr(module, "_compare", compare)
    for _ in range(5):
        await users.admit(basic("alice", "right"))

    assert calls == [1]


async def test_memory_is_bounded_and_holds_no_password(users, monkeypatch):
    monkeypatch.setattr(module, "_compare", lambda *_: False)
    for number in range(1200):
        await users.admit(basic("alice", f"secret{number}"))

    assert len(users._known) == 1000
    assert b"secret" not in b"".join(users._known)


async def test_too_many_are_told_to_come_back(users, monkeypatch):
    def compare(*_):
        time.sleep(0.01)
        return False

    monkeypatch.setattr(module, "_compare", compare)
    results = await asyncio.gather(
        *(users.admit(basic("alice", str(n))) for n in range(150)), return_exceptions=True
    )

    assert sum(isinstance(result, Busy) for result in results) == 50


async def test_without_users_nobody_is_asked():
    assert not Users({})
    assert Users({"alice": hashed("x")})
