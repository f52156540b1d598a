"""The worker as a script: what it needs, and messages that are none."""

import ast
import socket
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from backsight.sim.backends.habitat import worker

SOURCE = Path(worker.__file__).read_text()


def test_it_needs_only_numpy_and_the_standard_library_of_python_3_9():
    tree = ast.parse(SOURCE, feature_version=(3, 9))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported - sys.stdlib_module_names == {"numpy"}
    # What came with 3.10 and later and would pass as grammar of 3.9.
    assert "strict=" not in SOURCE
    assert " | None" not in SOURCE or "from __future__ import annotations" in SOURCE
    assert not [node for node in ast.walk(tree) if type(node).__name__ == "Match"]


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5.0)
        theirs.settimeout(5.0)
        yield ours, theirs


def test_messages_arrive_as_they_were_sent(ends):
    arrays = [
        np.arange(2 * 3 * 5, dtype=np.float64).reshape(2, 3, 5)[:, ::2],
        np.zeros((0, 3), dtype=np.float32),
        np.array([True, False]),
        np.array([7], dtype=np.int32),
    ]
    worker.send_message(ends[0], {"word": "Übung", "list": [1, None]}, arrays)
    header, received = worker.receive_message(ends[1])
    assert header == {"word": "Übung", "list": [1, None]}
    for sent, there in zip(arrays, received, strict=True):
        assert (sent.dtype, sent.shape) == (there.dtype, there.shape)
        assert np.array_equal(sent, there)


def message(
    header: bytes, size: int, body: bytes = b"", magic: bytes = b"BSHB", header_bytes: int | None = None
) -> bytes:
    return struct.pack("<4sIQ", magic, len(header) if header_bytes is None else header_bytes, size) + header + body


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (message(b"{}", 0, magic=b"HTTP"), "no message of this protocol"),
        (message(b"{}", 0, header_bytes=2**31), "no message of this protocol"),
        (message(b"{}", 2**40), "no message of this protocol"),
        (message(b'{"arrays": [["object", [1]]]}', 8, bytes(8)), "no array of this protocol"),
        (message(b'{"arrays": [["uint8", [-1]]]}', 8, bytes(8)), "no array of this protocol"),
        (message(b'{"arrays": [["uint8", [99]]]}', 8, bytes(8)), "longer than its head"),
        (message(b'{"arrays": [["uint8", [4]]]}', 8, bytes(8)), "shorter than its head"),
        (message(b"[}", 0), "Expecting"),
    ],
)
def test_what_is_no_message_is_refused_before_anything_is_allocated(ends, data, problem):
    ends[0].sendall(data)
    with pytest.raises(ValueError, match=problem):
        worker.receive_message(ends[1])


def test_a_closed_connection_is_the_end(ends):
    ends[0].sendall(message(b"{}", 0)[:5])
    ends[0].close()
    with pytest.raises(EOFError):
        worker.receive_message(ends[1])


def test_too_much_is_not_sent(ends, monkeypatch):
    monkeypatch.setattr(worker, "MAX_ARRAY_BYTES", 10)
    with pytest.raises(ValueError, match="larger than allowed"):
        worker.send_message(ends[0], {}, [np.zeros(11, dtype=np.uint8)])
