"""`python -m emseg` is the command `emseg`."""


def main() -> None:
    """Run the command line; from here on a signal ends it in order, even while the rest is loaded."""
    from emseg.cli.signals import install

    install()
    from emseg.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
