"""Who plays which part: the accounts of the built-in issuer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from bihuanctl.demo.personas import ChannelShare
from bihuanctl.platform.accounts import Account
from bihuanctl.refusal import Refusal
from standards import load

AGENT = "agent"
SUPERVISOR = "supervisor"
DISPATCHER = "dispatcher"
AUDITOR = "auditor"


class Cast:
    """Finds the account for a part, by role and domain as the services will judge it."""

    def __init__(self, accounts: Sequence[Account], channels: Mapping[str, ChannelShare]) -> None:
        self._by_name: Mapping[str, Account] = {account.name: account for account in accounts}
        self._channels = channels

    def named(self, name: str) -> Account:
        """Raises Refusal `account_unknown`."""
        try:
            return self._by_name[name]
        except KeyError:
            raise Refusal("account_unknown", name=name) from None

    @property
    def auditor(self) -> Account:
        """Who may see every case. Raises Refusal `account_unknown`, as all of these do."""
        return self._with_role(AUDITOR)

    @property
    def dispatcher(self) -> Account:
        """Who registers engineers and opens their shifts."""
        return self._with_role(DISPATCHER)

    @property
    def chief(self) -> Account:
        """Who grants qualifications."""
        return self._with_role(SUPERVISOR)

    def _with_role(self, role: str) -> Account:
        """The account with this role and the widest domain."""
        found = [account for account in self._by_name.values() if role in account.roles]
        if not found:
            raise Refusal("account_unknown", name=role)
        return min(found, key=lambda account: len(account.domain))

    def supervisor_of(self, region: str) -> Account:
        """Who missed clocks and low scores of the region go to."""
        return self.named(load().regions[region].supervisor)

    def desk_of(self, region: str) -> list[Account]:
        """The agents who may work there, by name."""
        return sorted(
            (account for account in self._by_name.values() if AGENT in account.roles and _covers(account, region)),
            key=lambda account: account.name,
        )

    def owner(self, user: str, region: str) -> Account:
        """Who acts for an owner: themselves, or the supervisor where they have no account here."""
        account = self._by_name.get(user)
        return account if account is not None and account.password else self.supervisor_of(region)

    def successor(self, user: str, region: str, random: Random) -> Account:
        """Somebody else who can take a case over."""
        others = [account for account in self.desk_of(region) if account.name != user]
        return random.choice(others) if others else self.supervisor_of(region)

    def speaker(self, channel: str, region: str, random: Random) -> Account:
        """Who sends a customer's request on this channel: its client system, or somebody at the desk."""
        share = self._channels.get(channel)
        through = share.through if share is not None else AGENT
        if through != AGENT:
            return self.named(through)
        desk = self.desk_of(region)
        return random.choice(desk) if desk else self.supervisor_of(region)


def _covers(account: Account, region: str) -> bool:
    return region == account.domain or region.startswith(f"{account.domain}.")
