"""`python -m dsp`: the command line."""

from dsp.cli import main

if __name__ == "__main__":
    main()
