"""Calls: each says who may make it, and no two answer to the same path."""

from __future__ import annotations

from collections import Counter

from bihuan.options.v1 import options_pb2
from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor

# A customer, an engineer and a partner are limited to what is their own; they never run the platform.
OUTSIDE = {"ROLE_CUSTOMER", "ROLE_PARTNER"}


def test_every_call_says_who_may_make_it(methods: list[MethodDescriptor]) -> None:
    """GWY-08: a call without a rule would be nobody's; one with an unknown role would be anybody's."""
    for method in methods:
        access = method.GetOptions().Extensions[options_pb2.access]
        assert access.public or access.roles, method.full_name
        assert options_pb2.ROLE_UNSPECIFIED not in access.roles, method.full_name
        assert len(set(access.roles)) == len(access.roles), f"{method.full_name} names a role twice"


def test_an_auditor_reads_and_never_writes(methods: list[MethodDescriptor]) -> None:
    reads = ("Get", "List", "Find", "Unseal")
    for method in methods:
        access = method.GetOptions().Extensions[options_pb2.access]
        if options_pb2.ROLE_AUDITOR in access.roles:
            assert method.name.startswith(reads), method.full_name


def test_no_two_calls_share_a_path(methods: list[MethodDescriptor]) -> None:
    paths = Counter(
        (rule.WhichOneof("pattern"), getattr(rule, rule.WhichOneof("pattern")))
        for method in methods
        if (rule := method.GetOptions().Extensions[annotations_pb2.http]).WhichOneof("pattern")
    )
    assert len(paths) > 20
    assert [path for path, count in paths.items() if count > 1] == []


def test_what_changes_something_can_be_asked_with_the_version_seen(methods: list[MethodDescriptor]) -> None:
    """Optimistic concurrency: every verb on a case or work order takes `expected_version` or an idempotent answer."""
    free = {"AddInteraction", "AnswerSurvey"}  # these take effect whatever has happened meanwhile
    for method in methods:
        rule = method.GetOptions().Extensions[annotations_pb2.http]
        if rule.post.startswith(("/v1/cases/{case}", "/v1/work-orders/{work_order}")) and method.name not in free:
            assert "expected_version" in method.input_type.fields_by_name, method.full_name


def test_what_creates_something_takes_an_idempotency_key(methods: list[MethodDescriptor]) -> None:
    for method in methods:
        rule = method.GetOptions().Extensions[annotations_pb2.http]
        # A verb on a whole collection, such as `certificates:verify`, creates nothing.
        if rule.post and "{" not in rule.post and ":" not in rule.post:
            assert "idempotency_key" in method.input_type.fields_by_name, method.full_name
