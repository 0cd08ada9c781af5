"""Rules that somebody opted for: what may serve, and what follows what by itself."""

from __future__ import annotations

from dataclasses import dataclass

from mlalm_jupyter.domain.errors import AgainstPolicy, InvalidInput

SIGNED_MODELS = "signed-models"
FOLLOW = "follow"
RULES = {
    SIGNED_MODELS: "only models that this workspace's key signed may serve",
    FOLLOW: "an endpoint moves to the version that an alias, or the newest number, stands for",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """One rule; without any, nothing is refused for want of a signature and nothing moves by itself."""

    id: str
    name: str
    rule: str
    endpoint: str | None
    model: str | None
    created_at: str
    created_by: str
    applied: str | None = None
    """The version that it acted on last."""
    applied_at: str | None = None
    note: str = ""
    """What came of that."""

    @property
    def told(self) -> str:
        if self.rule == FOLLOW:
            newest = "" if "@" in str(self.model) else ", newest version"
            return f"{self.endpoint} follows {self.model}{newest}"
        return RULES[self.rule]

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "rule": self.rule,
            "endpoint": self.endpoint,
            "model": self.model,
            "created_at": self.created_at,
            "created_by": self.created_by,
            "applied": self.applied,
            "applied_at": self.applied_at,
            "note": self.note,
        }


def check_rule(rule: str, *, endpoint: str | None, model: str | None) -> None:
    """Refuse a rule that nobody knows, or that lacks what it is about."""
    if rule not in RULES:
        raise InvalidInput(f"The rule '{rule}'", expected=f"one of {', '.join(RULES)}", got=repr(rule))
    needs = rule == FOLLOW
    if needs != (endpoint is not None) or needs != (model is not None):
        raise InvalidInput(
            f"The rule '{rule}'",
            expected="an endpoint and a model, such as --endpoint churn/ep2 --model churn@champion"
            if needs
            else "neither endpoint nor model: it holds for all",
            got="one without" if needs else "one of them",
        )


def check_signed(policy: str | None, reference: str, *, is_sealed: bool) -> None:
    """Refuse a model that is not signed where a policy wants that."""
    if policy is not None and not is_sealed:
        raise AgainstPolicy(
            f"Model {reference}",
            policy=policy,
            because="it lets only models serve that this workspace's key signed, and this one it did not sign",
            fix=f"Look at it with `mlalm model verify {reference}` and sign it with `mlalm model sign {reference}`.",
        )
