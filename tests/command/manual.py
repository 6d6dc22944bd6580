"""autolock(1) and libautolock(7), as they are made in the build."""

import os
import pathlib
import re
import shutil
import subprocess

import harness
from calls import names, options_of
from command import path
from harness import Skip

MAN = pathlib.Path(path()).resolve().parents[1] / "share" / "man"
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
PAGES = (MAN / "man1" / "autolock.1", MAN / "man7" / "libautolock.7")


def _pages() -> tuple:
    if not all(page.exists() for page in PAGES):
        raise Skip("the build made no manual")
    return PAGES


def _read(page: pathlib.Path) -> str:
    """As a person reads it, in one long line."""
    for command in ("mandoc", "-T", "utf8"), ("groff", "-man", "-T", "utf8"):
        if not shutil.which(command[0]):
            continue
        done = subprocess.run([*command, str(page)], capture_output=True, check=True, timeout=harness.PATIENCE_S,
                              env={**os.environ, "GROFF_NO_SGR": "1"})
        text = re.sub(".\b", "", done.stdout.decode())
        return re.sub(r"\s+", " ", re.sub(r"\u2010\n\s*", "", text)).replace("\u2010", "-").replace("\u2212", "-")
    raise Skip("neither mandoc nor groff here")


def test_nothing_is_wrong_in_it() -> None:
    tools = (("mandoc", "-T", "lint", "-W", "warning"), ("groff", "-ww", "-man", "-z"))
    ran = 0
    for page in _pages():
        assert page.read_bytes().isascii(), page
        for tool in tools:
            if shutil.which(tool[0]):
                ran += 1
                done = subprocess.run([*tool, str(page)], capture_output=True, check=False, timeout=harness.PATIENCE_S)
                # Whether pages that are referred to are installed as well is the machine's business.
                assert done.returncode == 0 and not done.stdout and not done.stderr, done
    if not ran:
        raise Skip("neither mandoc nor groff here")


def test_every_option() -> None:
    page = _pages()[0].read_text()
    text = _read(_pages()[0])
    for call in names():
        options = page[page.index(f'.SH "AUTOLOCK {call.upper()}"'):].split("\n.SH ")[0]
        in_page = {name.replace("\\-", "-") for name in re.findall(r"^\.TP\n\\fB\\-\\-([a-z\\-]+)\\f", options, re.MULTILINE)}
        assert in_page | {"help", "version"} == set(options_of(call)), call
        assert f"autolock {call} " in text, call
    assert "--root" not in text and "128 + N" in text, text


def test_every_variable() -> None:
    text = _read(_pages()[1])
    variables = re.findall(r"^AL_OPTION\((\w+),", (DOCS.parent / "lib/config/options.def").read_text(), re.MULTILINE)
    assert len(variables) > 15 and all(f" AUTOLOCK_{name} " in text for name in variables), text


def test_what_the_documents_say() -> None:
    """Every word of the documents that are in it, but for what comes from the tables and for the signs of Markdown."""
    for page, name, without in ((_pages()[1], "configuration.md", ("## Changing the table",)),
                                (_pages()[0], "command.md", ("### Options", "### Exit status"))):
        read = _read(page)
        document = (DOCS / name).read_text()
        for heading in without:
            document = re.sub(rf"^{heading}\n.*?(?=^##|\Z)", "", document, flags=re.MULTILINE | re.DOTALL)
        document = document[document.index("\n## "):].lstrip()
        missing = [sentence for sentence in _sentences(document) if sentence not in read]
        assert not missing, (name, missing)


def _sentences(document: str) -> list:
    found = []
    for block in re.split(r"\n\n|\n(?=- )", re.sub(r"^```.*?^```$", "", document, flags=re.MULTILINE | re.DOTALL)):
        block = block.strip("\n")
        if block.startswith(("|", "#", "<!--")):
            continue
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", block.removeprefix("- ")).replace("`", "").replace("**", "")
        plain = re.sub(r"\s+", " ", plain).strip()
        if plain:
            found.append(plain)
    return found
