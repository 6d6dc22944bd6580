"""autolock check of machines that are not this one: their files of /proc and /sys, as they were there."""

import contextlib
import json
import os
import pathlib
from typing import Iterator, Mapping

from checking import STATUSES, subjects, words
from command import autolock
from harness import directory

GIB = 1 << 30
FIRST_NAMESPACE = "user:[4026531837]"
ALL_CAPABILITIES = "000001ffffffffff"
NO_CAPABILITIES = "0000000000000000"
# As Docker gives them: without CAP_IPC_LOCK and CAP_SYS_RESOURCE.
CAPABILITIES_OF_DOCKER = "00000000a80425fb"


def status(user: int = 1000, effective: str = NO_CAPABILITIES, bounding: str = ALL_CAPABILITIES,
           seccomp: int = 0) -> str:
    users = "\t".join([str(user)] * 4)
    return (f"Name:\tcat\nUmask:\t0022\nPPid:\t1\nUid:\t{users}\nGid:\t{users}\n"
            f"VmPeak:\t    5556 kB\nCapInh:\t{NO_CAPABILITIES}\nCapPrm:\t{effective}\nCapEff:\t{effective}\n"
            f"CapBnd:\t{bounding}\nCapAmb:\t{NO_CAPABILITIES}\nNoNewPrivs:\t0\nSeccomp:\t{seccomp}\n")


def limits(soft: str, hard: str) -> str:
    return ("Limit                     Soft Limit           Hard Limit           Units     \n"
            "Max processes             95000                95000                processes \n"
            f"Max locked memory         {soft:20} {hard:20} bytes     \n"
            "Max address space         unlimited            unlimited            bytes     \n")


def meminfo(total: int = 16 * GIB, available: int = 8 * GIB, swap: int = 0, swap_free: int = 0,
            commit_limit: int = 8 * GIB, committed: int = GIB) -> str:
    rows = {"MemTotal": total, "MemFree": available // 2, "MemAvailable": available, "SwapTotal": swap,
            "SwapFree": swap_free, "CommitLimit": commit_limit, "Committed_AS": committed}
    return "".join(f"{name + ':':16}{value // 1024:8} kB\n" for name, value in rows.items())


# A desktop without swap, on which nothing is worth a word but the limit.
PLAIN: Mapping[str, str] = {
    "proc/self/status": status(),
    "proc/self/limits": limits("8388608", "8388608"),
    "proc/self/ns/user": FIRST_NAMESPACE,
    "proc/self/cgroup": "0::/user.slice/user-1000.slice/session-3.scope\n",
    "proc/meminfo": meminfo(),
    "proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
    "proc/sys/kernel/numa_balancing": "0\n",
    "proc/sys/vm/compact_unevictable_allowed": "0\n",
    "proc/sys/vm/overcommit_memory": "0\n",
    "proc/sys/vm/max_map_count": "65530\n",
    "sys/devices/system/node/online": "0\n",
    "sys/kernel/mm/ksm/run": "0\n",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
    "sys/kernel/mm/transparent_hugepage/defrag": "always defer defer+madvise [madvise] never\n",
    "sys/kernel/mm/transparent_hugepage/shmem_enabled": "always within_size advise [never] deny force\n",
    "sys/module/zswap/parameters/enabled": "N\n",
}
ROOT = {"proc/self/status": status(user=0, effective=ALL_CAPABILITIES)}


@contextlib.contextmanager
def tree(files: Mapping[str, str]) -> Iterator[pathlib.Path]:
    with directory() as folder:
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if "/ns/" in name:
                os.symlink(text, file)
            else:
                file.write_text(text)
        yield folder


def of(files: Mapping[str, str], without: tuple = (), settings: Mapping[str, str] | None = None) -> dict:
    """The answer of that machine: PLAIN but for `files` and what is `without`."""
    whole = {name: text for name, text in {**PLAIN, **files}.items() if not name.startswith(without)}
    with tree(whole if without else {**PLAIN, **files}) as folder:
        env = {f"AUTOLOCK_{name}": value for name, value in (settings or {}).items()}
        done = autolock("check", "--format", "json", "--root", str(folder), env=env)
        answer = json.loads(done.out)
        assert done.status == STATUSES[answer["verdict"]] and not done.err, done
        return answer


def test_nothing_but_the_limit() -> None:
    answer = of({})
    assert answer["verdict"] == "some" and subjects(answer, "part") == {"limit"}, answer
    assert subjects(answer, "note") == {"capability"} and "--ambient-caps=+ipc_lock" in words(answer, "capability")
    assert answer["here"]["place"] == "shell" and answer["here"]["memory_bytes"] == 16 * GIB, answer
    assert ":1000 - memlock unlimited" in words(answer, "limit"), answer


