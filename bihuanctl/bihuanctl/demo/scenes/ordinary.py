"""The ordinary ends of a visit and of a case, as every scene that opens one needs them."""

from __future__ import annotations

from typing import Final

from bihuanctl.demo.gateway import Json
from bihuanctl.demo.scenes.stage import Stage, texts_of

DESK: Final = "duty"
ONLOOKER: Final = "auditor"


async def visit(stage: Stage, work_order_id: str) -> None:
    """Whoever has the work order goes there and repairs it; the dispatcher enters the steps."""
    path, said = f"/v1/work-orders/{work_order_id}", texts_of(stage.session.texts, "ordinary")
    for step in ("accept", "startTravel", "arrive"):
        await stage.do("dispatcher", f"{path}:{step}")
    report = {
        "found": said("found"),
        "done": said("done"),
        "parts": [{"part": "modem", "quantity": 1}],
        "readings": [{"name": "optical_power", "value": -19.5, "unit": "dBm"}],
    }
    await stage.do("dispatcher", f"{path}:complete", {"report": report})


async def finish(stage: Stage, case_id: str, through: str = "channel-app") -> Json:
    """From the delivered result to the archive, with a satisfied customer; gives the archived case."""
    path, said = f"/v1/cases/{case_id}", texts_of(stage.session.texts, "ordinary")

    async def stands_in(stage_name: str) -> Json | None:
        case = await stage.see(ONLOOKER, path)
        return case if case["stage"] == f"CASE_STAGE_{stage_name}" else None

    case = await stage.until(lambda: stands_in("DELIVERED"), said("never_delivered"))
    confirmed = await stage.do(through, f"{path}:confirm", {"solved": True}, version=int(case["version"]))
    note = {"note": said("satisfied"), "reached": True}
    await stage.do(DESK, f"{path}:followUp", note, version=int(confirmed["version"]))
    return await stage.until(lambda: stands_in("ARCHIVED"), said("never_archived"))
