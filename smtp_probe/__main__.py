"""`smtp-probe` and `python -m smtp_probe`: runs the command line, and ends wordlessly at an interrupt, also before that has begun."""

import sys

_INTERRUPTED = 130


def main() -> None:
    """Read the commands, and run one."""
    try:
        from smtp_probe import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except RuntimeError as error:
        if not isinstance(error.__cause__, KeyboardInterrupt):  # as Python wraps it while a class is made
            raise
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
