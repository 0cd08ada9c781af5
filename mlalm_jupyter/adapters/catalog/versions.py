"""What datasets and models share as versions of a name: numbers given once, lookups, and typos."""

from __future__ import annotations

from sqlalchemy import Connection, Row, Select, Table, and_, func, insert, select, update

from mlalm_jupyter.adapters.catalog.schema import events, metadata
from mlalm_jupyter.adapters.catalog.schema import version_counters as counters
from mlalm_jupyter.domain.asset import next_version
from mlalm_jupyter.domain.errors import NotFound
from mlalm_jupyter.domain.names import AssetRef

_KNOWN = 500
_LARGEST = 2**31 - 1


def reserve_version(connection: Connection, kind: str, name: str) -> int:
    """The next number of a name, also when what had the last one is gone."""
    mine = and_(counters.c.kind == kind, counters.c.name == name)
    last = connection.execute(select(counters.c.last).where(mine).with_for_update()).scalar()
    version = next_version(last or 0)
    if last is None:
        connection.execute(insert(counters), {"kind": kind, "name": name, "last": version})
    else:
        connection.execute(update(counters).where(mine).values(last=version))
    return version


def claim_version(connection: Connection, kind: str, name: str, version: int) -> int:
    """A number that something already has elsewhere, or the next one where it was given here before.

    One below the last that was passed over keeps the order that versions have elsewhere, and is given.
    """
    mine = and_(counters.c.kind == kind, counters.c.name == name)
    last = connection.execute(select(counters.c.last).where(mine).with_for_update()).scalar()
    if 1 <= version <= (last or 0) and not _was_given(connection, kind, name, version):
        return version
    if version <= (last or 0) or version > _LARGEST:
        return reserve_version(connection, kind, name)
    if last is None:
        connection.execute(insert(counters), {"kind": kind, "name": name, "last": version})
    else:
        connection.execute(update(counters).where(mine).values(last=version))
    return version


def _was_given(connection: Connection, kind: str, name: str, version: int) -> bool:
    """Whether something has or had this number; events stay when it is deleted."""
    assets = metadata.tables[f"{kind}s"]
    held = select(assets.c.id).where(assets.c.name == name, assets.c.version == version)
    told = select(events.c.seq).where(events.c.noun == kind, events.c.subject == f"{name}:{version}")
    return any(connection.execute(one.limit(1)).first() is not None for one in (held, told))


def newest_of_each(assets: Table) -> Select[*tuple[object, ...]]:
    """The newest version of every name, by name; it steps from name to name, however many versions each has."""
    first, later, newest = assets.alias("first"), assets.alias("later"), assets.alias("newest")
    names = select(func.min(first.c.name).label("name")).cte("names", recursive=True)
    following = select(func.min(later.c.name)).where(later.c.name > names.c.name).scalar_subquery()
    names = names.union_all(select(following).where(names.c.name.is_not(None)))
    last = select(func.max(newest.c.version)).where(newest.c.name == names.c.name).scalar_subquery()
    return (
        select(assets)
        .join(names, and_(assets.c.name == names.c.name, assets.c.version == last))
        .order_by(names.c.name)
    )


def asset_row(
    connection: Connection, assets: Table, named: Select[*tuple[object, ...]], ref: AssetRef
) -> Row[*tuple[object, ...]]:
    """The row of a version, or of the newest one; `named` selects all rows of :name."""
    statement = named.order_by(assets.c.version.desc()).limit(1)
    if ref.version is not None:
        # a number no column can hold is simply not there
        statement = named.where(assets.c.version == min(ref.version, _LARGEST))
    row = connection.execute(statement, {"name": ref.name}).one_or_none()
    if row is None:
        raise _not_found(connection, assets, ref)
    return row


def _not_found(connection: Connection, assets: Table, ref: AssetRef) -> NotFound:
    """The error for a reference that leads nowhere: the versions there are, or else the names."""
    versions = connection.scalars(
        select(assets.c.version)
        .where(assets.c.name == ref.name)
        .order_by(assets.c.version.desc())
        .limit(_KNOWN)
    ).all()
    if versions:
        return NotFound(ref.kind, str(ref), known=[f"{ref.name}:{version}" for version in versions])
    names = connection.scalars(select(assets.c.name).distinct().order_by(assets.c.name).limit(_KNOWN))
    return NotFound(ref.kind, str(ref), known=names)
