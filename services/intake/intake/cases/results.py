"""Results that others report, as the customer is told them, in the language they are served in (INT-05, INT-15)."""

TEXTS = {
    "zh-CN": "检查情况：{found}\n处理措施：{done}",
    "en": "What we found: {found}\nWhat we did: {done}",
}
RESTORATION_TEXTS = {
    "zh-CN": "区域网络故障已恢复：{restoration}",
    "en": "The outage in your area is over: {restoration}",
}


def result_of(found: str, done: str, language: str) -> str:
    """`language` is one that cases have: `zh-CN` or `en`. What the engineer found and did stays in their own words."""
    return TEXTS[language].format(found=found, done=done)


def restoration_of(restoration: str, language: str) -> str:
    """`restoration` is what was done about an incident, in the words of whoever commanded it."""
    return RESTORATION_TEXTS[language].format(restoration=restoration)
