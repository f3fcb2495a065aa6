"""`python -m stage1`, and the `stage1` command."""

import sys


def main() -> None:
    """The command line. Ctrl-C ends it with one line even while its libraries are being loaded."""
    try:
        from stage1.cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        print("interrupted; what was complete is kept, the same command goes on from there", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
