"""Lets ``python -m xascoord`` do what ``xascoord`` does."""

from xascoord.cli import main

if __name__ == "__main__":
    main()
