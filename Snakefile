# The door to the graph, which lives where the Snakemake catalog looks for it.
include: "workflow/Snakefile"
