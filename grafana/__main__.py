"""Write the generated files: `python -m grafana`."""

from .files import generated

for path, text in generated().items():
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
