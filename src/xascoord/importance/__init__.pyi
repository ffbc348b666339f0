from .drop import importance_rows as importance_rows
