"""The contracts that the gateway serves. A new service appears by adding its modules here."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from bihuan.complaints.v1 import complaint_service_pb2, improvements_pb2
from bihuan.dispatch.v1 import alarms_pb2, engineers_pb2, incidents_pb2, work_orders_pb2
from bihuan.dispatch.v1 import appointments_pb2 as slots_pb2
from bihuan.intake.v1 import appointments_pb2, cases_pb2, customers_pb2
from bihuan.partners.v1 import partners_pb2, webhooks_pb2
from bihuan.quality.v1 import alerts_pb2, indicators_pb2, reports_pb2
from bihuan.records.v1 import accesses_pb2, log_pb2, records_pb2, retention_pb2
from bihuan.training.v1 import assignments_pb2, certificates_pb2, courses_pb2, exams_pb2, question_banks_pb2

CONTRACTS: Final[tuple[ModuleType, ...]] = (
    cases_pb2,
    customers_pb2,
    appointments_pb2,
    engineers_pb2,
    work_orders_pb2,
    slots_pb2,
    incidents_pb2,
    alarms_pb2,
    complaint_service_pb2,
    improvements_pb2,
    records_pb2,
    accesses_pb2,
    retention_pb2,
    log_pb2,
    courses_pb2,
    assignments_pb2,
    question_banks_pb2,
    exams_pb2,
    certificates_pb2,
    indicators_pb2,
    alerts_pb2,
    reports_pb2,
    partners_pb2,
    webhooks_pb2,
)
