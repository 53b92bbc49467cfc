"""What docs/servicekit.md shows of a service's code is that code."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "servicekit.md"
# A heading that names a file, and the first code below it.
QUOTED = re.compile(
    r"^## [^\n]*\(`(?P<file>services/[^`]+)`\)\n.*?^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
# A line for what the page leaves out.
LEFT_OUT = re.compile(r"^…$", re.MULTILINE)


def test_the_page_shows_a_service_as_its_file_has_it() -> None:
    [quoted] = QUOTED.finditer(PAGE.read_text(encoding="utf-8"))
    source = (ROOT / quoted["file"]).read_text(encoding="utf-8")
    parts = [shown for part in LEFT_OUT.split(quoted["code"]) if (shown := part.strip())]
    assert parts
    rest = source
    for part in parts:
        assert part in rest, f"{PAGE.name} shows what is not, or no longer there, in {quoted['file']}:\n{part}"
        rest = rest.partition(part)[2]
