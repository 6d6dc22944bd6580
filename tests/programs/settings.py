"""The axes of the matrix: settings of the library, users and memlock limits. A new column or row is one line here."""

from __future__ import annotations

import os
import pwd
import resource
from dataclasses import dataclass, field
from typing import Mapping, Optional

CAP_IPC_LOCK = 14
CAP_SYS_RESOURCE = 24


@dataclass(frozen=True)
class Setting:
    """One way to set the library up, and what the outside must see then."""

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    locks: str = "all"  # "all": everything resident; "some": what the policy selects; "none": nothing
    reports: bool = True  # every process leaves a report
    preload: bool = True  # False: the bare run

    @property
    def mode(self) -> str:
        return self.environment.get("AUTOLOCK_MODE", "all")

    @property
    def fills(self) -> bool:
        """Whether it locks, of what comes later too, as much as it may: large blocks always qualify."""
        kinds = self.environment.get("AUTOLOCK_KINDS", "heap,anon")
        flags = self.environment.get("AUTOLOCK_FLAGS", "current,future")
        return self.locks != "none" and {"heap", "anon"} <= set(kinds.split(",")) and "future" in flags

    @property
    def fills_with_all(self) -> bool:
        """Whether every page of a program qualifies."""
        return self.fills and (self.locks == "all" or self.environment.get("AUTOLOCK_KINDS") == _ALL_KINDS) and (
            self.environment.get("AUTOLOCK_MIN_SIZE", "0") == "0")


def _setting(name: str, locks: str = "all", reports: bool = True, **options: str) -> Setting:
    return Setting(name, {"AUTOLOCK_" + key.upper(): value for key, value in options.items()}, locks, reports)


BARE = Setting("bare", locks="none", reports=False, preload=False)

_KINDS = ("heap", "anon", "file", "shared", "stack", "image")
_ALL_KINDS = ",".join(_KINDS)


def _policies() -> tuple:
    """Mode alloc: each kind by itself and all of them, by size, brought in at once and on fault."""
    found = []
    for kinds in (*_KINDS, _ALL_KINDS):
        for size in ("0", "4K", "1M"):
            for flags in ("current,future", "current,future,onfault"):
                name = "alloc-" + ("every" if kinds == _ALL_KINDS else kinds)
                name += "" if size == "0" else f"-{size}"
                name += "-onfault" if "onfault" in flags else ""
                found.append(_setting(name, locks="some", mode="alloc", kinds=kinds, min_size=size, flags=flags))
    return tuple(found)


SETTINGS = {
    setting.name: setting
    for setting in (
        BARE,  # compares two runs without the library: proves that a case is deterministic
        _setting("all", mode="all"),
        _setting("observe", locks="none", mode="observe"),
        _setting("off", locks="none", reports=False, mode="off"),
        _setting("all-onfault", mode="all", flags="current,future,onfault"),
        _setting("all-current", locks="some", mode="all", flags="current"),
        _setting("all-relock", mode="all", fork="relock"),
        _setting("all-nofork", mode="all", fork="none"),
        _setting("all-reserve", mode="all", heap_reserve="8M", stack_reserve="256K", arenas="2"),
        _setting("all-budget", locks="some", mode="all", budget="16M"),
        _setting("alloc", locks="some", mode="alloc"),
        *_policies(),
        _setting("alloc-large", locks="some", mode="alloc", min_size="64K"),
        _setting("alloc-budget", locks="some", mode="alloc", kinds=_ALL_KINDS, budget="1M"),
    )
}
DEFAULT_SETTINGS = ("all", "observe", "off", "alloc", "alloc-every-onfault")
POLICY_SETTINGS = tuple(setting.name for setting in _policies())


@dataclass(frozen=True)
class User:
    """Whom a program runs as."""

    name: str
    uid: int
    gid: int
    groups: tuple = ()
    drop_ipc_lock: bool = False

    @property
    def is_self(self) -> bool:
        return self.uid == os.geteuid() and not self.drop_ipc_lock


def current_user() -> User:
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run as a user without a name
        name = str(uid)
    return User(name, uid, os.getegid(), tuple(os.getgroups()))


def find_user(name: str) -> Optional[User]:
    """The user of that name; None if this machine has none. "root-nocap" is root as containers have it."""
    if name in ("self", current_user().name):
        return current_user()
    if name == "root-nocap":
        return User(name, 0, 0, (), drop_ipc_lock=True)
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return User(name, entry.pw_uid, entry.pw_gid, (entry.pw_gid,))


def has_capability(number: int) -> bool:
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> number & 1)
    return False


@dataclass(frozen=True)
class Limit:
    """RLIMIT_MEMLOCK of a program, soft and hard; None leaves what is inherited."""

    name: str
    limit_bytes: Optional[int]

    def effective(self) -> int:
        return resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] if self.limit_bytes is None else self.limit_bytes

    def can_be_set(self) -> bool:
        if self.limit_bytes is None or has_capability(CAP_SYS_RESOURCE):
            return True
        hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
        if hard == resource.RLIM_INFINITY:
            return True
        return self.limit_bytes != resource.RLIM_INFINITY and self.limit_bytes <= hard


def parse_limit(text: str) -> Limit:
    """"default", "unlimited", or bytes with an optional K, M or G. ValueError otherwise."""
    if text == "default":
        return Limit(text, None)
    if text == "unlimited":
        return Limit(text, resource.RLIM_INFINITY)
    factor = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:].upper(), 1)
    digits = text if factor == 1 else text[:-1]
    return Limit(text, int(digits) * factor)


def binding_limit(user: User, limit: Limit) -> Optional[int]:
    """The bytes that this user can't pass, whatever the library does; None: there is no such limit."""
    if user.uid == 0 and has_capability(CAP_SYS_RESOURCE):  # may raise the hard limit
        return None
    if may_lock_everything(user, limit):
        return None
    return resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] if limit.limit_bytes is None else limit.limit_bytes


def may_lock_everything(user: User, limit: Limit) -> bool:
    """Whether no memlock limit stands between this user and a full lock."""
    if limit.effective() == resource.RLIM_INFINITY:
        return True
    return user.uid == 0 and not user.drop_ipc_lock and has_capability(CAP_IPC_LOCK)
