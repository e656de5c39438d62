"""``python -m multitag``."""

from multitag.cli.main import main

if __name__ == "__main__":
    main()
