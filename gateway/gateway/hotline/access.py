"""Which voice platform is calling: a channel client, by bearer token or, as most of them can, by HTTP Basic."""

from __future__ import annotations

from servicekit.errors import Fault
from servicekit.identity import Principal
from starlette.requests import Request

from gateway.admission import Admission
from gateway.basic import credentials_of, is_basic
from gateway.issuer.client_sign_in import ClientSignIn


class PlatformAccess:
    """Lets voice platforms in. Without the built-in issuer (`sign_in` is None) they bring a token themselves."""

    def __init__(self, admission: Admission, sign_in: ClientSignIn | None) -> None:
        self._admission = admission
        self._sign_in = sign_in

    async def admit(self, request: Request) -> tuple[Principal, str]:
        """The platform, and the Authorization header to pass on.

        Raises Fault unauthenticated, token_invalid, sign_in_refused, role_forbidden for anybody but a channel, …
        """
        authorization = await self._admit(request)
        principal: Principal = request.state.principal
        # It names the caller, and is believed: only a channel may do that.
        if not principal.has("channel"):
            raise Fault("role_forbidden")
        return principal, authorization

    async def _admit(self, request: Request) -> str:
        header = request.headers.get("authorization", "")
        if self._sign_in is None or not is_basic(header):
            return await self._admission.admit(request, public=False)
        try:
            client, secret = credentials_of(header)
        except ValueError:
            raise Fault("sign_in_refused") from None
        return await self._admission.admit_token(request, await self._sign_in.token(request, client, secret))
