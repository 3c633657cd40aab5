"""`python -m emseg` is the command `emseg`."""

from emseg.cli.main import main

if __name__ == "__main__":
    main()
