"""Lets ``python -m xascoord`` do what ``xascoord`` does."""

from xascoord.cli.main import main

if __name__ == "__main__":
    main()