def test_root() -> None:
    answer = of(ROOT)
    assert answer["verdict"] == "all" and subjects(answer, "ok", "note", "part", "none") == {"limit"}, answer
    assert answer["here"]["memlock_holds_bytes"] == -1 and not answer["limit_fixes"], answer


def test_limits() -> None:
    for soft, hard, verdict, holds in (("0", "0", "none", 0), ("65536", "1048576", "some", 1048576),
                                       ("65536", "unlimited", "all", -1), ("unlimited", "unlimited", "all", -1)):
        answer = of({"proc/self/limits": limits(soft, hard)})
        assert answer["verdict"] == verdict and answer["here"]["memlock_holds_bytes"] == holds, (soft, hard, answer)
        assert answer["here"]["memlock_soft_bytes"] == (-1 if soft == "unlimited" else int(soft)), answer


def test_user_namespace() -> None:
    answer = of({**ROOT, "proc/self/ns/user": "user:[4026532177]"})
    assert answer["verdict"] == "some" and "does not count in this user namespace" in words(answer, "limit"), answer
    answer = of({"proc/self/ns/user": "user:[4026532177]"})
    assert "would not count in this user namespace" in words(answer, "capability"), answer


def test_places() -> None:
    docker = status(user=0, effective=CAPABILITIES_OF_DOCKER, bounding=CAPABILITIES_OF_DOCKER, seccomp=2)
    for files, place, fix in (
            ({".dockerenv": "", "proc/self/status": docker}, "docker", "--ulimit memlock=-1:-1 or --cap-add IPC_LOCK"),
            ({"run/.containerenv": "", "proc/self/status": docker}, "podman", "podman run --ulimit memlock=-1:-1"),
            ({"proc/self/cgroup": "0::/kubepods/burstable/pod1/2\n", "proc/self/status": docker}, "kubernetes",
             "capabilities: {add: [IPC_LOCK]}"),
            ({"proc/self/cgroup": "0::/system.slice/gateway.service\n"}, "systemd",
             "LimitMEMLOCK=infinity in [Service] of gateway.service")):
        answer = of(files)
        assert answer["verdict"] == "some" and answer["here"]["place"] == place, answer
        assert fix in words(answer, "limit") and answer["limit_fixes"][place] in words(answer, "limit"), answer
        assert set(answer["limit_fixes"]) == {"shell", "systemd", "docker", "podman", "kubernetes"}, answer
    assert answer["here"]["unit"] == "gateway.service"
    assert "AmbientCapabilities=CAP_IPC_LOCK" in words(answer, "capability"), answer
    answer = of({".dockerenv": "", "proc/self/status": docker})
    assert "cannot be had here" in words(answer, "capability"), answer


