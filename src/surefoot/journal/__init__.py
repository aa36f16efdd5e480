"""The journal: the append-only record of every outcome; every number shown is derived from it."""

from surefoot.instances import Outcome, Status
from surefoot.journal.chain import Verified
from surefoot.journal.file import MEMORY
from surefoot.journal.journal import Journal, verify
from surefoot.journal.schema import Extended, Extension, Identity, Known, Measure, identity
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
