# The random forest on measured spectra, or on degraded computed ones where there are none.


rule validate_models:
    input:
        searched("forest"),
        given(MEASURED),
        DATASETS,
        LABELS,
        THRESHOLDS,
        manifest=SETTINGS["validation"]["manifest"],
        compounds=SETTINGS["validation"]["compounds"],
    output:
        table="data/06_validation/{element}.csv",
        rejections="data/06_validation/{element}_rejections.csv",
    log:
        "logs/06_validation/{element}.log",
    benchmark:
        "results/benchmarks/06_validation/{element}.tsv"
    params:
        code=code_of("validation.stage:validate_element", without="networks"),
        settings=fit_settings(
            "forest",
            sections=["edge_energy", "limits", "validation"],
            prediction=["channel", "deglitch", "error_rate", "normalisation"],
        ),
        content=lambda wildcards: listing(MEASURED),
        search=expand("--search {table}", table=searched("forest")),
    message:
        "Validation of {wildcards.element}"
    shell:
        "xascoord --settings {params.settings:q} validation evaluate {wildcards.element}"
        " {params.search} --out {output.table} --rejections {output.rejections} > {log} 2>&1"


rule summarise_validation:
    input:
        expand("data/06_validation/{element}.csv", element=ELEMENTS),
        expand("data/06_validation/{element}_rejections.csv", element=ELEMENTS),
    output:
        "results/06_validation/metrics.json",
        spectra=reported("06_validation", "Validation", "spectra.csv"),
        rejections=reported("06_validation", "Validation", "rejections.csv"),
        summary=reported("06_validation", "Validation", "summary.csv"),
        training_sets=reported("06_validation", "Validation", "training_sets.png"),
        robustness=reported("06_validation", "Validation", "robustness.png"),
    log:
        "logs/06_validation/summarise.log",
    benchmark:
        "results/benchmarks/06_validation/summarise.tsv"
    params:
        code=code_of("validation.stage:summarise_validation"),
        settings=settings(
            "seed", "elements", models=["bootstrap"], prediction=["error_rate"]
        ),
    message:
        "Validation of all elements: tables and figures"
    shell:
        "xascoord --settings {params.settings:q} validation summarise"
        " --tables data/06_validation --out results/06_validation > {log} 2>&1"


# The samples of the settings, and the further ones beside them.
MANIFEST = Path(SETTINGS["validation"]["manifest"])
MANIFESTS = [
    path.as_posix()
    for path in (MANIFEST, MANIFEST.with_stem(f"{MANIFEST.stem}_more"))
    if path == MANIFEST or path.is_file()
]
ASKED = SETTINGS["prediction"]["classifier"]


rule validate:
    input:
        "results/06_validation/measured_origins.csv",


rule benchmark_measured:
    input:
        measured_folder,
        expand(
            "data/04_models/bundles/{element}/{name}",
            element=ELEMENTS if ASKED in CLASSIFIERS else [],
            name=[f"{ASKED}.skops", "reference.parquet"],
        ),
        manifests=MANIFESTS,
        compounds=SETTINGS["validation"]["compounds"],
    output:
        *reported(
            "06_validation",
            "Validation",
            "measured_spectra.csv",
            "measured_origins.csv",
            "measured_reliability.csv",
            "measured_coverage.png",
        ),
    log:
        "logs/06_validation/measured.log",
    benchmark:
        "results/benchmarks/06_validation/measured.tsv"
    params:
        code=lambda wildcards: code_of("prediction.benchmark_command:run_benchmark"),
        settings=settings("labels", "limits", "prediction", "validation"),
        content=lambda wildcards: listing(MEASURED),
        manifests=expand("--manifest={path}", path=MANIFESTS),
        folder=lambda wildcards: str(MEASURED),
    message:
        "Own and released models on measured spectra"
    shell:
        "env -u XASCOORD_MODELS xascoord --settings {params.settings:q} validate"
        " {params.folder:q} {params.manifests:q} --out results/06_validation --prefix measured_"
        " > {log} 2>&1"
