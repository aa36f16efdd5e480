"""The journal: the append-only record of every outcome; every number shown is derived from it."""

from surefoot.instances import Outcome, Status
from surefoot.journal.chain import Verified
from surefoot.journal.copying import copy
from surefoot.journal.journal import Journal, verify
from surefoot.journal.lookup import journals_at
from surefoot.journal.schema import Extended, Extension, Identity, Known, Measure, identity
from surefoot.places import MEMORY, Place
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
    "Place",
    "Role",
    "Status",
    "Verified",
    "copy",
    "identity",
    "journals_at",
    "verify",
]
