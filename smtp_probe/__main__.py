"""`python -m smtp_probe` is the command `smtp-probe`."""

from smtp_probe.cli import main

if __name__ == "__main__":
    main()
