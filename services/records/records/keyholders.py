"""Who opens sealed texts: the service that sealed them, which alone holds the customers' keys (REC-05, REC-06)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from bihuan.complaints.v1 import complaint_service_pb2 as complaints
from bihuan.complaints.v1.complaint_service_pb2_grpc import ComplaintServiceStub
from bihuan.intake.v1 import customers_pb2 as intake
from bihuan.intake.v1.customers_pb2_grpc import CustomerServiceStub

from records.files.record import Record
from records.files.rules import COMPLAINT, SERVICE_CASE

# As many as the contracts of Unseal take.
UNSEALED_AT_ONCE = 100


class Unsealed(Protocol):
    """What both answer."""

    @property
    def texts(self) -> Sequence[str]: ...


Ask = Callable[[Record, Sequence[bytes]], Awaitable[Unsealed]]


class Keyholders:
    """Asks whoever sealed the texts of a record, with the caller's own token."""

    def __init__(self, customers: CustomerServiceStub, complaints_service: ComplaintServiceStub) -> None:
        self._by_class: dict[str, Ask] = {
            SERVICE_CASE: lambda record, sealed: customers.Unseal(
                intake.UnsealRequest(customer_id=str(record.customer_id), sealed=sealed, case_id=str(record.case_id))
            ),
            COMPLAINT: lambda record, sealed: complaints_service.Unseal(
                complaints.UnsealRequest(customer_id=str(record.customer_id), sealed=sealed)
            ),
        }

    async def unseal(self, record: Record, sealed: Sequence[bytes]) -> list[str]:
        """The texts in clear; empty where nobody has the key, as after the customer's erasure (REC-06)."""
        if record.customer_id is None:
            return [""] * len(sealed)
        texts: list[str] = []
        for start in range(0, len(sealed), UNSEALED_AT_ONCE):
            some = sealed[start : start + UNSEALED_AT_ONCE]
            texts.extend((await self._by_class[record.record_class](record, some)).texts)
        return texts
