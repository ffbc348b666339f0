"""What log1.dat says of the self-consistency, and which runs pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xascoord.core.rejections import RejectedSpectrum
from xascoord.settings.feff import Convergence
from xascoord.sources.feff.convergence import check_self_consistency, read_self_consistency

STEP = "New Fermi level:    mu={:8.3f} eV  Charge distance={:8.4f} (partial c.d.=  0.9736)\n"


def log(levels, charges, ending=""):
    steps = zip(levels, charges, strict=True)
    return "Calculating SCF potentials ...\n" + "".join(STEP.format(*s) for s in steps) + ending


def test_a_log_is_read():
    found = read_self_consistency(log([1.5, -2.0, -2.1, -2.15], [0.3, 0.2, 0.1, 0.05]))
    assert found.fermi_levels == (1.5, -2.0, -2.1, -2.15)
    assert found.charge_distance == 0.05
    assert found.fermi_drift == pytest.approx(0.15)
    assert not found.reached
    assert read_self_consistency(log([1.0], [0.1], "Convergence reached in    1 iter")).reached
    assert read_self_consistency("Done with module: potentials.\n") is None


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        (log([-2.0, -2.05, -2.1], [0.1, 0.1, 0.01]), True),
        (log([-2.0, -2.3, -2.1], [0.1, 0.1, 0.01]), False),  # the Fermi level moves
        (log([-2.0, -2.0, -2.0], [0.1, 0.1, 0.5]), False),  # the charges do
        (log([-2.0, -2.0], [0.0, 0.0]), False),  # too few to tell
        (log([-2.0, -9.0], [0.5, 0.5], "Convergence reached in   2 iterations."), True),
        ("Convergence not reached in 30 iterations\n", False),
        (log([-2.0, -2.0, -2.0], [0.1, 0.1, 0.1]).replace("  0.1000 (", "********("), False),
        (log([-2.0] * 3, [0.1] * 3).replace("-2.000", "********", 1), False),
        (log([-2.0] * 4, [0.1] * 4).replace("  0.1000 (", "     NaN ("), False),
        ("", True),  # no self-consistency asked for
    ],
)
def test_what_passes(text, passes):
    found = read_self_consistency(text)
    if passes:
        check_self_consistency(found, Convergence())
    else:
        with pytest.raises(RejectedSpectrum, match="unconverged"):
            check_self_consistency(found, Convergence())


@given(st.text(max_size=300))
def test_any_text_is_read_or_is_none(text):
    found = read_self_consistency(text)
    assert found is None or len(found.fermi_levels) == len(found.charge_distances)
