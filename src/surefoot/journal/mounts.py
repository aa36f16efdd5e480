"""Which file systems are on a network, where SQLite cannot rely on locks and shared memory."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
"""Linux's table of what is mounted where, see proc_pid_mountinfo(5)."""

NETWORKED = frozenset(
    [
        "afs",
        "auristorfs",
        "beegfs",
        "ceph",
        "cifs",
        "glusterfs",
        "gpfs",
        "kafs",
        "lustre",
        "nfs",
        "nfs4",
        "orangefs",
        "panfs",
        "pvfs2",
        "smb3",
        "smbfs",
        "wekafs",
        "fuse.afs",
        "fuse.beegfs",
        "fuse.ceph",
        "fuse.ceph-fuse",
        "fuse.davfs",
        "fuse.eos",
        "fuse.eosxd",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
    ]
)
"""Types of file systems that several machines share."""


def network_file_system(path: Path) -> str:
    """Return type and place of the network file system that a path is on, "" if it is on none.

    ``path`` is absolute and without symbolic links. Nothing is known where `MOUNTS` is not.
    """
    try:
        lines = MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    longest, kind = Path(), ""
    for line in lines:
        before, _, after = line.partition(" - ")
        mounted = Path(
            re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), before.split()[4])
        )
        if path.is_relative_to(mounted) and len(mounted.parts) >= len(longest.parts):
            longest, kind = mounted, after.split()[0]
    return f"{kind} at {longest}" if kind in NETWORKED else ""
