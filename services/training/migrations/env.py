"""Alembic's entry point for training's database."""

import training.assignments.tables
import training.certificates.tables
import training.courses.tables
import training.exams.tables
import training.question_banks.tables
from servicekit.database.migrations import run_env

run_env(training.courses.tables.CourseRow.metadata)
