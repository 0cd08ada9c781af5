"""What classic services promise, written down a second time without a line of the product: the referee.

A definition is two numbers: which graph, which model. A key is a number that is given once. Every operation returns
what it may be refused with; where that is nothing it happened, and `changed` and `log` say what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

Definition = tuple[int, int]
Refusals = set[str]
Arguments = dict[str, object]
DEFAULT = "default"
NOTHING: Definition = (-1, -1)


@dataclass(frozen=True)
class Settings:
    description: str = ""
    level: str | None = None
    calls: int | None = None
    is_protected: bool = False


@dataclass
class Endpoint:
    name: str
    definition: Definition
    keys: dict[str, int]
    settings: Settings = Settings()
    moves: list[tuple[str, Definition]] = field(default_factory=list)
    undo: list[Definition] = field(default_factory=list)
    """What a plain undo stack would hold."""

    def began(self, action: str) -> None:
        self.moves.append((action, self.definition))
        self.undo.append(self.definition)

    def goes(self, action: str, definition: Definition) -> None:
        self.definition = definition
        self.moves.append((action, definition))
        if action != "rollback":
            self.undo.append(definition)
            return
        if definition not in self.undo:
            self.undo.append(definition)  # what was undone is a step forward
        while self.undo[-1] != definition:
            self.undo.pop()


@dataclass
class Service:
    name: str
    description: str
    endpoints: dict[str, Endpoint]
    is_running: bool = True


@dataclass
class Place:
    """A workspace as it should be."""

    models: int
    services: dict[str, Service] = field(default_factory=dict)
    log: list[tuple[str, str, str]] = field(default_factory=list)
    """Noun, action and subject of everything that was noted."""
    keys_given: int = 0
    changed: bool = False
    """Whether the last operation that was not refused did anything."""

    def deploy(
        self,
        name: str,
        definition: Definition,
        *,
        update: bool = False,
        description: str | None = None,
        stop_start: bool = False,
    ) -> Refusals:
        there = self.services.get(name)
        refusals = _wrong_text(description)
        if stop_start and not update:
            refusals.add("InvalidInput")
        if update and there is None:
            refusals.add("NotFound")
        is_same = there is not None and there.endpoints[DEFAULT].definition == definition
        is_described = there is not None and description not in (None, there.description)
        if there and not update and (not is_same or is_described):
            refusals.add("AlreadyExists")
        if refusals:
            return refusals
        self.changed = not is_same or is_described
        if there is None:
            default = Endpoint(DEFAULT, definition, self._keys())
            default.began("deploy")
            self.services[name] = Service(name, description or "", {DEFAULT: default})
            self._note("service", "deploy", name)
            self._note("endpoint", "deploy", f"{name}/{DEFAULT}")
            return set()
        if not is_same:
            if stop_start and there.is_running:
                self._put(there, is_running=False)
            self._note("service", "deploy", name)
            there.endpoints[DEFAULT].goes("update", definition)
            self._note("endpoint", "update", f"{name}/{DEFAULT}")
            if stop_start:
                self._put(there, is_running=True)
        if is_described:
            there.description = str(description)
            self._note("service", "configure", name)
        return set()

    def put(self, name: str, *, is_running: bool) -> Refusals:
        if name not in self.services:
            return {"NotFound"}
        service = self.services[name]
        self.changed = service.is_running != is_running
        if self.changed:
            self._put(service, is_running=is_running)
        return set()

    def delete_service(self, name: str, *, yes: bool) -> Refusals:
        if name not in self.services:
            return {"NotFound"}
        if not yes:
            return {"Unconfirmed"}
        for one in sorted(self.services[name].endpoints, key=lambda one: (one != DEFAULT, one)):
            self._note("endpoint", "delete", f"{name}/{one}")
        self._note("service", "delete", name)
        del self.services[name]
        self.changed = True
        return set()

    def add(
        self,
        name: str,
        endpoint: str,
        *,
        count: int | None = None,
        description: str | None = None,
        throttle: str | None = None,
        concurrency: int | None = None,
        prevent_update: bool = False,
    ) -> Refusals:
        refusals, settings = _set(Settings(), description, throttle, concurrency, prevent_update, False)
        if count is not None and not 1 <= count <= 1000:
            refusals.add("InvalidInput")
        service = self.services.get(name)
        names = [endpoint] if count is None else [f"{endpoint}{number}" for number in range(1, count + 1)]
        if service is None:
            refusals.add("NotFound")
        elif any(one in service.endpoints for one in names):
            refusals.add("AlreadyExists")
        if refusals or service is None:
            return refusals
        for one in names:
            made = Endpoint(one, service.endpoints[DEFAULT].definition, self._keys(), settings)
            made.began("add")
            service.endpoints[one] = made
            self._note("endpoint", "add", f"{name}/{one}")
        self.changed = True
        return set()

    def patch(
        self,
        name: str,
        endpoint: str,
        *,
        model: int | None = None,
        description: str | None = None,
        throttle: str | None = None,
        concurrency: int | None = None,
        prevent_update: bool = False,
        allow_update: bool = False,
    ) -> Refusals:
        held = self._endpoint(name, endpoint)
        before = held.settings if held else Settings()
        refusals, settings = _set(before, description, throttle, concurrency, prevent_update, allow_update)
        wanted = (description, throttle, concurrency, prevent_update or None, allow_update or None)
        if model is None and all(one is None for one in wanted):
            refusals.add("InvalidInput")
        if model is not None and not 1 <= model <= self.models:
            refusals.add("NotFound")
        if held is None:
            return {*refusals, "NotFound"}
        if endpoint == DEFAULT and prevent_update:
            refusals.add("InvalidInput")
        if model is not None:
            if endpoint == DEFAULT:
                refusals.add("DefaultEndpointNotPatchable")
            elif before.is_protected and not allow_update:
                refusals.add("UpdatePrevented")
        if refusals:
            return refusals
        self.changed = False
        if model is not None and held.definition[1] != model:
            held.goes("patch", (held.definition[0], model))
            self._note("endpoint", "patch", f"{name}/{endpoint}")
            self.changed = True
        if settings != before:
            held.settings = settings
            self._note("endpoint", "configure", f"{name}/{endpoint}")
            self.changed = True
        return set()

    def refresh(self, name: str, endpoint: str, *, overwrite_models: bool = False) -> Refusals:
        held = self._endpoint(name, endpoint)
        if held is None:
            return {"NotFound"}
        if endpoint == DEFAULT:
            return {"DefaultEndpointNotPatchable"}
        if held.settings.is_protected:
            return {"UpdatePrevented"}
        graph, model = self.services[name].endpoints[DEFAULT].definition
        wanted = (graph, model if overwrite_models else held.definition[1])
        return self._moved(held, name, "refresh", wanted)

    def rollback(self, name: str, endpoint: str, *, to: int | None = None) -> Refusals:
        held = self._endpoint(name, endpoint)
        if held is None:
            return {"NotFound"}
        if to is None:
            if len(held.undo) < 2:
                return {"NothingToRollBack"}
            return self._moved(held, name, "rollback", held.undo[-2])
        if not 1 <= to <= len(held.moves):
            return {"InvalidInput"}
        return self._moved(held, name, "rollback", held.moves[to - 1][1])

    def delete_endpoint(self, name: str, endpoint: str, *, yes: bool) -> Refusals:
        if self._endpoint(name, endpoint) is None:
            return {"NotFound"}
        refusals = {"Conflict"} if endpoint == DEFAULT else set()
        refusals |= set() if yes else {"Unconfirmed"}
        if not refusals:
            del self.services[name].endpoints[endpoint]
            self._note("endpoint", "delete", f"{name}/{endpoint}")
            self.changed = True
        return refusals

    def regenerate(self, name: str, endpoint: str, which: str) -> Refusals:
        refusals = set() if which in ("primary", "secondary") else {"InvalidInput"}
        held = self._endpoint(name, endpoint)
        if held is None:
            return {*refusals, "NotFound"}
        if not refusals:
            self.keys_given += 1
            held.keys[which] = self.keys_given
            self._note("endpoint", "regenerate-key", f"{name}/{endpoint}")
            self.changed = True
        return refusals

    def _endpoint(self, name: str, endpoint: str) -> Endpoint | None:
        service = self.services.get(name)
        return service.endpoints.get(endpoint) if service else None

    def _moved(self, held: Endpoint, name: str, action: str, wanted: Definition) -> Refusals:
        self.changed = held.definition != wanted
        if self.changed:
            held.goes(action, wanted)
            self._note("endpoint", action, f"{name}/{held.name}")
        return set()

    def _put(self, service: Service, *, is_running: bool) -> None:
        service.is_running = is_running
        self._note("service", "start" if is_running else "stop", service.name)

    def _keys(self) -> dict[str, int]:
        self.keys_given += 2
        return {"primary": self.keys_given - 1, "secondary": self.keys_given}

    def _note(self, noun: str, action: str, subject: str) -> None:
        self.log.append((noun, action, subject))


def _wrong_text(description: str | None) -> Refusals:
    return {"InvalidInput"} if description and len(description) > 1000 else set()


def _set(
    before: Settings,
    description: str | None,
    throttle: str | None,
    concurrency: int | None,
    protect: bool,
    allow: bool,
) -> tuple[Refusals, Settings]:
    """The settings after a change, and what is wrong with it."""
    refusals = _wrong_text(description)
    after = before if description is None else replace(before, description=description)
    if protect and allow:
        refusals.add("InvalidInput")
    elif protect or allow:
        after = replace(after, is_protected=protect)
    levels = {"low": "Low", "high": "High", "none": None}
    if throttle is not None and throttle.lower() not in levels:
        return {*refusals, "InvalidInput"}, after
    if throttle is None and concurrency is None:
        return refusals, after
    level = before.level if throttle is None else levels[throttle.lower()]
    if level == "Low":
        if concurrency not in (None, 4):
            refusals.add("InvalidInput")
        return refusals, replace(after, level=level, calls=4)
    if concurrency is not None and not 1 <= concurrency <= 200:
        refusals.add("InvalidInput")
    return refusals, replace(after, level=level, calls=concurrency)
