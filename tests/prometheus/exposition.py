"""Reads the text exposition format, version 0.0.4, and takes nothing that is not quite right."""

from __future__ import annotations

import re

NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
LABEL = rf'({NAME})="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})\{{({LABEL}(?:,{LABEL})*)\}} (\+Inf|\d+(?:\.\d+)?)")
ESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

# A sample's name and labels, and its value.
Samples = dict


def key(name: str, labels: dict) -> tuple:
    """To Prometheus an empty label is one that is not there."""
    return (name, frozenset((label_name, text) for label_name, text in labels.items() if text))


def _labels(text: str) -> dict:
    pairs = re.findall(LABEL, text)
    labels = {name: re.sub(r'\\[\\"n]', lambda escape: ESCAPED[escape[0]], value) for name, value in pairs}
    assert len(labels) == len(pairs), f"a label stands twice: {text}"
    return labels


def _belongs(sample: str, metric: str, kind: str) -> bool:
    return sample == metric or kind == "summary" and sample in (metric + "_sum", metric + "_count")


def parse(written: bytes) -> Samples:
    """All samples of whole reports; each metric has its help and type before its samples, and begins once."""
    assert written.endswith(b"\n"), f"the last line has no end: {written[-200:]!r}"
    samples: Samples = {}
    types: dict = {}
    metric = kind = ""
    helped = ""
    # Of the bytes that end a line elsewhere, only \n ends one here.
    for line in written.decode().split("\n")[:-1]:
        if line.startswith("# HELP "):
            helped, text = line[7:].split(" ", 1)
            assert text and helped not in types, line
        elif line.startswith("# TYPE "):
            metric, kind = line[7:].split(" ")
            assert metric == helped and kind in ("counter", "gauge", "summary"), line
            types[metric] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, f"no sample: {line!r}"
            labels = _labels(match[2])
            assert _belongs(match[1], metric, kind), f"behind {metric}: {line!r}"
            assert key(match[1], labels) not in samples, f"stands twice: {line!r}"
            samples[key(match[1], labels)] = float(match[7])
    return samples


def value(samples: Samples, name: str, **labels: str) -> float:
    """Of the one sample with this name and these labels, whatever others it has."""
    found = [number for (sample, own), number in samples.items() if sample == name and set(labels.items()) <= own]
    assert len(found) == 1, f"{len(found)} samples {name} {labels}"
    return found[0]


def label(samples: Samples, label_name: str) -> str:
    """What the label is in all samples."""
    values = {dict(own)[label_name] for _, own in samples}
    assert len(values) == 1, f"{label_name} is {values}"
    return values.pop()
