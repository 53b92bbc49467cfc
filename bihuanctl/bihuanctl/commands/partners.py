"""`bihuan partners`: who may see what of what happens here, and how they read it (GWY-05)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer
from bihuan.partners.v1 import partners_pb2 as pb
from bihuan.partners.v1.partners_pb2_grpc import PartnerServiceStub
from google.protobuf.json_format import MessageToDict
from rich.table import Table
from servicekit.errors.words import in_words
from servicekit.moments import TIME_FORMAT, local

from bihuanctl.commands.options import Json
from bihuanctl.platform.channels import channels
from bihuanctl.platform.signin import operator_token
from bihuanctl.session import Session

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Partners, what they may see, and their feeds.")

Name = Annotated[str, typer.Argument(metavar="PARTNER", help="Name of the partner, such as partner-demo.")]
T = TypeVar("T")


@app.command()
def add(
    context: typer.Context,
    partner: Name,
    events: Annotated[
        list[str], typer.Option("--event", help="What it may see, such as dispatch.work_order.*; may be repeated.")
    ],
    until: Annotated[datetime, typer.Option(help="Until when, in UTC.")],
    *,
    domain: Annotated[str, typer.Option(help="Region that it may see, and all below it.")] = "cn",
    display_name: Annotated[str, typer.Option("--display-name", help="Who it is, for people.")] = "",
    as_json: Json = False,
) -> None:
    """Register a partner and print how it reads its feed. The password is told only now."""
    session = Session.of(context)
    scope = pb.Scope(event_types=events, domain=domain, valid_until=until.replace(tzinfo=UTC))
    request = pb.RegisterPartnerRequest(partner=partner, display_name=display_name or partner, scope=scope)
    registered = _ask(session, lambda stub: stub.RegisterPartner(request))
    _print_access(session, registered.feed, as_json=as_json)


@app.command("list")
def list_(context: typer.Context, *, as_json: Json = False) -> None:
    """List all partners, those that have ended included."""
    session = Session.of(context)
    partners = asyncio.run(_all(session))
    if as_json:
        session.print_json([_as_dict(partner) for partner in partners])
        return
    if not partners:
        session.say("partners.none")
        return
    columns = ("partner", "state", "events", "domain", "until")
    table = Table(*(session.texts(f"partners.{column}") for column in columns))
    for partner in partners:
        scope = partner.scope
        table.add_row(
            partner.partner, _state(session, partner), ", ".join(scope.event_types), scope.domain, _until(partner)
        )
    session.console.print(table)


@app.command()
def show(context: typer.Context, partner: Name, *, as_json: Json = False) -> None:
    """Show one partner."""
    session = Session.of(context)
    found = _ask(session, lambda stub: stub.GetPartner(pb.GetPartnerRequest(partner=partner)))
    if as_json:
        session.print_json(_as_dict(found))
        return
    facts = Table.grid(padding=(0, 2))
    facts.add_row(session.texts("partners.partner"), f"{found.partner} ({found.display_name})")
    facts.add_row(session.texts("partners.state"), _state(session, found))
    facts.add_row(session.texts("partners.events"), ", ".join(found.scope.event_types))
    facts.add_row(session.texts("partners.domain"), found.scope.domain)
    facts.add_row(session.texts("partners.until"), _until(found))
    session.console.print(facts)


@app.command()
def rotate(context: typer.Context, partner: Name, *, as_json: Json = False) -> None:
    """Give a partner a new password for its feed. The old one ends at once."""
    session = Session.of(context)
    access = _ask(session, lambda stub: stub.RotateFeedPassword(pb.RotateFeedPasswordRequest(partner=partner)))
    _print_access(session, access, as_json=as_json)


@app.command()
def credentials(context: typer.Context, partner: Name, *, as_json: Json = False) -> None:
    """Print how a partner reads its feed. Its password is kept nowhere: `rotate` gives a new one."""
    session = Session.of(context)
    access = _ask(session, lambda stub: stub.GetFeedAccess(pb.GetFeedAccessRequest(partner=partner)))
    _print_access(session, access, as_json=as_json)


@app.command()
def accounts(context: typer.Context) -> None:
    """Print the accounts of all partners, as the configuration of a NATS server includes them."""
    session = Session.of(context)
    typer.echo(_ask(session, lambda stub: stub.GetBusAccounts(pb.GetBusAccountsRequest())).configuration)


def _ask(session: Session, call: Callable[[PartnerServiceStub], Awaitable[T]]) -> T:
    async def ask() -> T:
        async with _service(session) as stub:
            return await call(stub)

    return asyncio.run(ask())


async def _all(session: Session) -> list[pb.Partner]:
    found: list[pb.Partner] = []
    token = ""
    async with _service(session) as stub:
        while True:
            page = await stub.ListPartners(pb.ListPartnersRequest(page_token=token))
            found += page.partners
            token = page.next_page_token
            if not token:
                return found


@asynccontextmanager
async def _service(session: Session) -> AsyncIterator[PartnerServiceStub]:
    """The partner service, called as the operator. Its calls raise Fault."""
    state = session.platform()
    token = operator_token(state, session.layout.issuer, session.environment)
    async with channels({"partners": state.targets["partners"]}, token, session.texts.language) as opened:
        yield PartnerServiceStub(opened["partners"])  # type: ignore[no-untyped-call]


def _print_access(session: Session, access: pb.FeedAccess, *, as_json: bool) -> None:
    url = session.platform().nats_url
    if as_json:
        session.print_json({"url": url} | _as_dict(access))
        return
    facts = Table.grid(padding=(0, 2))
    told = {"url": url, "user": access.user, "password": access.password or session.texts("partners.kept_nowhere")}
    told |= {"stream": access.stream, "consumer": access.consumer, "subjects": access.subjects}
    for name, value in told.items():
        facts.add_row(session.texts(f"partners.{name}"), value)
    session.console.print(facts)


def _state(session: Session, partner: pb.Partner) -> str:
    state = pb.PartnerState.Name(partner.state).removeprefix("PARTNER_STATE_")
    return in_words("state", state, session.texts.language)


def _until(partner: pb.Partner) -> str:
    return local(partner.scope.valid_until.ToDatetime(UTC), TIME_FORMAT)


def _as_dict(message: Any) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)
