"""The axes: how the library is set, and who runs the tests."""

from __future__ import annotations

import os
import pwd
import shutil
from dataclasses import dataclass, field
from typing import Mapping, Optional

MEMLOCK = 8 << 20  # what an ordinary user usually has
CAP_IPC_LOCK = 14


@dataclass(frozen=True)
class Mode:
    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    loaded: bool = True
    reports: bool = True  # every process leaves one
    locks: bool = True

    @property
    def reported(self) -> str:
        """What a report calls it."""
        return self.environment["AUTOLOCK_MODE"]


def _mode(name: str, mode: str, reports: bool = True, locks: bool = True, **options: str) -> Mode:
    options = {"mode": mode, **options}
    return Mode(name, {"AUTOLOCK_" + key.upper(): value for key, value in options.items()}, True, reports, locks)


BARE = Mode("bare", loaded=False, reports=False, locks=False)

# By default mode alloc takes blocks and mappings of every size; alloc-every takes every kind of memory too.
MODES = {mode.name: mode for mode in (
    _mode("off", "off", reports=False, locks=False),
    _mode("observe", "observe", locks=False),
    _mode("all", "all"),
    _mode("all-onfault", "all", flags="current,future,onfault"),
    _mode("alloc", "alloc", min_size="0"),
    _mode("alloc-every", "alloc", kinds="heap,anon,file,shared,stack,image"),
)}


@dataclass(frozen=True)
class User:
    name: str
    account: str
    # None: the limit of here. Root is exempt from it, by CAP_IPC_LOCK.
    memlock: Optional[int] = None
    exempt: bool = False

    @property
    def ids(self) -> tuple:
        entry = pwd.getpwnam(self.account)
        return entry.pw_uid, entry.pw_gid

    def command(self) -> list:
        """What is put before a command to run it as this user."""
        limit = [] if self.memlock is None else ["prlimit", f"--memlock={self.memlock}:{self.memlock}"]
        if self.ids[0] == os.geteuid():
            return limit
        uid, gid = self.ids
        kept = ["--inh-caps=+ipc_lock", "--ambient-caps=+ipc_lock"] if self.exempt else []
        return [*limit, "setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *kept]

    def why_not(self) -> Optional[str]:
        try:
            words = self.command()
        except KeyError:
            return f"no user {self.account} here"
        if "setpriv" in words and os.geteuid() != 0:
            return "only root can become another user"
        lacking = [word for word in ("prlimit", "setpriv") if word in words and not shutil.which(word)]
        return f"no {lacking[0]} here" if lacking else None


USERS = {user.name: user for user in (
    User("root", "root", exempt=True),
    User("nobody", "nobody", memlock=MEMLOCK),
)}


def not_root(user: User) -> User:
    """For programs that refuse to run as root: as free to lock as root is, but somebody else."""
    return User(user.name, "daemon", exempt=True) if user.account == "root" else user
