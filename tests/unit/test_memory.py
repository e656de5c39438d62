"""Memory that is freed stays with the process, where the C library can be told so and the user has not."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource
import sys
import torch
from multitag.memory import keep_freed

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        held = [torch.zeros(int(sys.argv[1]) << 18) for _ in range(8)]
        del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

first = faults()
told = keep_freed()
faults()
print(told, first, faults())
"""


def run(megabytes: int = 24, **variables: str) -> tuple[bool, int, int]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(megabytes)], capture_output=True, text=True, check=True, env=env | variables
    )
    told, first, later = done.stdout.split()
    return told == "True", int(first), int(later)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep what is freed")
@pytest.mark.parametrize("megabytes", [24, 48])  # glibc maps each piece of more than 32 MB on its own
def test_what_is_freed_is_not_asked_of_the_system_again(megabytes: int) -> None:
    told, first, later = run(megabytes)
    assert told
    assert first > 20_000  # of 20 * 8 * 24 MB in pages of 4 kB; glibc keeps some by itself
    assert later < first / 20


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_MAX_"])
def test_what_the_user_has_set_stays(name: str) -> None:
    told, _, _ = run(**{name: "65536"})
    assert not told
