# What each region of the spectrum is worth: dropped, trained anew, the loss measured.


rule drop_regions:
    input:
        SEARCHED,
        datasets=expand(
            "data/02_datasets/{kind}/{{element}}.parquet", kind=["site", "averaged"]
        ),
        labels="data/03_labels/labels/{element}.parquet",
    output:
        "data/05_importance/{element}.csv",
    log:
        "logs/05_importance/{element}.log",
    benchmark:
        "results/benchmarks/05_importance/{element}.tsv"
    conda:
        "../../environment.yml"
    threads: WORKERS
    resources:
        mem_mb=memory(2500),
        runtime=minutes(120),
    params:
        settings=settings(
            "seed", "labels", "window", "augmentation", "models", "importance"
        ),
        search=expand("--search {table}", table=SEARCHED),
        datasets=expand(
            "--dataset data/02_datasets/{kind}/{{element}}.parquet",
            kind=["site", "averaged"],
        ),
    message:
        "Dropped regions of {wildcards.element} ({threads} processes)"
    shell:
        "xascoord importance {wildcards.element} --settings {params.settings:q}"
        " {params.datasets} --labels {input.labels} {params.search}"
        " --workers {threads} --out {output} > {log} 2>&1"


rule summarise_importance:
    input:
        expand("data/05_importance/{element}.csv", element=ELEMENTS),
        expand("data/02_datasets/site/{element}.parquet", element=ELEMENTS),
        expand("data/03_labels/labels/{element}.parquet", element=ELEMENTS),
    output:
        table=report(
            "results/05_importance/importance.csv",
            caption="../report/05_importance_importance_csv.rst",
            category="Importance",
        ),
        heat_map=report(
            "results/05_importance/heat_map.png",
            caption="../report/05_importance_heat_map_png.rst",
            category="Importance",
        ),
        examples=report(
            "results/05_importance/examples.png",
            caption="../report/05_importance_examples_png.rst",
            category="Importance",
        ),
    log:
        "logs/05_importance/summarise.log",
    benchmark:
        "results/benchmarks/05_importance/summarise.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(15),
    params:
        settings=settings("elements", "window", "importance"),
    message:
        "What the regions are worth: table, heat map, examples"
    shell:
        "xascoord summarise-importance --settings {params.settings:q}"
        " --tables data/05_importance --datasets data/02_datasets --labels data/03_labels/labels"
        " --out results/05_importance > {log} 2>&1"
