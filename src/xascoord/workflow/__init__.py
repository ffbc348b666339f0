"""What only Snakemake and DVC need: the records that travel with results, the run lock.

No science.
"""
