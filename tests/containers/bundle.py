"""The surroundings of a container, and its configuration in the OCI runtime's words."""

from __future__ import annotations

from dataclasses import dataclass

import seccomp

# Those that Docker gives.
CAPABILITIES = tuple("CAP_" + name for name in (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID "
    "SYS_CHROOT").split())
UNLIMITED = (1 << 64) - 1
LIBRARY = "/opt/autolock/libautolock.so"


@dataclass(frozen=True)
class Surroundings:
    user: int = 0
    capability: str = "none"  # CAP_IPC_LOCK: none, given (as Docker's --cap-add does), ambient
    memlock: int = 8 << 20
    docker_seccomp: bool = False
    read_only: bool = False
    memory: int = 0  # the cgroup's limit, 0: none

    @property
    def exempt(self) -> bool:
        """No memlock limit holds: a capability that is given reaches only root's effective set."""
        return (self.memlock == UNLIMITED or self.capability == "ambient"
                or (self.capability == "given" and self.user == 0))


def _capabilities(here: Surroundings) -> dict:
    given = [*CAPABILITIES, *(["CAP_IPC_LOCK"] if here.capability != "none" else [])]
    ambient = ["CAP_IPC_LOCK"] if here.capability == "ambient" else []
    effective = given if here.user == 0 else ambient
    return {"bounding": given, "permitted": effective if here.user else given, "effective": effective,
            "inheritable": ambient, "ambient": ambient}


def _mount(target: str, kind: str, *options: str, source: str = "") -> dict:
    return {"destination": target, "type": kind, "source": source or kind, "options": list(options)}


def _bind(source: str, target: str, *options: str) -> dict:
    return _mount(target, "bind", "rbind", *options, source=source)


def configuration(here: Surroundings, root: str, command: list, environment: dict, binds: list, name: str) -> dict:
    """`binds`: (source, target, "ro" or "rw")."""
    linux = {
        "cgroupsPath": "/" + name,
        "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    }
    if here.memory:
        linux["resources"]["memory"] = {"limit": here.memory}
    if here.docker_seccomp:
        linux["seccomp"] = seccomp.docker_default()
    return {
        "ociVersion": "1.0.2",
        "hostname": "container",
        "root": {"path": root, "readonly": here.read_only},
        "process": {
            "terminal": False,
            "user": {"uid": here.user, "gid": here.user},
            "args": command,
            "env": ["PATH=/bin", *(f"{key}={value}" for key, value in environment.items())],
            "cwd": "/",
            "capabilities": _capabilities(here),
            "rlimits": [{"type": "RLIMIT_MEMLOCK", "soft": here.memlock, "hard": here.memlock}],
            "noNewPrivileges": False,
        },
        "mounts": [
            _mount("/proc", "proc"),
            _mount("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
            _mount("/sys", "sysfs", "nosuid", "noexec", "nodev", "ro"),
            _mount("/sys/fs/cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"),
            _mount("/tmp", "tmpfs", "nosuid", "nodev", "mode=1777", "size=65536k"),
            *(_bind(source, target, mode) for source, target, mode in binds),
        ],
        "linux": linux,
    }
