"""Entries get their places, heads are signed, proofs convince the separate verifier (REC-04)."""

import asyncio
import json
from datetime import timedelta

import pytest
from archive_desk import ARCHIVIST, SECOND, SUPERVISOR, as_head, as_proof
from bihuan_verify import audit as verifier
from bihuan_verify.documents import Consistency
from bihuan_verify.findings import Outcome
from bihuan_verify.proofs import check_entry, check_growth
from records.files.commands import look_up
from records.files.tables import RECORDS, VERSIONS
from records.log import queries
from records.log.audit import list_entries
from records.log.sequencer import Sequencer, sequence
from records.log.tables import ENTRIES, HEADS, TILES
from records.log.tree import leaf_hash
from records.retention.commands import approve_destruction, propose_destruction
from servicekit.creation import CreationKey
from servicekit.database.tables import outbox
from servicekit.signing import SigningKey
from servicekit.testing.waiting import eventually, running
from sqlalchemy import func, select, update


async def audited(desk) -> Outcome:
    """What the verifier says of the whole log, read as an auditor reads it."""
    entries, head = await desk.do(list_entries, from_index=0, limit=500)
    read = [
        verifier.AuditedEntry(
            each.leaf_index, each.entry, each.leaf_hash, each.kind, str(each.record_id or ""), each.version, each.found
        )
        for each in entries
    ]
    return verifier.check_log(read, as_head(head), desk.trusted())


async def test_rec_04_what_is_filed_is_proven_and_the_log_only_grows(desk, a_closed_case):
    first = await desk.file(a_closed_case())
    assert await desk.problems() == []
    await desk.refused("log_entry_waiting", queries.get_head)
    assert await desk.sequence() == 1
    old = await desk.do(queries.get_head)
    await desk.refused("log_entry_unknown", queries.prove_leaf, bytes(32))
    for _ in range(5):
        await desk.file(a_closed_case())
    await desk.refused("log_entry_waiting", queries.prove_leaf, await newest_leaf(desk))
    assert await desk.sequence() == 5
    assert await desk.sequence() == 0

    (proof,) = await desk.do(queries.prove_versions, first.record_id, [1])
    assert check_entry(as_proof(proof), desk.trusted()).findings == []
    assert json.loads(proof.entry)["facts"]["record_number"] == first.record_number
    assert (await desk.do(queries.prove_leaf, proof.leaf_hash, 6)).path == proof.path
    await desk.refused("log_size_invalid", queries.prove_leaf, proof.leaf_hash, 4)
    grown = await desk.do(queries.prove_consistency, old.tree_size)
    told = Consistency(grown.first_size, grown.path, as_head(grown.head))
    assert check_growth(as_head(old), told, desk.trusted()).findings == []
    assert check_growth(as_head(old), told, {}).findings
    assert await desk.problems() == []
    assert (await audited(desk)).findings == []


async def newest_leaf(desk) -> bytes:
    async def read(tx):
        return await tx.scalar(select(ENTRIES.c.leaf_hash).order_by(ENTRIES.c.entry_id.desc()).limit(1))

    return await desk.do(read)


async def test_rec_04_two_sequencers_make_one_log(desk, database, a_closed_case):
    """Replicas: whoever finds the lock taken comes back later; no place is given twice, none left out."""
    sequencers = [Sequencer(database, desk.key) for _ in range(2)]
    async with running(*(each.run() for each in sequencers)):

        async def file_some():
            for _ in range(10):
                await desk.file(a_closed_case())
                sequencers[0].wake()

        await asyncio.gather(*(file_some() for _ in range(3)))

        async def all_placed():
            return await desk.do(count_placed) == 30

        await eventually(all_placed)
    assert await desk.problems() == []
    assert (await audited(desk)).findings == []


async def count_placed(tx):
    return await tx.scalar(select(func.count(ENTRIES.c.leaf_index)))


async def test_each_head_is_told_once_in_order(desk, a_closed_case):
    for _ in range(3):
        await desk.file(a_closed_case())
        await desk.sequence()

    async def told(tx):
        heads = select(outbox.c.entity_version, outbox.c.body).where(outbox.c.subject.contains("tree_head"))
        return [(row.entity_version, json.loads(row.body)["head"]["tree_size"]) for row in await tx.execute(heads)]

    assert await desk.do(told) == [(1, "1"), (2, "2"), (3, "3")]


