"""The one table of verbs; the terminal, the magics, REST and the reference are made from it."""

from __future__ import annotations

from mlalm_jupyter.api.datasets import Datasets
from mlalm_jupyter.api.definitions import Definitions
from mlalm_jupyter.api.endpoint_copies import EndpointCopies
from mlalm_jupyter.api.endpoint_keys import EndpointKeys
from mlalm_jupyter.api.endpoints import Endpoints
from mlalm_jupyter.api.estate import Plans, Regions
from mlalm_jupyter.api.exchange import Exchange
from mlalm_jupyter.api.experiments import Experiments
from mlalm_jupyter.api.galleries import Galleries
from mlalm_jupyter.api.jobs import Jobs
from mlalm_jupyter.api.model_views import ModelViews
from mlalm_jupyter.api.model_words import ModelWords
from mlalm_jupyter.api.models import Models
from mlalm_jupyter.api.moving import Moving
from mlalm_jupyter.api.policies import Policies
from mlalm_jupyter.api.retraining import Retraining
from mlalm_jupyter.api.runs import Runs
from mlalm_jupyter.api.saving import Saving
from mlalm_jupyter.api.server import Server
from mlalm_jupyter.api.service_states import ServiceStates
from mlalm_jupyter.api.services import Services
from mlalm_jupyter.api.setting_up import SettingUp
from mlalm_jupyter.api.transforms import Transforms
from mlalm_jupyter.api.triggers import Triggers
from mlalm_jupyter.api.trust import Trust
from mlalm_jupyter.api.verb import Verb, verbs_of
from mlalm_jupyter.api.views import Views
from mlalm_jupyter.api.workspaces import Founding, Workspaces
from mlalm_jupyter.domain.errors import NotFound

NOUNS: tuple[type, ...] = (
    Founding,
    Workspaces,
    Datasets,
    Transforms,
    Experiments,
    Saving,
    Exchange,
    Moving,
    Views,
    Runs,
    Galleries,
    Models,
    ModelWords,
    ModelViews,
    Policies,
    Trust,
    Services,
    ServiceStates,
    SettingUp,
    EndpointCopies,
    Endpoints,
    EndpointKeys,
    Definitions,
    Plans,
    Regions,
    Jobs,
    Retraining,
    Triggers,
    Server,
)

VERBS: tuple[Verb, ...] = tuple(verb for noun in NOUNS for verb in verbs_of(noun))


def find(noun: str, name: str) -> Verb:
    """The verb of that noun and name.

    >>> find("endpoint", "patch").method_name
    'patch'
    """
    verbs = {verb.name: verb for verb in VERBS if verb.noun == noun}
    if not verbs:
        raise NotFound("noun", noun, known=[verb.noun for verb in VERBS], fix="See `mlalm --help`.")
    if name not in verbs:
        raise NotFound(f"verb of '{noun}'", name, known=verbs, fix=f"See `mlalm {noun} --help`.")
    return verbs[name]
