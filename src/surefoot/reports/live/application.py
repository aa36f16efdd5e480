"""The addresses of the live page, each of which is asked through the gate. Needs Bokeh."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from bokeh.application import Application
from bokeh.application.handlers.function import FunctionHandler
from bokeh.server.tornado import BokehTornado
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform, RequestHandler

from surefoot.reports.live.followed import Reader, Snapshot
from surefoot.reports.live.gate import HEADERS, Asked, Gate, Refusal
from surefoot.reports.live.pages import JournalPage, asset, list_page, list_rows

SCRIPTS = r"/(tables\.js|live\.js|list\.js)"
BOKEH = "/static/js/"
PAGE = ("/journal", "/journal/ws")
OPEN = ("/", "/rows", "/favicon.ico")
"""What may be asked for besides. Bokeh has more addresses, one of which hands the keys of a page to
pages from anywhere."""


class _Page(RequestHandler):
    """What all addresses share: the reader of the journals."""

    def initialize(self, reader: Reader) -> None:
        self.reader = reader


class _List(_Page):
    """The list of journals; a single journal's page at once."""

    def get(self) -> None:
        if not self.reader.many:
            self.redirect(f"/journal?name={quote(self.reader.names[0], safe='')}")
            return
        self.finish(list_page(str(self.reader.where), self.reader.listed()))


class _Rows(_Page):
    """The rows of the list."""

    def get(self) -> None:
        self.finish(list_rows(self.reader.listed()))


class _Script(RequestHandler):
    """The page's own scripts."""

    def get(self, name: str) -> None:
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.finish(asset(name))


class _Refused(RequestHandler):
    """A request that the gate does not let through."""

    def initialize(self, refusal: Refusal) -> None:
        self.refusal = refusal

    def prepare(self) -> None:
        self.set_status(self.refusal.status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"surefoot watch: {self.refusal.reason}\n")


class _Known(RequestHandler):
    """The first request, with the token in its address: it goes into a cookie and out of sight."""

    def initialize(self, cookie: str, token: str) -> None:
        self.cookie, self.token = cookie, token

    def get(self) -> None:
        self.set_cookie(self.cookie, self.token, httponly=True, samesite="Lax", path="/")
        rest = {k: v for k, v in self.request.query_arguments.items() if k != "token"}
        query = urlencode(rest, doseq=True)
        self.redirect(self.request.path + (f"?{query}" if query else ""))


class _Headers(OutputTransform):
    """Sends what browsers have to obey with every answer."""

    def __init__(self, request: HTTPServerRequest) -> None: ...

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        for name, value in HEADERS.items():
            headers[name] = value
        for name in ("Server", "Access-Control-Allow-Origin"):
            if name in headers:
                del headers[name]
        return status_code, headers, chunk


class Gated(BokehTornado):
    """Bokeh's application behind the gate: a request that is refused reaches none of it.

    ``cookie`` is the name of the one that holds the token.
    """

    def __init__(self, gate: Gate, reader: Reader, cookie: str) -> None:
        self._gate, self._cookie, self._reader = gate, cookie, reader

        def open_page(document: Any) -> None:
            name = _name(document.session_context.request.arguments)
            known = reader.snapshot(name) or Snapshot(name)
            page = JournalPage(document, known)
            reader.watch(name, page.take)
            document.on_session_destroyed(lambda context: reader.leave(name, page.take))

        super().__init__(
            {"/journal": Application(FunctionHandler(open_page))},
            extra_patterns=[
                ("/", _List, {"reader": reader}),
                ("/rows", _Rows, {"reader": reader}),
                (SCRIPTS, _Script),
            ],
            extra_websocket_origins=["*"],
            use_index=False,
            secret_key=secrets.token_bytes(32),
            sign_sessions=True,
            include_headers=[],
            include_cookies=[],
            log_function=lambda handler: None,
        )
        self.add_transform(_Headers)

    def find_handler(self, request: HTTPServerRequest, **more: Any) -> Any:
        """Return who answers a request."""
        asked = Asked(
            method=request.method or "",
            path=request.path,
            host=request.headers.get("Host", ""),
            origin=request.headers.get("Origin", ""),
            cookies=request.headers.get("Cookie", ""),
            token=request.query_arguments.get("token", [b""])[-1].decode(errors="replace"),
            websocket=request.headers.get("Upgrade", "").lower() == "websocket",
        )
        refusal = self._gate.refusal(asked, self._cookie)
        if refusal is None and not self._is_there(asked.path, request.query_arguments):
            refusal = Refusal(404, "there is nothing at this address")
        if refusal is not None:
            return self.get_handler_delegate(request, _Refused, {"refusal": refusal})
        if asked.token and self._gate.token and not asked.websocket:
            known = {"cookie": self._cookie, "token": self._gate.token}
            return self.get_handler_delegate(request, _Known, known)
        return super().find_handler(request, **more)

    def _is_there(self, path: str, arguments: Mapping[str, Sequence[bytes]]) -> bool:
        """Say whether there is something at an address."""
        if path.startswith("/journal"):
            return path in PAGE and self._reader.snapshot(_name(arguments)) is not None
        return path in OPEN or bool(re.fullmatch(SCRIPTS, path)) or path.startswith(BOKEH)


def _name(arguments: Mapping[str, Sequence[bytes | str]]) -> str:
    """Return which journal is asked for."""
    name = arguments.get("name", [""])[-1]
    return name.decode(errors="replace") if isinstance(name, bytes) else name