async def test_after_a_change_of_key_old_heads_still_verify(desk, a_closed_case):
    await desk.file(a_closed_case())
    await desk.sequence()
    old = await desk.do(queries.get_head)
    desk.key = SigningKey(bytes(32))
    await desk.file(a_closed_case())
    await desk.sequence()
    keys = await desk.do(queries.list_keys, desk.key)
    assert list(keys) == [desk.key.key_id, old.key_id]


async def test_rec_09_every_look_is_in_the_log(desk, a_closed_case):
    record = await desk.file(a_closed_case())
    await desk.do(look_up, record.record_number, ARCHIVIST)

    async def seen(tx):
        return (await tx.execute(select(ENTRIES).where(ENTRIES.c.kind == "record_seen"))).one()

    entry = await desk.do(seen)
    facts = json.loads(entry.entry)["facts"]
    assert (facts["user_id"], facts["outcome"], facts["record_number"]) == (
        "archivist",
        "shown",
        record.record_number,
    )


async def test_rec_04_entries_tell_nothing_to_whoever_has_only_their_hash(desk, a_closed_case):
    """Two entries of the same facts have different hashes: nobody can guess one (docs/decisions/0008)."""
    record = await desk.file(a_closed_case())
    for _ in range(2):
        await desk.do(look_up, record.record_number, ARCHIVIST)

    async def read(tx):
        return (await tx.execute(select(ENTRIES.c.entry).where(ENTRIES.c.kind == "record_seen"))).scalars().all()

    entries = [json.loads(entry) for entry in await desk.do(read)]
    assert len({entry["salt"] for entry in entries}) == 2


def changed_content(record):
    return update(VERSIONS).where(VERSIONS.c.record_id == record.record_id).values(content=b"{}")


def changed_catalogue(record):
    return update(RECORDS).where(RECORDS.c.record_id == record.record_id).values(satisfaction=1)


def lost_content(record):
    return VERSIONS.delete().where(VERSIONS.c.record_id == record.record_id)


def lost_catalogue(record):
    return RECORDS.delete().where(RECORDS.c.record_id == record.record_id)


def changed_entry(record):
    return update(ENTRIES).where(ENTRIES.c.record_id == record.record_id).values(entry=b'{"facts":{}}')


def forged_entry(record):
    entry = b'{"facts":{},"kind":"record_seen"}'
    return (
        update(ENTRIES)
        .where(ENTRIES.c.record_id == record.record_id)
        .values(entry=entry, leaf_hash=leaf_hash(entry), kind="record_seen")
    )


def emptied_entry(record):
    return update(ENTRIES).where(ENTRIES.c.record_id == record.record_id).values(entry=None)


def lost_entry(record):
    return ENTRIES.delete().where(ENTRIES.c.record_id == record.record_id)


@pytest.mark.parametrize(
    ("tamper", "codes"),
    [
        (changed_content, {"content_changed"}),
        (changed_catalogue, {"catalogue_changed"}),
        (lost_content, {"content_lost"}),
        (lost_catalogue, {"catalogue_lost"}),
        (changed_entry, {"entry_changed", "root_wrong"}),
        (forged_entry, {"root_wrong"}),
        (emptied_entry, {"entry_emptied"}),
        (lost_entry, {"entry_lost", "root_wrong"}),
    ],
)
async def test_rec_04_the_audit_finds_every_kind_of_tampering(desk, a_closed_case, tamper, codes):
    records = [await desk.file(a_closed_case()) for _ in range(3)]
    await desk.sequence()
    assert (await audited(desk)).findings == []

    async def change(tx):
        await tx.execute(tamper(records[1]))

    await desk.do(change)
    outcome = await audited(desk)
    assert {finding.code for finding in outcome.findings} == codes
    named = [finding.where for finding in outcome.findings if finding.code.startswith(("content", "catalogue"))]
    assert set(named) <= {f"{records[1].record_number} v1"}


