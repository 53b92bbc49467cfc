"""Where webhooks may go: public addresses of the Internet, by https. Pure but for asking the name service.

A URL comes from outside, and a request that we send may reach what its giver cannot: our own network, the cloud's
metadata service, this machine (server-side request forgery). So the address decides, not the name, and it is asked for
once: the connection goes to the very address that was looked at.
"""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from servicekit.errors import Fault

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_RESOLVE_SECONDS = 5.0
# IPv6 networks whose addresses stand for IPv4 ones, which may be anything: NAT64, and those before it.
_TRANSLATED = tuple(ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96"))


# Private once, and by some routers still.
_SITE_LOCAL = ip_network("fec0::/10")


class RefusedAddressError(Exception):
    """The host is not, or not only, at addresses that webhooks may go to."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """`allowed`: networks that may be reached although they are not public; there also by plain http."""

    allowed: Sequence[Network] = ()

    def is_allowed(self, address: Address) -> bool:
        """Whether a webhook may go to `address`."""
        return self.is_exempt(address) or is_public(address)

    def is_exempt(self, address: Address) -> bool:
        return any(_unmapped(address) in network for network in self.allowed)

    async def resolve(self, host: str, port: int, *, encrypted: bool) -> list[Address]:
        """The addresses of a host, every one of them allowed.

        Raises RefusedAddressError when one is not, or when the request would not be encrypted on its way there;
        OSError when there is no such host.
        """
        async with asyncio.timeout(_RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ip_address(str(info[4][0])) for info in found]
        # All of them: a host that is here and there at once is somebody's trick.
        suitable = self.is_allowed if encrypted else self.is_exempt
        if not all(suitable(address) for address in addresses):
            raise RefusedAddressError(host)
        return addresses

    async def require(self, url: str) -> None:
        """Refuses early what could not be sent to later.

        Raises Fault webhook_url_invalid, webhook_address_refused or webhook_host_unknown.
        """
        host, port, encrypted = _read(url)
        try:
            await self.resolve(host, port, encrypted=encrypted)
        except RefusedAddressError:
            raise Fault("webhook_address_refused", field="url", host=host) from None
        except (OSError, UnicodeError):
            raise Fault("webhook_host_unknown", field="url", host=host) from None


def is_public(address: Address) -> bool:
    """Whether an address is one of the public Internet: not private, shared (CGNAT), of this machine or link, of
    documentation, a group's, or another address in disguise."""
    plain = _unmapped(address)
    if plain.version == 6 and any(plain in network for network in (*_TRANSLATED, _SITE_LOCAL)):  # noqa: PLR2004 -- IP version 6
        return False
    return plain.is_global and not plain.is_multicast and not plain.is_reserved


def _unmapped(address: Address) -> Address:
    """The IPv4 address that an IPv4-mapped one is."""
    return getattr(address, "ipv4_mapped", None) or address


def _read(url: str) -> tuple[str, int, bool]:
    """Host, port, and whether the way is encrypted. Raises Fault webhook_url_invalid."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Fault("webhook_url_invalid", field="url") from None
    plain = _is_plain(url)
    named = parts.username is not None or parts.password is not None
    if not plain or parts.scheme not in {"https", "http"} or not parts.hostname or named or parts.fragment:
        raise Fault("webhook_url_invalid", field="url")
    encrypted = parts.scheme == "https"
    return parts.hostname, port or (443 if encrypted else 80), encrypted


def _is_plain(characters: Iterable[str]) -> bool:
    """Visible ASCII only: nothing that parsers of URLs read differently."""
    return all("!" <= character <= "~" and character != "\\" for character in characters)