def test_cgroups() -> None:
    v2 = {**ROOT, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": "1073741824\n",
          "sys/fs/cgroup/a/memory.current": "900000000\n", "sys/fs/cgroup/a/b/memory.max": "max\n",
          "sys/fs/cgroup/a/b/memory.current": "1000000\n", "sys/fs/cgroup/a/b/cgroup.controllers": "memory\n",
          "sys/fs/cgroup/a/memory.stat": "anon 100000000\nfile 800000000\nactive_file 300000000\n"
                                         "inactive_file 500000000\n"}
    answer = of(v2)
    assert answer["verdict"] == "all" and answer["here"]["cgroup_limit_bytes"] == GIB, answer
    assert answer["here"]["cgroup_used_bytes"] == 100000000 and "921.5 MiB" in words(answer, "cgroup"), answer
    answer = of({**v2, "sys/fs/cgroup/a/memory.stat": "anon 900000000\nactive_file 0\n",
                 "sys/fs/cgroup/a/memory.current": "1073000000\n"})
    assert answer["verdict"] == "some" and subjects(answer, "part") == {"cgroup"}, answer
    answer = of({**v2, "sys/fs/cgroup/a/memory.high": "536870912\n"})
    assert answer["here"]["cgroup_limit_bytes"] == GIB // 2 and answer["here"]["cgroup_used_bytes"] == 100000000, answer
    answer = of(v2, settings={"BUDGET": "unlimited"})
    assert "AUTOLOCK_BUDGET=auto" in words(answer, "cgroup"), answer
    answer = of(v2, settings={"BUDGET": "50%"})
    assert "at most 512.0 MiB" in words(answer, "cgroup"), answer
    v1 = {**ROOT, "proc/self/cgroup": "4:memory:/a\n0::/\n",
          "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1073741824\n",
          "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "600000000\n",
          "sys/fs/cgroup/memory/a/memory.stat": "inactive_file 1\nhierarchical_memory_limit 1073741824\n"
                                                "total_inactive_file 100000000\ntotal_active_file 200000000\n"}
    answer = of(v1)
    assert answer["here"]["cgroup_limit_bytes"] == GIB and answer["here"]["cgroup_used_bytes"] == 300000000, answer
    # More than the machine has is no limit.
    answer = of({**v1, "proc/meminfo": meminfo(total=GIB // 2, available=GIB // 4)})
    assert "cgroup" not in subjects(answer, "note", "part"), answer


def test_swap() -> None:
    swap = {"proc/meminfo": meminfo(swap=2 * GIB, swap_free=GIB)}
    assert "1.0 GiB of 2.0 GiB of swap are used" in words(of(swap), "swap")
    assert "zswap" not in words(of(swap), "swap")
    assert "zswap" in words(of({**swap, "sys/module/zswap/parameters/enabled": "Y\n"}), "swap")
    # Where all is locked it does not matter.
    assert not words(of({**ROOT, **swap}), "swap")
    assert not words(of({"sys/module/zswap/parameters/enabled": "Y\n"}), "swap")


def test_what_makes_locked_memory_wait() -> None:
    folder = "sys/kernel/mm/transparent_hugepage"
    always = {f"{folder}/enabled": "[always] madvise never\n"}
    cases = (("huge pages", always), ("huge pages", {f"{folder}/shmem_enabled": "[always] within_size never\n"}),
             ("compaction", {"proc/sys/vm/compact_unevictable_allowed": "1\n"}),
             ("KSM", {"sys/kernel/mm/ksm/run": "1\n"}),
             ("NUMA", {"proc/sys/kernel/numa_balancing": "1\n", "sys/devices/system/node/online": "0-1\n"}))
    for subject, files in cases:
        answer = of({**ROOT, **files})
        assert answer["verdict"] == "all" and subjects(answer, "note") == {subject}, answer
        assert words(answer, subject).split("; ")[-1], answer
        # Where nothing is locked it does not matter.
        assert subject not in subjects(of({**files, "proc/self/limits": limits("0", "0")}), "note")
    stalls = {**always, f"{folder}/defrag": "[always] defer defer+madvise madvise never\n"}
    assert words(of({**ROOT, **stalls}), "huge pages").count("\n") == 1
    stalls[f"{folder}/enabled"] = "always [madvise] never\n"
    assert not words(of({**ROOT, **stalls}), "huge pages")
    # Balancing between what is one node is none.
    assert not words(of({**ROOT, "proc/sys/kernel/numa_balancing": "1\n"}), "NUMA")
    assert "which of the 3 nodes" in words(of({**ROOT, "proc/sys/kernel/numa_balancing": "2\n",
                                               "sys/devices/system/node/online": "0-1,4\n"}), "NUMA")


def test_what_runs_out() -> None:
    assert subjects(of({**ROOT, "proc/meminfo": meminfo(available=GIB)}), "note") == {"memory"}
    full = {**ROOT, "proc/meminfo": meminfo(committed=8 * GIB - 4096)}
    assert not subjects(of(full), "note")
    full["proc/sys/vm/overcommit_memory"] = "2\n"
    assert subjects(of(full), "note") == {"overcommit"}
    few = {"proc/sys/vm/max_map_count": "1000\n"}
    assert subjects(of({**ROOT, **few}), "note") == set()
    assert subjects(of({**ROOT, **few}, settings={"MODE": "alloc"}), "note") == {"mappings"}
    assert subjects(of(few), "note") == {"capability", "mappings"}


def test_kernels() -> None:
    def lacks(release: str, **settings: str) -> dict:
        return of({**ROOT, "proc/sys/kernel/osrelease": f"{release}\n"}, settings=settings)

    for release, count in (("6.18.44", 0), ("5.18.0", 0), ("5.17.9", 1), ("5.10.0-8-amd64", 2), ("4.4.0", 2),
                           ("4.3.6", 3), ("3.10.0-1160.el7.x86_64", 4), ("2.6.32", 4)):
        answer = lacks(release)
        told = [finding for finding in answer["findings"] if finding["subject"] == "kernel"]
        assert len(told) == count and answer["verdict"] == "all", answer
    assert lacks("4.3.6", FLAGS="current,future,onfault")["verdict"] == "all"
    answer = lacks("4.3.6", FLAGS="current,future,onfault", MODE="alloc")
    assert answer["verdict"] == "none" and "does not know onfault" in words(answer, "kernel"), answer


def test_no_proc() -> None:
    answer = of({}, without=("proc/",))
    assert "mount -t proc proc /proc" in words(answer, "proc"), answer


def test_nonsense_in_the_files() -> None:
    for junk in "", "\n", "\0\0\0", "-1\n", "9" * 4000, "[", ":" * 5000, "\xff\xfe", "Uid:\nCapEff:\nMemTotal:\n":
        for name in PLAIN:
            if "/ns/" not in name:
                of({name: junk})
        of({name: junk for name in PLAIN if "/ns/" not in name})
