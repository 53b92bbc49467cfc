"""`make personal-data`: brings the end of docs/personal-data.md up to date with the contracts."""

from __future__ import annotations

from personal_data_page import PAGE, current

PAGE.write_text(current(), encoding="utf-8")
