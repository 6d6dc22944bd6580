"""What the library is to reach, beside what it has reached. Nothing is asserted here: machines are busy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

from configurations import BARE, REFERENCE
from sections.own_memory import IDLE

LARGE = "1 GiB"


@dataclass(frozen=True)
class Bar:
    """`reached` returns a value, and where it was found if there are several places; None: not measured."""

    what: str
    most: Optional[float]  # or
    least: Optional[float]
    unit: str
    reached: Callable[[object], Optional[tuple]]


def _worst(found: list, least: bool = False) -> Optional[tuple]:
    found = [(value, where) for value, where in found if value is not None]
    if not found:
        return None
    return (min if least else max)(found, key=lambda one: one[0])


def _inverse(value: Optional[float]) -> Optional[float]:
    return 1 / value if value else None


def _share(value: Optional[float]) -> Optional[float]:
    return None if value is None else 100 * (value - 1)


# --- real programs -------------------------------------------------------------------------------


def _programs(figures) -> list:
    """Those that run from their start to their end."""
    return [case for case in figures.cases("programs") if figures.unit("programs", case) == "ms"]


def _beyond_all(figures):
    return _worst([(_share(figures.ratio("programs", case, "all", REFERENCE)), case) for case in _programs(figures)])


def _beyond_alloc(figures):
    return _worst([(_share(figures.ratio("programs", case, "alloc", BARE, "rest ms")), case)
                   for case in _programs(figures)])


def _redis(row: str):
    return lambda figures: _worst([(_inverse(figures.ratio("programs", "redis, a request", row, BARE)), "")])


# --- malloc --------------------------------------------------------------------------------------


def _small_pair(row: str):
    return lambda figures: _worst([(figures.ratio("patterns", case, row, "forwarding"), case)
                                   for case in ("pair 16", "pair 64", "pair 256", "pair 1024")])


def _churn(figures):
    return _worst([(figures.ratio("patterns", "churn 20,000 live", "alloc", BARE), "")])


def _churn_naive(figures):
    return _worst([(_inverse(figures.ratio("patterns", "churn 20,000 live", "alloc", "naive")), "")])


# --- bringing in ---------------------------------------------------------------------------------


def _faster_than(yardstick: str):
    return lambda figures: _worst([(_inverse(figures.ratio("locking", LARGE, row, yardstick)), row)
                                   for row in ("all both", "alloc both")], least=True)


# --- pressure ------------------------------------------------------------------------------------

_LOCKED = ("all", "all onfault", "alloc")


def _pressure_faults(row: str):
    def reached(figures):
        found = [(figures.rows("pressure", case, "major faults").get(row), case) for case in figures.cases("pressure")]
        return _worst([(max(faults["samples"]), case) for faults, case in found if faults])
    return reached


def _pressure_p999(row: str):
    return lambda figures: _worst([(_inverse(figures.ratio("pressure", case, row, BARE, "p99.9 us")), case)
                                   for case in figures.cases("pressure")], least=True)


# --- growth and the rest -------------------------------------------------------------------------


def _growth(row: str):
    def reached(figures):
        cases = figures.cases("growth", "pair beside")
        first, last = "pair beside 1,000 live", "pair beside 10,000,000 live"
        if first not in cases or last not in cases:
            return None
        few, many = (figures.median("growth", case, row) for case in (first, last))
        return (many / few, "") if few and many else None
    return reached


def _start(figures):
    added = figures.added("startup", "exec to main, exit to gone", "all", REFERENCE)
    return None if added is None else (added / 1000, "")


def _tables(figures):
    return _worst([(figures.median("own_memory", "tables, churn", "alloc", "share %"), "")])


def _resident(figures):
    return _worst([(figures.added("own_memory", "cat, at its start", row, other, "own or nameless KiB"), row)
                   for row, other in (("observe", "empty"), (IDLE, "empty"), ("all", REFERENCE))])


BARS = (
    Bar("real programs, mode all, over mlockall alone", 3, None, "%", _beyond_all),
    Bar("real programs, mode alloc, over none, its locking calls left out", 3, None, "%", _beyond_alloc),
    Bar("redis-server's throughput, mode all, of none", None, 0.97, "×", _redis("all")),
    Bar("redis-server's throughput, mode alloc, of none", None, 0.97, "×", _redis("alloc")),
    Bar("small pair, mode off, of forwarding", 1.10, None, "×", _small_pair("off")),
    Bar("small pair, mode all, of forwarding", 1.15, None, "×", _small_pair("all")),
    Bar("churn, mode alloc, of none", 1.35, None, "×", _churn),
    Bar("churn, mode alloc, faster than naive", None, 30, "×", _churn_naive),
    Bar(f"{LARGE} with huge pages and 2 threads, faster than mlock", None, 2.5, "×", _faster_than("mlock")),
    Bar(f"{LARGE} the same, speed of memset of resident memory", None, 0.8, "×", _faster_than("memset")),
    Bar(f"{LARGE} the same, of memset of resident huge pages", None, 0.8, "×", _faster_than("memset, huge")),
    *(bar for row in _LOCKED for bar in (
        Bar(f"under pressure, major faults, mode {row}", 0, None, "", _pressure_faults(row)),
        Bar(f"under pressure, p99.9 lower than bare, mode {row}", None, 50, "×", _pressure_p999(row)))),
    Bar("growth of a pair from 10^3 to 10^7 live, mode all", 1.5, None, "×", _growth("all")),
    Bar("growth of a pair from 10^3 to 10^7 live, mode alloc", 1.5, None, "×", _growth("alloc")),
    Bar("start and end, mode all, over mlockall alone", 0.3, None, "ms", _start),
    Bar("tables, of what is tracked", 0.2, None, "%", _tables),
    Bar("resident of the library at the start", 256, None, "KiB", _resident),
)


def reached(figures) -> list:
    """One row a bar, for the JSON file and the table."""
    result = []
    for bar in BARS:
        found = bar.reached(figures)
        value, where = found or (None, "")
        holds = None if value is None else value <= bar.most if bar.most is not None else value >= bar.least
        result.append({"bar": bar.what, "most": bar.most, "least": bar.least, "unit": bar.unit, "reached": value,
                       "where": where, "holds": holds})
    return result


def wanted_text(bar: dict) -> str:
    return f"≤ {bar['most']:g} {bar['unit']}" if bar["most"] is not None else f"≥ {bar['least']:g} {bar['unit']}"


def reached_text(bar: dict) -> str:
    value = bar["reached"]
    if value is None:
        return "not measured"
    number = f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.3g}"
    return f"{number} {bar['unit']}".rstrip()


def verdict(bar: dict) -> str:
    return {None: "", True: "yes", False: "MISSED"}[bar["holds"]]


def lines(bars: list) -> list:
    width = max(len(bar["bar"]) for bar in bars)
    return [f"{'bar':{width}}  {'wanted':>9}  {'reached':>12}"] + [
        (f"{bar['bar']:{width}}  {wanted_text(bar).rstrip():>9}  {reached_text(bar):>12}  "
         f"{verdict(bar):6}  {bar['where']}").rstrip() for bar in bars]
