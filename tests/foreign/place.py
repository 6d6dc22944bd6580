"""What the suites are made of: the distribution's packages and sources, unpacked beside the build.

Nothing is installed, so the machine stays as it is; what is installed already is used where it is.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess

from cell import Skip

SUITES_OF_DEBIAN = """\
deb-src http://deb.debian.org/debian {release} main
deb-src http://deb.debian.org/debian-security {release}-security main
"""


class Place:
    def __init__(self, directory: str, fetches: bool = True):
        self.directory, self.fetches = directory, fetches
        self.root = self.path("root")
        self.sources = self.path("sources")
        for path in (self.root, self.sources, self.path("archives", "partial"), self.path("lists", "partial")):
            os.makedirs(path, exist_ok=True)

    def path(self, *names: str) -> str:
        return os.path.join(self.directory, *names)

    def program(self, name: str, package: str) -> str:
        """The installed program, or else the unpacked one."""
        places = [os.path.join(self.root, folder) for folder in ("usr/bin", "usr/sbin", "usr/games")]
        found = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin") or shutil.which(name, path=":".join(places))
        if not found:
            self.packages(package)
            found = shutil.which(name, path=":".join(places))
        return found or self.skip(f"{name} is not in the package {package}")

    def library_path(self) -> str:
        """Where the unpacked programs find libraries that are not installed."""
        return ":".join(sorted(glob.glob(os.path.join(self.root, "usr/lib/*-linux-gnu*"))))

    @staticmethod
    def skip(reason: str) -> str:
        raise Skip(reason)

    def packages(self, *names: str) -> None:
        """These packages and what they need and is not installed."""
        wanted = [name for name in names if not os.path.exists(self.path("archives", f"{name}.done"))]
        if not wanted:
            return
        self._apt()
        before = set(os.listdir(self.path("archives")))
        for name in wanted:
            # What is installed already is unpacked as well, so that all of a suite is of one version.
            again = ["--reinstall"] if self._installed(name) else []
            self._run("apt-get", "-qq", "-y", "--no-install-recommends", "--download-only", *again,
                      "-o", f"Dir::Cache::archives={self.path('archives')}", *self._options(), "install", name)
        for name in sorted(set(os.listdir(self.path("archives"))) - before):
            if name.endswith(".deb"):
                self._run("dpkg-deb", "-x", self.path("archives", name), self.root)
        for name in wanted:
            with open(self.path("archives", f"{name}.done"), "w", encoding="ascii"):
                pass

    def exact(self, version: str, *names: str) -> None:
        """These packages alone, in this version."""
        self._apt()
        for name in names:
            done = self.path("archives", f"{name}={version}.done")
            if os.path.exists(done):
                continue
            folder = self.path("exact", name)
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            self._run("apt-get", "-qq", *self._options(), "download", f"{name}={version}", cwd=folder)
            for file in os.listdir(folder):
                self._run("dpkg-deb", "-x", os.path.join(folder, file), self.root)
            with open(done, "w", encoding="ascii"):
                pass

    def source_version(self, package: str) -> str:
        """The version of the package whose sources are there."""
        with open(os.path.join(self.sources, package + ".version"), encoding="ascii") as file:
            return file.read()

    def source(self, package: str) -> str:
        """The upstream sources of a package, of the newest version that the mirrors really have."""
        target = os.path.join(self.sources, package)
        if os.path.isdir(target):
            return target
        self._apt()
        listed = self.path("sources.list")
        with open(listed, "w", encoding="ascii") as file:
            file.write(SUITES_OF_DEBIAN.format(release=self._release()))
        options = [*self._options(), "-o", f"Dir::Etc::sourcelist={listed}", "-o", "Dir::Etc::sourceparts=/dev/null",
                   "-o", f"Dir::State::lists={self.path('lists')}"]
        self._run("apt-get", "-qq", *options, "update")
        shown = self._run("apt-cache", *options, "showsrc", package)
        versions = list(dict.fromkeys(line.split()[1] for line in shown.splitlines() if line.startswith("Version:")))
        folder = self.path("fetched", package)
        for version in sorted(versions, reverse=True):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            try:
                self._run("apt-get", "-qq", *options, "--download-only", "source", f"{package}={version}", cwd=folder)
            except Skip:
                continue
            tars = [name for name in os.listdir(folder) if ".orig.tar" in name and not name.endswith(".asc")]
            os.makedirs(target + ".part", exist_ok=True)
            self._run("tar", "-xf", os.path.join(folder, tars[0]), "-C", target + ".part", "--strip-components=1",
                      "--no-same-owner")
            with open(target + ".version", "w", encoding="ascii") as file:
                file.write(version)
            os.rename(target + ".part", target)
            return target
        raise Skip(f"the sources of {package} could not be had (of {', '.join(versions) or 'no version'})")

    def _apt(self) -> None:
        if not self.fetches:
            raise Skip("not installed")
        if not shutil.which("apt-get"):
            raise Skip("no apt-get here; it is fetched from Debian's packages only")

    @staticmethod
    def _options() -> list:
        # Nothing is installed, so nobody has to be kept out.
        return ["-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3"]

    @staticmethod
    def _release() -> str:
        with open("/etc/os-release", encoding="utf-8") as file:
            words = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
        return words.get("VERSION_CODENAME", "stable").strip('"')

    @staticmethod
    def _installed(name: str) -> bool:
        done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", name], capture_output=True, text=True,
                              check=False)
        return done.stdout == "installed"

    def _run(self, *argv: str, cwd: str = None) -> str:
        done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Skip(f"{' '.join(argv[:1])} … {argv[-1]}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def build(self, name: str, *argv: str) -> str:
        """A program or library that is compiled here, once."""
        target = self.path(name)
        if not os.path.exists(target):
            self._run(*argv, "-o", target)
        return target
