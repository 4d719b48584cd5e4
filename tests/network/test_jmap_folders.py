"""What a server lists as folders, and what is made of it when it is wrong."""

from __future__ import annotations

import pytest

from smtp_probe.config.settings import Mailbox
from smtp_probe.network.jmap_folders import choose_folders, find_id, find_trash, read_folders
from tests.network.jmap_server import FOLDERS, JUNK, TRASH


def settings(**changes):
    return Mailbox.model_validate({"protocol": "jmap", "host": "a", "tls": "implicit", **changes})


def test_a_role_says_more_than_a_name():
    folders = read_folders(FOLDERS)
    assert [each.name for each in choose_folders(folders, settings())] == ["INBOX", "Werbung"]
    assert find_trash(folders, "auto") == find_trash(folders, "Müll") == TRASH
    assert find_trash(folders, "Nowhere") is None
    assert find_id(folders, "inbox") == "M1"


def test_without_roles_names_tell():
    folders = read_folders([{"id": "1", "name": "Spam"}, {"id": "2", "name": "Deleted Items", "role": 7}])
    assert [each.name for each in choose_folders(folders, settings())] == ["INBOX", "Spam"]
    assert find_trash(folders, "auto") == "2"


def test_a_named_junk_folder_is_watched_whether_it_is_there_or_not():
    assert [each.name for each in choose_folders([], settings(junk="Werbung"))] == ["INBOX", "Werbung"]
    assert [each.name for each in choose_folders(read_folders(FOLDERS), settings(junk=None))] == ["INBOX"]


@pytest.mark.parametrize("shown", [{}, {"name": 7}, {"name": None, "parentId": []}])
def test_what_has_no_name_is_no_folder(shown):
    assert read_folders([{"id": JUNK, **shown}]) == []


def test_folders_that_hold_each_other_end_somewhere():
    loop = [{"id": "1", "name": "a", "parentId": "2"}, {"id": "2", "name": "b", "parentId": "1"}]
    assert all(len(each.name) < 100 for each in read_folders(loop))
    assert read_folders([{"id": "1", "name": "a", "myRights": [], "totalEmails": "x"}])[0].rights == ""
