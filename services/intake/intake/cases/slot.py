"""Appointed times as people read them. Pure."""

from collections.abc import Iterable

from bihuan.common.v1.common_pb2 import TimePeriod
from servicekit.windows import Window

NONE = "—"


def shown(periods: Iterable[TimePeriod]) -> str:
    """Several, as people read them; a dash for none."""
    return "; ".join(str(Window.of(period)) for period in periods) or NONE
