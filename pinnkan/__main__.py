"""``python -m pinnkan``: the command line without its script."""

from __future__ import annotations

from pinnkan.cli.app import main

if __name__ == "__main__":
    main()
