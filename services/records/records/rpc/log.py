"""LogService (REC-04)."""

from dataclasses import replace
from typing import Any

import grpc.aio
from bihuan.records.v1 import log_pb2, log_pb2_grpc
from servicekit.database import Database
from servicekit.signing import SigningKey

from records.log import queries
from records.log.audit import list_entries
from records.rpc.messages import entry_message, head_message, inclusion_message, keys_message

DEFAULT_ENTRIES = 200

Context = grpc.aio.ServicerContext[Any, Any]


class LogServicer(log_pb2_grpc.LogServiceServicer):
    def __init__(self, database: Database, key: SigningKey) -> None:
        self._database = database
        self._key = key

    async def GetTreeHead(self, _request: log_pb2.GetTreeHeadRequest, _context: Context) -> log_pb2.SignedTreeHead:
        async with self._database.transaction("get_tree_head") as tx:
            return head_message(await queries.get_head(tx))

    async def GetInclusionProof(
        self, request: log_pb2.GetInclusionProofRequest, _context: Context
    ) -> log_pb2.InclusionProof:
        async with self._database.transaction("prove_leaf") as tx:
            proof = await queries.prove_leaf(tx, request.leaf_hash, request.tree_size)
        # Anybody may ask: they know the entry, or they don't get it from here.
        return inclusion_message(replace(proof, entry=b""))

    async def GetConsistencyProof(
        self, request: log_pb2.GetConsistencyProofRequest, _context: Context
    ) -> log_pb2.ConsistencyProof:
        async with self._database.transaction("prove_consistency") as tx:
            proof = await queries.prove_consistency(tx, request.first_size, request.second_size)
        return log_pb2.ConsistencyProof(first_size=proof.first_size, path=proof.path, head=head_message(proof.head))

    async def ListLogKeys(self, _request: log_pb2.ListLogKeysRequest, _context: Context) -> log_pb2.ListLogKeysResponse:
        async with self._database.transaction("list_log_keys") as tx:
            return keys_message(await queries.list_keys(tx, self._key))

    async def ListLogEntries(
        self, request: log_pb2.ListLogEntriesRequest, _context: Context
    ) -> log_pb2.ListLogEntriesResponse:
        async with self._database.transaction("list_log_entries") as tx:
            entries, head = await list_entries(
                tx, from_index=request.from_index, limit=request.page_size or DEFAULT_ENTRIES
            )
        return log_pb2.ListLogEntriesResponse(
            entries=[entry_message(entry) for entry in entries], head=head_message(head)
        )
