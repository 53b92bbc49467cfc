"""QuestionBankService (TRN-03)."""

from typing import Any
from uuid import UUID

import grpc.aio
from bihuan.training.v1 import question_banks_pb2 as pb
from bihuan.training.v1 import question_banks_pb2_grpc
from servicekit.creation import CreationKey
from servicekit.database import Database
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken, narrowed

from training.policy import Policy
from training.question_banks import commands, queries
from training.rpc.messages import bank_message, question_message

DEFAULT_PAGE = 50
BANKS = "question_banks"
QUESTIONS = "questions"

Context = grpc.aio.ServicerContext[Any, Any]


class QuestionBankServicer(question_banks_pb2_grpc.QuestionBankServiceServicer):
    def __init__(self, database: Database, policy: Policy) -> None:
        self._database = database
        self._policy = policy

    async def CreateQuestionBank(self, request: pb.CreateQuestionBankRequest, context: Context) -> pb.QuestionBank:
        principal = caller(context)
        bank = await self._database.run(
            "create_question_bank",
            lambda tx: commands.create_bank(
                tx,
                name=request.name,
                topic=request.topic,
                key=CreationKey.of(request),
                principal=principal,
                policy=self._policy,
            ),
        )
        return bank_message(bank)

    async def GetQuestionBank(self, request: pb.GetQuestionBankRequest, _context: Context) -> pb.QuestionBank:
        async with self._database.transaction("get_question_bank") as tx:
            return bank_message(await queries.get_bank(tx, UUID(request.bank_id)))

    async def ListQuestionBanks(
        self, request: pb.ListQuestionBanksRequest, _context: Context
    ) -> pb.ListQuestionBanksResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(BANKS, request), request.page_token)
        async with self._database.transaction("list_question_banks") as tx:
            found = await queries.list_banks(tx, topic=request.topic, after=key[0] if key else None, limit=size + 1)
        page = found[:size]
        more = PageToken.encode(narrowed(BANKS, request), page[-1].bank_id) if len(found) > size else ""
        return pb.ListQuestionBanksResponse(banks=[bank_message(bank) for bank in page], next_page_token=more)

    async def ImportQuestions(
        self, request: pb.ImportQuestionsRequest, _context: Context
    ) -> pb.ImportQuestionsResponse:
        done = await self._database.run(
            "import_questions",
            lambda tx: commands.import_questions(
                tx, UUID(request.bank_id), request.gift, expected_version=request.expected_version
            ),
        )
        return pb.ImportQuestionsResponse(
            bank=bank_message(done.bank),
            added=done.added,
            kept=done.kept,
            retired=done.retired,
            descriptions_left_out=done.descriptions,
        )

    async def ListQuestions(self, request: pb.ListQuestionsRequest, _context: Context) -> pb.ListQuestionsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(QUESTIONS, request), request.page_token)
        bank_id = UUID(request.bank_id)
        async with self._database.transaction("list_questions") as tx:
            await queries.get_bank(tx, bank_id)
            found = await queries.list_questions(tx, bank_id, after=key[0] if key else None, limit=size + 1)
        page = list(found.items())[:size]
        more = PageToken.encode(narrowed(QUESTIONS, request), page[-1][0]) if len(found) > size else ""
        return pb.ListQuestionsResponse(
            questions=[question_message(str(question_id), question) for question_id, question in page],
            next_page_token=more,
        )

    async def GetItemStatistics(
        self, request: pb.GetItemStatisticsRequest, _context: Context
    ) -> pb.GetItemStatisticsResponse:
        async with self._database.transaction("get_item_statistics") as tx:
            items = await queries.get_item_statistics(tx, UUID(request.bank_id))
        return pb.GetItemStatisticsResponse(
            items=[
                pb.ItemStatistics(
                    question_id=str(item.question_id),
                    name=item.name,
                    answers=item.figures.answers,
                    difficulty=item.figures.difficulty,
                    discrimination=item.figures.discrimination,
                )
                for item in items
            ]
        )
