"""The public faces: every name that was ever public is there, imported when it is asked for."""

import importlib
import subprocess
import sys

import pytest

# A name may be added here and never taken away: programs of others use them.
NAMES = {
    "codes": "BLOCK_BYTES Distinct Layer activation_code check distinct layer_code pack read "
    "read_layers row_blocks unpack unpack_float write write_layers",
    "metrics": "Clustering Measurement MetricSettings NAMES Values check_labels check_splits "
    "cluster_labels clustering_accuracy code_length kmeans kmeans_accuracy knn_accuracy "
    "knn_predict logistic_regression_accuracy measure redundancy_ratio redundancy_ratio_of_subset",
    "datasets": "Arrays DatasetInfo DatasetSpec SOURCES SPLITS Split describe features fetch load "
    "load_features load_labels mirror_from_environment prepare",
    "perturbation": "BLOCK BLOCK_ON_GPU Coefficients FEWEST_EXAMPLES KINDS Kind PerturbedLayer "
    "Ranges Response SPREAD activation_range coefficients dead_units respond sweep "
    "with_perturbed_layer",
    "manifolds": "FAMILIES Family one_shot_accuracy variance_ratio",
}
FACES = sorted(NAMES)


@pytest.mark.parametrize("face", FACES)
def test_every_public_name_is_there(face):
    module = importlib.import_module(f"neuralcodes.{face}")
    wanted = set(NAMES[face].split())
    assert wanted <= set(dir(module))
    assert wanted <= set(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("face", FACES)
def test_a_public_name_is_no_module(face):
    """Else the module, once imported, would stand in the name's place."""
    module = importlib.import_module(f"neuralcodes.{face}")
    for name in module.__all__:
        assert not isinstance(getattr(module, name), type(sys)), name


def test_the_faces_import_nothing_heavy_until_a_name_is_asked_for():
    program = (
        f"from neuralcodes import {', '.join(FACES)}\n"
        "import sys\n"
        "found = {'torch', 'sklearn', 'scipy', 'pandas', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(str(found) if found else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
