import dataclasses
import hashlib
import json
from dataclasses import dataclass

import pytest

from neuralcodes.studies import addressing

IDLE = {"momentum": 0.0, "size": None}
VALUES = {"name": "x", "rate": 0.5, "momentum": 0.9, "size": 3, "steps": 10, "flag": True}


@dataclass(frozen=True)
class Made:
    name: str
    rate: float
    momentum: float
    size: int | None
    steps: int
    flag: bool

    def idle(self):
        return {"momentum"} if self.name == "plain" else set()


def made(**changes):
    return addressing.make(Made, VALUES | changes, IDLE)


def test_json_has_sorted_keys_and_no_space():
    text = addressing.canonical_json(made(), (), {})
    assert text == ('{"flag":true,"momentum":0.9,"name":"x","rate":0.5,"size":3,"steps":10}')


def test_idle_fields_stay_out():
    found = json.loads(addressing.canonical_json(made(), ["size", "rate"], {}))
    assert found == {name: VALUES[name] for name in ("name", "momentum", "steps", "flag")}


def test_a_field_stays_out_only_at_the_value_that_says_it_is_absent():
    absent = {"momentum": 0.0, "size": None}
    kept = json.loads(addressing.canonical_json(made(), (), absent))
    assert kept == VALUES
    gone = addressing.canonical_json(made(momentum=0, size=None), (), absent)
    assert json.loads(gone).keys() == VALUES.keys() - absent.keys()


def test_the_digest_is_the_start_of_the_sha_256():
    assert addressing.digest("") == "e3b0c442"
    assert addressing.digest("\u03b3") == hashlib.sha256(b"\xce\xb3").hexdigest()[:8]


@pytest.mark.parametrize(
    ("field", "written", "kept"),
    [
        ("rate", 1, 1.0),
        ("momentum", 0, 0.0),
        ("steps", 200.0, 200),
        ("size", 7.0, 7),
        ("size", None, None),
        ("flag", False, False),
        ("name", "7.0", "7.0"),
    ],
)
def test_values_take_the_type_of_their_field(field, written, kept):
    found = getattr(made(**{field: written}), field)
    assert found == kept
    assert type(found) is type(kept)


def test_numbers_that_are_not_whole_stay_as_they_are():
    assert made(steps=2.5).steps == 2.5


def test_what_has_no_say_is_set_to_one_value():
    assert made(name="plain", momentum=0.3) == made(name="plain", momentum=0.8)
    assert made(name="plain").momentum == IDLE["momentum"]
    assert made(momentum=0.3) != made(momentum=0.8)
    assert made(name="plain").size == 3, "only what is idle"


def test_further_keys_are_left_out_and_missing_ones_an_error():
    assert made(colour="red") == made()
    with pytest.raises(KeyError, match="rate"):
        addressing.make(Made, {name: VALUES[name] for name in VALUES if name != "rate"}, IDLE)


def test_what_was_given_is_left_as_it_is():
    values = VALUES | {"name": "plain", "steps": 10.0}
    found = addressing.make(Made, values, IDLE)
    assert values["momentum"] == 0.9
    assert dataclasses.asdict(found) == values | {"momentum": 0.0}
