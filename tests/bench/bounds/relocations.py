#!/usr/bin/env python3
"""What the loader has to write into the library when it maps it: each page that is written to is no longer shared with
others, and costs a fault. Tables without pointers need nothing of that."""

import struct

from counting import fail, parse_arguments, skip

MOST = 100  # functions of the library that tables lead to, and what is had from others

DYNAMIC = 2
# Of the dynamic section: bytes of each table, and where it says so.
RELSZ, RELASZ, PLTRELSZ, RELENT, RELAENT, RELRSZ = 18, 8, 2, 19, 9, 35


def dynamic(data: bytes) -> dict:
    if data[:4] != b"\x7fELF" or data[5] != 1:
        skip("it is no ELF file of this byte order")
    wide = data[4] == 2
    start, = struct.unpack_from("<Q" if wide else "<I", data, 32 if wide else 28)
    size, count = struct.unpack_from("<HH", data, 54 if wide else 42)
    for at in range(start, start + size * count, size):
        if struct.unpack_from("<I", data, at)[0] != DYNAMIC:
            continue
        offset, = struct.unpack_from("<Q" if wide else "<I", data, at + (8 if wide else 4))
        length, = struct.unpack_from("<Q" if wide else "<I", data, at + (32 if wide else 16))
        return dict(struct.iter_unpack("<QQ" if wide else "<II", data[offset:offset + length]))
    fail("there is no dynamic section")
    return {}


def main() -> None:
    options = parse_arguments(__doc__)
    with open(options.library, "rb") as file:
        data = file.read()
    found = dynamic(data)
    each = found.get(RELAENT) or found.get(RELENT)
    if not each:
        fail("it has no relocations at all, which cannot be")
    # A word of the packed ones stands for one at least.
    packed = found.get(RELRSZ, 0) // (8 if data[4] == 2 else 4)
    count = (found.get(RELASZ, 0) + found.get(RELSZ, 0) + found.get(PLTRELSZ, 0)) // each + packed
    print(f"relocations: {count} (at most {MOST})")
    if count > MOST:
        fail("too many")


if __name__ == "__main__":
    main()
