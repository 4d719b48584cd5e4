"""What a declaration says of a metric."""

from smtp_probe.report.metric import Kind, counter, gauge, histogram, info


def test_each_way_to_declare_gives_its_kind_under_our_prefix():
    made = (counter("a", "A."), gauge("a", "A."), histogram("a", "A.", buckets=(1.0,)), info("a", "A."))

    assert [metric.kind for metric in made] == [Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM, Kind.INFO]
    assert {metric.name for metric in made} == {"smtp_probe_a"}
    assert [metric.is_durable for metric in made] == [True, False, True, False]


def test_samples_are_kept_together_by_a_first_label_that_names_a_part():
    assert gauge("a", "A.", "route", "hop").group_label == "route"
    assert gauge("a", "A.", "hop", "route").group_label == ""
