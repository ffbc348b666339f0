# Every source of spectra, brought into the same typed tables: one rule a source.


rule import_spectra:
    input:
        expand("{folder}/counts.csv", folder=SOURCE_FOLDERS),


rule import_demo:
    input:
        spectra=expand("{folder}/spectra.parquet", folder=config["demo"]["folder"]),
        structures=expand(
            "{folder}/structures.parquet", folder=config["demo"]["folder"]
        ),
    output:
        tables_of("demo"),
    log:
        "logs/01_spectra/import_demo.log",
    benchmark:
        "results/benchmarks/01_spectra/import_demo.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        settings=settings("elements", "demo", "quality"),
    message:
        "Importing the embedded demonstration spectra"
    shell:
        "xascoord spectra demo --settings {params.settings:q}"
        " --out data/01_spectra/demo > {log} 2>&1"


rule list_feff_runs:
    input:
        given(
            config["feff"]["path"],
            config["feff"]["run"]["structures"],
        ),
    output:
        plan_of("feff"),
    log:
        "logs/01_spectra/list_feff_runs.log",
    benchmark:
        "results/benchmarks/01_spectra/list_feff_runs.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        settings=settings("elements", "sources", "feff", "quality"),
        listing=listing(config["feff"]["path"], config["feff"]["run"]["structures"]),
    message:
        "Listing the sites that have no spectrum"
    shell:
        "xascoord list-feff-runs --settings {params.settings:q}"
        " --out data/01_spectra/feff/plan > {log} 2>&1"


rule run_feff:
    input:
        plan_of("feff"),
    output:
        "data/01_spectra/feff/chunks/{part}.txt",
    log:
        "logs/01_spectra/run_feff/{part}.log",
    benchmark:
        "results/benchmarks/01_spectra/run_feff/{part}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(1440),
    params:
        settings=settings("elements", "sources", "feff"),
        parts=config["feff"]["run"]["chunks"],
    message:
        "Running FEFF, chunk {wildcards.part} of {params.parts}"
    shell:
        "xascoord run-feff data/01_spectra/feff/plan --settings {params.settings:q}"
        " --part {wildcards.part} --parts {params.parts} --workers {threads}"
        " --journals data/raw/feff --record {output} > {log} 2>&1"


rule import_feff:
    input:
        given(config["feff"]["path"], config["feff"]["run"]["structures"]),
        branch(
            bool(
                config["feff"]["run"]["structures"] or config["feff"]["run"]["missing"]
            ),
            then=[
                *plan_of("feff"),
                *expand("data/01_spectra/feff/chunks/{part}.txt", part=CHUNKS),
            ],
            otherwise=[],
        ),
    output:
        tables_of("feff"),
    log:
        "logs/01_spectra/import_feff.log",
    benchmark:
        "results/benchmarks/01_spectra/import_feff.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        settings=settings("elements", "sources", "feff", "quality"),
        listing=listing(config["feff"]["path"], config["feff"]["run"]["structures"]),
    message:
        "Importing FEFF output"
    shell:
        "xascoord spectra feff --settings {params.settings:q}"
        " --out data/01_spectra/feff > {log} 2>&1"


rule choose_crystals:
    input:
        config["validation"]["compounds"],
        expand("{folder}/prototypes.csv", folder=config["demo"]["folder"]),
    output:
        plan_of("crystals"),
    log:
        "logs/01_spectra/choose_crystals.log",
    benchmark:
        "results/benchmarks/01_spectra/choose_crystals.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        settings=settings(
            "seed",
            "elements",
            "crystals",
            "feff",
            "demo",
            "quality",
            validation=["compounds"],
        ),
    message:
        "Choosing crystals for each element"
    shell:
        "xascoord choose-crystals --settings {params.settings:q}"
        " --out data/01_spectra/crystals/plan > {log} 2>&1"


