"""Make `schema.json` from Grafana's own types: `python -m tests.grafana.make_schema` (needs npm and the network).

The package @grafana/schema (Apache-2.0) holds TypeScript types, no JSON schema. They are converted by ts-json-schema-generator: the
dashboard, and for each kind of panel its options and what its fields may be told. Taken out: descriptions and defaults,
which say nothing to a validator, and `required`, which is stricter than Grafana.
"""

import json
import subprocess
import tempfile
from pathlib import Path

PACKAGES = ("@grafana/schema@13.2.3", "ts-json-schema-generator@2.4.0")
KINDS = ("timeseries", "stat", "table", "statetimeline", "heatmap", "nodegraph", "bargauge")
NEEDLESS = ("$schema", "description", "default", "required", "deprecated")
TYPES = Path("node_modules/@grafana/schema/dist/types/raw")
TARGET = Path(__file__).with_name("schema.json")


def converted(folder: Path, path: Path, name: str) -> object:
    """One type as JSON schema; None where there is none of that name."""
    command = [
        "npx",
        "ts-json-schema-generator",
        "--path",
        str(TYPES / path),
        "--type",
        name,
        "--no-type-check",
    ]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if "No root type" in run.stderr:
        return None
    run.check_returncode()
    return bare(json.loads(run.stdout))


def bare(schema: object, names: bool = False) -> object:
    """A schema without what does not concern a validator; `names`: the keys are those of a user."""
    if isinstance(schema, dict):
        return {
            key: bare(value, key in ("properties", "definitions") and not names)
            for key, value in schema.items()
            if names or key not in NEEDLESS
        }
    return [bare(each) for each in schema] if isinstance(schema, list) else schema


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["npm", "install", "--silent", *PACKAGES], cwd=folder, check=True)
        made: dict[str, object] = {
            "dashboard": converted(folder, Path("dashboard/x/types.gen.d.ts"), "Dashboard")
        }
        made["panel"] = converted(folder, Path("dashboard/x/types.gen.d.ts"), "Panel")
        for kind in KINDS:
            path = Path("composable") / kind / "panelcfg/x/types.gen.d.ts"
            made[f"{kind} options"] = converted(folder, path, "Options")
            made[f"{kind} custom"] = converted(folder, path, "FieldConfig")
        TARGET.write_text(
            json.dumps({key: value for key, value in made.items() if value}, separators=(",", ":")) + "\n"
        )


if __name__ == "__main__":
    main()
