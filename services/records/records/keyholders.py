"""Who opens sealed texts: the service that sealed them, which alone holds the customers' keys (REC-05, REC-06)."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC
from typing import Any, Protocol

from bihuan.complaints.v1 import complaint_service_pb2 as complaints
from bihuan.complaints.v1.complaint_service_pb2_grpc import ComplaintServiceStub
from bihuan.complaints.v1.events_pb2 import ComplaintClosed
from bihuan.intake.v1 import customers_pb2 as intake
from bihuan.intake.v1.customers_pb2_grpc import CustomerServiceStub
from bihuan.intake.v1.events_pb2 import CaseClosed
from servicekit.customerkeys import is_sealed, sealed_in
from servicekit.customertexts import texts_about_customer

from records.exports.readable import ClearText
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

    async def open_content(self, record: Record, content: CaseClosed | ComplaintClosed) -> list[ClearText]:
        """Every text about the customer in a record's content, as far as the caller may read them: what was written on
        the way, and what the case or complaint itself says. Those from before they were sealed stand as they are."""
        stated = [(role, text) for role, text in texts_about_customer(content.snapshot) if text]
        sealed = [text.sealed for text in content.sealed]
        sealed += [sealed_in(text) for _, text in stated if is_sealed(text)]
        clear = iter(await self.unseal(record, sealed))
        written: Sequence[Any] = content.sealed
        return [
            *(ClearText(each.role, each.at.ToDatetime(tzinfo=UTC), next(clear)) for each in written),
            *(
                ClearText(role, record.closed_at or record.filed_at, next(clear) if is_sealed(text) else text)
                for role, text in stated
            ),
        ]
