"""The columns of every Parquet table, named and typed in one place."""

from __future__ import annotations

import pyarrow as pa

from xascoord.core.coordination import MOTIF_CNS

# Of the columns below, written into every file: a table of another version is not read.
SCHEMA_VERSION = "2"
_FLOATS = pa.list_(pa.float64())

SPECTRA = pa.schema(
    [
        ("spectrum_id", pa.string()),
        ("material", pa.string()),  # what must stay in one fold
        ("structure_id", pa.string()),
        ("absorber", pa.string()),
        ("kind", pa.string()),  # "site" or "averaged"
        ("site_index", pa.int32()),  # in the structure's own order; -1 for averaged
        ("multiplicity", pa.int32()),  # symmetry-equivalent sites in the cell
        ("source", pa.string()),
        ("energy", _FLOATS),  # eV
        ("mu", _FLOATS),
    ]
)

STRUCTURES = pa.schema(
    [
        ("structure_id", pa.string()),
        ("material", pa.string()),
        ("source", pa.string()),
        ("formula", pa.string()),
        ("lattice", _FLOATS),  # nine numbers, row vectors, angstrom
        ("species", pa.list_(pa.string())),
        ("frac_coords", _FLOATS),  # 3 x sites, row-major
        ("equivalent_to", pa.list_(pa.int32())),  # first site of each site's orbit
    ]
)

# Finished FEFF runs, good or not (sources/feff/packed.py).
FEFF_RUNS = pa.schema(
    [
        ("key", pa.string()),  # structure/element/site#digest of crystal, cards and engine
        ("reason", pa.string()),  # "" where it is a spectrum
        ("detail", pa.string()),
        ("tries", pa.int32()),
        ("cpu", pa.float64()),  # s
        ("fermi_levels", _FLOATS),  # eV, after each iteration
        ("charge_distances", _FLOATS),
        ("reached", pa.bool_()),  # FEFF's own criterion; null where nothing is known
        ("energy", _FLOATS),  # eV
        ("mu", _FLOATS),
    ]
)

