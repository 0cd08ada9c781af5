"""The ids that New services have in Azure's way: read by their labels, wherever in the text these stand."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from urllib.parse import unquote

from mlalm_jupyter.domain.errors import InvalidInput

PROVIDER = "Microsoft.MachineLearning"
KIND = "webServices"
_FORM = f"/subscriptions/ID/resourceGroups/GROUP/providers/{PROVIDER}/{KIND}/NAME"
_WORD = re.compile(r"[^/?#\s]+")


@dataclass(frozen=True, slots=True)
class ResourceId:
    """A New service by subscription, group and name; the group is the region it lives in.

    >>> ResourceId("0" * 32, "west", "wine").told[51:]
    '/resourceGroups/west/providers/Microsoft.MachineLearning/webServices/wine'
    """

    subscription: str
    group: str
    name: str

    @property
    def told(self) -> str:
        subscription = str(uuid.UUID(self.subscription))
        return f"/subscriptions/{subscription}/resourceGroups/{self.group}/providers/{PROVIDER}/{KIND}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> ResourceId:
        """Read an id, or an address that has one in it, such as that of a portal's page.

        Labels are found by their names in whatever spelling; names may have dots and times in them.

        >>> ResourceId.parse(
        ...     "https://portal.example/#@who/resource/subscriptions/9d4a31d2-0f2e-4ad1-a7f0-9cbb5ff1b2a4"
        ...     "/resourcegroups/west/providers/Microsoft.MachineLearning/webServices/Pre.2016.8.17.0.3.51.237/overview"
        ... ).name
        'Pre.2016.8.17.0.3.51.237'
        """
        words = [unquote(word) for word in _WORD.findall(text)]
        found = {}
        for label in ("subscriptions", "resourceGroups", KIND):
            places = [place for place, word in enumerate(words) if word.lower() == label.lower()]
            if len(places) != 1 or places[0] + 1 >= len(words):
                got = "none" if not places else "no value after it" if len(places) == 1 else f"{len(places)}"
                raise _not_valid(text, f"{_FORM}, with one '{label}' and a value after it", got)
            found[label] = words[places[0] + 1]
        try:
            subscription = uuid.UUID(found["subscriptions"]).hex
        except ValueError:
            raise _not_valid(
                text, "a subscription of 32 hex digits, with or without dashes", found["subscriptions"]
            ) from None
        return cls(subscription, found["resourceGroups"], found[KIND])


def is_resource_id(text: str) -> bool:
    """Whether a text is meant as an id of this kind, and not as a name.

    >>> is_resource_id("/Subscriptions/0/resourceGroups/west"), is_resource_id("wine/default")
    (True, False)
    """
    return "/subscriptions/" in text.lower()


def _not_valid(text: str, expected: str, got: str) -> InvalidInput:
    return InvalidInput(f"The id '{text[:200]}'", expected=expected, got=got)
