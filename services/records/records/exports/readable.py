"""A record as a page for reading, with who opened it, when and what for all over it (REC-03, REC-07). Pure.

One HTML file without scripts and without anything from elsewhere; every value is escaped.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from servicekit.histories import actor_in_words, details_in_words, happened_in_words
from servicekit.languages import Language
from servicekit.moments import local

from records.accesses.commands import Opened
from records.exports.labels import in_words, labels
from records.files.record import Record
from standards import Standards, label_of

# How often the watermark is repeated behind the page.
REPEATED = 40
# The text that is also a fact of the record.
RESULT = "result"

_PAGE = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 sans-serif; margin: 2em; }} table {{ border-collapse: collapse; margin-bottom: 1.5em; }}
th, td {{ border: 1px solid #bbb; padding: .2em .6em; text-align: left; vertical-align: top; white-space: pre-line; }}
.mark {{ border: 1px solid #a00; color: #a00; padding: .4em .8em; }}
.behind {{ position: fixed; inset: 0; z-index: -1; overflow: hidden; opacity: .08; transform: rotate(-20deg); }}
</style></head><body>
<p class="mark">{mark}</p><div class="behind" aria-hidden="true">{behind}</div>
<h1>{title}</h1>
{facts}
<h2>{history_label}</h2>
{history}
<h2>{texts_label}</h2>
{texts}
</body></html>
"""


@dataclass(frozen=True, slots=True)
class ClearText:
    """A text of the record as the caller may read it; empty after the customer's erasure."""

    role: str
    at: datetime
    text: str

    @property
    def erased(self) -> bool:
        """There was a text, and nobody can read it any more."""
        return not self.text


def result_among(texts: Iterable[ClearText]) -> str:
    """The result that is shown with the record's entry in the catalogue; empty after the customer's erasure."""
    return next((each.text for each in texts if each.role == RESULT), "")


def watermark(opened: Opened, language: Language) -> str:
    """Who opened it, when, what for, and which entry of the log says so."""
    return labels()["watermark"][language].format(
        who=opened.request.requested_by,
        when=local(opened.opened_at),
        purpose=opened.request.purpose,
        entry=opened.entry_id,
    )


def readable(opened: Opened, texts: Sequence[ClearText], standards: Standards, language: Language) -> str:
    """The page."""
    say = {name: label[language] for name, label in labels().items()}
    mark = escape(watermark(opened, language))
    history = [
        (
            local(entry.at.ToDatetime(UTC)),
            happened_in_words(entry.happened, language),
            actor_in_words(entry.actor, language),
            details_in_words(entry.details, standards, language),
        )
        for entry in opened.content.history
    ]
    words = [
        (local(each.at), in_words("role", each.role, language), say["erased"] if each.erased else each.text)
        for each in texts
    ]
    return _PAGE.format(
        language=language,
        title=escape(f"{say['title']} {opened.record.record_number}"),
        mark=mark,
        behind=" · ".join([mark] * REPEATED),
        facts=_table([], [(say[name], value) for name, value in _facts(opened.record, standards, language)]),
        history_label=escape(say["history"]),
        history=_table([say[name] for name in ("at", "happened", "actor", "details")], history),
        texts_label=escape(say["texts"]),
        texts=_table([say[name] for name in ("at", "role", "text")], words),
    )


def _facts(record: Record, standards: Standards, language: Language) -> Iterator[tuple[str, str]]:
    yield "record_number", record.record_number
    yield "version", str(record.version)
    yield "case_number", record.case_number
    yield "record_class", label_of(standards.retention, record.retention_class or record.record_class, language)
    yield "grade", label_of(standards.levels.data_grades, record.grade, language)
    yield "category", label_of(standards.categories, record.category, language)
    yield "region", label_of(standards.regions, record.region, language)
    yield "customer_id", str(record.customer_id or "")
    yield "staff", ", ".join(record.staff)
    yield "outcome", labels()[record.outcome.value][language]
    yield "satisfaction", str(record.satisfaction or "")
    yield "accepted_at", local(record.accepted_at) if record.accepted_at else ""
    yield "closed_at", local(record.closed_at) if record.closed_at else ""
    yield "filed_at", local(record.filed_at)
    yield "missing", ", ".join(in_words("missing", part, language) for part in record.missing)
    yield "content_hash", record.content_hash


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(value)}</td>" for value in row) + "</tr>\n" for row in rows)
    return f"<table>\n<tr>{titles}</tr>\n{body}</table>" if head else f"<table>\n{body}</table>"
