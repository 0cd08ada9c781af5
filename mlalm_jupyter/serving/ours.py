"""Our own service host, through the hook that strangers use."""

from __future__ import annotations

from collections.abc import Mapping

from mlalm_jupyter.plugins import hookimpl
from mlalm_jupyter.ports import HostFactory


@hookimpl(trylast=True)
def mlalm_service_hosts() -> Mapping[str, HostFactory]:
    from mlalm_jupyter.serving.local_host import LocalHost

    return {"local": LocalHost}
