# What each region of the spectrum is worth: dropped, trained anew, the loss measured.


rule drop_regions:
    input:
        searched("forest"),
        DATASETS,
        LABELS,
    output:
        "data/05_importance/{element}.csv",
    log:
        "logs/05_importance/{element}.log",
    benchmark:
        "results/benchmarks/05_importance/{element}.tsv"
    threads: workers(len(ELEMENTS))
    params:
        code=code_of("importance.stage:drop_regions", without="networks"),
        settings=fit_settings("forest", sections=["importance"]),
        search=expand("--search {table}", table=searched("forest")),
    message:
        "Dropped regions of {wildcards.element} ({threads} processes)"
    shell:
        "xascoord --settings {params.settings:q} importance drop {wildcards.element}"
        " {params.search} --workers {threads} --out {output} > {log} 2>&1"


rule summarise_importance:
    input:
        expand("data/05_importance/{element}.csv", element=ELEMENTS),
        expand("data/02_datasets/site/{element}.parquet", element=ELEMENTS),
        expand("data/03_labels/labels/{element}.parquet", element=ELEMENTS),
    output:
        table=reported("05_importance", "Importance", "importance.csv"),
        heat_map=reported("05_importance", "Importance", "heat_map.png"),
        examples=reported("05_importance", "Importance", "examples.png"),
    log:
        "logs/05_importance/summarise.log",
    benchmark:
        "results/benchmarks/05_importance/summarise.tsv"
    params:
        code=code_of("importance.stage:summarise_importance"),
        settings=settings("elements", "window", "importance"),
    message:
        "What the regions are worth: table, heat map, examples"
    shell:
        "xascoord --settings {params.settings:q} importance summarise"
        " --tables data/05_importance --out results/05_importance > {log} 2>&1"
