"""A partner's time, and what happens when it is over while somebody changes it (GWY-05)."""

import asyncio

from partners.registry import commands
from partners.registry.partner import State
from servicekit.identity import Principal

ADMINISTRATOR = Principal("administrator", frozenset({"administrator"}), "cn")


async def test_who_is_given_more_time_meanwhile_is_not_ended(desk) -> None:
    await desk.register(days=1)
    longer = desk.scope(days=365)
    async with desk.database.transaction("change") as tx:
        await commands.change_scope(
            tx, "partner-demo", longer, expected_version=0, principal=ADMINISTRATOR, policy=desk.policy
        )
        desk.clock.advance((await desk.partner()).valid_until - desk.clock.now())
        ending = asyncio.create_task(desk.do(commands.end_when_time_is_over, "partner-demo"))
        await asyncio.wait([ending], timeout=0.3)
        assert not ending.done(), "it must wait for the change"
    await ending
    assert (await desk.partner()).state == State.ACTIVE
    await desk.pass_time(longer.valid_until - desk.clock.now())
    assert (await desk.partner()).state == State.ENDED
