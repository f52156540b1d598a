"""A process that reads damaged files with every reader; run by test_hostile.py with limits on memory and time.

Prints one line for each case in which a reader did anything but succeed or raise an error that names the file.
"""

import json
import os
import random
import resource
import shutil
import signal
import struct
import sys
import traceback
import warnings
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import msgspec

from backsight.records.errors import DataError, UsageError
from backsight.storage.dataset import read_dataset_info, read_splits
from backsight.storage.layout import ORDERS_FOLDER, list_sequence_ids, sequence_folder
from backsight.storage.manifest import file_entry, manifest_bytes, verify_manifest
from backsight.storage.orders import list_orders, read_finished, read_order
from backsight.storage.read import read_annotations, read_metadata, read_sequence
from backsight.storage.sealed_json import read_sealed, sealed_bytes

SECONDS_PER_CASE = 60
MEMORY_BYTES = 3 * 1024**3
ID = "walk-0-0"
HOSTILE_TEXTS = ("", "../../../etc/passwd", "/etc/passwd", "a/../../b", "\0", "x" * 100_000, "..", "a\\..\\b", "\udcff")
HOSTILE_NUMBERS = (-1, 0, 1, 2**16, 2**31, 2**63 - 1, -(2**63), 1e308, float("nan"), float("inf"), -0.0, 1e-320)


def main() -> None:
    source, scratch, first, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    root = scratch / "set"
    allowed = str(scratch)
    watching = [False]

    def watch(event: str, arguments: tuple) -> None:
        if watching[0] and event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not path.startswith((allowed, sys.prefix, sys.base_prefix, "/usr/lib", "/proc/self")):
                raise RuntimeError(f"reads outside of the data set: {path}")

    sys.addaudithook(watch)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    warnings.simplefilter("error")
    signal.signal(signal.SIGALRM, too_long)
    # Once through everything that is good, so that no library is imported while the readers are watched.
    prepare(source, root)
    for reader in readers(root):
        reader()
    refused = 0
    for case in range(first, first + count):
        prepare(source, root)
        rng = random.Random(case)
        name = damage(root, rng)
        print(f"case {case} {name}", file=sys.stderr, flush=True)
        for reader in readers(root):
            problem = read(reader, watching)
            refused += isinstance(problem, DataError | UsageError)
            if isinstance(problem, DataError | UsageError):
                if str(root) not in str(problem):
                    print(f"case {case} {name}: the message names no file: {problem}", flush=True)
            elif problem is not None:
                print(f"case {case} {name}: {''.join(traceback.format_exception(problem))}", flush=True)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"refused {refused}", file=sys.stderr)
    print(f"peak {peak_gb:.2f} GB", file=sys.stderr)


def read(reader, watching) -> BaseException | None:
    """Return what a reader raises, under watch."""
    signal.alarm(SECONDS_PER_CASE)
    watching[0] = True
    try:
        reader()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what the test is about
        return error
    finally:
        watching[0] = False
        signal.alarm(0)
    return None


def too_long(number, frame) -> None:
    raise RuntimeError(f"took longer than {SECONDS_PER_CASE} s")


