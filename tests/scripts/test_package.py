"""scripts/package: the zip that HACS unpacks into custom_components/hearthwall."""

import json
import os
import subprocess
import time
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components" / "hearthwall"


def package(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "package", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def zip_file(tmp_path: Path) -> Path:
    target = tmp_path / "hearthwall.zip"
    assert package("--output", target).returncode == 0
    return target


def test_holds_the_integration_at_its_top_and_a_real_copy_of_the_sensor(zip_file: Path) -> None:
    with ZipFile(zip_file) as archive:
        assert archive.read("manifest.json") == (INTEGRATION / "manifest.json").read_bytes()
        for kernel_program in (ROOT / "bpf").glob("*.c"):
            assert archive.read(f"bpf/{kernel_program.name}") == kernel_program.read_bytes()
        assert "bpf/hearthwall_sensor/protocol.py" in archive.namelist()
        assert "bpf/include/uapi/linux/bpf.h" in archive.namelist()
        assert archive.getinfo("bpf/hearthwall-sensor").external_attr >> 16 == 0o100755


def test_holds_no_caches(zip_file: Path) -> None:
    with ZipFile(zip_file) as archive:
        assert not [name for name in archive.namelist() if "__pycache__" in name or "/." in name]


def test_is_the_same_on_another_day(zip_file: Path, tmp_path: Path) -> None:
    source = INTEGRATION / "manifest.json"
    before = source.stat()
    os.utime(source, (time.time() + 86400, time.time() + 86400))
    try:
        assert package("--output", tmp_path / "second.zip").returncode == 0
    finally:
        os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (tmp_path / "second.zip").read_bytes() == zip_file.read_bytes()


def test_refuses_a_tag_that_is_not_the_version(tmp_path: Path) -> None:
    version = json.loads((INTEGRATION / "manifest.json").read_text())["version"]
    target = tmp_path / "hearthwall.zip"

    refused = package("--tag", "v999.0.0", "--output", target)
    assert refused.returncode == 1
    assert version in refused.stderr
    assert not target.exists()

    assert package("--tag", f"v{version}", "--output", target).returncode == 0


def test_is_what_hacs_asks_for() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())
    assert hacs["zip_release"] is True
    assert hacs["filename"] == "hearthwall.zip"
