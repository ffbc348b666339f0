"""Small files in the formats of beamlines: headers as they write them, made-up numbers."""

from __future__ import annotations

import numpy as np

from conftest import edge_spectrum

CU = 8979.0
_HC = 12398.41984


def edge(e0: float = CU, points: int = 141) -> tuple[np.ndarray, np.ndarray]:
    """Energies in eV and mu of a made-up K edge."""
    return edge_spectrum(e0, span=(-150.0, 200.0), points=points)


def rows(*columns: np.ndarray, mark: str = " ", digits: int = 6) -> str:
    """Columns of numbers as lines."""
    return "".join(
        mark.join(f"{v:.{digits}f}" for v in row) + "\n" for row in zip(*columns, strict=True)
    )


def counts(mu: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A monitor that drifts, what a sample lets through, and its fluorescence."""
    i0 = 2e5 * (1 - 0.05 * np.linspace(0, 1, len(mu)))
    return i0, i0 * np.exp(-mu), 0.02 * i0 * mu + 1


def ssrl() -> str:
    """SSRL's EXAFS Data Collector: rows of weights and offsets, names one a line."""
    energy, mu = edge()
    i0, i1, _ = counts(mu)
    one = np.ones_like(energy)
    return (
        "SSRL   EXAFS Data Collector 1.3\nSun May 21 00:13:57 2006\nPTS:        141 COLS:     6"
        "\nTRANS.DET\n2-3 unfocused  0.000 -2 Si(220) 1.920156   100000\n\nWeights: \n"
        " 1.000  1.000  1.000  1.000  1.000  1.000 \nOffsets: \n"
        " 0.000  0.000  0.000  144.200  133.500  238.300 \nData: \nReal time clock   \n"
        "Requested Energy  \nAchieved Energy   \nI0                \nI1                \n"
        "I2                \n\n" + rows(one, energy + 0.3, energy, i0, i1, 0.9 * i1)
    )


def ssrl_micro() -> str:
    """The same of a detector of many elements; the chamber behind the sample is not used."""
    energy, mu = edge()
    i0, _, fluorescence = counts(mu)
    none, parts = np.zeros_like(energy), (0.2, 0.3, 0.5)
    channels = [share * fluorescence for share in parts]
    names = [f"{kind}.{i}" for kind in ("SCA1", "ICR") for i in (1, 2, 3)]
    return (
        "SSRL   MicroEXAFS Data Collector 1.0 \nSat Aug 09 11:58:07 2008\nPTS:\t141\tCOLS:\t11\n\n"
        "Weights:\n " + "1.000\t" * 10 + "\nOffsets:\n " + "0\t" * 10 + "\nData:\nReal Time Clock\n"
        "Requested Energy\nI0   \nI1   \nI2   \n" + "   \n".join(names) + "   \n\n"
        + rows(none + 1, energy, i0, none, none, *channels, *(5e5 + c for c in channels), mark="\t")
    )  # fmt: skip


def photon_factory(mode: int, place: str = "KEK-PF   BL12C") -> str:
    """The 9809 format: blocks of numbers in the header, angles; mode 2: transmission."""
    energy, mu = edge()
    i0, i1, fluorescence = counts(mu)
    angle = np.degrees(np.arcsin(_HC / (2 * 3.13551 * energy)))
    seconds = np.where(energy < CU, 1.0, 2.0)
    signal = (i1 if mode == 2 else fluorescence) * seconds + 652.975 * seconds
    return (
        f"  9809     {place}\n a sample  07.05.12 23:28 - 07.05.12 23:55\n"
        " Ring :   2.5 GeV   348.8 mA -  342.8 mA\n"
        " Mono :   SI(111)       D=  3.13551 A    Initial angle=  9.25969 deg\n"
        " BL12C     Transmission( 2)   Repetition=  6     Points=  141\n"
        " Param file : A:cuk16         energy axis(2)     Block =    6\n\n"
        " Block      Init-Eng  final-Eng      Step/eV     Time/s       Num\n"
        "     1        8829.00   8900.00         6.00       1.00        17\n"
        "     2        8900.00   9179.00          .35       1.00       486\n"
        " Ortec(-1)     NDCH = 3\n  Angle(c)  Angle(o)    time/s         2         3\n"
        f"      Mode         0         0         1         {mode}\n"
        "    Offset         0         0   826.150   652.975\n"
        + rows(angle, angle, seconds, i0 * seconds + 826.15 * seconds, signal, mark="  ")
    )


def spec(numbers: tuple[int, ...] = (1, 2), kev: bool = True) -> str:
    """SPEC: scans with headers of their own, names with single blanks in them."""
    energy, mu = edge()
    head = "#F /data/Cu.dat\n#E 1371554237\n#D Fri Jun 28 13:38:56 2013\n#O0  samplez    omegax\n\n"
    text = head
    for number in numbers:
        i0, i1, _ = counts(mu * number)
        none = np.zeros_like(energy)
        text += (
            f"#S {number}  zapline mono 10.3 9.9 141 100 \n#T 100  (ms)\n#P0 1.25e-06 -0.19\n"
            "#N 6\n#L Mon  Det1  Counter 27  Ion1  TwoTheta  ZapEnergy\n"
            + rows(i0, none, none, i1, 20 - none, energy / 1000 if kev else energy)
            + "\n"
        )
    return text


def labview(names: tuple[str, ...], *columns: np.ndarray) -> str:
    """APS 20ID, 20BM and 9BM: names in a list of two columns and in one line."""
    width, half = 21, (len(names) + 1) // 2
    table = [f"{i:2d}) {name}" for i, name in enumerate(names, start=1)]
    listed = [f"# {a:<25}{b}" for a, b in zip(table[:half], [*table[half:], ""], strict=False)]
    return (
        "# 1-D Scan File created by LabVIEW Control Panel  6/15/2018\n#\n# Scan config:\n"
        "#                 E0: 8979.00 eV   141 points\n# Here is a readable list of column heading"
        "s:\n" + "\n".join(listed) + "\n#\n# Column Headings:\n#"
        + "".join(f"{name:<{width}}" for name in names) + "\n" + rows(*columns, mark="   ")
    )  # fmt: skip


def aps_20id() -> str:
    """Nothing behind the sample; sums of the lines of several elements."""
    energy, mu = edge()
    i0, _, fluorescence = counts(mu)
    flat = np.full_like(energy, 30.0)
    names = ("Mono Energy (alt) *", "Scaler preset time *", "ID Gap *", "Preslit", "PreKB-I0", "IT",
             "XMAP4:DT Corr I0", "XMAP4:CuKa_Sum", "XMAP4:FeKa_Sum", "XMAP4:Total_Sum")  # fmt: skip
    noise = np.where(np.arange(len(energy)) % 2, -0.8, 1.2)
    return labview(names, energy, flat / 30, energy / 1000, i0, i0, noise, 0.99 * i0, fluorescence,
                   flat, 10 * fluorescence)  # fmt: skip


def aps_9bm() -> str:
    """Chambers whose names bear the number of their amplifier."""
    energy, mu = edge()
    i0, i1, fluorescence = counts(mu)
    names = ("Mono Energy *", "Scaler preset time *", "I0-32", "It-32", "Iref-32", "If-32")
    return labview(names, energy, np.ones_like(mu), i0, i1, 0.9 * i1, fluorescence)


def aps_12bm() -> str:
    """Energies in keV, names with their numbers before them."""
    energy, mu = edge()
    i0, i1, fluorescence = counts(mu)
    return (
        "#D Tue Jul 09 14:44:45 2019  \n#S Scan 29; exafsscan \n#C exafs_edge_energy 8.979\n"
        "#C exafs_region -200 -20 36 1 0 0 0\n"
        "#C 1_Energy (keV) 2_sec 3_mononrg 4_i0 5_i1 6_i2 7_flatot \n"
        + rows(energy / 1000, np.ones_like(mu), energy / 1000, i0, i1, i1, fluorescence)
    )


def lisa() -> str:
    """ESRF BM08: two hutches, mu of the sample and of the reference."""
    energy, mu = edge()
    i0, i1, _ = counts(mu)
    return "#eBraggEnergy I0_EH1 I1_EH1 mu I1_EH2 IR_EH2 mu_ref\n" + rows(
        energy, i0, i1, mu, i1, i1 / 2, np.log(i1 / (i1 / 2))
    )


def iss() -> str:
    """NSLS-II 8-ID: amplifiers that turn the sign; element and edge in the header."""
    energy, mu = edge()
    i0, i1, fluorescence = counts(mu)
    return (
        "# Facility: NSLS-II\n# Beamline: ISS (8-ID)\n# Element: Cu\n# Edge: K\n# E0: 8979\n#\n"
        "# # energy  i0  ir  it  iff  pba2_adc7\n"
        + rows(energy, -i0, -0.5 * i1, -i1, -fluorescence, np.ones_like(mu), digits=9)
    )


def bmm() -> str:
    """NSLS-II 6BM: XDI whose spacing has a unit that larch does not read; DTC1 to DTC4."""
    energy, mu = edge()
    i0, _, fluorescence = counts(mu)
    names = ("energy", "requested_energy", "xmu", "I0", "It", "DTC1", "DTC2", "ROI1", "ROI2")
    noise = np.where(np.arange(len(energy)) % 2, -0.0008, 0.0012)
    return (
        "# XDI/1.0 BlueSky/1.5.0\n# Element.symbol: Cu\n# Element.edge: K\n"
        "# Mono.d_spacing: 3.1356369 \u00c5\n# Sample.name: a slurry\n"
        + "".join(f"# Column.{i}: {n} eV\n" for i, n in enumerate(names, start=1))
        + "# ///////////\n# 48 hr rest\n# -----------\n# " + "  ".join(names) + "\n"
        + rows(energy, energy, fluorescence / i0, i0, noise, fluorescence / 2, fluorescence / 2,
               fluorescence / 3, fluorescence / 3, mark="  ")
    )  # fmt: skip


def cls_hxma() -> str:
    """CLS HXMA: detectors by number only."""
    energy, mu = edge()
    i0, i1, fluorescence = counts(mu)
    names = ("Event-ID", "$(AbsEnergyName)", "$(EnergyFeedback)", "$(Detector1)", "$(Detector2)",
             "$(Detector3)", "$(RingCurrent)")  # fmt: skip
    quoted = "\t".join(f'"{name}"' for name in names)
    pvs = "\t".join(f'"BL1606-ID-1:{i}"' for i in range(7))
    one = np.ones_like(mu)
    return (
        f'# CLS Data Acquisition\n#(1)\t{pvs}\n#(1)\t{quoted}\n#(2)\t"$(Background)[0]"\n'
        "# Background counts time=0(x .1 microseconds), 0, 0, 0, 0, 11867.000, 5.0000, 5.0000\n"
        + rows(one, energy, energy, fluorescence, i0, i1, 187 * one, mark=", ")
    )


def phoenix() -> str:
    """SLS PHOENIX: sums of lines, gains, channels of four detectors."""
    energy, mu = edge(1559.0)
    i0, _, fluorescence = counts(mu)
    flat = np.full_like(mu, 7.0)
    names = ("Energy_c1", "MgKa_sum_cps_c2", "AlKa_sum_cps_c3", "I0_KEITHLEY1_c4",
             "KEITHLEY1_GAIN_c5", "I1_KEITHLEY2_c6", "D1_AlKa_corr_c7", "D1_ICR_c8")  # fmt: skip
    return "#    " + "    ".join(names) + "\n" + rows(
        energy, 500 + flat, fluorescence, i0, flat, -flat, fluorescence / 4, fluorescence, mark="  "
    )  # fmt: skip


def fdmnes(first: float = -40.0) -> str:
    """FDMNES: energies count from the edge, which the header says."""
    energy, mu = edge_spectrum(0.0, span=(first, 150.0), points=381)
    return (
        f"# FDMNES program, Revision 20th of January 2022\n {CU:.3f}   29  1  1     0.00000   "
        "-19.30749    -5.01332  1  1    19831.401  0.011948392     0.00000 = E_edge, Z, n_edge, "
        "j_edge, Abs_before_edge\n    Energy    <xanes>    \n" + rows(energy, 0.07 * mu, mark="  ")
    )


def mrcat() -> str:
    """APS 10BM and 10ID: names behind a line of dashes, without a comment sign."""
    energy, mu = edge()
    i0, i1, fluorescence = counts(mu)
    return (
        "MRCAT_XAFS V2.00\nCreated 07/09/2019 12:00:00\nScan setup 1\nMono 3.1355\n"
        "---------------------------------------------\n"
        "Energy  Io  It  Iref  If\n" + rows(energy, i0, i1, 0.9 * i1, fluorescence, mark="  ")
    )


def spring8() -> str:
    """The 9809 format of a detector of several elements: several columns of mode 3."""
    energy, mu = edge()
    i0, _, fluorescence = counts(mu)
    angle = np.degrees(np.arcsin(_HC / (2 * 3.13551 * energy)))
    parts = [share * fluorescence for share in (0.2, 0.3, 0.5)]
    return (
        "  9809     SPring-8 BL01B1\n a sample  12.05.12 23:28 - 12.05.12 23:55\n"
        " Mono :   SI(111)       D=  3.13551 A    Initial angle=  9.25969 deg\n"
        "  Angle(c)  Angle(o)    time/s         2         3         4         5\n"
        "      Mode         0         0         1         3         3         3\n"
        "    Offset         0         0     0.000     0.000     0.000     0.000\n"
        + rows(angle, angle, np.ones_like(mu), i0, *parts, mark="  ")
    )


def xdac() -> str:
    """NSLS X11: a line of offsets above the names, "I" behind the sample, "Ir" the reference."""
    energy, mu = edge()
    i0, i1, _ = counts(mu)
    return (
        'XDAC V1.4   Datafile V1\n"cu.002" created on X-11A on 10/12/02 at 3:14:15 PM\n'
        "Diffraction element= Si(111). Ring energy= 2.58 GeV\nE0= 8979.00\nNUM_REGIONS= 3\n"
        "SRB= -200 -30 50 300\nSRSS= 10 0.5 2\nSPP= 1 1 1\nSettling time= 0.35\n"
        "Offsets=  215.00  310.00  120.00\nGains=  8.00  8.00  8.00\n 215.00  310.00  120.00\n"
        "----------------------------------------\n   Energy    I0    I    Ir\n"
        + rows(energy, i0, i1, 0.4 * i1)
    )


def fio(energy_name: str = "FE_0001") -> str:
    """DESY's .fio: names of devices in lines "Col 1 NAME FLOAT"."""
    energy, mu = edge()
    i0, _, fluorescence = counts(mu)
    names = (energy_name, "FE_0001_DELTA", "FE_0001_C1", "FE_0001_C2")
    listed = "".join(f" Col {i} {name} FLOAT\n" for i, name in enumerate(names, start=1))
    return "!\n! Comment\n%c\n a sample\n!\n! Data\n%d\n" + listed + rows(
        energy, 0.3 + 0 * mu, i0, fluorescence
    )  # fmt: skip


def diamond() -> str:
    """Diamond B18: names in the last line of a long header."""
    energy, mu = edge()
    i0, i1, fluorescence = counts(mu)
    names = ("qexafs_energy", "I0", "It", "Iref", "lnI0It", "lnItIref", "FF", "FFI0")
    return (
        "# Diamond Light Source\n# Instrument: B18-CORE\n# Date: Tue, 01 Jan 2019 12:00:00 GMT\n#\n"
        "# Ring energy: 3.00 GeV\n# Mono: crystal type Si(111)\n# Sample name: a pellet\n#\n# "
        + "\t".join(names) + "\n"
        + rows(energy, i0, i1, 0.9 * i1, mu, 0.1 + 0 * mu, fluorescence, fluorescence / i0,
               mark="\t")
    )  # fmt: skip


def qas() -> str:
    """NSLS-II 7-BM: a time, the energies, amplifiers that turn the sign."""
    energy, mu = edge()
    i0, i1, fluorescence = counts(mu)
    return (
        "# Facility: NSLS-II\n# Beamline: QAS (7-BM)\n# Element: Cu\n# Edge: K\n# E0: 8979\n#\n"
        "# # timestamp  energy  i0  it  ir  iff  aux1  aux2\n"
        + rows(1.5e9 + energy, energy, -i0, -i1, -0.5 * i1, -fluorescence, mu, mu, digits=9)
    )


def sesame() -> str:
    """SESAME XAFS/XRF: XDI without a spacing, counts of each element of the detector."""
    energy, mu = edge()
    i0, i1, fluorescence = counts(mu)
    names = ("energy", "I0", "I1", "I2", "ROI-1", "ROI-2", "ICR-1", "ICR-2")
    return (
        "# XDI/1.0 SED_XAFS/0.9\n# Beamline.name: XAFS/XRF (BM08)\n# Facility.name: SESAME\n"
        "# Element.symbol: Cu\n# Element.edge: K\n# Mono.name: Si 111\n# Sample.name: a pellet\n"
        + "".join(f"# Column.{i}: {name}\n" for i, name in enumerate(names, start=1))
        + "# ///\n# -----\n# " + "  ".join(names) + "\n"
        + rows(energy, i0, i1, 0.5 * i1, fluorescence / 2, fluorescence / 2, fluorescence,
               fluorescence)
    )  # fmt: skip
