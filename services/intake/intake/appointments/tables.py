"""Where appointments are stored."""

from sqlalchemy import Index, text

from intake.appointments.appointment import LIVE, Appointment

_LIVE = text(f"state IN ({', '.join(sorted(repr(state.value) for state in LIVE))})")


class AppointmentRow(Appointment, table=True):
    """One appointment."""

    __tablename__ = "appointments"
    __table_args__ = (
        Index("appointments_of_case", "case_id", "appointment_id"),
        Index("appointments_of_work_order", "work_order_id"),
        Index("one_live_appointment_per_case", "case_id", unique=True, postgresql_where=_LIVE),
    )


APPOINTMENTS = AppointmentRow.metadata.tables["appointments"]
