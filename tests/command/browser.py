"""A page in a real browser: chromium, without a window."""

import html
import json
import os
import pathlib
import re
import shutil
import subprocess

import harness
from harness import Skip, directory

# What the copy of a page that is measured runs, and where it leaves what it found.
PROBE = """<script>
const found = {
  text: document.body.innerText,
  width: document.documentElement.scrollWidth,
  window: document.documentElement.clientWidth,
  colours: [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor],
  charts: [...document.querySelectorAll("svg[role=img]")].map(svg => svg.getBoundingClientRect().width),
  smallest: Math.min(...[...document.querySelectorAll("td, .x span, .y span")].map(e => parseFloat(getComputedStyle(e).fontSize))),
};
const into = document.createElement("pre");
into.id = "probe";
into.textContent = JSON.stringify(found);
document.body.append(into);
</script>"""


def kept(name: str) -> pathlib.Path:
    """A place for what somebody may want to look at: among what was built."""
    folder = harness.programs / ".." / "command" / "pages"
    folder.mkdir(exist_ok=True)
    return folder.resolve() / name


def _run(*arguments: str) -> subprocess.CompletedProcess:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not browser:
        raise Skip("no chromium here")
    with directory() as profile:
        environment = {**os.environ, "HOME": str(profile), "XDG_CONFIG_HOME": str(profile)}
        try:
            return subprocess.run(
                [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                 "--no-first-run", "--disable-extensions", f"--user-data-dir={profile}/profile", "--enable-logging=stderr",
                 "--virtual-time-budget=2000", *arguments],
                capture_output=True, env=environment, timeout=120, check=False)
        except subprocess.TimeoutExpired:
            raise Skip("chromium does not come to an end here") from None


def need() -> None:
    """It is there, it works, and it tells of what goes wrong in a page."""
    with directory() as folder:
        page = folder / "page.html"
        page.write_text("<!DOCTYPE html><p>hello</p><script>console.error('as expected'); fault(</script>")
        done = _run("--dump-dom", page.as_uri())
        if done.returncode or b"<p>hello</p>" not in done.stdout:
            raise Skip(f"chromium does not work here: {done.stderr.decode(errors='replace')[-300:]}")
        assert len(_complaints(done)) >= 1, done.stderr


def _complaints(done: subprocess.CompletedProcess) -> list:
    return [line for line in done.stderr.decode(errors="replace").splitlines() if re.search(r"CONSOLE|[Rr]efused to", line)]


def rendered(page: pathlib.Path) -> str:
    """The page's source as the browser has understood it; it has nothing to complain of."""
    done = _run("--dump-dom", page.as_uri())
    assert done.returncode == 0 and not _complaints(done), (_complaints(done), done.stderr[-500:])
    return "<!DOCTYPE html>" + done.stdout.decode().removeprefix("<!DOCTYPE html>").lstrip()


def measured(page: pathlib.Path, width: int, *more: str) -> dict:
    """What a script finds in a copy of it that may run one."""
    with directory() as folder:
        copy = folder / "page.html"
        source = page.read_text()
        source = re.sub(r"<meta http-equiv[^>]*>", "", source)
        copy.write_text(source.replace("</body>", PROBE + "</body>"))
        done = _run(f"--window-size={width},900", *more, "--dump-dom", copy.as_uri())
        found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout.decode(), re.DOTALL)
        assert found, done
        return json.loads(html.unescape(found.group(1)))


def photograph(page: pathlib.Path, name: str, width: int, height: int, *more: str) -> None:
    """Keeps a picture of it."""
    file = kept(name + ".png")
    file.unlink(missing_ok=True)
    _run(f"--window-size={width},{height}", f"--screenshot={file}", *more, page.as_uri())
    assert file.read_bytes()[:4] == b"\x89PNG" and file.stat().st_size > 5000, file


def printed(page: pathlib.Path, name: str) -> bytes:
    file = kept(name + ".pdf")
    file.unlink(missing_ok=True)
    _run("--no-pdf-header-footer", f"--print-to-pdf={file}", page.as_uri())
    content = file.read_bytes()
    assert content[:5] == b"%PDF-", file
    return content


DARK = ("--blink-settings=preferredColorScheme=0",)
