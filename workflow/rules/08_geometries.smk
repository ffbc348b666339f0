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
    conda:
        "../../environment.yml"
    threads: GEOMETRY_WORKERS
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        settings=settings("sources", "feff", "xasdb_archive", "geometries"),
        sources=expand("--spectra {folder}", folder=SOURCE_FOLDERS),
    message:
        "Geometries of {wildcards.element} ({threads} processes)"
    shell:
        "xascoord label-geometries {wildcards.element} {params.sources}"
        " --settings {params.settings:q} --workers {threads}"
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
    conda:
        "../../environment.yml"
    threads: GEOMETRY_WORKERS
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
    params:
        settings=settings("seed", "geometries"),
    message:
        "Networks for the geometries of {wildcards.element} ({threads} processes)"
    shell:
        "xascoord train-geometries {wildcards.element} --settings {params.settings:q}"
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
        published=config["geometries"]["published"],
    output:
        "results/08_geometries/metrics.json",
        report(
            "results/08_geometries/classes.csv",
            caption="../report/08_geometries_classes_csv.rst",
            category="Geometries",
        ),
        report(
            "results/08_geometries/f1.csv",
            caption="../report/08_geometries_f1_csv.rst",
            category="Geometries",
        ),
        report(
            "results/08_geometries/pre_edge.csv",
            caption="../report/08_geometries_pre_edge_csv.rst",
            category="Geometries",
        ),
        report(
            "results/08_geometries/robustness.csv",
            caption="../report/08_geometries_robustness_csv.rst",
            category="Geometries",
        ),
        report(
            "results/08_geometries/spectra.png",
            caption="../report/08_geometries_spectra_png.rst",
            category="Geometries",
        ),
        report(
            "results/08_geometries/f1.png",
            caption="../report/08_geometries_f1_png.rst",
            category="Geometries",
        ),
        report(
            "results/08_geometries/shift.png",
            caption="../report/08_geometries_shift_png.rst",
            category="Geometries",
        ),
        report(
            "results/08_geometries/noise.png",
            caption="../report/08_geometries_noise_png.rst",
            category="Geometries",
        ),
    log:
        "logs/08_geometries/summarise.log",
    benchmark:
        "results/benchmarks/08_geometries/summarise.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(15),
    params:
        settings=settings("elements", "geometries"),
    message:
        "T4, S5, O6: tables and figures beside the published ones"
    shell:
        "xascoord summarise-geometries --settings {params.settings:q}"
        " --folder data/08_geometries --published {input.published}"
        " --out results/08_geometries > {log} 2>&1"
