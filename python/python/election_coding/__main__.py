"""The command ``ecode``: ``python -m election_coding`` and the script of that name."""

import signal
import sys

from ._election_coding import command


def main() -> int:
    """Runs the command with this process's arguments; returns its exit code."""

    def interrupted(number: int, frame: object) -> None:
        # Raised inside the waiting call, which stops the work; the command then says what it knows by then.
        raise KeyboardInterrupt

    for name in ("SIGINT", "SIGTERM"):
        number = getattr(signal, name)
        # What was ignored at the start stays ignored, as under nohup.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupted)
    return command(["ecode", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
