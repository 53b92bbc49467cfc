"""One thing that the loop check found wrong. Its texts stand in texts.yaml below `check.finding.<code>`."""

from __future__ import annotations

from dataclasses import dataclass

from bihuanctl.texts import Texts


@dataclass(frozen=True, order=True)
class Finding:
    """What is wrong, where, and with what."""

    code: str
    # The service to look at.
    service: str
    # Case, work order, record, event or dead letter; empty when it is about the service as a whole.
    entity_id: str = ""
    case_id: str = ""
    # A count, a state, a subject or a reason, as the text of the code says.
    detail: str = ""

    def explanation(self, texts: Texts) -> str:
        return texts(f"check.finding.{self.code}.explanation", service=self.service, detail=self.detail)

    def next_step(self, texts: Texts) -> str:
        return texts(
            f"check.finding.{self.code}.next_step",
            service=self.service,
            entity=self.entity_id,
            case=self.case_id or self.entity_id,
        )
