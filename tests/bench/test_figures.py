"""What the benchmarks say of their measurements."""

import json

import pytest

from .figures import Baseline, Figure, Row, below, ratio_at_least, ratio_at_most
from .growth import slope
from .machine import describe_machine
from .scrape import Stalls
from .table import print_table, write_json


def row(ours, theirs=None, aim=None, **facts):
    baseline = None if theirs is None else Baseline("other", Figure.of("ms", theirs))
    return Row(benchmark="b", what="w", ours=Figure.of("ms", ours), baseline=baseline, aim=aim, **facts)


def test_a_figure_shows_its_median_and_its_extremes():
    assert str(Figure.of("ms", [3.0, 1.0, 20.0])) == "3 [1 20] ms"
    assert str(Figure.of("mails/s", [47.123])) == "47.1 mails/s"
    assert str(Figure.of("events/s", [12345.6])) == "12,346 events/s"


def test_what_was_not_measured_cannot_be_made_a_figure():
    with pytest.raises(ValueError, match="nothing was measured"):
        Figure.of("ms", [])


def test_the_ratio_is_that_of_the_medians():
    assert row([8.0, 9.0, 100.0], [3.0, 1.0, 30.0]).ratio == 3.0
    assert row([8.0]).ratio is None


def test_what_was_measured_side_by_side_is_compared_pair_by_pair():
    ours, theirs = [50.0, 25.0, 60.0], [100.0, 50.0, 60.0]

    assert row(ours, theirs, is_paired=True).ratio == 0.5
    assert row(ours, theirs).ratio == 50.0 / 60.0


@pytest.mark.parametrize(
    ("ours", "theirs", "aim", "is_met"),
    [
        ([2.0], [1.0], ratio_at_most(2.0), True),
        ([2.1], [1.0], ratio_at_most(2.0), False),
        ([0.5], [1.0], ratio_at_least(0.5), True),
        ([0.4], [1.0], ratio_at_least(0.5), False),
        ([4.9, 4.9, 9.0], None, below(5.0, "ms"), True),
        ([5.0], None, below(5.0, "ms"), False),
        ([5.0], None, None, None),
    ],
)
def test_an_aim_is_met_or_not(ours, theirs, aim, is_met):
    assert row(ours, theirs, aim).is_met is is_met


def test_an_aim_of_a_ratio_is_not_met_without_a_baseline():
    assert row([1.0], None, ratio_at_most(2.0)).is_met is False
    assert row([1.0], None, ratio_at_least(0.5)).is_met is False


@pytest.mark.parametrize(
    ("ours", "machine", "is_met"),
    [
        ([5.0, 90.0, 6.0], [1.0, 85.0, 2.0], True),
        ([30.0, 90.0, 31.0], [1.0, 85.0, 2.0], False),
        ([30.0], [25.0], None),
    ],
)
def test_a_stall_is_judged_only_where_the_machine_was_quiet(ours, machine, is_met):
    found = Stalls(ours, machine).row("stall", 20.0)

    assert found.is_met is is_met
    assert "the machine held up" in found.note


def test_a_slope_of_one_is_linear_and_of_none_is_no_growth():
    assert slope({100: 3.0, 1000: 30.0, 5000: 150.0}) == pytest.approx(1.0)
    assert slope({100: 7.0, 5000: 7.0}) == pytest.approx(0.0)
    assert slope({10: 2.0, 100: 200.0}) == pytest.approx(2.0)


def test_the_json_has_every_value_and_the_machine(tmp_path):
    machine = describe_machine()
    write_json(
        tmp_path / "made" / "bench.json",
        machine,
        [row([1.0, 3.0], [4.0], below(5.0, "ms"))],
        is_quick=True,
        failed=["x"],
    )
    data = json.loads((tmp_path / "made" / "bench.json").read_text())
    (found,) = data["rows"]

    assert data["machine"]["processors"] >= 1
    assert data["machine"]["memory_gib"] > 0
    assert (data["is_quick"], data["failed"]) == (True, ["x"])
    assert found["ours"] == {"unit": "ms", "median": 2.0, "min": 1.0, "max": 3.0, "values": [1.0, 3.0]}
    assert (found["ratio"], found["is_met"], found["baseline"]["name"]) == (0.5, True, "other")


def test_the_table_shows_all_of_a_row(capsys):
    print_table([row([10.0, 10.0], [4.0], ratio_at_most(2.0), note="a note"), row([1.0])])
    printed = capsys.readouterr().out

    for part in ("10 [10 10] ms", "4 ms", "other", "2.50", "ratio at most 2", "not met", "a note"):
        assert part in printed
