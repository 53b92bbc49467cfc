"""Where partners are stored."""

from partners.registry.partner import Partner


class PartnerRow(Partner, table=True):
    """One partner. Its name is never used again."""

    __tablename__ = "partners"


PARTNERS = PartnerRow.__table__  # type: ignore[attr-defined]
