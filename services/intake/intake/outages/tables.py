"""Where the incidents that intake knows are stored."""

from sqlalchemy import Index, text

from intake.outages.outage import Outage, State


class OutageRow(Outage, table=True):
    """One incident as intake knows it."""

    __tablename__ = "outages"
    __table_args__ = (
        # Read with every fault report: there are few of these at any time.
        Index("outages_ongoing", "incident_id", postgresql_where=text(f"state IN ('{State.ASKED}', '{State.OPEN}')")),
    )


OUTAGES = OutageRow.metadata.tables["outages"]
