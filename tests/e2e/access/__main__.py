"""`make access`: writes docs/access.md, and shows where the matrix and the contracts differ."""

from __future__ import annotations

import sys

from matrix import PAGE, contracted, differences, page, stated

PAGE.write_text(page(stated()), encoding="utf-8")
if found := differences(stated(), contracted()):
    sys.exit("\n".join(found))
