"""The folder between two commands: news, doubt, and portions of bounded size."""

from smtp_probe.network.imap_view import BATCH, FolderView, FolderWalk


def view_of(exists):
    view = FolderView()
    view.open()
    view.note_exists(exists)
    view.looked()
    return view


def test_a_larger_count_is_news_until_somebody_looks():
    view = view_of(3)
    view.note_exists(4)
    view.note_exists(4)

    assert view.may_have_news
    assert view.grown == 1
    view.looked()
    assert not view.may_have_news


def test_the_same_count_is_no_news():
    view = view_of(3)
    view.note_exists(3)

    assert not view.may_have_news


def test_one_expunged_and_one_added_is_news():
    view = view_of(3)
    view.note_expunge()
    view.note_exists(3)

    assert view.may_have_news


def test_an_expunge_alone_is_no_news():
    view = view_of(3)
    view.note_expunge()

    assert (view.exists, view.may_have_news) == (2, False)


def test_a_count_that_shrinks_without_expunge_is_doubted():
    view = view_of(3)
    view.note_exists(2)

    assert view.may_have_news
    assert view.grown is None


def test_an_expunge_from_an_empty_folder_is_doubted():
    view = view_of(0)
    view.note_expunge()

    assert view.may_have_news
    assert view.exists == 0


def test_a_small_folder_is_read_at_once():
    walk = FolderWalk(view_of(BATCH))
    walk.start(1000)

    assert walk.is_short(1)


def test_a_large_folder_is_read_at_once_only_from_where_little_has_come_since():
    view = view_of(10_000)
    walk = FolderWalk(view)
    walk.start(20_000)

    assert walk.is_short(20_000)
    assert not walk.is_short(19_999)
    view.note_exists(10_000 + BATCH)
    assert walk.is_short(20_000)
    view.note_exists(10_001 + BATCH)
    assert not walk.is_short(20_000)


def test_in_doubt_the_uids_are_listed_first():
    view = view_of(50)
    walk = FolderWalk(view)
    walk.start(100)
    view.note_exists(3)

    assert not walk.is_short(100)


def test_after_a_look_only_what_came_since_counts():
    view = view_of(10_000)
    walk = FolderWalk(view)
    walk.start(20_000)
    view.note_exists(10_090)
    walk.begin_look()
    view.note_exists(10_100)  # in the answer itself
    walk.end_look(20_091)

    assert walk.is_short(20_091)
    assert not walk.is_short(20_000)


def test_a_list_is_given_out_in_batches():
    walk = FolderWalk(view_of(10_000))
    walk.start(20_000)
    walk.begin_look()
    walk.list_uids(5, [4, *range(5, 255)])

    assert walk.next_uids(5) == list(range(5, 105))
    assert walk.next_uids(105) == list(range(105, 205))
    assert walk.next_uids(205) == list(range(205, 255))
    assert walk.has_list(254)
    assert not walk.has_list(255)
    assert walk.is_short(255)


def test_a_search_that_finds_only_the_message_before_finds_nothing():
    walk = FolderWalk(view_of(10_000))
    walk.start(20_000)
    walk.begin_look()
    walk.list_uids(15_000, [14_999])

    assert walk.next_uids(15_000) == []
    assert walk.is_short(15_000)
