"""A VoiceXML 2.1 interpreter for pages of keys: the form interpretation algorithm (VoiceXML 2.0, appendix C).

Strict where platforms are lenient: what it does not know, and an error that nobody handles, is a broken page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from bihuanctl.hotline.grammars import takes
from bihuanctl.hotline.handlers import handler_of
from bihuanctl.hotline.pages import children, name_of, parse, property_of, said, seconds
from bihuanctl.hotline.telephone import Caller, Fetcher
from bihuanctl.hotline.trouble import Disconnected, Goto, PageBroken, Submitted, Thrown
from bihuanctl.hotline.variables import Variables

_ITEMS: Final = ("block", "field", "transfer")
_HANG_UP: Final = "connection.disconnect.hangup"
# Events of one page after which it is taken for one that never ends.
_MOST_EVENTS: Final = 50
# What platforms do when a page does not say (VoiceXML 2.0 §6.3.4, §6.3.5).
_TIMEOUT: Final = "10s"
_FETCH_TIMEOUT: Final = "15s"
_CONNECT_TIMEOUT: Final = "30s"


class Interpreter:
    """Plays one call. `session`: the platform's variables, such as `session.connection.remote.uri`."""

    def __init__(self, fetcher: Fetcher, caller: Caller, session: Mapping[str, str]) -> None:
        self._fetcher = fetcher
        self._caller = caller
        self._session = session

    def call(self, url: str) -> None:
        """Plays pages until one of the two hangs up. Raises PageBroken, and Thrown when there is no first page."""
        content = self._fetcher.fetch(url, None, seconds(_FETCH_TIMEOUT))
        while True:
            try:
                _PagePlay(parse(content), url, self._fetcher, self._caller, self._session).run()
            except Submitted as submitted:
                content, url = submitted.page, submitted.url
            except Disconnected:
                return


class _PagePlay:
    """One page, from its first form to the end of the page."""

    def __init__(self, page: Element, url: str, fetcher: Fetcher, caller: Caller, session: Mapping[str, str]) -> None:
        self._page = page
        self._url = url
        self._fetcher = fetcher
        self._caller = caller
        self._variables = Variables(session)
        self._forms = {str(form.get("id")): form for form in children(page, "form")}
        self._events = 0

    def run(self) -> None:
        """Ends with Submitted or Disconnected."""
        for variable in children(self._page, "var"):
            self._execute(variable)
        form = next(iter(self._forms), None)
        while form is not None:
            if form not in self._forms:
                raise PageBroken(f"no form {form}")
            try:
                self._play_form(self._forms[form])
                form = None
            except Goto as goto:
                form = goto.form
        raise Disconnected

    def _play_form(self, form: Element) -> None:
        self._variables.enter()
        try:
            for item in children(form, *_ITEMS):
                if item.get("name"):
                    self._variables.declare(str(item.get("name")), "")
                self._visit(item, form)
        finally:
            self._variables.leave()

    def _visit(self, item: Element, form: Element) -> None:
        """Until the item has its value: events come in between."""
        counts: Counter[str] = Counter()
        scopes = (item, form, self._page)
        prompted = True
        while True:
            try:
                self._try(item, scopes, prompted=prompted)
            except Thrown as thrown:
                prompted = self._handle(thrown, scopes, counts)
                if name_of(item) != "block":  # which is done once it was begun (VoiceXML 2.0 §5.3.2)
                    continue
            return

    def _try(self, item: Element, scopes: Sequence[Element], *, prompted: bool) -> None:
        if name_of(item) == "block":
            self._execute_all(item)
            return
        if prompted:
            for prompt in children(item, "prompt"):
                self._execute(prompt)
        value = self._transfer(item) if name_of(item) == "transfer" else self._keys(item, scopes)
        self._variables.assign(str(item.get("name")), value)
        for filled in children(item, "filled"):
            self._execute_all(filled)

    def _keys(self, field: Element, scopes: Sequence[Element]) -> str:
        pressed = self._caller.press(seconds(property_of(scopes, "timeout", _TIMEOUT)))
        if pressed is None:
            raise Thrown(_HANG_UP)
        if not pressed:
            raise Thrown("noinput")
        keys = pressed.removesuffix(property_of(scopes, "termchar", "#")) or pressed
        if not any(takes(grammar, keys) for grammar in children(field, "grammar")):
            raise Thrown("nomatch")
        return keys

    def _transfer(self, transfer: Element) -> str:
        timeout = seconds(transfer.get("connecttimeout", _CONNECT_TIMEOUT))
        return self._caller.wait_for_agent(str(transfer.get("dest")), transfer.get("aai", ""), timeout)

    def _handle(self, thrown: Thrown, scopes: Sequence[Element], counts: Counter[str]) -> bool:
        """Runs the handler; gives whether the prompts are to be heard again."""
        event = thrown.event
        while True:
            self._events += 1
            if self._events > _MOST_EVENTS:
                raise PageBroken(f"{event} for ever")
            counts[event] += 1
            handler = handler_of(event, counts[event], scopes)
            if handler is None:
                if event == _HANG_UP:
                    raise Disconnected
                raise PageBroken(f"nobody handles {event}")
            self._variables.enter()
            try:
                self._execute_all(handler)
            except Thrown as next_event:
                event = next_event.event
                continue
            finally:
                self._variables.leave()
            return bool(children(handler, "reprompt"))

    def _execute_all(self, parent: Element) -> None:
        for element in parent:
            self._execute(element)

    def _execute(self, element: Element) -> None:
        match name_of(element):
            case "prompt":
                self._caller.hear(said(element, self._page))
            case "var":
                self._variables.declare(str(element.get("name")), self._variables.evaluate(str(element.get("expr"))))
            case "assign":
                self._variables.assign(str(element.get("name")), self._variables.evaluate(str(element.get("expr"))))
            case "goto":
                raise Goto(str(element.get("next")).removeprefix("#"))
            case "submit":
                self._submit(element)
            case "disconnect":
                raise Disconnected
            case "reprompt":
                pass
            case other:
                raise PageBroken(f"<{other}> as a step")

    def _submit(self, element: Element) -> None:
        if element.get("method") != "post":
            raise PageBroken("only posted submits are sent")
        url = urljoin(self._url, str(element.get("next")))
        fields = {name: self._variables.value(name) for name in element.get("namelist", "").split()}
        timeout = seconds(property_of([self._page], "fetchtimeout", _FETCH_TIMEOUT))
        raise Submitted(self._fetcher.fetch(url, fields, timeout), url)
