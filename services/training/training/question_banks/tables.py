"""Where question banks and their questions are stored."""

from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class QuestionBank(SQLModel):
    """A bank as a value. `QuestionBankRow` stores exactly these fields."""

    bank_id: UUID = Field(primary_key=True)
    # Grows with every import.
    version: int
    name: str
    # Topic of standards/classes.yaml.
    topic: str
    # Questions that are drawn from now.
    question_count: int = 0
    created_at: datetime = Field(sa_type=UTC_TIME)


class QuestionBankRow(QuestionBank, table=True):
    """One bank."""

    __tablename__ = "question_banks"


class QuestionRow(SQLModel, table=True):
    """One question. It never changes: another wording is another question, so that figures keep their meaning."""

    __tablename__ = "questions"
    __table_args__ = (Index("questions_of_bank", "bank_id", "question_id"),)

    question_id: UUID = Field(primary_key=True)
    bank_id: UUID = Field(foreign_key="question_banks.bank_id")
    # The question as JSON.
    content: dict[str, Any] = Field(sa_type=JSONB)
    # SHA-256 of the content.
    fingerprint: bytes
    # Version of the bank that brought it, and the one that no longer had it.
    added_in: int
    retired_in: int | None = None


BANKS = QuestionBankRow.__table__  # type: ignore[attr-defined]
QUESTIONS = QuestionRow.__table__  # type: ignore[attr-defined]
