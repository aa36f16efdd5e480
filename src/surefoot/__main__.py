"""The command line as ``python -m surefoot``."""

from __future__ import annotations

from surefoot.cli.main import main

if __name__ == "__main__":
    main()
