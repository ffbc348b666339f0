# The run on one page; 'snakemake --report' joins it with all tables and figures in one HTML file.


rule write_report:
    input:
        "results/02_datasets/metrics.json",
        "results/02_datasets/rejections_by_reason.csv",
        "results/03_labels/thresholds.json",
        "results/04_models/metrics.json",
        "results/05_importance/importance.csv",
        "results/06_validation/metrics.json",
    output:
        report(
            "results/07_report/report.md",
            caption="../report/07_report_report_md.rst",
            category="Overview",
        ),
        report(
            "results/07_report/settings.yaml",
            caption="../report/07_report_settings_yaml.rst",
            category="Overview",
        ),
        report(
            "results/07_report/versions.csv",
            caption="../report/07_report_versions_csv.rst",
            category="Overview",
        ),
    log:
        "logs/07_report/report.log",
    benchmark:
        "results/benchmarks/07_report/report.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        settings=settings(*config),
    message:
        "The run on one page"
    shell:
        "xascoord report --settings {params.settings:q} --results results"
        " --out results/07_report > {log} 2>&1"
