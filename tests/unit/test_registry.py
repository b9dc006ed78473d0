"""The registry of adapters: what ships is registered as everything else is."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from sagaledger.infrastructure.system_clock import SystemClock
from sagaledger.interface.bootstrap.errors import AdapterUnknownError
from sagaledger.interface.bootstrap.registry import AdapterContext, AdapterKind, open_adapter
from sagaledger.interface.bootstrap.shipped import SHIPPED
from sagaledger.interface.bootstrap.store_url import StoreUrl

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_shipped_adapters_are_the_entry_points_of_the_project() -> None:
    registered = tomllib.loads(PROJECT.read_text())["project"]["entry-points"]

    plain = {
        group: {name: value.partition(" [")[0] for name, value in points.items()}
        for group, points in registered.items()
    }
    assert plain == SHIPPED
    assert set(plain) <= {kind.group for kind in AdapterKind}


def test_unknown_name_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    context = AdapterContext(tmp_path, SystemClock())

    with pytest.raises(AdapterUnknownError) as caught:
        open_adapter(AdapterKind.EMBEDDER, StoreUrl("word2vec"), context)

    assert "no embedder 'word2vec'; there are hashing, minilm" in str(caught.value)
    assert "install the package that registers 'word2vec'" in str(caught.value)


def test_small_command_reads_no_metadata_of_distributions(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from sagaledger.interface.bootstrap.settings import Settings\n"
        "from sagaledger.interface.bootstrap.adapters import open_setting\n"
        "from sagaledger.infrastructure.system_clock import SystemClock\n"
        "from pathlib import Path\n"
        "open_setting(Settings.defaults(), 'stores.events', Path(sys.argv[1]), SystemClock())\n"
        "print(*({'importlib.metadata', 'msgspec', 'tomllib', 'sqlalchemy'} & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == ""
