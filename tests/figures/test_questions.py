import pytest

from neuralcodes.figures import marks, plotting, questions

EVERY = sorted({*marks.FACTORS, "subset", "schedule", "a_new_factor"})


def asked(kind, paper="he2021", factors=(), data="MNIST", **figure):
    settings = {"kind": kind, "x": None, "line": None, "variant": None, "kinds": None} | figure
    return questions.question(paper, settings, factors, data)


@pytest.mark.parametrize("kind", plotting.FIGURES)
def test_every_kind_is_one_question_about_its_dataset(kind):
    for paper in ("he2021", "oursland2024", "dikkala2021"):
        question = asked(kind, paper)
        assert question[0].isupper()
        assert question.endswith("?")
        assert question.count("?") == 1
        assert "MNIST" in question
        assert "None" not in question
        assert "  " not in question


@pytest.mark.parametrize("factor", EVERY)
@pytest.mark.parametrize("kind", ["curves", "manifold_sweep", "retrieval", "regions"])
def test_any_factor_can_be_on_the_axis_or_tell_lines_apart(kind, factor):
    x, other = asked(kind, x=factor), asked(kind, x="momentum", line=factor)
    assert questions.factor_phrase(factor) in x or factor == "manifolds"
    if kind != "retrieval":
        assert questions.factor_phrase(factor) in other
    for text in (x, other):
        assert "_" not in text
        assert text.endswith("?")
        assert "(" not in text


def test_curves_ask_how_codes_change_with_the_factor():
    assert asked("curves", x="width") == (
        "How do the redundancy of neural codes and the accuracy of classifiers on them change with "
        "the width of the network on MNIST?"
    )
    assert asked("curves", x="epoch", line="width", variant="schedule").endswith(
        "with the training time on MNIST, and does that depend on the width of the network and the "
        "learning rate's schedule?"
    )


@pytest.mark.parametrize(
    ("kinds", "done"),
    [
        (None, "its pre-activations are scaled, clipped or shifted"),
        (["offset"], "its pre-activations are shifted"),
        (["scale", "clip"], "its pre-activations are scaled or clipped"),
        (
            ["clip", "clip_activation"],
            "its pre-activations are clipped, or when outputs of units are clipped",
        ),
        (["scale_per_unit"], "each unit is scaled by a random factor of its own"),
    ],
)
def test_perturbations_are_named_by_what_is_done(kinds, done):
    assert asked("perturbations", "oursland2024", kinds=kinds) == (
        f"Does a network trained on MNIST still answer correctly when {done}?"
    )


def test_generated_manifolds_are_no_manifolds_of_manifolds():
    question = asked("manifold_sweep", "dikkala2021", data="synthetic manifolds", x="manifolds")
    assert question == (
        "From how many training manifolds on does a network represent unseen synthetic manifolds "
        "invariantly and far apart?"
    )
    assert "unseen manifolds of MNIST" in asked("manifold_sweep", x="points")


def test_factors_that_leave_the_base_point_are_named():
    one = asked("one_at_a_time", factors=["dropout"])
    two = asked("one_at_a_time", factors=["dropout", "batch_norm"])
    assert one.startswith("What does dropout do, each alone")
    assert two.startswith("What do dropout and batch normalization do, each alone")


def test_codes_of_a_network_find_classes_and_those_of_manifolds_find_manifolds():
    assert "examples of the same class on MNIST" in asked("retrieval", x="width")
    assert "points of the same manifold" in asked("retrieval", "dikkala2021", x="hash_width")


def test_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match=r"no figure kind 'pie'; there are \['curves'"):
        asked("pie")
