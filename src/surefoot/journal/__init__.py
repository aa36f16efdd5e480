"""The journal: the append-only record of every outcome; every number shown is derived from it."""

from surefoot.instances import Outcome, Status
from surefoot.journal.file import MEMORY
from surefoot.journal.journal import Journal
from surefoot.journal.records import Extended, Extension, Identity, Known, Measure, identity
from surefoot.journal.verify import Verified, verify
from surefoot.seeds.ledger import Role

__all__ = [
    "MEMORY",
    "Extended",
    "Extension",
    "Identity",
    "Journal",
    "Known",
    "Measure",
    "Outcome",
    "Role",
    "Status",
    "Verified",
    "identity",
    "verify",
]
