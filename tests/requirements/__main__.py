"""`make requirements`: brings the end of docs/requirements.md up to date with what the tests cite."""

from __future__ import annotations

from requirements_page import PAGE, current

PAGE.write_text(current(), encoding="utf-8")
