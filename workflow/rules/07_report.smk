# The run on one page; 'snakemake --report' joins it with all tables and figures in one HTML file.


rule write_report:
    input:
        "results/02_datasets/metrics.json",
        "results/02_datasets/engines.csv",
        "results/02_datasets/rejections_by_reason.csv",
        THRESHOLDS,
        CALIBRATED,
        "results/04_models/metrics.json",
        "results/05_importance/importance.csv",
        "results/06_validation/metrics.json",
    output:
        *reported(
            "07_report",
            "Overview",
            "report.md",
            "settings.yaml",
            "versions.csv",
        ),
    log:
        "logs/07_report/report.log",
    benchmark:
        "results/benchmarks/07_report/report.tsv"
    params:
        code=code_of("report.page:write_report"),
        settings=settings(*config),
    message:
        "The run on one page"
    shell:
        "xascoord --settings {params.settings:q} report write --results results"
        " --out results/07_report > {log} 2>&1"
