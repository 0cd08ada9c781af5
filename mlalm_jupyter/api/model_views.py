"""Looking at versions: where they came from, who needs them, how they differ, and whether they are sound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.dependents import dependents_of, wsd_files
from mlalm_jupyter.api.files import readable_file, write_new_file
from mlalm_jupyter.api.golive import keep_seal, new_seal, valid_seal
from mlalm_jupyter.api.lineages import lineage_graph
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import Corrupt, InvalidInput, MlalmError
from mlalm_jupyter.domain.lineage import Dependent, LineageGraph, ModelComparison
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.trust import Check, Signed, Verification, sealed_statement

_REFERENCE = "NAME, NAME:VERSION or NAME@ALIAS"
_SIGNATURE_KIND = "mlalm-signature"


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
            return Listing("dependent", dependents_of(tx, found, files=files))

    @verb("model", "compare")
    def compare(
        self, models: Annotated[str, Arg("two or more versions, with commas between: churn:1,churn:2")]
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
    def sign(
        self,
        model: Annotated[str, Arg(_REFERENCE, completes="model")],
        *,
        file: Annotated[
            str | None, Arg("write the signature there as well, for others to check", metavar="FILE")
        ] = None,
    ) -> Signed:
        """Sign a version with this workspace's key, which says that somebody here vouches for it."""
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
        written = None
        if file is not None:
            facts = {
                "kind": _SIGNATURE_KIND,
                "model_hash": kept.digest,
                "public_key": ctx.keyring.public_key,
                "signature": kept.signature,
                "at": kept.at,
                "by": kept.by,
            }
            written = str(write_new_file(ctx, file, (json.dumps(facts, indent=1) + "\n").encode()))
        note = "" if is_new else "Nothing changed: this workspace's key has signed it already."
        return Signed(found.reference, kept, file=written, note=note)

    @verb("model", "verify")
    def verify(
        self,
        model: Annotated[str, Arg(f"{_REFERENCE}, or an .ilearner file", completes="model", metavar="MODEL")],
        *,
        signature: Annotated[str | None, Arg("a signature file that came with it", metavar="FILE")] = None,
        key: Annotated[
            str | None, Arg("the public key it must be of, if not this workspace's", metavar="KEY")
        ] = None,
    ) -> Verification:
        """Check a version's bytes and signature, or those of a file, without opening what is in it."""
        ctx = self._context
        if model.endswith(".ilearner"):
            return self._verified(model, readable_file(ctx, model), None, signature, key)
        with ctx.catalog.read() as tx:
            found = tx.models.get(AssetRef.parse("model", model))
        return self._verified(
            found.reference, ctx.blobs.path(found.bundle_digest), found.model_hash, signature, key
        )

    def _verified(
        self, what: str, path: Path, expected: str | None, signature: str | None, key: str | None
    ) -> Verification:
        from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

        ctx = self._context
        try:
            opened = bundles.read(path.read_bytes())
        except FileNotFoundError:
            return Verification(what, "", (Check("package", False, "its bytes are gone"),))
        except MlalmError as error:
            return Verification(what, "", (Check("package", False, error.why),))
        digest = opened.model_hash
        checks = [Check("package", True, "every member gives the hash that its manifest lists")]
        if expected is not None:
            told = (
                "it is the one that was registered"
                if digest == expected
                else f"{expected[:12]} was registered"
            )
            checks.append(Check("content", digest == expected, told))
        wants = opened.wants()
        code = f"opening it would run {', '.join(wants[:5])}" if wants else "opening it runs nothing"
        with ctx.catalog.read() as tx:
            sealed = valid_seal(ctx, tx, "model", digest) is not None
            seal = tx.seals.get("model", digest)
            known = [one.reference for one in tx.models.with_hash(digest)]
        if signature is None:
            told = (
                f"{seal.reason}, {seal.at[:10]} by {seal.by}"
                if sealed and seal
                else "this workspace has not signed it"
            )
            checks.append(Check("signature", sealed, told))
        else:
            checks.append(self._foreign(digest, signature, key))
        return Verification(what, digest, tuple(checks), known=tuple(known), opening=code)

    def _foreign(self, digest: str, file: str, key: str | None) -> Check:
        """A signature that came in a file, held against a key that is known to be somebody's."""
        ctx = self._context
        try:
            facts = json.loads(readable_file(ctx, file).read_text(encoding="utf-8"))
            stated, signed = str(facts["public_key"]), str(facts["signature"])
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInput(
                f"The signature file '{file}'",
                expected="what `mlalm model sign --file` writes",
                got=str(error),
            ) from error
        wanted = key or ctx.keyring.public_key
        if not ctx.keyring.verifies(sealed_statement("model", digest), signed, public_key=stated):
            return Check("signature", False, "the file does not sign these bytes")
        if stated != wanted:
            whose = "the key that was asked for" if key else "this workspace's key"
            return Check("signature", False, f"it is a signature by {stated}, which is not {whose}")
        return Check("signature", True, f"signed by {facts.get('by', 'somebody')} with {stated}")

    def _check_bytes(self, reference: str, bundle_digest: str, model_hash: str) -> None:
        """Nobody vouches for bytes that are no longer what was registered."""
        from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

        if bundles.read(self._context.blobs.get(bundle_digest)).model_hash != model_hash:
            raise Corrupt(f"Model {reference}", why="Its package gives another hash than the catalog has.")
