"""The names of folders: none is of both, and one that a mail program shows is found as it is spelled there."""

import pytest

from smtp_probe.mail import folder_names
from smtp_probe.mail.placement import FolderEntry, choose_special
from smtp_probe.mail.syntax.mailbox_names import encode_mailbox_name


def test_no_name_is_of_both_and_none_is_there_twice():
    names = [*folder_names.JUNK, *folder_names.TRASH]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "name", ["INBOX", "Sent", "Drafts", "Archive", "Gesendet", "Входящие", "受信トレイ", "Skräpkorgen"]
)
def test_other_folders_are_neither(name):
    assert [choose_special([FolderEntry(name)], use) for use in ("junk", "trash")] == [None, None]


@pytest.mark.parametrize(
    ("use", "name"),
    [
        ("junk", "Спам"), ("junk", "Нежелательная почта"), ("junk", "Wiadomości-śmieci"), ("junk", "Ανεπιθύμητα"),
        ("junk", "Gereksiz E-Posta"), ("junk", "דואר זבל"), ("junk", "스팸메일함"), ("junk", "Søppelpost"),
        ("junk", "Levélszemét"), ("junk", "垃圾箱"), ("trash", "Корзина"), ("trash", "Κάδος"), ("trash", "휴지통"),
        ("trash", "Çöp Kutusu"), ("trash", "Slettede elementer"), ("trash", "ゴミ箱"), ("trash", "Poubelle"),
    ],
)  # fmt: skip
def test_a_name_as_people_see_it(use, name):
    encoded = encode_mailbox_name(f"INBOX/{name}")
    assert choose_special([FolderEntry("INBOX"), FolderEntry(encoded)], use) == encoded
