# Networks for tetrahedral, square pyramidal and octahedral sites (Carbone et al. 2019).


rule classify_geometries:
    input:
        "results/08_geometries/metrics.json",


rule label_geometries:
    input:
        expand("{folder}/spectra/{{element}}.parquet", folder=SOURCE_FOLDERS),
        expand("{folder}/structures/{{element}}.parquet", folder=SOURCE_FOLDERS),
    output:
        spectra="data/08_geometries/spectra/{element}.parquet",
        rejections="data/08_geometries/rejections/{element}.parquet",
    log:
        "logs/08_geometries/label_{element}.log",
    benchmark:
        "results/benchmarks/08_geometries/label_{element}.tsv"
    threads: workers(len(GEOMETRY_ELEMENTS))
    params:
        code=code_of("geometries.stage:label_geometries"),
        settings=settings("sources", "geometries"),
        sources=expand("--spectra {folder}", folder=SOURCE_FOLDERS),
    message:
        "Geometries of {wildcards.element} ({threads} processes)"
    shell:
        "xascoord --settings {params.settings:q} geometries label {wildcards.element}"
        " {params.sources}"
        " --workers {threads}"
        " --out {output.spectra} --rejections {output.rejections} > {log} 2>&1"


rule train_geometries:
    input:
        "data/08_geometries/spectra/{element}.parquet",
    output:
        predictions="data/08_geometries/predictions/{element}.parquet",
        scores="data/08_geometries/scores/{element}.csv",
    log:
        "logs/08_geometries/train_{element}.log",
    benchmark:
        "results/benchmarks/08_geometries/train_{element}.tsv"
    threads: workers(len(GEOMETRY_ELEMENTS))
    params:
        code=code_of("geometries.stage:train_geometries"),
        settings=settings("seed", "geometries"),
    message:
        "Networks for the geometries of {wildcards.element} ({threads} processes)"
    shell:
        "xascoord --settings {params.settings:q} geometries train {wildcards.element}"
        " --spectra {input} --workers {threads}"
        " --predictions {output.predictions} --scores {output.scores} > {log} 2>&1"


rule summarise_geometries:
    input:
        expand(
            "data/08_geometries/spectra/{element}.parquet", element=GEOMETRY_ELEMENTS
        ),
        expand(
            "data/08_geometries/predictions/{element}.parquet",
            element=GEOMETRY_ELEMENTS,
        ),
        expand("data/08_geometries/scores/{element}.csv", element=GEOMETRY_ELEMENTS),
        published=SETTINGS["geometries"]["published"],
    output:
        "results/08_geometries/metrics.json",
        *reported(
            "08_geometries",
            "Geometries",
            "classes.csv",
            "f1.csv",
            "pre_edge.csv",
            "robustness.csv",
            "spectra.png",
            "f1.png",
            "shift.png",
            "noise.png",
        ),
    log:
        "logs/08_geometries/summarise.log",
    benchmark:
        "results/benchmarks/08_geometries/summarise.tsv"
    params:
        code=code_of("geometries.stage:summarise_geometries"),
        settings=settings("elements", "geometries"),
    message:
        "T4, S5, O6: tables and figures beside the published ones"
    shell:
        "xascoord --settings {params.settings:q} geometries summarise"
        " --folder data/08_geometries --published {input.published:q}"
        " --out results/08_geometries > {log} 2>&1"
