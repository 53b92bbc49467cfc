"""The migrations build exactly the tables that the code knows."""

from servicekit.database import Database
from servicekit.testing.schema import schema_differences
from training.assignments.tables import ASSIGNMENTS
from training.certificates.tables import CERTIFICATES, KEYS
from training.courses.tables import COURSES
from training.exams.tables import ATTEMPT_QUESTIONS, ATTEMPTS, ESSAY_MARKS, EXAMS
from training.question_banks.tables import BANKS, QUESTIONS

OURS = (BANKS, QUESTIONS, COURSES, ASSIGNMENTS, EXAMS, ATTEMPTS, ATTEMPT_QUESTIONS, ESSAY_MARKS, CERTIFICATES, KEYS)


async def test_migrations_and_tables_agree(database: Database) -> None:
    # Texts are TEXT in every migration, whatever a model says: types are not compared.
    assert await schema_differences(database, OURS, compare_types=False) == []