@pytest.fixture
async def with_a_destruction(desk, a_closed_case):
    """Two records that were looked up; the second one was destroyed, genuinely."""
    kept, destroyed = [await desk.file(a_closed_case()) for _ in range(2)]
    for record in (kept, destroyed):
        await desk.do(look_up, record.record_number, ARCHIVIST)
    desk.clock.advance(timedelta(days=5 * 366))
    key = CreationKey("destroy", b"")
    proposing = {"reason": "保管期满", "key": key, "principal": ARCHIVIST, "policy": desk.policy}
    proposed = await desk.do(propose_destruction, destroyed.record_number, **proposing)
    for who in (SECOND, SUPERVISOR):
        deciding = {"expected_version": 0, "principal": who, "policy": desk.policy}
        await desk.do(approve_destruction, proposed.destruction_id, **deciding)
    await desk.sequence()
    assert (await audited(desk)).findings == []
    return kept, destroyed


def of_kind(record, kind):
    return update(ENTRIES).where(ENTRIES.c.record_id == record.record_id, ENTRIES.c.kind == kind)


def as_its_own_destruction(kept, _destroyed):
    return [of_kind(kept, "record_filed").values(entry=None, kind="record_destroyed"), *without_rows(kept)]


def as_an_entry_of_the_destroyed(kept, destroyed):
    changes = {"entry": None, "kind": "record_seen", "record_id": destroyed.record_id}
    return [of_kind(kept, "record_filed").values(changes), *without_rows(kept)]


def with_the_looks_of_the_destroyed(_kept, destroyed):
    return [of_kind(destroyed, "record_seen").values(entry=None)]


def without_the_certificate(_kept, destroyed):
    return [of_kind(destroyed, "record_destroyed").values(entry=None)]


def without_rows(record):
    return [lost_content(record), lost_catalogue(record)]


@pytest.mark.parametrize(
    ("tamper", "codes"),
    [
        (as_its_own_destruction, {"entry_emptied"}),
        (as_an_entry_of_the_destroyed, {"too_many_emptied"}),
        (with_the_looks_of_the_destroyed, {"too_many_emptied"}),
        (without_the_certificate, {"entry_emptied"}),
    ],
)
async def test_rec_04_nothing_hides_behind_a_destruction(desk, with_a_destruction, tamper, codes):
    async def change(tx):
        for statement in tamper(*with_a_destruction):
            await tx.execute(statement)

    await desk.do(change)
    assert {finding.code for finding in (await audited(desk)).findings} == codes


@pytest.mark.parametrize(
    ("table", "values", "problem"),
    [
        (TILES, {"hashes": bytes(64)}, "the stored tree does not lead to the root"),
        (HEADS, None, "the newest head is over"),
        (ENTRIES, None, "are in the log"),
    ],
)
async def test_the_loop_check_sees_a_broken_log(desk, a_closed_case, table, values, problem):
    for _ in range(2):
        await desk.file(a_closed_case())
        await desk.sequence()

    async def damage(tx):
        if values:
            await tx.execute(update(table).values(values))
        else:
            newest = table.c.tree_size if table is HEADS else table.c.leaf_index
            await tx.execute(table.delete().where(newest == await tx.scalar(select(func.max(newest)))))

    await desk.do(damage)
    assert any(problem in each for each in await desk.problems())


async def test_a_log_that_nobody_sequences_is_a_problem(desk, a_closed_case):
    await desk.file(a_closed_case())

    async def age(tx):
        await tx.execute(update(ENTRIES).values(queued_at=ENTRIES.c.queued_at - timedelta(minutes=2)))

    await desk.do(age)
    assert any("waiting for their place" in problem for problem in await desk.problems())


async def test_a_large_batch_goes_in_at_once(desk, database):
    """A thousand entries cost one transaction, a head, and five tiles."""

    async def fill(tx):
        await tx.fetch(
            "INSERT INTO log_entries (entry_id, kind, version, at, entry, leaf_hash)"
            " SELECT gen_random_uuid(), 'record_seen', 0, now(), 'x', sha256(n::text::bytea)"
            " FROM generate_series(1, 1000) n"
        )

    await desk.do(fill)
    assert await desk.do(sequence, desk.key) == 1000

    async def count(tx):
        return [await tx.scalar(select(func.count()).select_from(table)) for table in (HEADS, TILES)]

    assert await desk.do(count) == [1, 5]