REJECTIONS = pa.schema(
    [
        ("stage", pa.string()),
        ("source", pa.string()),
        ("absorber", pa.string()),
        ("kind", pa.string()),
        ("item", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)

DATASET = pa.schema(
    [
        *SPECTRA,
        ("group", pa.string()),  # first material that is the same crystal (structures.groups)
        ("e0", pa.float64()),  # eV
        ("onset", pa.float64()),  # eV
        ("scale", pa.float64()),  # what the window was divided by
        ("features", _FLOATS),  # the window, maximum 1
    ]
)

_PROVENANCE = [field for field in SPECTRA if field.name not in ("energy", "mu")]
# What describes a site; the labels are made of these.
VECTORS = ("cn_weights", "motif_order_parameters")
ORDER_PARAMETERS = pa.schema(
    [
        *_PROVENANCE,
        ("cn_weights", _FLOATS),  # of coordination numbers 1 to 12
        (
            "motif_order_parameters",
            _FLOATS,
        ),  # 25 weighted motif order parameters, in the order of coordination.MOTIFS
    ]
)

LABELS = pa.schema(
    [
        *ORDER_PARAMETERS,
        ("cn_label", pa.string()),  # "" where no coordination number reaches the threshold
        ("cn_kept", pa.bool_()),  # False: too rare to be learnt
        # null where the coordination number is not in the label or the group has no such task
        *((f"motif_label_{number}", pa.string()) for number in MOTIF_CNS),
        *((f"motif_kept_{number}", pa.bool_()) for number in MOTIF_CNS),
    ]
)

SCORES = (
    "top1", "top1_ranking", "exact", "jaccard", "cn_top1", "cn_exact", "cn_jaccard",
)  # fmt: skip


# Predictions of spectra that the classifier had not seen.
PREDICTIONS = pa.schema(
    [
        ("spectrum_id", pa.string()),
        ("material", pa.string()),  # the group of it, which folds keep together
        ("absorber", pa.string()),
        ("kind", pa.string()),
        ("classifier", pa.string()),
        ("training_set", pa.string()),
        ("split", pa.string()),
        ("fold", pa.int32()),
        ("learnable", pa.bool_()),  # label and motifs of its first CN are frequent enough
        ("status", pa.string()),  # why not: models.data.STATUSES
        ("motif_step", pa.string()),  # of its first CN: learnt, constant, none or no_task
        ("true_label", pa.string()),
        ("predicted_label", pa.string()),
        ("true_environment", pa.string()),
        ("predicted_environment", pa.string()),
        ("true_cn", pa.string()),
        ("predicted_cn", pa.string()),
        # By sums over all rankings, as answers are; the others are of the likeliest ranking.
        ("decided_cn", pa.int32()),  # 0: no label is known
        ("decided_environment", pa.string()),
        ("probability", pa.float64()),  # of the predicted label
        ("cn_probability", pa.float64()),  # of the predicted CN ranking
        # Of every label of every step, of the training set "full"; else empty.
        ("step_labels", pa.list_(pa.string())),
        ("step_raw", pa.list_(pa.float32())),  # probability before temperature
        ("step_probabilities", pa.list_(pa.float32())),  # and after
        *((name, pa.float64()) for name in SCORES),
    ]
)


# Site-specific spectra of known geometry, without near-duplicates.
GEOMETRIES = pa.schema(
    [
        *SPECTRA,
        ("group", pa.string()),  # first material that is the same crystal (structures.groups)
        ("symbol", pa.string()),  # ChemEnv's, of the nearest ideal polyhedron
        ("neighbours", pa.int32()),
        ("measure", pa.float64()),  # continuous symmetry measure, 0 to 100
        ("grid_start", pa.float64()),  # eV, of the element's grid
        ("features", _FLOATS),  # on the grid, maximum 1
    ]
)


# Their predictions by networks that had not seen them, as they are.
GEOMETRY_PREDICTIONS = pa.schema(
    [
        ("spectrum_id", pa.string()),
        ("material", pa.string()),
        ("absorber", pa.string()),
        ("split", pa.string()),
        ("fold", pa.int32()),
        ("network", pa.string()),
        ("region", pa.string()),  # full or pre_edge
        ("training", pa.string()),  # shifted, base or noisy copies learnt from
        ("true_symbol", pa.string()),
        ("predicted_symbol", pa.string()),
        ("probability", pa.float64()),
    ]
)


# O K-edge spectra with what surrounds each oxygen.
OXYGEN = pa.schema(
    [
        ("spectrum_id", pa.string()),
        ("snapshot", pa.string()),  # structure that the site belongs to
        ("site_index", pa.int32()),  # in the structure's own order
        ("source", pa.string()),
        ("metals", pa.int32()),  # within the cutoff
        ("dimer", pa.bool_()),
        ("environment", pa.string()),  # class: "0", "1", ... or "dimer"
        ("energy", _FLOATS),  # eV
        ("mu", _FLOATS),
        ("features", _FLOATS),  # in the window
    ]
)


# Computed spectra that a prediction is compared with; it lies beside the models.
REFERENCE = pa.schema(
    [
        ("spectrum_id", pa.string()),
        ("material", pa.string()),
        ("kind", pa.string()),
        ("label", pa.string()),  # combined ranking
        ("features", pa.list_(pa.float32())),
    ]
)


# Measured spectra of known compounds (references.library).
REFERENCES = pa.schema(
    [
        ("name", pa.string()),  # element/compound/sample/source
        ("element", pa.string()),
        ("compound", pa.string()),
        ("coordination", pa.int32()),  # null: of several numbers, not certain, or no oxide
        ("motif", pa.string()),
        ("kind", pa.string()),  # references.library.KINDS
        ("sample", pa.string()),
        ("beamline", pa.string()),
        ("source", pa.string()),
        ("licence", pa.string()),
        ("note", pa.string()),
        ("e0", pa.float64()),  # eV
        ("energy", _FLOATS),  # eV
        ("norm", _FLOATS),  # pre-edge 0, edge step 1
    ]
)
