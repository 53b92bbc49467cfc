"""What training does for other services: the training that they ask for (TRN-07)."""

from bihuan.training.v1.commands_pb2 import AssignTraining
from servicekit.database import UnitOfWork
from servicekit.messaging import Reactions, Received

from training.assignments.commands import assign_training
from training.policy import Policy


def build_reactions(policy: Policy) -> Reactions:
    reactions = Reactions("training")

    @reactions.on(AssignTraining)
    async def assign(tx: UnitOfWork, wanted: AssignTraining, _received: Received) -> None:
        await assign_training(tx, wanted, policy)

    return reactions
