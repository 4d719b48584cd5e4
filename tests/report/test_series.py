"""The samples: grouped, versioned, and shown or not."""

from smtp_probe.report.metrics import FORGED, HOPS, LAST_PHASE, MAILBOX_UP, OLDEST_IN_FLIGHT, PROBES
from smtp_probe.report.series import Series

ONE, TWO = ("route", "one"), ("route", "two")


def make_series():
    series = Series()
    series.put(PROBES, ("one",), 1.0)
    series.put(PROBES, ("two",), 2.0)
    series.put(FORGED, (), 3.0)
    return series


def test_samples_are_grouped_by_what_they_speak_of():
    series = make_series()
    series.put(HOPS, ("one",), 4.0)

    assert series.shown() == (("", ""), ONE, TWO)
    assert series.copy(ONE) == {PROBES.name: {("one",): 1.0}, HOPS.name: {("one",): 4.0}}


def test_only_what_changed_has_a_new_version():
    series = make_series()
    before = {key: series.version(key) for key in series.shown()}
    series.add(PROBES, ("two",), 1.0)
    changed = [key for key in series.shown() if series.version(key) != before[key]]

    assert changed == [TWO]


def test_a_copy_does_not_change_with_the_original():
    series = make_series()
    copy = series.copy(ONE)
    series.add(PROBES, ("one",), 1.0)
    series.put(HOPS, ("one",), 1.0)

    assert copy == {PROBES.name: {("one",): 1.0}}


def test_a_group_that_is_not_shown_keeps_its_counters_and_loses_its_gauges():
    series = make_series()
    series.put(HOPS, ("two",), 5.0)
    before = series.version(TWO)
    series.show_only("route", {"one"})
    hidden = series.shown()
    version = series.version(TWO)
    series.show_only("route", {"one", "two"})

    assert hidden == (("", ""), ONE)
    assert version > before
    assert series.copy(TWO) == {PROBES.name: {("two",): 2.0}}


def test_what_is_hidden_does_not_hide_other_things_of_that_name():
    series = make_series()
    series.put(MAILBOX_UP, ("two",), 1.0)
    series.show_only("route", {"one"})

    assert series.shown() == (("", ""), ("mailbox", "two"), ONE)


def test_samples_can_be_replaced_as_a_whole():
    series = make_series()
    series.replace(LAST_PHASE, "one", {("one", "mail"): 1.0, ("one", "rcpt"): 2.0})
    series.replace(LAST_PHASE, "one", {("one", "mail"): 3.0})

    assert dict(series.all(LAST_PHASE)) == {("one", "mail"): 3.0}


def test_a_sample_can_be_removed_and_removing_it_again_changes_nothing():
    series = make_series()
    series.put(OLDEST_IN_FLIGHT, ("one",), 1.0)
    series.remove(OLDEST_IN_FLIGHT, ("one",))
    version = series.version(ONE)
    series.remove(OLDEST_IN_FLIGHT, ("one",))

    assert series.get(OLDEST_IN_FLIGHT, ("one",)) is None
    assert series.version(ONE) == version
    assert series.copy(ONE) == {PROBES.name: {("one",): 1.0}}


def test_what_exists_is_not_begun_again():
    series = make_series()
    series.put_new(PROBES, ("one",), 0.0)
    series.put_new(PROBES, ("three",), 0.0)

    assert dict(series.all(PROBES)) == {("one",): 1.0, ("two",): 2.0, ("three",): 0.0}


def test_a_forgotten_metric_has_no_samples():
    series = make_series()
    series.forget(PROBES)

    assert list(series.all(PROBES)) == []
    assert series.get(FORGED, ()) == 3.0
