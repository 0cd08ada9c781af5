"""A look at any model file or folder: what it is and what it wants to run, with nothing of it opened or kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlalm_jupyter.formats import bundle as bundles
from mlalm_jupyter.formats.foreign import looked_at
from mlalm_jupyter.formats.sealing import PackageSeal


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a look at a model file tells."""

    kind: str
    """`package`, or the kind of foreign file."""
    format: str
    framework: str
    digest: str
    """What `mlalm trust add` takes, if a person wants it to run."""
    size_bytes: int
    wants: tuple[str, ...]
    """What it would run or construct beyond what is allowed to everyone; empty: it is data."""
    requirements: tuple[str, ...] = ()
    seal: PackageSeal | None = None
    types: tuple[str, ...] = ()
    """Those of what it wants that are classes, which may be trusted by name."""

    def to_dict(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "format": self.format,
            "framework": self.framework,
            "digest": self.digest,
            "size_bytes": self.size_bytes,
            "wants": list(self.wants),
            "types": list(self.types),
            "requirements": list(self.requirements),
            "sealed_by": self.seal.key_id if self.seal else None,
        }


def inspected(path: Path) -> Inspection:
    """A look at a package, a model file of another tool, or an MLflow folder; what is damaged is refused by its name."""
    if path.suffix == ".ilearner" or is_package(path):
        package = bundles.read(path)
        wants = tuple(package.wants())
        return Inspection(
            "package",
            package.format,
            package.framework,
            package.model_hash,
            path.stat().st_size,
            wants,
            package.requirements,
            package.seal,
            tuple(package.types()) if wants else (),
        )
    found = looked_at(path)
    return Inspection(
        found.kind, found.kind, "", found.digest, found.size_bytes, found.wants, types=found.types
    )


def is_package(path: Path) -> bool:
    """Whether a file begins as our packages do, whatever it is called now."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(43)[30:] == b"manifest.json"
