"""Making question banks and filling them from files: each function is one use case in one transaction (TRN-03)."""

from dataclasses import dataclass
from uuid import UUID

from servicekit.creation import CreationKey, claim_id
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from sqlalchemy import insert, select, update

from training.policy import Policy
from training.question_banks.gift import read_gift
from training.question_banks.queries import get_bank
from training.question_banks.tables import BANKS, QUESTIONS, QuestionBank


@dataclass(frozen=True, slots=True)
class Import:
    """What an import has changed."""

    bank: QuestionBank
    added: int
    kept: int
    retired: int
    descriptions: int


async def create_bank(
    tx: UnitOfWork, *, name: str, topic: str, key: CreationKey, principal: Principal, policy: Policy
) -> QuestionBank:
    """An empty bank. The same key gives the same bank again. Raises Fault topic_unknown."""
    policy.require_topic(topic, "topic")
    bank_id, is_new = await claim_id(tx, "create_question_bank", key, principal)
    if not is_new:
        return await get_bank(tx, bank_id)
    bank = QuestionBank(bank_id=bank_id, version=1, name=name, topic=topic, created_at=tx.now)
    await tx.execute(insert(BANKS), bank.model_dump())
    return bank


async def import_questions(tx: UnitOfWork, bank_id: UUID, gift: str, *, expected_version: int) -> Import:
    """The file becomes the bank's content, all of it or nothing.

    Raises Fault bank_unknown, stale_version, and a `gift_…` code with the line of the first mistake.
    """
    file = read_gift(gift)
    before = await _lock(tx, bank_id, expected_version)
    held = await _fingerprints(tx, bank_id)
    wanted = {question.fingerprint: question for question in file.questions}
    version = before.version + 1
    gone = [question_id for fingerprint, question_id in held.items() if fingerprint not in wanted]
    new = [
        {
            "question_id": uuid7(),
            "bank_id": bank_id,
            "content": question.model_dump(mode="json"),
            "fingerprint": fingerprint,
            "added_in": version,
            "retired_in": None,
        }
        for fingerprint, question in wanted.items()
        if fingerprint not in held
    ]
    if gone:
        retire = update(QUESTIONS).where(QUESTIONS.c.question_id.in_(gone)).values(retired_in=version)
        await tx.execute(retire)
    if new:
        await tx.execute(insert(QUESTIONS), new)
    bank = before.model_copy(update={"version": version, "question_count": len(wanted)})
    values = {"version": bank.version, "question_count": bank.question_count}
    await tx.execute(update(BANKS).where(BANKS.c.bank_id == bank_id).values(values))
    return Import(bank, len(new), len(wanted) - len(new), len(gone), file.descriptions)


async def _lock(tx: UnitOfWork, bank_id: UUID, expected_version: int) -> QuestionBank:
    row = (await tx.execute(select(BANKS).where(BANKS.c.bank_id == bank_id).with_for_update())).one_or_none()
    if row is None:
        raise Fault("bank_unknown", field="bank_id")
    if expected_version not in {0, row.version}:
        raise Fault("stale_version")
    return QuestionBank.model_validate(row._asdict())


async def _fingerprints(tx: UnitOfWork, bank_id: UUID) -> dict[bytes, UUID]:
    statement = select(QUESTIONS.c.fingerprint, QUESTIONS.c.question_id).where(
        QUESTIONS.c.bank_id == bank_id, QUESTIONS.c.retired_in.is_(None)
    )
    return {row.fingerprint: row.question_id for row in await tx.execute(statement)}
