"""Every engine keeps the promises of `surefoot.testing`."""

from __future__ import annotations
