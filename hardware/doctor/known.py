"""What is known beforehand of versions and compilers (``known.toml``, with sources)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import tomli


@dataclass(frozen=True)
class VersionSet:
    """Versions that go together: ``evidence`` says how that is known, ``runs`` what they ran."""

    versions: Mapping[str, str]
    runs: str
    evidence: Literal["tested", "published", "named"]
    source: str

    def __str__(self) -> str:
        return ", ".join(f"{name} {version}" for name, version in self.versions.items())


@cache
def facts() -> dict[str, Any]:
    """The whole file."""
    return tomli.loads((Path(__file__).parent / "known.toml").read_text())


def version_sets() -> tuple[VersionSet, ...]:
    """Sets of versions, best known first."""
    return tuple(VersionSet(**values) for values in facts()["sets"])
