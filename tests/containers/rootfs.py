"""The root file system of a container: a few programs of this machine with the libraries that they need."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

PROGRAMS = ("sh", "cat", "sort", "seq", "sleep", "true", "uniq", "head", "tr", "md5sum", "grep")
# With what is needed of a language at run time: such folders are mounted, not copied.
LANGUAGES = {"perl": "perl -e 'print join(qq(\\n), grep { -d } @INC)'",
             "python3": "python3 -c 'import sys, sysconfig; print(sysconfig.get_path(\"stdlib\"))'"}
SERVERS = ("redis-server", "redis-cli")
SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"


def find(name: str) -> str | None:
    """The system's own program: one of a user's folders may be a script that starts another."""
    return shutil.which(name, path=SYSTEM)


def libraries_of(program: str) -> list:
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return re.findall(r"(/\S+) \(0x", listed)


def _copy(source: str, target: pathlib.Path) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755)


class Root:
    """What is in `folder`, and the folders of this machine that are to be mounted besides."""

    def __init__(self, folder: pathlib.Path, own: list):
        self.folder = folder
        self.mounted: list = []
        self.programs: set = set()
        for name in ("proc", "sys", "dev", "tmp", "etc", "bin", "data", "reports", "opt/autolock"):
            (folder / name).mkdir(parents=True)
        (folder / "tmp").chmod(0o1777)
        (folder / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n")
        for name in (*PROGRAMS, *SERVERS):
            self.add(find(name), name)
        for path in own:
            self.add(path, os.path.basename(path))
        for name, folders in LANGUAGES.items():
            if find(name):
                self._add_language(name, folders)
        folder.chmod(0o755)

    def add(self, path: str | None, name: str) -> None:
        if not path:
            return
        _copy(path, self.folder / "bin" / name)
        for library in libraries_of(path):
            _copy(library, self.folder / library[1:])
        self.programs.add(name)

    def _add_language(self, name: str, folders: str) -> None:
        self.add(find(name), name)
        asked = subprocess.run(["sh", "-c", folders], env={"PATH": SYSTEM}, capture_output=True, text=True, check=True)
        for line in asked.stdout.split():
            path = os.path.realpath(line)
            if path not in self.mounted:
                self.mounted.append(path)
                (self.folder / path[1:]).mkdir(parents=True, exist_ok=True)
            if line != path:
                link = self.folder / line[1:]
                link.parent.mkdir(parents=True, exist_ok=True)
                if not link.exists():
                    link.symlink_to(path)
