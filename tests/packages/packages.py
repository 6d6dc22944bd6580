"""The packages: what is in them, and that they work: packages.py SOURCE BUILD NAME"""

import hashlib
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile

SKIP = 77
PATIENCE_S = 600

source, build = (pathlib.Path(word) for word in sys.argv[1:3])
made = build / "packages"


class Skip(Exception):
    """The reason why it cannot be told here."""


def run(*command, env=None, cwd=None, statuses=(0,)) -> subprocess.CompletedProcess:
    done = subprocess.run([str(word) for word in command], env={**os.environ, **(env or {})}, cwd=cwd,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode in statuses, f"{command}: status {done.returncode}\n  out: {done.stdout}\n  err: {done.stderr}"
    return done


def need(*programs: str) -> None:
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def make(where: pathlib.Path, *sorts: str, sources: pathlib.Path = source) -> list:
    return [pathlib.Path(line) for line in
            run("sh", sources / "cmake/packaging/make.sh", *sorts, env={"BUILD": str(where)}).stdout.splitlines()]


def packages(sort: str, tool: str) -> list:
    """Those that the first of these tests has made."""
    need(tool)
    found = sorted((made / sort / "packages").glob(f"*.{'tar.gz' if sort == 'tgz' else sort}"))
    assert found, f"no packages in {made / sort}"
    return found


def make_all() -> None:
    shutil.rmtree(made, ignore_errors=True)
    found = make(made)
    assert any(path.name.endswith(".tar.gz") for path in found), found


def test_a_tree_that_runs_anywhere() -> None:
    (archive,) = packages("tgz", "tar")
    with tempfile.TemporaryDirectory(prefix="autolock packages ") as place:
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            assert all(not os.path.isabs(member.name) and ".." not in member.name for member in members)
            tar.extractall(place)
        # The loader takes a blank for the end of a path: the tree is moved to one without.
        with tempfile.TemporaryDirectory(prefix="autolock-packages-") as other:
            tree = pathlib.Path(other) / "moved"
            shutil.move(next(pathlib.Path(place).iterdir()), tree)
            done = run(tree / "bin/autolock", "run", "--require", "--on-failure", "ignore", "--", "sort", source / "README.md")
            assert done.stdout == run("sort", source / "README.md").stdout
            assert re.search(r"^libautolock .*: sort\[\d+\], exit$", done.stderr, re.M), done.stderr


def test_debian_contents() -> None:
    names = {}
    for package in packages("deb", "dpkg-deb"):
        with tempfile.TemporaryDirectory() as place:
            run("dpkg-deb", "-x", package, place)
            run("dpkg-deb", "-e", package, pathlib.Path(place) / "DEBIAN")
            root = pathlib.Path(place)
            fields = dict(line.split(": ", 1) for line in (root / "DEBIAN/control").read_text().splitlines()
                          if re.match(r"\S+: ", line))
            files = {str(path.relative_to(root)): path for path in root.rglob("*")
                     if not path.is_dir() and "DEBIAN" not in path.parts}
            names[fields["Package"]] = (fields, set(files))
            for path in root.rglob("*"):
                mode = path.lstat().st_mode
                assert not mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID), (package, path, oct(mode))
    multiarch = run("dpkg-architecture", "-qDEB_HOST_MULTIARCH").stdout.strip() if shutil.which("dpkg-architecture") else "*"
    assert set(names) == {"libautolock", "libautolock-dev", "autolock"}, names.keys()
    library = [name for name in names["libautolock"][1] if name.endswith("libautolock.so")]
    assert len(library) == 1 and re.fullmatch(rf"usr/lib/{multiarch.replace('*', '[^/]+')}/libautolock.so", library[0]), library
    assert names["libautolock"][0]["Multi-Arch"] == "same"
    # In a container nothing but libc is needed.
    assert re.fullmatch(r"libc6 \(>= 2\.\d+\)", names["libautolock"][0]["Depends"]), names["libautolock"][0]
    assert "usr/bin/autolock" in names["autolock"][1]
    assert "usr/include/autolock/autolock.h" in names["libautolock-dev"][1]
    for fields, _ in names.values():
        if fields["Package"] != "libautolock":
            assert f"libautolock (= {fields['Version']})" in fields["Depends"], fields


def test_lintian_has_nothing_to_say() -> None:
    found = packages("deb", "dpkg-deb")
    need("lintian")
    done = run("lintian", "--fail-on", "error,warning,info", "--tag-display-limit", "0",
               *(["--allow-root"] if os.geteuid() == 0 else []), *found, statuses=(0, 1, 2))
    said = [line for line in done.stdout.splitlines() if line[:2] in ("E:", "W:", "I:")]
    assert done.returncode == 0 and not said, done.stdout + done.stderr


def test_rpm_contents() -> None:
    names = {}
    for package in packages("rpm", "rpm"):
        name = run("rpm", "-qp", "--queryformat", "%{NAME}", package).stdout
        names[name] = run("rpm", "-qpl", package).stdout.split()
        run("rpm", "-K", "--nosignature", package)
    assert set(names) == {"libautolock", "libautolock-devel", "autolock"}, names.keys()
    assert "/usr/lib64/libautolock.so" in names["libautolock"]
    assert "/usr/bin/autolock" in names["autolock"]
    assert "/usr/include/autolock/autolock.h" in names["libautolock-devel"]


def test_rpmlint_finds_no_error() -> None:
    found = packages("rpm", "rpm")
    need("rpmlint")
    done = run("rpmlint", "-c", source / "cmake/packaging/rpmlint.toml", *found, statuses=(0, 64))
    assert re.search(r"\b0 errors\b", done.stdout), done.stdout + done.stderr


def _sums(files: list) -> dict:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_bytes_from_two_folders() -> None:
    """For the target `packages`: it builds all of them twice."""
    need("git")
    with tempfile.TemporaryDirectory(prefix="autolock-packages-") as place:
        sums = []
        for name in ("one", "another-of-another-length"):
            tree = pathlib.Path(place) / name / "sources"
            run("git", "clone", "-q", "--no-hardlinks", source, tree)
            sums.append(_sums(make(pathlib.Path(place) / name / "built", sources=tree)))
        assert sums[0] and sums[0] == sums[1], sums
        print("\n".join(f"{digest}  {name}" for name, digest in sorted(sums[0].items())))


def test_the_source_package_of_a_distribution() -> None:
    """For the target `packages`: cmake/debian as debian/, built as Debian builds."""
    need("dpkg-buildpackage", "dh")
    with tempfile.TemporaryDirectory(prefix="autolock-packages-") as place:
        tree = pathlib.Path(place) / "autolock-0.1.0"
        run("git", "clone", "-q", "--no-hardlinks", source, tree)
        shutil.copytree(tree / "cmake/debian", tree / "debian")
        run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=tree)
        found = sorted(path.name for path in pathlib.Path(place).glob("*.deb") if "dbgsym" not in path.name)
        assert {name.split("_")[0] for name in found} == {"autolock", "libautolock", "libautolock-dev"}, found
        print("\n".join(found))


def main() -> int:
    try:
        globals()[sys.argv[3]]()
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIP
    return 0


if __name__ == "__main__":
    sys.exit(main())
