"""Looking at versions: where they came from, who needs them, how they differ, and whether they are sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.dependents import copied_to, dependents_of, predictive_notebooks, wsd_files
from mlalm_jupyter.api.files import readable_file
from mlalm_jupyter.api.golive import is_type_trusted, keep_seal, new_seal, valid_seal
from mlalm_jupyter.api.lineages import lineage_graph
from mlalm_jupyter.api.outside_models import FILE
from mlalm_jupyter.api.packages import model_file, package_file
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import Corrupt, InvalidInput, MlalmError
from mlalm_jupyter.domain.lineage import Dependent, LineageGraph, ModelComparison
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.trust import Check, Signed, Verification

if TYPE_CHECKING:
    from mlalm_jupyter.formats.sealing import PackageSeal

_REFERENCE = "NAME, NAME:VERSION or NAME@ALIAS"
_UNSIGNED = "this workspace has not signed it"


class ModelViews:
    """Verbs that show versions, and sign them."""

    _context: Context

    @verb("model", "lineage")
    def lineage(self, model: Annotated[str, Arg(_REFERENCE, completes="model")]) -> LineageGraph:
        """Follow a version back to its data and on to the endpoints that answer with it, as a picture and a table."""
        return lineage_graph(self._context, AssetRef.parse("model", model))

    @verb("model", "dependents")
    def dependents(self, model: Annotated[str, Arg(_REFERENCE, completes="model")]) -> Listing[Dependent]:
        """List who depends on a version: those that keep it from being deleted, and those that would lose a way back."""
        with self._context.catalog.read() as tx:
            found = tx.models.get(AssetRef.parse("model", model))
            files = wsd_files(self._context, found)
            notebooks = predictive_notebooks(self._context, tx, "model", found.reference)
            held = dependents_of(tx, found, files=files, notebooks=notebooks)
        return Listing("dependent", [*held, *copied_to(self._context, found)])

    @verb("model", "compare")
    def compare(
        self,
        models: Annotated[
            str, Arg("two or more versions, with commas between: churn:1,churn:2", metavar="MODEL,MODEL")
        ],
    ) -> ModelComparison:
        """Put versions side by side: metrics, parameters, columns, size."""
        names = list(dict.fromkeys(name.strip() for name in models.split(",") if name.strip()))
        with self._context.catalog.read() as tx:
            found = [tx.models.get(AssetRef.parse("model", name)) for name in names]
        if len({one.id for one in found}) < 2:
            raise InvalidInput(
                "The models", expected="two versions or more, with commas between", got=f"'{models}'"
            )
        return ModelComparison(tuple({one.id: one for one in found}.values()))

    @verb("model", "sign")
    def sign(self, model: Annotated[str, Arg(_REFERENCE, completes="model")]) -> Signed:
        """Sign a version with this workspace's key, which says that somebody here vouches for it.

        `model download --form sealed` hands the signature on to others.
        """
        ctx = self._context
        with ctx.catalog.write() as tx:
            found = tx.models.get(AssetRef.parse("model", model))
            self._check_bytes(found.reference, found.bundle_digest, found.model_hash)
            seal = new_seal(ctx, "model", found.model_hash, reason=f"signed as {found.reference}")
            is_new = keep_seal(ctx, tx, seal)
            kept = seal if is_new else tx.seals.get("model", found.model_hash) or seal
            if is_new:
                data = {"model_hash": found.model_hash, "key_id": kept.key_id}
                ctx.note(tx, "model", "sign", subject_id=found.id, subject=found.reference, data=data)
        note = "" if is_new else "Nothing changed: this workspace's key has signed it already."
        return Signed(found.reference, kept, public_key=ctx.keyring.public_key, note=note)

    @verb("model", "verify")
    def verify(
        self,
        model: Annotated[
            str,
            Arg(
                f"{_REFERENCE}, or any model file or MLflow folder",
                completes="model",
                metavar="MODEL",
                place="either",
            ),
        ],
        *,
        key: Annotated[
            str | None,
            Arg("the public key whose seal it must carry, if not this workspace's", metavar="KEY"),
        ] = None,
    ) -> Verification:
        """Check a version's bytes and signature, or those of a file, and tell what opening it would run.

        Nothing in it is opened for that, and nothing is kept.
        """
        ctx = self._context
        with ctx.catalog.read() as tx:
            path = package_file(ctx, tx, model)
            if path is None and model_file(ctx, tx, model):
                return self._foreign(model, readable_file(ctx, model, or_folder=True))
            if path is None:
                found = tx.models.get(AssetRef.parse("model", model))
                path, model, expected = ctx.blobs.path(found.bundle_digest), found.reference, found.model_hash
            else:
                expected = None
        return self._verified(model, path, expected, key)

    def _verified(self, what: str, path: Path, expected: str | None, key: str | None) -> Verification:
        from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

        ctx = self._context
        try:
            opened = bundles.read(path)
        except FileNotFoundError:
            return Verification(what, "", (Check("package", False, "its bytes are gone"),))
        except MlalmError as error:
            return Verification(what, "", (Check("package", False, error.why),))
        digest = opened.model_hash
        checks = [Check("package", True, "every member gives the hash that its manifest lists")]
        if expected is not None:
            is_same = digest == expected
            told = "it is the one that was registered" if is_same else f"{expected[:12]} was registered"
            checks.append(Check("content", is_same, told))
        with ctx.catalog.read() as tx:
            sealed = valid_seal(ctx, tx, "model", digest) is not None
            seal = tx.seals.get("model", digest)
            known = [one.reference for one in tx.models.with_hash(digest)]
        if key is not None or opened.seal is not None:
            checks.append(_seal_checked(opened.seal, wanted=key, ours=ctx.keyring.public_key))
        if key is None:
            told = f"{seal.reason}, {seal.at[:10]} by {seal.by}" if sealed and seal else _UNSIGNED
            checks.append(Check("signature", sealed, told))
        wants = opened.wants()
        opening = self._opening(wants, opened.types() if wants else ())
        return Verification(what, digest, tuple(checks), known=tuple(known), opening=opening)

    def _foreign(self, what: str, path: Path) -> Verification:
        """A look at a model file of another tool, which carries no signature."""
        from mlalm_jupyter.formats.inspection import inspected
        from mlalm_jupyter.formats.pickles import cut_short

        ctx = self._context
        try:
            look = inspected(path)
        except MlalmError as error:
            return Verification(what, "", (Check("file", False, error.why),))
        # joblib puts arrays between the opcodes of its pickles, so their end is not found this way
        if look.kind != "joblib" and (fault := cut_short(look.wants)):
            told = f"it is of the kind {look.kind}, and {fault}"
            return Verification(what, look.digest, (Check("file", False, told),))
        with ctx.catalog.read() as tx:
            seal = tx.seals.get(FILE, look.digest)
            is_trusted = valid_seal(ctx, tx, FILE, look.digest) is not None
        told = f"{seal.reason}, {seal.at[:10]} by {seal.by}" if is_trusted and seal else _UNSIGNED
        checks = (Check("file", True, f"it is of the kind {look.kind}"), Check("signature", is_trusted, told))
        return Verification(what, look.digest, checks, opening=self._opening(look.wants, look.types))

    def _opening(self, wants: Sequence[str], types: Sequence[str]) -> str:
        """What opening it would do, as this workspace's trust has it."""
        known = [name for name in types if is_type_trusted(self._context, name)]
        rest = [one for one in wants if one not in known]
        if rest:
            only_types = set(rest) <= set(types)
            does = "make objects of" if only_types else "run"
            return f"opening it would {does} {', '.join(rest[:5])}"
        if known:
            return f"opening it makes objects of {', '.join(known[:5])}, which this workspace trusts by name"
        return "opening it runs nothing"

    def _check_bytes(self, reference: str, bundle_digest: str, model_hash: str) -> None:
        """Nobody vouches for bytes that are no longer what was registered."""
        from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

        if bundles.read(self._context.blobs.path(bundle_digest)).model_hash != model_hash:
            raise Corrupt(f"Model {reference}", why="Its package gives another hash than the catalog has.")


def _seal_checked(seal: PackageSeal | None, *, wanted: str | None, ours: str) -> Check:
    """What the seal in a package is worth: whose it is can only tell who knows the key."""
    if seal is None:
        return Check("seal", False, "it carries none")
    if not seal.is_whole:
        return Check("seal", False, "the seal in it is not over these bytes")
    if wanted is not None:
        whose = "made with that key" if seal.is_by(wanted) else f"made with another key, {seal.public_key}"
        return Check("seal", seal.is_by(wanted), whose)
    if seal.is_by(ours):
        return Check("seal", True, "made with this workspace's key")
    return Check("seal", True, f"made with {seal.public_key}; whose key that is nobody here knows")
