"""Trust: what may run in this workspace, and who said so."""

from __future__ import annotations

import re
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.golive import keep_seal, new_seal, signing_policy
from mlalm_jupyter.api.outside_models import FILE
from mlalm_jupyter.api.placing import held_services, opened
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import AgainstPolicy, InvalidInput, NotFound, Unconfirmed
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.outcome import Removed
from mlalm_jupyter.domain.trust import TYPE, Seal, check_trustable, is_type_name
from mlalm_jupyter.ports import Transaction

_KINDS = ("definition", "model", FILE)


class Trust:
    """The hashes and types that may run here."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @verb("trust", "list", attribute="trust")
    def list(self) -> Listing[Seal]:
        """List what may run here: what was made here, and what an owner trusted."""
        with self._context.catalog.read() as tx:
            return Listing("trust", tx.seals.find())

    @verb("trust", "add", attribute="trust")
    def add(
        self,
        digest: Annotated[
            str, Arg("the hash a refusal named, or a class by its whole name", metavar="HASH|TYPE")
        ],
        *,
        kind: Annotated[
            str,
            Arg("what has that hash, where nothing here has it: definition, model, or file of another tool"),
        ] = "definition",
    ) -> Seal:
        """Sign a definition, model, transform, kept value or file from elsewhere, so that it may run here.

        A class is trusted by its name: objects of it may be made from any file of data that holds them. What is in a
        pickle, and functions, can be trusted by the hash of the file alone.
        """
        ctx = self._context
        if is_type_name(digest):
            return self._add_type(digest)
        digest = digest.lower()
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise InvalidInput(
                f"The hash '{digest}'",
                expected="64 hex digits, or a class such as features.Ratio",
                got=f"{len(digest)} characters",
            )
        if kind not in _KINDS:
            raise InvalidInput(f"The kind '{kind}'", expected=" or ".join(_KINDS), got=repr(kind))
        with ctx.catalog.write() as tx:
            is_package = tx.models.has_hash(digest) or tx.transforms.has_hash(digest)
            is_output = not is_package and tx.runs.has_output(digest)
            kind = "model" if is_package else "output" if is_output else kind
            seal = new_seal(ctx, kind, digest, reason="trusted by its owner")
            if not keep_seal(ctx, tx, seal):
                kept = tx.seals.get(kind, digest)
                assert kept is not None, "it is valid, so it is there"
                return kept
            ctx.note(tx, kind, "trust", subject_id=digest, subject=digest[:12])
        return seal

    def _add_type(self, name: str) -> Seal:
        ctx = self._context
        check_trustable(name)
        with ctx.catalog.write() as tx:
            seal = new_seal(ctx, TYPE, name, reason="trusted by its owner")
            if not keep_seal(ctx, tx, seal):
                return tx.seals.get(TYPE, name) or seal
            ctx.note(tx, TYPE, "trust", subject_id=name, subject=name)
        return seal

    @verb("trust", "remove", attribute="trust")
    def remove(
        self,
        digest: Annotated[str, Arg("a hash or type of `trust list`", metavar="HASH|TYPE")],
        *,
        yes: Annotated[bool, Arg("take it back without asking")] = False,
    ) -> Removed:
        """Take trust back; what serves already goes on until it is moved or restarted."""
        ctx = self._context
        with ctx.catalog.write() as tx:
            _refuse_while_wanted(tx, digest)
            held = [seal for seal in tx.seals.find() if seal.digest == digest]
            if not held:
                known = [seal.digest for seal in tx.seals.find()]
                raise NotFound("seal", digest, known=known, fix="List them with `mlalm trust list`.")
            short = digest if is_type_name(digest) else digest[:12]
            if not yes:
                goes = [f"the trust in the {one.kind} {short}, {one.reason}" for one in held]
                raise Unconfirmed(f"Trust in {short}", goes=goes, is_final=False)
            tx.seals.remove(digest)
            ctx.note(tx, "trust", "remove", subject_id=digest, subject=short)
        return Removed("trust", digest, note=self._kept_by(digest))

    def _kept_by(self, digest: str) -> str:
        """Who goes on trusting it: a New service was given what it needs, and no longer asks here."""
        ctx = self._context
        found = []
        for held in held_services(ctx.host.estate, ctx.another):
            with opened(ctx, held) as there, there.catalog.read() as tx:
                if any(one.digest == digest for one in tx.seals.find()):
                    found.append(held.service.name)
        if not found:
            return ""
        names = ", ".join(found)
        return (
            f"New services keep the trust they were deployed with: {names}. "
            "Deploy something else there with --update, or delete them."
        )


def _refuse_while_wanted(tx: Transaction, digest: str) -> None:
    """Under the policy that only signed models serve, one that serves keeps its signature."""
    policy = signing_policy(tx)
    if policy is None:
        return
    serving = tx.endpoints.serving([one.reference for one in tx.models.with_hash(digest)])
    if serving:
        raise AgainstPolicy(
            f"Taking back trust in {digest[:12]}",
            policy=policy,
            because=f"it lets only signed models serve, and {', '.join(one.reference for one in serving)} "
            "answers with this one",
            fix="Move what serves it to another model first, or delete the policy.",
        )
