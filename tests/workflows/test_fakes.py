"""The fakes are only as good as their likeness to the real activities."""

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from activities import build_activities
from restore.settings import Settings
from stores.clients import Clients
from tests.workflows.fakes import FakeActivities
from tests.workflows.world import World

Shapes = dict[str, tuple[list[object], object]]


def shapes(activities: list[Callable[..., Any]]) -> Shapes:
    """What each activity takes and returns, by its name."""
    return {each.__name__: (_taken(each), get_type_hints(each)["return"]) for each in activities}


def _taken(method: Callable[..., Any]) -> list[object]:
    hints = get_type_hints(method)
    return [hints[name] for name in inspect.signature(method).parameters]


def test_the_fakes_have_the_names_inputs_and_outputs_of_the_real_activities() -> None:
    real = build_activities(Clients(Settings.load()), search_attributes=True)

    assert shapes(FakeActivities(World()).all()) == shapes(real), (
        "an activity was added, removed or changed; change tests/workflows/fakes.py likewise"
    )
