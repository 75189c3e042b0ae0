import json
from pathlib import Path

import pytest

from neuralcodes.measures import files
from neuralcodes.pipeline import configuration
from neuralcodes.report import origins

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def settings():
    return configuration.load({"preset": "digits"}, ROOT, {})


def test_every_run_of_the_studies_is_there_with_all_its_fields(settings):
    names = ["model_size_digits", "manifold_count"]
    found = origins.of_settings(settings, names)
    ids = {point.run.id for name in names for point in settings.studies[name].points}
    assert set(found["runs"]) == ids
    for name, fields in found["runs"].items():
        assert fields == settings.runs[name].to_dict()
    json.dumps(found, allow_nan=False)


def test_endings_and_chunks_give_the_metric_files_of_the_layout(settings):
    for name in settings.selected:
        study = settings.studies[name]
        known = origins.of_settings(settings, [name])["studies"][name]
        listed = {
            f"results/metrics/{point.run.id}/seeds{a}-{b}/"
            f"epoch{'final' if measure == 'history' else epoch}{ending}"
            for point in study.points
            for a, b in known["chunks"]
            for epoch in known["checkpoints"]
            for measure, ending in known["endings"].items()
        }
        assert listed == set(files.metric_files(settings, study))


@pytest.mark.parametrize(
    ("study", "folders"),
    [
        ("model_size_digits", ["codes"]),
        ("random_input_digits", ["codes", "codes_of_random_inputs"]),
        ("region_size_digits", []),
        ("retrieval_manifolds", []),
        ("perturbation_digits", []),
    ],
)
def test_codes_are_named_where_they_are_read(settings, study, folders):
    assert origins.of_settings(settings, [study])["studies"][study]["codes"] == folders


def test_the_fingerprint_follows_what_the_page_says(settings):
    before = origins.fingerprint(settings)

    def changed(**keys):
        return origins.fingerprint(configuration.load({"preset": "digits", **keys}, ROOT, {}))

    assert changed(device="cpu") == before
    assert changed(studies={"model_size_digits": {"title": "Another"}}) != before
    assert changed(studies={"model_size_digits": {"seeds": 3}}) != before
    assert changed(datasets={"digits": {"label": "Digits"}}) != before
    assert changed(recipes={"he2021": {"epochs": 61}}) != before
