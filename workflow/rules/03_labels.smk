# Order parameters of every spectrum, thresholds, ranking labels.


rule label_all_spectra:
    input:
        "results/03_labels/tasks.csv",
        "results/03_labels/calibration.png",


rule compute_order_parameters:
    input:
        structures=expand(
            "{folder}/structures/{{element}}.parquet", folder=SOURCE_FOLDERS
        ),
        datasets=expand(
            "data/02_datasets/{kind}/{{element}}.parquet", kind=["site", "averaged"]
        ),
    output:
        table="data/03_labels/order_parameters/{element}.parquet",
        rejections="data/03_labels/rejections/{element}.parquet",
    log:
        "logs/03_labels/order_parameters_{element}.log",
    benchmark:
        "results/benchmarks/03_labels/order_parameters_{element}.tsv"
    conda:
        "../../environment.yml"
    threads: WORKERS
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        spectra=expand("--spectra {folder}", folder=SOURCE_FOLDERS),
        datasets=expand(
            "--dataset data/02_datasets/{kind}/{{element}}.parquet",
            kind=["site", "averaged"],
        ),
    message:
        "Order parameters of {wildcards.element} ({threads} processes)"
    shell:
        "xascoord order-parameters {wildcards.element} {params.spectra} {params.datasets}"
        " --workers {threads} --out {output.table}"
        " --rejections {output.rejections} > {log} 2>&1"


rule calibrate_thresholds:
    input:
        expand("data/03_labels/order_parameters/{element}.parquet", element=ELEMENTS),
    output:
        thresholds="results/03_labels/thresholds.json",
        curves=report(
            "results/03_labels/calibration.csv",
            caption="../report/03_labels_calibration_csv.rst",
            category="Labels",
        ),
        figure=report(
            "results/03_labels/calibration.png",
            caption="../report/03_labels_calibration_png.rst",
            category="Labels",
        ),
    log:
        "logs/03_labels/calibrate.log",
    benchmark:
        "results/benchmarks/03_labels/calibrate.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(15),
    params:
        settings=settings("elements", "labels"),
    message:
        "Label cardinality against the thresholds"
    shell:
        "xascoord calibrate --settings {params.settings:q}"
        " --order-parameters data/03_labels/order_parameters --out {output.thresholds}"
        " --curves {output.curves} --figure {output.figure} > {log} 2>&1"


rule make_labels:
    input:
        table="data/03_labels/order_parameters/{element}.parquet",
        thresholds="results/03_labels/thresholds.json",
    output:
        "data/03_labels/labels/{element}.parquet",
    log:
        "logs/03_labels/labels_{element}.log",
    benchmark:
        "results/benchmarks/03_labels/labels_{element}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(15),
    params:
        settings=settings("labels"),
    message:
        "Ranking labels of {wildcards.element}"
    shell:
        "xascoord labels {wildcards.element} --settings {params.settings:q}"
        " --order-parameters {input.table} --thresholds {input.thresholds}"
        " --out {output} > {log} 2>&1"


rule summarise_labels:
    input:
        expand("data/03_labels/labels/{element}.parquet", element=ELEMENTS),
        expand("data/03_labels/rejections/{element}.parquet", element=ELEMENTS),
        thresholds="results/03_labels/thresholds.json",
    output:
        report(
            JOINT_FIGURES,
            caption="../report/03_labels_joint_png.rst",
            category="Labels",
        ),
        tasks=report(
            "results/03_labels/tasks.csv",
            caption="../report/03_labels_tasks_csv.rst",
            category="Labels",
        ),
        labels=report(
            "results/03_labels/labels.csv",
            caption="../report/03_labels_labels_csv.rst",
            category="Labels",
        ),
        cardinalities=report(
            "results/03_labels/cardinalities.csv",
            caption="../report/03_labels_cardinalities_csv.rst",
            category="Labels",
        ),
        rejections=report(
            "results/03_labels/rejections.csv",
            caption="../report/03_labels_rejections_csv.rst",
            category="Labels",
        ),
        figure=report(
            "results/03_labels/labels.png",
            caption="../report/03_labels_labels_png.rst",
            category="Labels",
        ),
    log:
        "logs/03_labels/summarise.log",
    benchmark:
        "results/benchmarks/03_labels/summarise.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(15),
    params:
        settings=settings("elements"),
    message:
        "What there is to learn: tasks, labels, distributions"
    shell:
        "xascoord summarise-labels --settings {params.settings:q}"
        " --labels data/03_labels/labels --rejections data/03_labels/rejections"
        " --thresholds {input.thresholds} --out results/03_labels > {log} 2>&1"
