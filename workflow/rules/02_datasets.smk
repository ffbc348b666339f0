# Site-specific and site-averaged data sets of each element, and what was left out.


rule build_all_datasets:
    input:
        "results/02_datasets/counts.csv",


rule build_datasets:
    input:
        expand("{folder}/spectra/{{element}}.parquet", folder=SOURCE_FOLDERS),
        expand("{folder}/structures/{{element}}.parquet", folder=SOURCE_FOLDERS),
    output:
        "data/02_datasets/site/{element}.parquet",
        "data/02_datasets/averaged/{element}.parquet",
        "data/02_datasets/rejections/{element}.parquet",
    log:
        "logs/02_datasets/{element}.log",
    benchmark:
        "results/benchmarks/02_datasets/{element}.tsv"
    params:
        code=code_of("datasets.stage:make_datasets"),
        settings=settings("sources", "edge_energy", "window", "averaging"),
        spectra=expand("--spectra {folder}", folder=SOURCE_FOLDERS),
    message:
        "Building the data sets of {wildcards.element}"
    shell:
        "xascoord --settings {params.settings:q} datasets build {wildcards.element}"
        " {params.spectra} > {log} 2>&1"


rule summarise_datasets:
    input:
        expand(
            "{folder}/{table}.csv",
            folder=SOURCE_FOLDERS,
            table=["counts", "rejections"],
        ),
        expand(
            "data/02_datasets/{kind}/{element}.parquet",
            kind=["site", "averaged", "rejections"],
            element=ELEMENTS,
        ),
    output:
        "results/02_datasets/metrics.json",
        *reported(
            "02_datasets",
            "Data sets",
            "counts.csv",
            "engines.csv",
            "same_crystals.csv",
            "rejections.csv",
            "rejections_by_reason.csv",
            "counts.png",
            "examples.png",
        ),
    log:
        "logs/02_datasets/summarise.log",
    benchmark:
        "results/benchmarks/02_datasets/summarise.tsv"
    params:
        code=code_of("datasets.stage:summarise_datasets"),
        settings=settings("elements", "window"),
        spectra=expand("--spectra {folder}", folder=SOURCE_FOLDERS),
    message:
        "Counting spectra and rejections"
    shell:
        "xascoord --settings {params.settings:q} datasets summarise {params.spectra}"
        " --out results/02_datasets > {log} 2>&1"
