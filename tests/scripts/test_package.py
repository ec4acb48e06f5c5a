"""scripts/package: the zip that HACS unpacks into custom_components/hearthwall."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from zipfile import ZipFile

import pytest

import hearthwall_sensor

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


@pytest.mark.parametrize(
    "asked", [("--tag", "v12.3.4"), ("--tag", "12.3.4"), ("--version", "12.3.4")]
)
def test_stamps_the_version_on_both_halves(tmp_path: Path, asked: tuple[str, str]) -> None:
    assert package(*asked, "--output", tmp_path / "hearthwall.zip").returncode == 0
    with ZipFile(tmp_path / "hearthwall.zip") as archive:
        archive.extractall(tmp_path)
    assert json.loads((tmp_path / "manifest.json").read_text())["version"] == "12.3.4"
    sensor = [sys.executable, "-I", tmp_path / "bpf" / "hearthwall-sensor", "--version"]
    said = subprocess.run(sensor, capture_output=True, text=True, check=True).stdout
    assert said == "hearthwall-sensor 12.3.4\n"


@pytest.mark.parametrize("tag", ["latest", "v1.2", "1.2.3-rc1", 'v1.2.3", "domain": "x'])
def test_refuses_a_tag_that_is_no_version(tmp_path: Path, tag: str) -> None:
    target = tmp_path / "hearthwall.zip"
    refused = package("--tag", tag, "--output", target)
    assert refused.returncode == 1
    assert "no version" in refused.stderr
    assert not target.exists()


def test_both_halves_have_one_version() -> None:
    version = json.loads((INTEGRATION / "manifest.json").read_text())["version"]
    assert version == hearthwall_sensor.__version__


def test_holds_all_that_home_assistant_shows(zip_file: Path) -> None:
    wanted = {
        str(path.relative_to(INTEGRATION))
        for path in INTEGRATION.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with ZipFile(zip_file) as archive:
        assert wanted <= set(archive.namelist())
    assert {"manifest.json", "translations/ja.json", "brand/icon.png", "services.yaml"} <= wanted


def test_is_what_hacs_asks_for() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())
    assert hacs["zip_release"] is True
    assert hacs["filename"] == "hearthwall.zip"


@pytest.mark.lab
@pytest.mark.timeout(300)
def test_what_is_unpacked_guards_a_home(zip_file: Path, tmp_path: Path) -> None:
    """The lab's main tests of Home Assistant, with nothing of the integration but what is in the zip."""
    unpacked = tmp_path / "config" / "custom_components" / "hearthwall"
    with ZipFile(zip_file) as archive:
        archive.extractall(unpacked)
    # Not all that unpacks keeps who may execute; HACS does not
    for path in unpacked.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    config = tmp_path / "config"
    for name in ("tests", "lab", "demo"):
        (config / name).symlink_to(ROOT / name)
    (config / "bpf").symlink_to(unpacked / "bpf")
    (config / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    (config / "conftest.py").write_text(
        "import custom_components.hearthwall as unpacked\n"
        "import hearthwall_sensor\n\n\n"
        "def pytest_report_header():\n"
        "    return f'integration {unpacked.__file__} sensor {hearthwall_sensor.__file__}'\n"
    )
    tests = "switch_drops_both_directions or removal_takes_everything or restart_of_home_assistant"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"),
            *("tests/homeassistant/test_lab.py", "-k", tests),
        ],
        cwd=config,
        capture_output=True,
        text=True,
        check=False,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTEST")},
    )
    assert f"integration {unpacked}" in done.stdout, done.stdout + done.stderr
    assert f"sensor {config}" in done.stdout, done.stdout
    assert "3 passed" in done.stdout, done.stdout[-3000:]


def test_what_builds_the_debian_package_is_named_where_it_is_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = package("--deb", "--output", tmp_path / "sensor.deb")
    assert done.returncode == 1
    tools = done.stderr.partition("dpkg-buildpackage is not here: apt-get install ")[2].split()
    control = (ROOT / "debian" / "control").read_text()
    wanted = re.findall(r"^Build-Depends: (.*)$", control, re.MULTILINE)[0].split(", ")
    names = {each.split()[0].removesuffix("-compat") for each in wanted}
    assert set(tools) == (names | {"dpkg-dev"}) - {"python3"}
