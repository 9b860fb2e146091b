"""What the figures were measured on, since they mean nothing without it."""

import os
import platform
from pathlib import Path


def describe() -> dict:
    """The machine's processor, cores, memory, kernel and system, and how busy it was before the run."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memoryGiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "system": system(),
        "loadBefore": round(os.getloadavg()[0], 2),
    }


def sentence(machine: dict) -> str:
    """The machine in one line."""
    return (f"{machine['processor']}, {machine['cores']} cores, {machine['memoryGiB']} GiB, "
            f"Linux {machine['kernel']}, {machine['system']}; load before the run {machine['loadBefore']}")


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def system() -> str:
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "unknown system"
