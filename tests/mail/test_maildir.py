"""The names of a Maildir's files and folders, as deliverers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.maildir import as_guid, folder_directory, folder_name, named_second, unique_name

DOVECOT = "1795827600.M123456P77.mx1,S=2048,W=2101"


@pytest.mark.parametrize("info", ["", ":2,", ":2,FS", "!2,S", ";2,S", ":1,x", ":2,S,dovecot"])
def test_a_message_keeps_its_name_whatever_its_flags(info):
    assert unique_name(DOVECOT + info) == DOVECOT


def test_the_second_of_a_delivery_is_read_where_it_is_told():
    assert named_second(DOVECOT) == 1795827600
    assert named_second("1795827600.77_1.host") == 1795827600
    assert named_second("cur-17.host") is None


def test_a_name_that_is_no_text_is_no_guid():
    assert as_guid(DOVECOT) == DOVECOT
    assert as_guid("1795827600.M1\udcff.host") is None
    assert as_guid("x" * 400) is None


@pytest.mark.parametrize(
    ("name", "directory"),
    [
        ("INBOX", ""), ("inbox", ""), ("Junk", ".Junk"), ("INBOX.Junk", ".Junk"), ("INBOX/Junk", ".Junk"),
        ("Archive/2026", ".Archive.2026"), ("&AOQ-", ".&AOQ-"),
    ],
)  # fmt: skip
def test_a_folder_has_one_directory(name, directory):
    assert folder_directory(name) == directory
    if directory:
        assert folder_directory(folder_name(directory)) == directory


@given(st.text(max_size=60))
def test_no_name_of_a_folder_leads_elsewhere(name):
    assert "/" not in folder_directory(name)
    assert "\0" not in folder_directory(name)
