# Order parameters of every spectrum, thresholds, ranking labels.


rule label_all_spectra:
    input:
        "results/03_labels/tasks.csv",
        "results/03_labels/calibration.png",
        THRESHOLDS,


rule compute_order_parameters:
    input:
        expand("{folder}/structures/{{element}}.parquet", folder=SOURCE_FOLDERS),
        DATASETS,
    output:
        table="data/03_labels/order_parameters/{element}.parquet",
        rejections="data/03_labels/rejections/{element}.parquet",
    log:
        "logs/03_labels/order_parameters_{element}.log",
    benchmark:
        "results/benchmarks/03_labels/order_parameters_{element}.tsv"
    threads: workers(len(ELEMENTS))
    params:
        code=code_of("labels.stage:compute_order_parameters"),
        spectra=expand("--spectra {folder}", folder=SOURCE_FOLDERS),
    message:
        "Order parameters of {wildcards.element} ({threads} processes)"
    shell:
        "xascoord labels order-parameters {wildcards.element} {params.spectra}"
        " --workers {threads} --out {output.table}"
        " --rejections {output.rejections} > {log} 2>&1"


rule calibrate_thresholds:
    input:
        expand("data/03_labels/order_parameters/{element}.parquet", element=ELEMENTS),
    output:
        calibrated=CALIBRATED,
        curves=reported("03_labels", "Labels", "calibration.csv"),
        figure=reported("03_labels", "Labels", "calibration.png"),
    log:
        "logs/03_labels/calibrate.log",
    benchmark:
        "results/benchmarks/03_labels/calibrate.tsv"
    params:
        code=code_of("labels.stage:calibrate_thresholds"),
        settings=settings("elements", "labels"),
    message:
        "Label cardinality against the thresholds"
    shell:
        "xascoord --settings {params.settings:q} labels calibrate --out {output.calibrated}"
        " --curves {output.curves} --figure {output.figure} > {log} 2>&1"


rule set_thresholds:
    input:
        # Fixed ones depend on no spectrum.
        CALIBRATED if SETTINGS["labels"]["calibrate"] else [],
    output:
        THRESHOLDS,
    log:
        "logs/03_labels/thresholds.log",
    benchmark:
        "results/benchmarks/03_labels/thresholds.tsv"
    params:
        code=code_of("labels.stage:set_thresholds"),
        settings=settings(labels=["calibrate", "cn_threshold", "motif_threshold"]),
        calibrated=lambda wildcards, input: " ".join(f"--calibrated {i}" for i in input),
    message:
        "Thresholds in force"
    shell:
        "xascoord --settings {params.settings:q} labels thresholds {params.calibrated}"
        " --out {output} > {log} 2>&1"


rule make_labels:
    input:
        "data/03_labels/order_parameters/{element}.parquet",
        THRESHOLDS,
    output:
        "data/03_labels/labels/{element}.parquet",
    log:
        "logs/03_labels/labels_{element}.log",
    benchmark:
        "results/benchmarks/03_labels/labels_{element}.tsv"
    params:
        code=code_of("labels.stage:make_labels"),
        settings=settings(labels=["min_samples"]),
    message:
        "Ranking labels of {wildcards.element}"
    shell:
        "xascoord --settings {params.settings:q} labels assign {wildcards.element}"
        " --out {output} > {log} 2>&1"


rule summarise_labels:
    input:
        expand("data/03_labels/labels/{element}.parquet", element=ELEMENTS),
        expand("data/03_labels/rejections/{element}.parquet", element=ELEMENTS),
        THRESHOLDS,
    output:
        report(
            expand(
                "results/03_labels/joint_{group}_{kind}.png",
                group=[g for g, e in GROUPS.items() if set(e) & set(ELEMENTS)],
                kind=["cn_weights", "motif_order_parameters"],
            ),
            caption="../report/03_labels/joint.png.rst",
            category="Labels",
        ),
        *reported(
            "03_labels",
            "Labels",
            "tasks.csv",
            "labels.csv",
            "cardinalities.csv",
            "rejections.csv",
            "labels.png",
        ),
    log:
        "logs/03_labels/summarise.log",
    benchmark:
        "results/benchmarks/03_labels/summarise.tsv"
    params:
        code=code_of("labels.stage:summarise_labels"),
        settings=settings("elements"),
    message:
        "What there is to learn: tasks, labels, distributions"
    shell:
        "xascoord --settings {params.settings:q} labels summarise"
        " --rejections data/03_labels/rejections --out results/03_labels > {log} 2>&1"
