"""A distribution of which every adapter misbehaves in one way, whatever kind it is used as."""

from __future__ import annotations

from pathlib import Path

from sagaledger.interface.bootstrap.registry import AdapterKind

__all__ = ["AT_WORK", "FAULTS", "install_misbehaving"]

FAULTS = {
    "raises": "misbehaving:raises",
    "leaves": "misbehaving:leaves",
    "nothing": "misbehaving:nothing",
    "empty": "misbehaving:Empty",
    "number": "misbehaving:NUMBER",
    "tells": "misbehaving:tells",
    "broken": "misbehaving_broken:open_adapter",
    "unwritten": "misbehaving_unwritten:open_adapter",
}
"""The name of each, and its factory."""

AT_WORK = {
    "failing": "misbehaving:Failing",
    "leaving": "misbehaving:Leaving",
    "namesake": "misbehaving:Namesake",
}
"""Projections and downstream stores that can be opened, and misbehave afterwards."""

_MODULE = """
class Store:
    def __init__(self, url, context):
        pass

    name = "ours"
    upsert = count = delete = owners = expected = lambda self, *arguments: 0
    close = lambda self: None

class Namesake(Store):
    name = "graph"

class Projection:
    def __init__(self, url, context):
        pass

    name, version, rules = "ours", 1, {}

class Failing(Projection):
    @property
    def tables(self):
        raise KeyError("columns")

class Leaving(Projection):
    @property
    def tables(self):
        raise SystemExit(0)

NUMBER = 5

class Empty:
    def __init__(self, url, context):
        pass

def raises(url, context):
    raise RuntimeError("no answer\\\\nfrom the server")

def leaves(url, context):
    raise SystemExit(0)

def nothing(url, context):
    return None

def tells(url, context):
    raise ConnectionRefusedError(f"{url.text} as {url.user}:{url.password}")
"""


def install_misbehaving(folder: Path) -> Path:
    """Lay the distribution out as `pip install --target` does; for `PYTHONPATH`."""
    marks = folder / "misbehaving-1.0.dist-info"
    marks.mkdir(parents=True)
    (marks / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n")
    points = "\n".join(f"{name} = {factory}" for name, factory in {**FAULTS, **AT_WORK}.items())
    groups = (f"[{kind.group}]\n{points}\n" for kind in AdapterKind)
    (marks / "entry_points.txt").write_text("\n".join(groups))
    (folder / "misbehaving.py").write_text(_MODULE)
    (folder / "misbehaving_broken.py").write_text("def open_adapter(:\n")
    (folder / "misbehaving_unwritten.py").write_text("raise RuntimeError('not written yet')\n")
    return folder
