"""Builds quality and runs it: `python -m quality` serves, `python -m quality migrate` updates the database."""

from bihuan.quality.v1.alerts_pb2_grpc import add_AlertServiceServicer_to_server
from bihuan.quality.v1.indicators_pb2_grpc import add_IndicatorServiceServicer_to_server
from bihuan.quality.v1.rebuilding_pb2_grpc import add_RebuildServiceServicer_to_server
from bihuan.quality.v1.reports_pb2_grpc import add_ReportServiceServicer_to_server
from servicekit.service import Platform, Service, run
from servicekit.settings import ServiceSettings

from quality.clocks import build_clocks
from quality.facts import entity_facts
from quality.figures.tables import PARTITIONED
from quality.observations.marks import MarkReader
from quality.reactions import build_reactions
from quality.refresher import Refresher
from quality.rpc.alerts import AlertServicer
from quality.rpc.indicators import IndicatorServicer
from quality.rpc.rebuilding import RebuildServicer
from quality.rpc.reports import ReportServicer


def build(settings: ServiceSettings) -> Service:
    """Nothing is connected yet when it returns. Raises ValueError for standards that name what no contract has."""
    platform = Platform.create("quality", settings)
    database, standards = platform.database, platform.standards
    reader = MarkReader(standards.marks)
    refresher = Refresher(database, standards)
    return Service(
        platform,
        servicers=[
            (add_IndicatorServiceServicer_to_server, IndicatorServicer(database, standards)),
            (add_AlertServiceServicer_to_server, AlertServicer(database)),
            (add_ReportServiceServicer_to_server, ReportServicer(database, standards)),
            (add_RebuildServiceServicer_to_server, RebuildServicer(database, standards, reader, refresher)),
        ],
        reactions=build_reactions(reader, refresher),
        deadlines=build_clocks(standards),
        entity_facts=entity_facts,
        partitioned=PARTITIONED,
        background={"figures": refresher.run},
        handles_together=True,
    )


if __name__ == "__main__":
    run(build, ServiceSettings)
