"""What training takes from the standards: words that must be known, and figures that decide."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from servicekit.errors import Fault
from servicekit.identity import ROLES

from standards import Standards

# Clocks of standards/clocks.yaml.
TRAINING_DUE = "training_due"
EXAM_TIME = "exam_time"
EXAM_MARKING = "exam_marking"
CERTIFICATE_VALIDITY = "certificate_validity"


@dataclass(frozen=True, slots=True)
class Policy:
    """The standards as training needs them."""

    topics: Collection[str]
    levels: Collection[str]
    skills: Collection[str]
    posts: Collection[str]
    # What holds for an exam or an assignment that does not say otherwise.
    training_due: timedelta
    exam_time: timedelta
    certificate_validity: timedelta
    pass_percent: int
    # Retake rules: how often for one assignment, and how long to wait in between.
    attempts: int
    retake_wait: timedelta
    markers_apart_percent: float

    @classmethod
    def of(cls, standards: Standards) -> Self:
        thresholds = standards.thresholds
        return cls(
            topics=frozenset(standards.classes.training_topics),
            levels=frozenset(standards.levels.engineers),
            skills=frozenset(standards.skills),
            posts=ROLES,
            training_due=standards.clock(TRAINING_DUE).limit,
            exam_time=standards.clock(EXAM_TIME).limit,
            certificate_validity=standards.clock(CERTIFICATE_VALIDITY).limit,
            pass_percent=int(thresholds["exam_pass_percent"].value),
            attempts=int(thresholds["exam_attempts"].value),
            retake_wait=standards.windows["exam_retake_wait"].length,
            markers_apart_percent=float(thresholds["markers_apart_percent"].value),
        )

    def require_topic(self, topic: str, field: str | None = None) -> None:
        """Raises Fault topic_unknown."""
        if topic not in self.topics:
            raise Fault("topic_unknown", field=field, topic=topic)

    def require_post(self, post: str, field: str) -> None:
        """Raises Fault post_unknown for what is not a role."""
        if post not in self.posts:
            raise Fault("post_unknown", field=field, post=post)

    def require_level(self, level: str, field: str) -> None:
        """Raises Fault level_unknown."""
        if level not in self.levels:
            raise Fault("level_unknown", field=field, level=level)

    def require_skill(self, skill: str, field: str) -> None:
        """Raises Fault skill_unknown."""
        if skill not in self.skills:
            raise Fault("skill_unknown", field=field, skill=skill)
