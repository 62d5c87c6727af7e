#!/usr/bin/env python3
"""A payload for swf-mcp: counts the bytes of a slice's frames and writes one result.

A TF file is a row of frames of equal length. Each frame begins with its index in the STF (see docs/payloads.md).
"""

import json
import os
import sys


def main() -> int:
    path = os.environ["SWF_TF_PATH"]
    first, last = int(os.environ["SWF_START"]), int(os.environ["SWF_END"])
    frame_bytes = int(os.environ["SWF_TF_SIZE_BYTES"])
    size = os.path.getsize(path)
    if size % frame_bytes != 0:
        print(f"{path} has {size} bytes, which is no whole number of frames", file=sys.stderr)
        return 1
    result = {"slice": os.environ["SWF_SLICE_FILENAME"], "frames": last - first + 1, "bytes": (last - first + 1) * frame_bytes}
    # The working folder is the output folder of this attempt.
    with open("result.json", "w", encoding="utf-8") as file:
        json.dump(result, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
