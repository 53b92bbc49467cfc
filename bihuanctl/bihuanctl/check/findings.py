"""One thing that the loop check found wrong. Its texts stand in texts.yaml below `check.finding.<code>`."""

from __future__ import annotations

from dataclasses import dataclass

from servicekit.errors.words import in_words

from bihuanctl.texts import Texts
from standards import label_of, load

# Between two words of one detail.
SIDES = " / "


@dataclass(frozen=True, order=True)
class Finding:
    """What is wrong, where, and with what."""

    code: str
    # The service to look at.
    service: str
    # Case, work order, record, event or dead letter; empty when it is about the service as a whole.
    entity_id: str = ""
    case_id: str = ""
    # A count, a state, a subject or a reason, as the text of the code says; or `both` of two.
    detail: str = ""

    def explanation(self, texts: Texts) -> str:
        detail = SIDES.join(_in_words(part, texts) for part in self.detail.split(SIDES))
        return texts(f"check.finding.{self.code}.explanation", service=self.service, detail=detail)

    def next_step(self, texts: Texts) -> str:
        return texts(
            f"check.finding.{self.code}.next_step",
            service=self.service,
            entity=self.entity_id,
            case=self.case_id or self.entity_id,
        )


def both(one: str, other: str) -> str:
    """Two words in one detail: what one side knows and what the other does."""
    return f"{one}{SIDES}{other}"


def _in_words(part: str, texts: Texts) -> str:
    """Why a message died, a state or a clock as people say it; anything else as it is."""
    reason = f"dead_letters.reasons.{part}"
    if texts.has(reason):
        return texts(reason)
    return label_of(load().clocks, in_words("state", part, texts.language), texts.language)
