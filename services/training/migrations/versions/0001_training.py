"""Courses, assignments, question banks, exams and certificates."""

import sqlalchemy as sa
from alembic import op
from servicekit.database.migrations import create_kit_tables
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_kit_tables(op)
    op.execute("CREATE SEQUENCE certificate_numbers")
    _create_courses()
    _create_assignments()
    _create_question_banks()
    _create_exams()
    _create_attempts()
    _create_certificates()


def _create_courses() -> None:
    op.create_table(
        "courses",
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("post", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("ways", ARRAY(sa.Text), nullable=False),
        sa.Column("units", ARRAY(sa.Text), nullable=False),
        sa.Column("valid_until", TIME),
        sa.Column("course_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("valid_from", TIME, nullable=False),
        sa.Column("superseded", sa.Boolean, nullable=False),
    )
    op.create_index("courses_newest", "courses", ["course_id"], unique=True, postgresql_where=sa.text("NOT superseded"))
    op.create_index("courses_of_topic", "courses", ["topic", "course_id"])


def _create_assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("assignment_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("course_topic", sa.Text, nullable=False),
        sa.Column("course_id", sa.Uuid),
        sa.Column("course_version", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("assigned_by", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("assigned_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("units_learned", ARRAY(sa.Text), nullable=False),
        sa.Column("progress_percent", sa.Integer, nullable=False),
        sa.Column("attendance", JSONB, nullable=False),
        sa.Column("learned_at", TIME),
        sa.Column("completed_at", TIME),
    )
    op.create_index("assignments_of_person", "assignments", ["person", "assignment_id"])
    op.create_index(
        "assignments_without_course",
        "assignments",
        ["course_topic"],
        postgresql_where=sa.text("course_id IS NULL AND state = 'learning'"),
    )


def _create_question_banks() -> None:
    op.create_table(
        "question_banks",
        sa.Column("bank_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("question_count", sa.Integer, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(
        "questions",
        sa.Column("question_id", sa.Uuid, primary_key=True),
        sa.Column("bank_id", sa.Uuid, sa.ForeignKey("question_banks.bank_id"), nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("added_in", sa.Integer, nullable=False),
        sa.Column("retired_in", sa.Integer),
    )
    op.create_index("questions_of_bank", "questions", ["bank_id", "question_id"])


def _create_exams() -> None:
    op.create_table(
        "exams",
        sa.Column("exam_id", sa.Uuid, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("course_id", sa.Uuid, nullable=False),
        sa.Column("bank_id", sa.Uuid, nullable=False),
        sa.Column("blueprint", JSONB, nullable=False),
        sa.Column("time_limit_minutes", sa.Integer, nullable=False),
        sa.Column("pass_percent", sa.Integer, nullable=False),
        sa.Column("skill", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("certificate_days", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_exams_course_id", "exams", ["course_id"])


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("attempt_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("exam_id", sa.Uuid, nullable=False),
        sa.Column("assignment_id", sa.Uuid, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("percent", sa.Float, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("submitted_at", TIME),
        sa.Column("time_ran_out", sa.Boolean, nullable=False),
        sa.Column("marked_at", TIME),
        sa.Column("certificate_number", sa.Text, nullable=False),
    )
    op.create_index("attempts_of_person", "attempts", ["person", "attempt_id"])
    op.create_index("attempts_of_assignment", "attempts", ["assignment_id"])
    op.create_index(
        "attempts_one_running",
        "attempts",
        ["assignment_id", "exam_id"],
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "attempt_questions",
        sa.Column("attempt_id", sa.Uuid, sa.ForeignKey("attempts.attempt_id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("question_id", sa.Uuid, nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("question", JSONB, nullable=False),
        sa.Column("shown", ARRAY(sa.SmallInteger), nullable=False),
        sa.Column("response", JSONB),
        sa.Column("response_version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("saved_at", TIME),
        sa.Column("score", sa.Float),
    )
    op.create_index("attempt_questions_of_question", "attempt_questions", ["question_id"])
    op.create_table(
        "essay_marks",
        sa.Column("attempt_id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("marker", sa.Text, primary_key=True),
        sa.Column("points", sa.Float, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("marked_at", TIME, nullable=False),
    )


def _create_certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("certificate_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Text, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("skill", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("valid_until", TIME, nullable=False),
        sa.Column("exam_id", sa.Uuid, nullable=False),
        sa.Column("attempt_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("signed", sa.Text, nullable=False),
        sa.Column("revoked_reason", sa.Text, nullable=False),
    )
    op.create_index("certificates_of_person", "certificates", ["person", "certificate_id"])
    op.create_table(
        "certificate_keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("x", sa.Text, nullable=False),
        sa.Column("first_used_at", TIME, nullable=False),
    )
