"""What a service may react to, and where what it missed reaches it again."""

from __future__ import annotations

import pytest
from bihuan.intake.v1.cases_pb2 import Case
from bihuan.intake.v1.events_pb2 import CaseOpened
from servicekit.database import UnitOfWork
from servicekit.messaging import Reactions, Received
from servicekit.messaging.streams import redeliver_subject


async def react(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
    """Being received is effect enough."""


def test_one_reaction_for_each_kind() -> None:
    reactions = Reactions("intake")
    reactions.on(CaseOpened)(react)
    with pytest.raises(TypeError):
        reactions.on(CaseOpened)


def test_message_without_a_subject_does_not_travel() -> None:
    with pytest.raises(TypeError):
        Reactions("intake").on(Case)


def test_redelivery_reaches_one_service() -> None:
    assert redeliver_subject("intake") == "bihuan.intake.commands.redeliver"
