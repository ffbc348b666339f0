# The random forest on measured spectra, or on degraded computed ones where there are none.


rule validate_models:
    input:
        SEARCHED,
        given(MEASURED),
        datasets=expand(
            "data/02_datasets/{kind}/{{element}}.parquet", kind=["site", "averaged"]
        ),
        labels="data/03_labels/labels/{element}.parquet",
        thresholds="results/03_labels/thresholds.json",
        manifest=config["validation"]["manifest"],
        compounds=config["validation"]["compounds"],
    output:
        table="data/06_validation/{element}.csv",
        rejections="data/06_validation/{element}_rejections.csv",
    log:
        "logs/06_validation/{element}.log",
    benchmark:
        "results/benchmarks/06_validation/{element}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(60),
    params:
        settings=settings(
            "seed",
            "labels",
            "edge_energy",
            "window",
            "augmentation",
            "models",
            "validation",
            "prediction",
        ),
        content=listing(MEASURED),
        search=expand("--search {table}", table=SEARCHED),
        datasets=expand(
            "--dataset data/02_datasets/{kind}/{{element}}.parquet",
            kind=["site", "averaged"],
        ),
    message:
        "Validation of {wildcards.element}"
    shell:
        "xascoord validate {wildcards.element} --settings {params.settings:q}"
        " {params.datasets} --labels {input.labels} --thresholds {input.thresholds}"
        " {params.search} --out {output.table} --rejections {output.rejections} > {log} 2>&1"


rule summarise_validation:
    input:
        expand("data/06_validation/{element}.csv", element=ELEMENTS),
        expand("data/06_validation/{element}_rejections.csv", element=ELEMENTS),
    output:
        "results/06_validation/metrics.json",
        spectra=report(
            "results/06_validation/spectra.csv",
            caption="../report/06_validation_spectra_csv.rst",
            category="Validation",
        ),
        rejections=report(
            "results/06_validation/rejected.csv",
            caption="../report/06_validation_rejections_csv.rst",
            category="Validation",
        ),
        summary=report(
            "results/06_validation/summary.csv",
            caption="../report/06_validation_summary_csv.rst",
            category="Validation",
        ),
        training_sets=report(
            "results/06_validation/training_sets.png",
            caption="../report/06_validation_training_sets_png.rst",
            category="Validation",
        ),
        robustness=report(
            "results/06_validation/robustness.png",
            caption="../report/06_validation_robustness_png.rst",
            category="Validation",
        ),
    log:
        "logs/06_validation/summarise.log",
    benchmark:
        "results/benchmarks/06_validation/summarise.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(15),
    params:
        settings=settings("seed", "elements", "models"),
    message:
        "Validation of all elements: tables and figures"
    shell:
        "xascoord summarise-validation --settings {params.settings:q}"
        " --tables data/06_validation --out results/06_validation > {log} 2>&1"
