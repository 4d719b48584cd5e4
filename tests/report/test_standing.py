"""What stands is left alone by the collector; what comes later is not."""

import gc
import weakref

import pytest

from smtp_probe.report.standing import leave_standing


class Circle:
    def __init__(self):
        self.itself = self


@pytest.fixture(autouse=True)
def thawed():
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_what_stands_is_looked_at_no_more():
    standing = Circle()
    leave_standing()

    assert not any(each is standing for each in gc.get_objects())
    assert gc.get_freeze_count() > 1000


def test_garbage_before_and_after_it_is_collected():
    before = weakref.ref(Circle())
    leave_standing()
    assert before() is None

    later = weakref.ref(Circle())
    gc.collect()
    assert later() is None
