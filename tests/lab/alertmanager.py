"""Debian's Alertmanager as a part of a lab."""

from .layout import Layout
from .part import Recipe
from .readiness import is_bound

PORT = 9093
HOST_NUMBER = 80
"""Last number of its address."""


def alertmanager_recipe(layout: Layout, configuration: str) -> tuple[Recipe, str]:
    """Write its configuration; return how to run it, and its `host:port`."""
    folder = layout.path("alertmanager")
    folder.mkdir()
    (folder / "alertmanager.yml").write_text(configuration)
    host = f"{layout.block}.{HOST_NUMBER}"
    argv = [
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={host}:{PORT}",
        "--cluster.listen-address=",  # it is alone
    ]
    return Recipe("alertmanager", argv, [is_bound(host, PORT)]), f"{host}:{PORT}"
