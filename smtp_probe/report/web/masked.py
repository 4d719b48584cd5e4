"""The configuration in use, without what could open a door.

In: the settings. Out: plain values, or YAML text. The settings hold no secret, only the place of each; that is masked
too, since somebody may have written the secret itself there. So is every value whose name speaks of a secret.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

from smtp_probe.config.settings import Config
from smtp_probe.report.redaction import SECRETS

MASK = "<secret>"
_SECRET_NAME = re.compile(
    r"password|passphrase|secret|token|credential(?!s_without)|tag_key|private|client_assertion"
)


def mask_config(config: Config) -> dict[str, Any]:
    """Give the configuration as plain values."""
    masked = _mask(config.model_dump(mode="json", by_alias=True))
    assert isinstance(masked, dict)
    return masked


def show_config(config: Config) -> str:
    """Give the configuration as YAML."""
    from ruamel.yaml import YAML  # 2 MB, for a page that is seldom asked for

    out = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(mask_config(config), out)
    return out.getvalue()


def _mask(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: MASK if _is_secret(name, inner) else _mask(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(item) for item in value]
    return SECRETS.redact(value) if isinstance(value, str) else value


def _is_secret(name: str, value: object) -> bool:
    """A switch or an unset value gives nothing away."""
    return bool(value) and not isinstance(value, bool) and _SECRET_NAME.search(name) is not None
