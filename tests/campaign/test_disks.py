"""Disks that fill up at any write: one sentence, and the same race goes on when there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.campaign.campaign import campaign, cannot
from tests.campaign.races import content, finish, is_one_sentence, write_race

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>
#include <fcntl.h>
static long left = -1;
static int fails(int fd) {
    char link[64], path[4096]; ssize_t n;
    const char *from = getenv("FULL_FROM"), *folder = getenv("FULL_FOLDER");
    if (!from || !folder) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    if (strncmp(path, folder, strlen(folder))) return 0;
    if (left < 0) left = atol(from);
    if (left > 0) { left--; return 0; }
    errno = ENOSPC;
    return 1;
}
#define NEXT(name) dlsym(RTLD_NEXT, name)
ssize_t write(int fd, const void *b, size_t n) {
    ssize_t (*next)(int, const void *, size_t) = NEXT("write");
    return fails(fd) ? -1 : next(fd, b, n);
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) {
    ssize_t (*next)(int, const void *, size_t, off_t) = NEXT("pwrite");
    return fails(fd) ? -1 : next(fd, b, n, o);
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) {
    ssize_t (*next)(int, const void *, size_t, off64_t) = NEXT("pwrite64");
    return fails(fd) ? -1 : next(fd, b, n, o);
}
int ftruncate64(int fd, off64_t n) {
    int (*next)(int, off64_t) = NEXT("ftruncate64");
    return n && fails(fd) ? -1 : next(fd, n);
}
int fsync(int fd) { int (*next)(int) = NEXT("fsync"); return fails(fd) ? -1 : next(fd); }
int fdatasync(int fd) { int (*next)(int) = NEXT("fdatasync"); return fails(fd) ? -1 : next(fd); }
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """A library that lets every write into a folder fail from a given one on."""
    compiler = shutil.which("cc") or cannot("there is no C compiler")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "full.c").write_text(SHIM)
    library = folder / "full.so"
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, folder / "full.c", "-ldl"],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        cannot(f"the compiler refuses: {done.stderr[-200:]!r}")
    return library


def leftovers(folder: Path) -> set[str]:
    """Return the files of a folder that no whole race leaves."""
    known = {"showers.npz", "s.toml", "r.db", "r.db-wal", "r.db-shm", "r.png"}
    return {one.name for one in folder.rglob("*") if one.is_file()} - known


@pytest.mark.slow
def test_a_disk_that_is_full_from_any_write_on_costs_nothing(tmp_path, shim):
    part = campaign("full disks", 0, 300, slow=True)
    whole = write_race(tmp_path / "whole")
    assert finish(whole) == (0, "")
    expected, refused = content(whole), 0
    for number, dice in enumerate(part.dice()):
        folder = write_race(tmp_path / f"race{number}")
        write = number if part.inputs >= 300 else dice.randrange(300)
        environment = {"LD_PRELOAD": str(shim), "FULL_FROM": str(write), "FULL_FOLDER": str(folder)}
        code, said = finish(folder, env=os.environ | environment)
        if code:
            refused += 1
            assert code == 2, (write, said)
            assert is_one_sentence(said), (write, said)
        assert not leftovers(folder), write
        code, said = finish(folder)
        assert code == 0, (write, said)
        assert content(folder) == expected
        shutil.rmtree(folder)
    print(f"{part.name}: {refused} of {part.inputs} ended in one sentence, the others had done")


@pytest.mark.slow
def test_a_file_system_that_is_full(tmp_path):
    whole = write_race(tmp_path / "whole")
    assert finish(whole) == (0, "")
    expected, sentences, done, small = content(whole), set(), 0, 0
    for size in (280, 300, 320, 360, 400, 450, 500, 600):
        folder = tmp_path / f"disk{size}"
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            cannot("a file system cannot be mounted")
        try:
            try:
                write_race(folder)
            except OSError:
                small += 1
                continue
            code, said = finish(folder)
            if code:
                assert is_one_sentence(said), (size, said)
                sentences.add(said)
            done += code == 0
            subprocess.run(["mount", "-o", "remount,size=8m", str(folder)], check=True)
            assert finish(folder)[0] == 0
            assert content(folder) == expected
        finally:
            subprocess.run(["umount", str(folder)], check=True)
    print(f"{small} too small for the data, {done} had room, the others ended in {sentences}")
    assert sentences
    assert small + done < 8