def prepare(source: Path, root: Path) -> None:
    """Put back what the last case has damaged."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(source, root, symlinks=True)


def readers(root: Path) -> list:
    """Everything that reads files of a data set."""
    folder = sequence_folder(root, ID)
    return [
        lambda: read_dataset_info(root),
        lambda: read_splits(root),
        lambda: read_sealed(root / "report.json"),
        lambda: verify_manifest(folder),
        lambda: read_metadata(root, ID),
        lambda: read_annotations(root, ID),
        lambda: read_sequence(root, ID),
        lambda: read_sequence(root, ID, verify=False),
        lambda: [read_order(path) for path in list_orders(root)],
        lambda: read_finished(root, "b"),
        lambda: [read_metadata(root, name) for name in list_sequence_ids(root)],
    ]


def damage(root: Path, rng: random.Random) -> str:
    """Damage one file and return its name and how."""
    folder = sequence_folder(root, ID)
    files = [
        folder / "annotations.msgpack",
        folder / "metadata.json",
        folder / "manifest.json",
        folder / "rgb.mp4",
        folder / "depth.zip",
        folder / "instances.zip",
        folder / "imagined_depth.zip",
        root / "dataset.json",
        root / "splits.json",
        root / "report.json",
        root / ORDERS_FOLDER / "a.json",
        root / ORDERS_FOLDER / "done" / "b.json",
    ]
    path = rng.choice(files)
    data = path.read_bytes()
    special = {".msgpack": hostile_msgpack, ".json": hostile_json, ".zip": hostile_zip, ".mp4": hostile_mp4}
    ways = [truncated, random_bytes, flipped, cut, doubled, zeroed, *[special[path.suffix]] * 6]
    if rng.random() < 0.04:
        way = rng.choice([linked, made_a_folder, made_a_pipe, made_huge, linked_folder])
        way(path, rng)
        return f"{path.name} {way.__name__}"
    way = rng.choice(ways)
    path.write_bytes(way(data, rng))
    if path.parent == folder and path.name != "manifest.json" and rng.random() < 0.7:
        # The forger's step: the manifest agrees with the files.
        names = ("rgb.mp4", "depth.zip", "instances.zip", "annotations.msgpack", "metadata.json")
        names += ("imagined_depth.zip", "imagined_instances.zip")
        entries = {name: file_entry((folder / name).read_bytes()) for name in names}
        (folder / "manifest.json").write_bytes(manifest_bytes(ID, entries))
    return f"{path.name} {way.__name__}"


def truncated(data, rng):
    return data[: rng.randrange(len(data))]


def random_bytes(data, rng):
    return rng.randbytes(rng.choice([0, 1, 7, 100, 5000]))


def flipped(data, rng):
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 3, 20])):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randrange(1, 40) :]


def doubled(data, rng):
    start = rng.randrange(len(data))
    end = start + rng.randrange(1, 400)
    return data[:end] + data[start:end] * rng.choice([1, 1, 50]) + data[end:]


def zeroed(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + bytes(min(len(data) - start, rng.randrange(1, 200))) + data[start + 200 :]


def replace_somewhere(value, rng, depth=0):
    """Return plain data with something hostile at a random place."""
    inside = isinstance(value, dict | list) and len(value) > 0 and depth < 8 and rng.random() < 0.85
    if not inside:
        nested = None
        for _ in range(rng.choice([2, 50, 900])):
            nested = [nested]
        shapes = [None, [], {}, True, [[]] * 70_000, nested, {"x": 1}, [0] * 70_000]
        return rng.choice([*HOSTILE_TEXTS[:-1], *HOSTILE_NUMBERS, *shapes])
    if isinstance(value, dict):
        changed = dict(value)
        key = rng.choice(list(changed))
        if rng.random() < 0.1:
            changed[rng.choice(HOSTILE_TEXTS[:-1])] = changed.pop(key)
        elif rng.random() < 0.1:
            del changed[key]
        else:
            changed[key] = replace_somewhere(changed[key], rng, depth + 1)
        return changed
    changed = list(value)
    place = rng.randrange(len(changed))
    if rng.random() < 0.2:
        return changed * rng.choice([0, 2, 300])
    changed[place] = replace_somewhere(changed[place], rng, depth + 1)
    return changed


def hostile_msgpack(data, rng):
    if rng.random() < 0.2:
        headers = [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"]
        place = rng.randrange(len(data))
        return data[:place] + rng.choice([*headers, b"\x91" * 100_000, b"\x81\xa1a" * 50_000]) + data[place:]
    return msgspec.msgpack.encode(replace_somewhere(msgspec.msgpack.decode(data), rng))


def hostile_json(data, rng):
    if rng.random() < 0.15:
        open_, close = rng.choice([(b"[", b"]"), (b'{"a":', b"}")])
        depth = rng.choice([500, 100_000])
        return b'{"format_version": ' + open_ * depth + b"1" + close * depth + b"}"
    if rng.random() < 0.1:
        return data.replace(b"2", rng.choice([b"1e999", b"9" * 5000, b"-0", b'"\\ud800"', b"0x2", b"NaN"]), 3)
    content = json.loads(data)
    seal = content.pop("sha256", None)
    content = replace_somewhere(content, rng)
    if seal is None or not isinstance(content, dict):
        return json.dumps(content).encode()
    try:
        return sealed_bytes(content)
    except (UnicodeEncodeError, msgspec.MsgspecError, TypeError, OverflowError):
        return json.dumps(content | {"sha256": seal}).encode()


def png(width, height, rng, *, rows=None, extra=b""):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    content = zlib.compress(bytes((2 * min(width, 5000) + 1) * (rows if rows is not None else min(height, 5000))), 9)
    header = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, rng.choice([0, 0, 0, 1, 9]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def hostile_zip(data, rng):
    with zipfile.ZipFile(BytesIO(data)) as archive:
        files = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    width, height = struct.unpack(">II", files[0][1][16:24])
    frame = rng.randrange(len(files))
    act = rng.randrange(9)
    compression = zipfile.ZIP_STORED
    if act == 0:
        names = ["../../evil.png", "/etc/passwd", "000000.png", "a\\b", "000000.png/", "x" * 60_000, "C:\\x.png"]
        files[frame] = (rng.choice(names), files[frame][1])
    elif act == 1:
        files[frame] = (files[frame][0], png(rng.choice([1, 65535, 2**31 - 1]), rng.choice([1, 65535, 2**31 - 1]), rng))
    elif act == 2:
        files[frame] = (files[frame][0], png(width, height, rng, rows=rng.choice([0, 1, 10_000])))
    elif act == 3:
        bomb = b"zTXt" + b"a\0\0" + zlib.compress(bytes(200 * 1024**2), 9)
        bomb = struct.pack(">I", len(bomb) - 4) + bomb + struct.pack(">I", zlib.crc32(bomb))
        files[frame] = (files[frame][0], png(width, height, rng, extra=bomb))
    elif act == 4:
        compression = zipfile.ZIP_DEFLATED
        files[frame] = (files[frame][0], bytes(rng.choice([10, 300 * 1024**2])))
    elif act == 5:
        files = rng.choice([[], files * 2, files[:-1], files[::-1]])
    elif act == 6:
        place = data.rindex(b"PK\x05\x06")
        number = struct.pack("<I", rng.choice([0, 1, 2**16, 2**31, 2**32 - 1]))
        offset = place + rng.choice([4, 8, 10, 12, 16])
        return data[:offset] + number + data[offset + 4 :]
    elif act == 7:
        place = data.index(b"PK\x01\x02", rng.randrange(data.index(b"PK\x01\x02") + 1))
        offset = place + rng.choice([6, 8, 10, 16, 20, 24, 28, 30, 42])
        return data[:offset] + struct.pack("<I", rng.choice([0, 1, 99, 2**31, 2**32 - 1])) + data[offset + 4 :]
    else:
        image = bytearray(files[frame][1])
        for _ in range(5):
            image[rng.randrange(len(image))] ^= 1 << rng.randrange(8)
        files[frame] = (files[frame][0], bytes(image))
    buffer = BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore")
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def hostile_mp4(data, rng):
    changed = bytearray(data)
    start = data.index(b"moov")
    boxes = (b"mvhd", b"tkhd", b"mdhd", b"stsd", b"avc1", b"avcC", b"stts", b"stsz", b"stsc", b"stco", b"stss", b"elst")
    act = rng.randrange(4)
    if act == 0:
        box = rng.choice([name for name in boxes if name in data])
        place = data.index(box) + rng.choice([-4, 4, 8, 12, 16, 20, 28, 32, 36, 80])
        number = rng.choice([0, 1, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1])
        changed[place : place + 4] = struct.pack(">I", number)
    elif act == 1:
        for _ in range(10):
            changed[rng.randrange(start, len(changed))] ^= 1 << rng.randrange(8)
    elif act == 2:
        place = data.index(b"avcC")
        for _ in range(3):
            changed[place + rng.randrange(4, 40)] = rng.randrange(256)
    else:
        place = data.index(b"mdat")
        for _ in range(20):
            changed[rng.randrange(place, start) if place < start else rng.randrange(place, len(data))] = rng.randrange(
                256
            )
    return bytes(changed)


def linked(path, rng):
    path.unlink()
    path.symlink_to("/etc/passwd")


def linked_folder(path, rng):
    folder = path.parent
    if not (folder / "manifest.json").exists():
        folder = next(parent for parent in path.parents if parent.name == "set") / rng.choice(["sequences", ".orders"])
    elif rng.random() < 0.3:
        folder = folder.parent
    shutil.rmtree(folder, ignore_errors=True)
    folder.symlink_to("/etc", target_is_directory=True)


def made_a_folder(path, rng):
    path.unlink()
    path.mkdir()


def made_a_pipe(path, rng):
    path.unlink()
    os.mkfifo(path)


def made_huge(path, rng):
    with path.open("r+b") as file:
        file.truncate(20 * 1024**3)


if __name__ == "__main__":
    main()