rule compute_crystals:
    input:
        plan_of("crystals"),
    output:
        "data/01_spectra/crystals/chunks/{element}-{part}.txt",
    log:
        "logs/01_spectra/compute_crystals/{element}-{part}.log",
    benchmark:
        "results/benchmarks/01_spectra/compute_crystals/{element}-{part}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(1440),
    params:
        settings=settings("crystals", "feff"),
        parts=config["feff"]["run"]["chunks"],
    message:
        "Computing crystals of {wildcards.element}, chunk {wildcards.part} of {params.parts}"
    shell:
        "xascoord run-feff data/01_spectra/crystals/plan --settings {params.settings:q}"
        " --element {wildcards.element}"
        " --part {wildcards.part} --parts {params.parts} --workers {threads}"
        " --journals data/raw/crystals --record {output} > {log} 2>&1"


rule import_crystals:
    input:
        plan_of("crystals"),
        expand(
            "data/01_spectra/crystals/chunks/{element}-{part}.txt",
            element=ELEMENTS,
            part=CHUNKS,
        ),
    output:
        tables_of("crystals"),
    log:
        "logs/01_spectra/import_crystals.log",
    benchmark:
        "results/benchmarks/01_spectra/import_crystals.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        settings=settings("elements", "crystals", "feff", "quality"),
    message:
        "Importing the spectra of the chosen crystals"
    shell:
        "xascoord spectra crystals --settings {params.settings:q}"
        " --out data/01_spectra/crystals > {log} 2>&1"


rule import_xasdb_archive:
    input:
        given(config["xasdb_archive"]["path"]),
    output:
        tables_of("xasdb_archive"),
    log:
        "logs/01_spectra/import_xasdb_archive.log",
    benchmark:
        "results/benchmarks/01_spectra/import_xasdb_archive.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(600),
    params:
        settings=settings("elements", "sources", "xasdb_archive", "quality"),
        listing=listing(config["xasdb_archive"]["path"]),
    message:
        "Importing a bulk dump of the XASDB"
    shell:
        "xascoord spectra xasdb_archive --settings {params.settings:q}"
        " --out data/01_spectra/xasdb_archive > {log} 2>&1"


rule download_materials_project:
    output:
        "data/01_spectra/materials_project/database_version.json",
    log:
        "logs/01_spectra/download_materials_project.log",
    benchmark:
        "results/benchmarks/01_spectra/download_materials_project.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(1440),
    params:
        settings=settings("elements", "materials_project", "quality"),
    message:
        "Downloading from the Materials Project (resumes where it ended)"
    shell:
        "xascoord download --settings {params.settings:q} --record {output} > {log} 2>&1"


rule import_materials_project:
    input:
        "data/01_spectra/materials_project/database_version.json",
    output:
        tables_of("materials_project"),
    log:
        "logs/01_spectra/import_materials_project.log",
    benchmark:
        "results/benchmarks/01_spectra/import_materials_project.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        settings=settings("elements", "quality"),
    message:
        "Importing the downloads from the Materials Project"
    shell:
        "xascoord spectra materials_project --settings {params.settings:q}"
        " --out data/01_spectra/materials_project > {log} 2>&1"


rule compute_demo:
    input:
        expand("{folder}/prototypes.csv", folder=config["demo"]["folder"]),
    output:
        "data/demo_recomputed/spectra.parquet",
        "data/demo_recomputed/structures.parquet",
        "data/demo_recomputed/rejections.csv",
    log:
        "logs/01_spectra/compute_demo.log",
    benchmark:
        "results/benchmarks/01_spectra/compute_demo.tsv"
    conda:
        "../../environment.yml"
    threads: CORES
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        settings=settings("seed", "elements", "demo", "quality"),
    message:
        "Computing the demonstration spectra anew with FEFF8L ({threads} at a time)"
    shell:
        "xascoord compute-demo --workers {threads} --settings {params.settings:q}"
        " --out data/demo_recomputed > {log} 2>&1"
