"""A visit's result as the customer is told it, in the language they are served in (INT-05)."""

from bihuan.dispatch.v1 import work_orders_pb2

TEXTS = {
    "zh-CN": "检查情况：{found}\n处理措施：{done}",
    "en": "What we found: {found}\nWhat we did: {done}",
}


def result_of(report: work_orders_pb2.Report, language: str) -> str:
    """`language` is one that cases have: `zh-CN` or `en`. The engineer's own words stay as they are."""
    return TEXTS[language].format(found=report.found, done=report.done)
