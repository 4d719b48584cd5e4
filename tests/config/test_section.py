import pytest
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from smtp_probe.config.section import Settings, conflict


class Pair(Settings):
    lower: float
    upper: float = 10.0


def test_a_section_is_frozen_and_refuses_what_it_does_not_know():
    pair = Pair(lower=1)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(pair, "lower", 2)  # noqa: B010 - mypy knows that it cannot be
    with pytest.raises(ValidationError, match="Extra inputs"):
        Pair.model_validate({"lower": 1, "other": 2})


def test_an_error_does_not_show_the_value():
    with pytest.raises(ValidationError) as caught:
        Pair.model_validate({"lower": "hunter2"})
    assert "hunter2" not in str(caught.value) + repr(caught.value)


def test_the_order_of_two_settings_is_a_conflict_between_them():
    Pair(lower=10)._require_order("lower", "upper")
    with pytest.raises(PydanticCustomError) as caught:
        Pair(lower=90)._require_order("lower", "upper")
    assert caught.value.type == "conflict"
    assert caught.value.message() == "lower (1m30s) must not be longer than upper (10s)"
    assert (caught.value.context or {}).get("keys") == ("upper", "lower")


def test_a_conflict_may_have_braces_in_its_reason():
    assert conflict("{not a field}", "a").message() == "{not a field}"
