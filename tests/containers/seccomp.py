"""
What Docker's default seccomp profile (that of Docker 20.10 to 24) comes to for a container with Docker's own
capabilities, in the OCI runtime's words.

The profile names what is allowed; here are the calls that it leaves out, which are far fewer. What the headers of this
machine do not name, or what came after the profile, is refused as it is there.
"""

from __future__ import annotations

import pathlib
import platform
import re

EPERM, ENOSYS = 1, 38
AF_VSOCK = 40
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.
NEW_NAMESPACES = 0x7E020000
# PER_LINUX, PER_LINUX32, both with UNAME26, and the question which one it is.
PERSONALITIES = (0, 8, 0x20000, 0x20008, 0xFFFFFFFF)

# The last call of the kernels that the profile was made for.
LAST_KNOWN = 450

REFUSED = frozenset("""
    _sysctl acct add_key afs_syscall bpf clock_settime create_module delete_module fanotify_init finit_module fsconfig
    fsmount fsopen fspick get_kernel_syms get_mempolicy getpmsg init_module ioperm iopl kcmp kexec_file_load kexec_load
    keyctl lookup_dcookie mbind migrate_pages mount mount_setattr move_mount move_pages nfsservctl open_by_handle_at
    open_tree perf_event_open pidfd_getfd pivot_root process_madvise putpmsg query_module quotactl quotactl_fd reboot
    request_key security set_mempolicy set_mempolicy_home_node setdomainname sethostname setns settimeofday swapoff
    swapon sysfs syslog tuxcall umount umount2 unshare uselib userfaultfd ustat vhangup vserver
""".split())
WITH_ARGUMENTS = frozenset(("clone", "clone3", "personality", "socket"))

ARCHITECTURES = {"x86_64": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
                 "aarch64": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]}


def _headers() -> str:
    for name in ("x86_64-linux-gnu/asm/unistd_64.h", "asm/unistd_64.h", "asm-generic/unistd.h"):
        path = pathlib.Path("/usr/include") / name
        if path.exists() and (platform.machine() == "x86_64" or "generic" in name):
            return path.read_text()
    return ""


def _known() -> set:
    """The system calls of this machine's headers."""
    return {name for name, number in re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", _headers(), re.MULTILINE)
            if int(number) <= LAST_KNOWN}


def _allow(names, *arguments: dict) -> dict:
    return {"names": sorted(names), "action": "SCMP_ACT_ALLOW", **({"args": list(arguments)} if arguments else {})}


def why_not() -> str:
    if platform.machine() not in ARCHITECTURES:
        return f"no names of architectures for {platform.machine()}"
    return "" if _known() else "no headers that name the system calls"


def docker_default() -> dict:
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": EPERM,
        "architectures": ARCHITECTURES[platform.machine()],
        "syscalls": [
            _allow(_known() - REFUSED - WITH_ARGUMENTS),
            _allow(["socket"], {"index": 0, "value": AF_VSOCK, "op": "SCMP_CMP_NE"}),
            *(_allow(["personality"], {"index": 0, "value": value, "op": "SCMP_CMP_EQ"}) for value in PERSONALITIES),
            _allow(["clone"], {"index": 0, "value": NEW_NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}),
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS},
        ],
    }
