"""What makes a spectrum no spectrum."""

import pytest

from conftest import edge_spectrum, make_settings
from corrupt import CU
from xascoord.core.rejections import RejectedSpectrum
from xascoord.spectra.checks import check_spectrum


def test_absurd_energies_are_rejected():
    energy, mu = edge_spectrum(CU)
    energy[-1] = 1e13
    with pytest.raises(RejectedSpectrum, match="spans"):
        check_spectrum(energy, mu, "Cu", make_settings().quality)
