"""What the policy makes of a program's journal: which pages qualify, and what is left out for which reason."""

from __future__ import annotations

from collections import Counter

PAGE = 4096
NO_BOUND = 1 << 64

ALL_KINDS = ("heap", "anon", "file", "shared", "stack", "image")

# Under a memlock limit: what of a thread's stack is locked.
STACK_TOP = 128 << 10


class Policy:
    def __init__(self, report: dict, limited: bool):
        config = report["config"]
        everything = report["mode"] == "all"
        self.kinds = ALL_KINDS if everything else tuple(config["kinds"])
        self.least = 0 if everything else config["min_size"]
        self.most = NO_BOUND if everything or config["max_size"] < 0 else config["max_size"]
        self.future = "future" in config["flags"]
        self.limited = limited and report["mode"] != "observe"

    def judge(self, kind: str, size: int, closed: bool) -> str:
        """take, or the reason why not."""
        if kind not in self.kinds:
            return "kind"
        if closed:
            return "inaccessible"
        return "take" if self.least <= size <= self.most else "size"


class Model:
    """The pages of the program's own mappings, as docs/architecture.md and docs/report.md have it."""

    def __init__(self, policy: Policy):
        self.policy = policy
        self.pages: dict = {}  # page: (kind, state), state one of take, closed, passed
        self.blocks: dict = {}  # address: usable size
        self.skipped: Counter = Counter()
        self.moving: dict = {}  # what it was, of what mremap is about to move, by who moves it
        self.stacks: set = set()  # pages of threads' stacks, as far as they are known

    def heap_qualifies(self, usable: int) -> bool:
        # A block always has a byte: a size of 0 is no bound.
        return max(self.policy.least, 1) <= usable <= self.policy.most

    def _range(self, start: int, length: int) -> range:
        return range(start // PAGE, (start + length + PAGE - 1) // PAGE)

    def _forget(self, start: int, length: int) -> None:
        for page in self._range(start, length):
            self.pages.pop(page, None)

    def _judge(self, start: int, length: int, kind: str, closed: bool) -> None:
        verdict = self.policy.judge(kind, length, closed)
        if verdict != "take":
            self.skipped[verdict] += 1
        state = {"take": "take", "inaccessible": "closed", "size": "passed", "kind": None}[verdict]
        for page in self._range(start, length):
            if state:
                self.pages[page] = (kind, state)
            else:
                self.pages.pop(page, None)

    # One method a line of the journal; the hooks do nothing of it without `future`.

    def map(self, start, length, closed, kind):
        self._judge(start, length, kind, bool(closed))

    def unmap(self, start, length, *_):
        self._forget(start, length)

    def protect(self, start, length, closed, _):
        pages = self._range(start, length)
        if closed:
            for page in pages:
                if self.pages.get(page, ("", ""))[1] == "take":
                    self.pages[page] = (self.pages[page][0], "closed")
            return
        # Reservations that are opened: what lies side by side and is of one kind is judged as one.
        run: list = []
        for page in [*pages, None]:
            known = self.pages.get(page)
            if run and (known is None or known != self.pages[run[0]] or known[1] != "closed"):
                kind = self.pages[run[0]][0]
                self._judge(run[0] * PAGE, len(run) * PAGE, kind, False)
                run = []
            if known and known[1] == "closed":
                run.append(page)

    def resize(self, start, length, who, _):
        self.moving[who] = self.pages.get(start // PAGE)
        self._forget(start, length)

    def resized(self, start, length, who, _):
        known = self.moving.pop(who)
        if known:
            self._judge(start, length, known[0], known[1] == "closed")
        else:
            self._forget(start, length)

    def end(self, before, after, *_):
        if after > before:
            self._judge(before, after - before, "anon", False)
        else:
            self._forget(after, before - after)

    def thread(self, start, length, *_):
        if "stack" not in self.policy.kinds:
            return
        top = min(length, STACK_TOP) if self.policy.limited else length
        self._judge(start + length - top, top, "stack", False)
        self.stacks.update(self._range(start + length - top, top))

    def ended(self, start, length, *_):
        self._forget(start, length)
        self.stacks.difference_update(self._range(start, length))

    def load(self, start, length, *_):
        if "image" in self.policy.kinds and start // PAGE not in self.pages:
            self._judge(start, length, "image", False)

    def unload(self, start, length, *_):
        self._forget(start, length)

    def block(self, address, usable, *_):
        self.blocks[address] = usable
        if "heap" in self.policy.kinds and not self.heap_qualifies(usable):
            self.skipped["size"] += 1

    def gone(self, address, *_):
        self.blocks.pop(address)

    def forked(self, *_):
        """What is counted begins anew, what there is remains, but for the threads."""
        self.skipped.clear()
        for page in self.stacks:
            self.pages.pop(page, None)

    def loaded(self, *_):
        pass

    def unloaded(self, *_):
        pass

    def replay(self, journal: list) -> "Model":
        for what, *arguments in journal:
            if self.policy.future or what in ("block", "gone", "forked"):
                getattr(self, what)(*arguments)
        if not self.policy.future:
            self.skipped.clear()
        return self

    def bytes_of(self, kind: str) -> int:
        return PAGE * sum(known == (kind, "take") for known in self.pages.values())

    def runs_of(self, kind: str) -> int:
        pages = {page for page, known in self.pages.items() if known == (kind, "take")}
        return sum(page - 1 not in pages for page in pages)

    def heap(self) -> tuple:
        """(blocks, usable bytes) that qualify."""
        if "heap" not in self.policy.kinds or not self.policy.future:
            return 0, 0
        sizes = [usable for usable in self.blocks.values() if self.heap_qualifies(usable)]
        return len(sizes), sum(sizes)
