"""The server of the live page: Bokeh's, behind a gate, in a thread of its own; it only answers.

What a browser sends changes its own page at most: journals are opened to be read, and no address
takes anything in.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from surefoot.errors import ConfigurationError, require
from surefoot.journal import Place
from surefoot.reports.live.followed import Reader
from surefoot.reports.live.gate import Gate

HOST = "127.0.0.1"
PORT = 5006


class LiveServer:
    """Shows journals in browsers as they are written; a context manager, within which it answers.

    Parameters
    ----------
    where
        A journal (a file, or on a server), or a folder of journals.
    host, port
        Where to listen; port 0 takes a free one.
    token
        What browsers must know; needed, and made if "", where others than this machine reach it.

    Raises
    ------
    JournalError
        If there is no journal, or it cannot be read.
    ConfigurationError
        If the host cannot be found, the port is taken, or the token is too short.
    MissingExtraError
        If ``surefoot[web]`` is not installed.
    """

    def __init__(
        self,
        where: str | os.PathLike[str],
        *,
        host: str = HOST,
        port: int = PORT,
        token: str = "",
    ) -> None:
        require("bokeh", extra="web")
        self.gate = Gate(host, token)
        self.reader = Reader(Place.of(where))
        self._host = host
        self._socket = _bind(host, port)
        self.port: int = self._socket.getsockname()[1]
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="surefoot pages", daemon=True)
        self._stop: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """What to open in a browser; it holds the token if there is one."""
        return self.gate.address(self._host, self.port)

    def __enter__(self) -> Self:
        self.reader.start()
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._thread.join()
        self.reader.stop()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        from tornado.httpserver import HTTPServer
        from tornado.ioloop import IOLoop

        from surefoot.reports.live.application import Gated

        loop, ended = IOLoop.current(), asyncio.Event()
        app = Gated(self.gate, self.reader, f"surefoot-{self.port}")
        http = HTTPServer(app, max_body_size=1 << 16)
        http.add_socket(self._socket)
        app.initialize(loop)
        app.start()
        self._stop = lambda: loop.add_callback(ended.set)
        self._ready.set()
        await ended.wait()
        app.stop()
        http.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(http.close_all_connections(), 2.0)


def watch(
    journal: str | os.PathLike[str],
    *,
    host: str = HOST,
    port: int = PORT,
    token: str = "",
    browser: bool = True,
    say: Callable[[str], None] = print,
) -> None:
    """Show a journal, or all of a folder, in the browser while they are written, until Ctrl-C.

    Parameters
    ----------
    journal
        A journal (a file, or the URL of one on a server), or a folder of journals.
    host, port
        Where to listen: this machine alone, unless told otherwise. Port 0 takes a free one.
    token
        What a browser must know, at least 16 characters. Where other machines may ask, one is
        demanded, and made unless given.
    browser
        Whether to open the page in a browser here.
    say
        Called with the address.

    Raises
    ------
    JournalError
        If there is no journal, or it cannot be read.
    ConfigurationError
        If the host cannot be found, the port is taken, or the token is too short.
    MissingExtraError
        If ``surefoot[web]`` is not installed.
    """
    with (
        suppress(KeyboardInterrupt),
        LiveServer(journal, host=host, port=port, token=token) as server,
    ):
        say(server.url)
        if browser and has_browser():
            webbrowser.open(server.url)
        threading.Event().wait()


def has_browser() -> bool:
    """Say whether a browser in a window can be opened here; one of text takes the terminal."""
    shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(shown) or sys.platform in ("darwin", "win32")


def _bind(host: str, port: int) -> socket.socket:
    """Return the socket that listens; `ConfigurationError` if the port is taken or not allowed."""
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", port, type=socket.SOCK_STREAM)
        family, *_, address = min(found, key=lambda one: one[0] != socket.AF_INET)
        listening = socket.create_server(address[:2], family=family)
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(
            f"port {port} of {host or 'this machine'} cannot be listened on ({said}): give another "
            "--port, 0 for a free one"
        ) from None
    listening.setblocking(False)
    return listening
