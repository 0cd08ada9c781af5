"""Settings of an endpoint: what acts on its calls and on who may move it, beside the definition it serves."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields, replace

from mlalm_jupyter.domain.errors import InvalidInput

LOW_CALLS = 4
MOST_CALLS = 200
LEVELS = ("Low", "High")
DIAGNOSTICS = ("None", "Error", "All")
MOST_DESCRIPTION = 1000


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """What may be set of an endpoint; a copy of it begins with none of this.

    >>> EndpointSettings().max_concurrent_calls is None
    True
    """

    description: str = ""
    throttle_level: str | None = None
    max_concurrent_calls: int | None = None
    """How many calls it answers at once, over all processes of the server; None is any number."""
    prevent_update: bool = False
    """Whether patch and refresh are refused."""
    diagnostics: str = "None"

    def throttled(self, level: str | None, calls: int | None) -> EndpointSettings:
        """These settings with another throttle level, another number of calls at once, or both.

        A level alone takes that level's own limit: 4 for Low, none for High and for no level.

        >>> EndpointSettings().throttled("low", None).max_concurrent_calls
        4
        >>> EndpointSettings().throttled(None, 20).max_concurrent_calls
        20
        """
        if level is None and calls is None:
            return self
        kept = self.throttle_level if level is None else checked_level(level)
        if kept == "Low":
            if calls not in (None, LOW_CALLS):
                raise InvalidInput(
                    "The number of concurrent calls",
                    expected=f"{LOW_CALLS}, which throttle level Low fixes",
                    got=str(calls),
                    fix="Give --throttle High as well.",
                )
            return replace(self, throttle_level=kept, max_concurrent_calls=LOW_CALLS)
        return replace(self, throttle_level=kept, max_concurrent_calls=checked_calls(calls))

    def changed_to(self, after: EndpointSettings) -> dict[str, object]:
        """What differs in other settings, by name.

        >>> EndpointSettings().changed_to(EndpointSettings(prevent_update=True))
        {'prevent_update': True}
        """
        names = [field.name for field in fields(self)]
        return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(self, name)}

    def to_dict(self) -> dict[str, object]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


NO_SETTINGS = EndpointSettings()


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """What somebody wants other of an endpoint's settings; what is None stays.

    >>> SettingsChange(throttle="low").of(EndpointSettings()).max_concurrent_calls
    4
    """

    description: str | None = None
    throttle: str | None = None
    concurrency: int | None = None
    prevent_update: bool = False
    allow_update: bool = False
    diagnostics: str | None = None

    def __post_init__(self) -> None:
        if self.prevent_update and self.allow_update:
            raise InvalidInput(
                "The protection of an endpoint", expected="--prevent-update or --allow-update", got="both"
            )

    @property
    def is_empty(self) -> bool:
        return self == SettingsChange()

    def of(self, settings: EndpointSettings) -> EndpointSettings:
        """The settings after this change; refused where a value is none that can be set."""
        after = settings.throttled(self.throttle, self.concurrency)
        if self.description is not None:
            after = replace(after, description=checked_description(self.description))
        if self.diagnostics is not None:
            after = replace(after, diagnostics=checked_diagnostics(self.diagnostics))
        if self.prevent_update or self.allow_update:
            after = replace(after, prevent_update=self.prevent_update)
        return after


def checked_level(level: str) -> str | None:
    """A throttle level however it is written; `none` is none.

    >>> checked_level("HIGH")
    'High'
    """
    word = level.strip().capitalize()
    if word == "None":
        return None
    if word not in LEVELS:
        raise InvalidInput("The throttle level", expected="Low, High or none", got=repr(level))
    return word


def checked_calls(calls: int | None) -> int | None:
    """A number of calls at once that may be set."""
    if calls is not None and not 1 <= calls <= MOST_CALLS:
        raise InvalidInput("The number of concurrent calls", expected=f"1 to {MOST_CALLS}", got=str(calls))
    return calls


def checked_diagnostics(level: str) -> str:
    """A level of diagnostics however it is written.

    >>> checked_diagnostics("error")
    'Error'
    """
    word = level.strip().capitalize()
    if word not in DIAGNOSTICS:
        raise InvalidInput("The diagnostics level", expected="None, Error or All", got=repr(level))
    return word


def checked_description(text: str) -> str:
    """A description that may be kept and shown: not too long, and without characters that steer a terminal.

    >>> checked_description("The bikes of autumn")
    'The bikes of autumn'
    """
    if len(text) > MOST_DESCRIPTION:
        raise InvalidInput(
            "The description", expected=f"at most {MOST_DESCRIPTION} characters", got=f"{len(text)}"
        )
    odd = next((one for one in text if one not in "\n\t" and unicodedata.category(one) in ("Cc", "Cs")), None)
    if odd is not None:
        raise InvalidInput("The description", expected="text", got=f"the character U+{ord(odd):04X} in it")
    return text
