"""Where requests to open records are stored."""

from sqlalchemy import Index

from records.accesses.request import AccessRequest


class AccessRequestRow(AccessRequest, table=True):
    """One request."""

    __tablename__ = "record_access_requests"
    __table_args__ = (
        Index("access_requests_by_person", "requested_by", "request_id"),
        Index("access_requests_by_state", "state", "request_id"),
    )


REQUESTS = AccessRequestRow.__table__  # type: ignore[attr-defined]
