"""IndicatorService (QLT-01, QLT-02)."""

from typing import Any

import grpc.aio
from bihuan.quality.v1 import indicators_pb2 as pb
from bihuan.quality.v1 import indicators_pb2_grpc
from servicekit.database import Database, UnitOfWork
from servicekit.identity import caller, language
from servicekit.rpc.paging import PageToken, narrowed

from quality.compliance import rows_of
from quality.figures import queries
from quality.figures.periods import Period, period_at, read_period
from quality.rpc.messages import compliance_message, contribution_message, figure_message, indicator_message
from standards import Standards

DEFAULT_PAGE = 50
LISTING = "contributions"

Context = grpc.aio.ServicerContext[Any, Any]


class IndicatorServicer(indicators_pb2_grpc.IndicatorServiceServicer):
    def __init__(self, database: Database, standards: Standards) -> None:
        self._database = database
        self._standards = standards

    async def ListIndicators(self, _request: pb.ListIndicatorsRequest, context: Context) -> pb.ListIndicatorsResponse:
        spoken = language(context)
        indicators = [indicator_message(each, self._standards, spoken) for each in self._standards.indicators.values()]
        return pb.ListIndicatorsResponse(indicators=indicators, standards_version=self._standards.version)

    async def ListFigures(self, request: pb.ListFiguresRequest, context: Context) -> pb.ListFiguresResponse:
        standards = self._standards
        wanted = (
            [queries.find_indicator(standards, request.indicator)]
            if request.indicator
            else list(standards.indicators.values())
        )
        async with self._database.transaction("list_figures") as tx:
            period = _period(tx, request.period)
            asked = [indicator for indicator in wanted if period.kind in indicator.periods]
            scope = queries.scope_for(caller(context), standards, period, request.region)
            figures = await queries.figures_of(tx, asked, scope, request.group_by)
            waiting = await queries.count_waiting(tx)
        return pb.ListFiguresResponse(
            figures=[figure_message(figure, period.name, standards) for figure in figures],
            standards_version=standards.version,
            waiting=waiting,
        )

    async def ListContributions(
        self, request: pb.ListContributionsRequest, context: Context
    ) -> pb.ListContributionsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        indicator = queries.find_indicator(self._standards, request.indicator)
        async with self._database.transaction("list_contributions") as tx:
            period = _period(tx, request.period)
            found = await queries.list_contributions(
                tx,
                self._standards,
                indicator,
                queries.scope_for(caller(context), self._standards, period, request.region),
                only_failing=request.only_failing,
                before=(key[0], key[1]) if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = (
            PageToken.encode(narrowed(LISTING, request), page[-1].at, page[-1].subject_id) if len(found) > size else ""
        )
        return pb.ListContributionsResponse(
            contributions=[contribution_message(each) for each in page], next_page_token=more
        )

    async def GetCompliance(self, request: pb.GetComplianceRequest, context: Context) -> pb.GetComplianceResponse:
        standards = self._standards
        async with self._database.transaction("get_compliance") as tx:
            period = _period(tx, request.period)
            scope = queries.scope_for(caller(context), standards, period, request.region)
            figures = await queries.figures_of(tx, list(standards.indicators.values()), scope)
        rows = rows_of(standards, {figure.indicator: figure for figure in figures}, request.clause, language(context))
        return pb.GetComplianceResponse(
            period=period.name,
            region=scope.region,
            standards_version=standards.version,
            rows=[compliance_message(row) for row in rows],
        )


def _period(tx: UnitOfWork, name: str) -> Period:
    return read_period(name) if name else period_at("month", tx.now)
