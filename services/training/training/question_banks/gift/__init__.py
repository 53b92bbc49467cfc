"""Moodle's GIFT format: question files as plain text (TRN-03). Pure.

Read here: multiple choice with one or several right answers, true or false, short answer, numeric (tolerance, range,
several answers), matching, essay, and ordering as Moodle's ordering plugin writes it; names, formats, categories,
weights, escapes, comments. Feedback is read and left out: an exam does not comment. https://docs.moodle.org/en/GIFT_format
"""

from training.question_banks.gift.reading import GiftFile, read_gift

__all__ = ["GiftFile", "read_gift"]
