"""The junk and the trash folder are found by attribute, else by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.placement import FolderEntry, choose_special, place_by_labels
from smtp_probe.mail.syntax.mailbox_names import encode_mailbox_name
from smtp_probe.model import Placement


def entries(*names):
    return [FolderEntry(name, ("\\HasNoChildren",)) for name in ("INBOX", "Sent", "Archive", *names)]


def test_the_attribute_comes_before_the_name():
    listed = [*entries("Spam", "Trash"), FolderEntry("Quarantaine", ("\\HasNoChildren", "\\JUNK"))]
    assert choose_special(listed, "junk") == "Quarantaine"
    assert choose_special(listed, "trash") == "Trash"


@pytest.mark.parametrize(
    "name",
    [
        "Junk",
        "JUNK E-MAIL",
        "Junk Email",
        "Junk-E-Mail",
        "spam",
        "Bulk",
        "Bulk Mail",
        "[Gmail]/Spam",
        "[Google Mail]/Spam",
        "INBOX.Junk",
        "INBOX.Spam",
        "INBOX/Junk",
        "Inbox^Spam",
        "Spamverdacht",
        "Unerwünscht",
        "Courrier indésirable",
        "INBOX.Courrier indésirable",
        "迷惑メール",
    ],
)
def test_junk_folders_by_name_with_any_separator(name):
    assert choose_special(entries(name), "junk") == name
    encoded = encode_mailbox_name(name)
    assert choose_special(entries(encoded), "junk") == encoded


@pytest.mark.parametrize(
    "name", ["Trash", "INBOX.Trash", "Deleted Items", "[Gmail]/Bin", "Papierkorb", "Corbeille"]
)
def test_trash_folders_by_name(name):
    assert choose_special(entries(name), "trash") == name


def test_a_decomposed_accent_is_the_same_letter():
    name = "Courrier inde\u0301sirable"
    assert choose_special(entries(name), "junk") == name


def test_the_better_name_wins():
    assert choose_special(entries("Bulk", "Spam", "Junk"), "junk") == "Junk"


@pytest.mark.parametrize(
    "name", ["Projects/Spam", "Spam reports", "NotJunk", "Junk/2024", "INBOX.a.Spam", ""]
)
def test_other_folders_are_not_taken(name):
    assert choose_special(entries(name), "junk") is None


def test_a_folder_that_cannot_be_opened_is_not_taken():
    closed = FolderEntry("Junk", ("\\Junk", "\\Noselect"))
    assert choose_special([closed, FolderEntry("Spam")], "junk") == "Spam"


def test_nothing_is_chosen_from_nothing():
    assert choose_special([], "trash") is None


@given(st.lists(st.builds(FolderEntry, st.text(), st.lists(st.text()).map(tuple))))
def test_any_list_gives_one_of_its_names_or_none(listed):
    assert choose_special(listed, "junk") in {None, *(entry.name for entry in listed)}


@pytest.mark.parametrize(
    ("folder", "labels", "placement"),
    [
        (Placement.INBOX, set(), Placement.INBOX),
        (Placement.INBOX, {"\\important", "work"}, Placement.INBOX),
        (Placement.OTHER, {"\\inbox"}, Placement.INBOX),
        (Placement.OTHER, {"inbox"}, Placement.OTHER),
        (Placement.OTHER, {"\\inbox", "\\spam"}, Placement.JUNK),
        (Placement.JUNK, {"\\inbox"}, Placement.JUNK),
    ],
)
def test_labels_place_a_message(folder, labels, placement):
    assert place_by_labels(folder, labels) is placement
