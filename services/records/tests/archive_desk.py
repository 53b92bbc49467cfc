"""The archive of one test: its use cases on a real database, its people, its clock."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bihuan_verify.documents import Head, Inclusion
from records.accesses import commands as accesses
from records.accesses.request import AccessRequest
from records.clocks import build_clocks
from records.facts import entity_facts
from records.files.commands import file_closed
from records.files.queries import find_record
from records.files.record import Record
from records.log import queries
from records.log.sequencer import sequence
from records.policy import Policy
from servicekit.creation import CreationKey
from servicekit.database import Database
from servicekit.deadlines.firing import Firing
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.signing import SigningKey

from standards import load

ARCHIVIST = Principal("archivist", frozenset({"archivist"}), "cn.gd")
SECOND = Principal("archivist2", frozenset({"archivist"}), "cn")
SUPERVISOR = Principal("supervisor", frozenset({"supervisor"}), "cn")
ELSEWHERE = Principal("supervisor.sc", frozenset({"supervisor"}), "cn.sc")
AGENT = Principal("agent", frozenset({"agent"}), "cn.gd")


class Archive:
    def __init__(self, database: Database, clock: Any) -> None:
        self.database = database
        self.clock = clock
        self.key = SigningKey(b"k" * 32)
        self.standards = load()
        self.policy = Policy.of(self.standards)

    async def do(self, use_case: Any, *arguments: Any, **options: Any) -> Any:
        """One use case in one transaction."""
        async with self.database.transaction("test") as tx:
            return await use_case(tx, *arguments, **options)

    async def refused(self, code: str, use_case: Any, *arguments: Any, **options: Any) -> Fault:
        """The use case ends in this fault, raised or returned with its trace."""
        try:
            outcome = await self.do(use_case, *arguments, **options)
        except Fault as raised:
            outcome = raised
        assert isinstance(outcome, Fault), outcome
        assert outcome.code == code
        return outcome

    async def file(self, closed: Any) -> Record:
        await self.do(file_closed, closed, self.standards)
        return await self.do(find_record, getattr(closed, "case_id", "") or closed.complaint_id)

    async def request(self, record: Record, who: Principal = ARCHIVIST, purpose: str = "查询") -> AccessRequest:
        asked = await self.do(accesses.request_access, str(record.record_id), **self.asking(who, purpose))
        assert isinstance(asked, AccessRequest), asked
        return asked

    def asking(self, who: Principal, purpose: str = "查询", key: str = "") -> dict[str, Any]:
        wanted = CreationKey(key or str(uuid7()), purpose.encode())
        return {"purpose": purpose, "key": wanted, "principal": who, "policy": self.policy}

    async def approve(self, request: AccessRequest, who: Principal) -> AccessRequest:
        approved: AccessRequest = await self.do(
            accesses.approve_access, request.request_id, expected_version=0, principal=who, policy=self.policy
        )
        return approved

    async def pass_time(self, time: timedelta) -> None:
        """Moves the clock on and acts on every mark that has come."""
        self.clock.advance(time)
        firing = Firing(self.database, build_clocks())
        while await firing.fire_due():
            pass

    async def sequence(self) -> int:
        placed: int = await self.do(sequence, self.key)
        return placed

    def trusted(self) -> dict[str, bytes]:
        """The keys as the verifier knows them."""
        return {self.key.key_id: self.key.private.public_key().public_bytes_raw()}

    async def problems(self) -> Sequence[str]:
        facts = await self.do(entity_facts, "", 1000)
        return [problem for fact in facts for problem in fact.problems]


def as_head(head: queries.Head) -> Head:
    """A head as the verifier reads it."""
    return Head(head.tree_size, head.timestamp_ms, head.root_hash, head.signature, head.key_id)


def as_proof(proof: queries.Inclusion) -> Inclusion:
    return Inclusion(proof.entry, proof.leaf_index, proof.path, as_head(proof.head))
