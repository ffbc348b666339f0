import numpy as np
import pytest

from conftest import edge_spectrum, xmu_text
from xascoord.core.rejections import Reason, RejectedSpectrum
from xascoord.sources.feff.xmu import parse_xmu

ENERGY, MU = edge_spectrum(8980)
HEADERS = {
    "FEFF 6": "# title Feff 6.01l\n#  omega    e    k    mu    mu0     chi     @#\n",
    "FEFF 8": "# Feff8L (EXAFS)  0.1\n# xsedge+ 50\n# omega   e   k   mu   mu0   chi   @#\n",
    "FEFF 9": "# # FEFF 9.9.1\n# FMS rfms= 9.0000\n# omega   e   k   mu   mu0   chi   @#\n",
    "FEFF 10": "#  FEFF 10.0.1 edge K\n# omega e k mu mu0 chi @#\n",
    "none": "",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_all_versions_of_feff(header):
    xmu = parse_xmu(xmu_text(ENERGY, MU, header))
    np.testing.assert_allclose(xmu.energy, ENERGY, atol=6e-4)
    np.testing.assert_allclose(xmu.mu, MU, atol=6e-6)


def test_columns_are_found_by_name():
    header = "#  e    omega    k    mu0    mu     chi\n"
    rows = "".join(f"{e - 8980} {e} 0.1 0.5 {m} 0.0\n" for e, m in zip(ENERGY, MU, strict=True))
    xmu = parse_xmu(header + rows)
    np.testing.assert_allclose(xmu.mu, MU)
    np.testing.assert_allclose(xmu.energy, ENERGY)


def test_fortran_exponents():
    text = "# omega e k mu mu0 chi\n" + "8980.0 0.0 0.0 1.5D-03 2.5-101 -3.0E+00\n" * 2
    xmu = parse_xmu(text)
    assert xmu.mu[0] == 1.5e-3
    assert xmu.mu0[0] == 2.5e-101


GOOD = xmu_text(ENERGY, MU)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.EMPTY),
        ("# omega e k mu mu0 chi\n", Reason.EMPTY),
        (GOOD[:-9], Reason.TRUNCATED),
        (GOOD[:-1], Reason.TRUNCATED),
        (GOOD[:-40], Reason.TRUNCATED),
        (GOOD.replace("5.000", "*****"), Reason.NOT_A_NUMBER),
        (GOOD.replace("# FEFF 9.9.1", "# SCF did not converge"), Reason.UNCONVERGED),
        (GOOD.replace(" mu0     chi ", " mu0 "), Reason.WRONG_COLUMNS),
        ("# omega e k chi mu0\n" + "1.0 2.0 3.0 4.0 5.0\n" * 50, Reason.WRONG_COLUMNS),
    ],
)
def test_broken_files_say_why(text, reason):
    with pytest.raises(RejectedSpectrum) as caught:
        parse_xmu(text)
    assert caught.value.reason is reason
