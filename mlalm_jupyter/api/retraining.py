"""Retraining: the training notebook behind a service, run again on other data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.placing import check_classic
from mlalm_jupyter.api.recorder import Recorder
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.api.waiting import ended
from mlalm_jupyter.domain.errors import InvalidInput, RunFailed
from mlalm_jupyter.domain.job import Job, JobState
from mlalm_jupyter.domain.names import AssetRef, EndpointRef
from mlalm_jupyter.domain.outcome import Retrained

_BY_HAND = (
    "Run the notebook that trains its model with `mlalm experiment run`, "
    "then `mlalm service deploy MODEL {name} --update`."
)


class Retraining:
    """Retraining of the models behind services."""

    def __init__(self, context: Context, recorder: Recorder) -> None:
        self._context = context
        self._recorder = recorder

    @verb("retrain", "run", attribute="retraining", is_long=True)
    def run(
        self,
        service: Annotated[str, Arg("the service whose model is trained again", completes="service")],
        *,
        parameters: Annotated[
            Mapping[str, object] | None, Arg("values for the notebook's parameters cell", short="-p")
        ] = None,
        patch: Annotated[
            str | None,
            Arg("the endpoint to put the new model behind", completes="endpoint", metavar="SERVICE/ENDPOINT"),
        ] = None,
        wait: Annotated[bool, Arg("wait for its end")] = True,
    ) -> Retrained:
        """Run the snapshot that trained a service's model again, which makes its next version.

        >>> ws.retraining.run("wine", parameters={"dataset": "wine:2"}).model.reference  # doctest: +SKIP
        'wine:2'
        """
        ctx = self._context
        for one in filter(None, (service, patch)):
            check_classic(ctx, one, done="retrained", fix=_BY_HAND)
        with ctx.catalog.read() as tx:
            endpoint = tx.endpoints.get(EndpointRef.parse(service))
            target = tx.endpoints.get(EndpointRef.parse(patch)) if patch else None
            if target:
                target.check_movable("patched")
            if endpoint.model is None:
                raise InvalidInput(
                    f"Retraining '{service}'",
                    expected="a service with a trained model",
                    got="one without",
                    fix="Deploy it again instead.",
                )
            model = tx.models.get(AssetRef.parse("model", endpoint.model))
            if model.lineage.run_id is None:
                raise InvalidInput(
                    f"Retraining '{service}'",
                    expected="a model that a run of a notebook registered",
                    got=f"{model.reference}, whose origin is {model.lineage.origin}",
                    fix="Let a notebook register it, and run that with `mlalm experiment run`.",
                )
            trained_by = tx.runs.get(model.lineage.run_id)
        ctx.host.ensure(ctx.info.id, ctx.path)
        run = self._recorder.submit(
            ctx.blobs.get(trained_by.snapshot.digest),
            path=trained_by.path,
            parameters={**trained_by.snapshot.parameters, **(parameters or {})},
            origin="retraining",
            job={"kind": "retrain", "model": model.name, "patch": target.reference if target else None},
            is_awaited=wait,
        )
        if not wait:
            return Retrained(run, None, None)
        job = ended(ctx, str(run.job_id), told=f"Retraining of {service}")
        if job.state is not JobState.FINISHED:
            raise RunFailed(run.path, run_id=run.id, cause=job.cause or f"It was {job.state}.")
        return self._outcome(run.id, job)

    def _outcome(self, run_id: str, job: Job) -> Retrained:
        result = job.result or {}
        with self._context.catalog.read() as tx:
            run = tx.runs.get(run_id)
            model = tx.models.get(AssetRef.parse("model", str(result["model"])))
            patched = result.get("endpoint")
            endpoint = tx.endpoints.get(EndpointRef.parse(patched)) if isinstance(patched, str) else None
        return Retrained(run, model, endpoint)
