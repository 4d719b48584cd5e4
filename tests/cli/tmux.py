"""tmux as a terminal that a person sits at: keys are typed, and its screen is read as it stands."""

import os
import re
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class Tmux:
    """A server of its own with windows of different sizes. `close` ends it and all that runs in it."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "tmux.sock"

    def _ask(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self._socket), "-f", "/dev/null", *arguments]
        known = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}  # the first command's are those of the server
        return subprocess.run(
            command, env=known, capture_output=True, text=True, check=True, timeout=20
        ).stdout

    def open(
        self, name: str, size: tuple[int, int], command: Sequence[str] | str, environ: Mapping[str, str]
    ) -> None:
        """Start a command in a terminal of this size; a text is read by the shell. The screen stays after its end."""
        line = command if isinstance(command, str) else shlex.join(command)
        given = [word for key, value in environ.items() for word in ("-e", f"{key}={value}")]
        width, height = map(str, size)
        held = f"{line}; printf '\\n[ended %s]\\n' $?; exec sleep 1000"
        self._ask("new-session", "-d", "-s", name, "-x", width, "-y", height, *given, held)

    def screen(self, name: str, *, with_escapes: bool = False) -> str:
        """What stands on the screen now, and above it; with the sequences that make colours where that is asked for."""
        return self._ask("capture-pane", "-p", "-t", name, "-S", "-200", *(["-e"] if with_escapes else []))

    def press(self, name: str, key: str) -> None:
        """Press a key, as `C-c`."""
        self._ask("send-keys", "-t", name, key)

    def has_cursor(self, name: str) -> bool:
        """Whether the cursor can be seen."""
        return self._ask("display-message", "-p", "-t", name, "#{cursor_flag}").strip() == "1"

    def film(self, seconds: float, presses: Mapping[str, tuple[str, str]]) -> dict[str, list[str]]:
        """Watch every window until all have ended; give the pictures of each. `presses`: what is pressed when it shows what."""
        pictures: dict[str, list[str]] = {
            name: [] for name in self._ask("list-sessions", "-F", "#{session_name}").split()
        }
        waiting, deadline = dict(presses), time.monotonic() + seconds
        while not all(films and "[ended " in films[-1] for films in pictures.values()):
            shown = {name: films[-1:] for name, films in pictures.items()}
            assert time.monotonic() < deadline, f"not all have ended: {shown}"
            for name, films in pictures.items():
                if not films or "[ended " not in films[-1]:
                    films.append(self.screen(name))
                if name in waiting and re.search(waiting[name][0], films[-1]):
                    self.press(name, waiting.pop(name)[1])
            time.sleep(0.05)
        return pictures

    def close(self) -> None:
        """End everything."""
        self._ask("kill-server")
