"""What compiled programs on disk must have been made of, and by whom, to be loaded."""

import importlib.util
import platform
import re
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from hearthwall_sensor.kernel import cache, compiled, compiler, units
from hearthwall_sensor.kernel.process_programs import LIFE_FIELDS

LIBRARIES = "usr/lib/x86_64-linux-gnu"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system with bcc as Debian has it: a link by its interface's version, and the file by its own."""
    folder = tmp_path / LIBRARIES
    folder.mkdir(parents=True)
    (folder / "libbcc.so.0.26.0").write_bytes(b"bcc")
    (folder / "libbcc.so.0").symlink_to("libbcc.so.0.26.0")
    (folder / "libclang-cpp.so.14").write_bytes(b"clang")
    (folder / "libLLVM-14.so.1").write_bytes(b"llvm")
    wrapper = tmp_path / "bcc"
    wrapper.mkdir()
    (wrapper / "version.py").write_text("__version__ = '0.26.0'")
    spec = ModuleSpec("bcc", None, origin=str(wrapper / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    return tmp_path


def test_the_same_compiler_is_known_again(system: Path) -> None:
    assert compiler.identity(system) == compiler.identity(system) is not None


@pytest.mark.parametrize(
    "name",
    [f"{LIBRARIES}/libLLVM-14.so.1", f"{LIBRARIES}/libclang-cpp.so.14", "bcc/version.py"],
)
def test_another_build_of_any_part_is_another_compiler(system: Path, name: str) -> None:
    before = compiler.identity(system)
    (system / name).write_bytes(b"another build")
    assert compiler.identity(system) != before


def test_another_version_of_bcc_is_another_compiler(system: Path) -> None:
    """Of the same size and time: only what the link leads to has changed."""
    before = compiler.identity(system)
    folder = system / LIBRARIES
    (folder / "libbcc.so.0.26.0").rename(folder / "libbcc.so.0.31.0")
    (folder / "libbcc.so.0").unlink()
    (folder / "libbcc.so.0").symlink_to("libbcc.so.0.31.0")
    assert compiler.identity(system) not in {None, before}


def test_a_library_alone_compiles_nothing(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert compiler.identity(system) is None


def test_a_wrapper_alone_compiles_nothing(system: Path) -> None:
    (system / LIBRARIES / "libbcc.so.0").unlink()
    assert compiler.identity(system) is None


# Which file is good for what


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> compiled.Unit:
    """The network's programs in the cache, and a shipped cache that has none."""
    monkeypatch.setattr(cache, "FOLDER", tmp_path / "kept")
    monkeypatch.setattr(cache, "SHIPPED", tmp_path / "compiled")
    monkeypatch.setattr(compiler, "identity", lambda: "a compiler")
    tables = {
        name: compiled.Table(2, *units.NETWORK.tables.get(name, (4, 4))[:2], 1, 0)
        for name in units.NETWORK.all_tables
    }
    programs = {
        name: compiled.Code(kind, b"\x95" + bytes(7), {}, hook)
        for name, (kind, hook) in units.NETWORK.programs().items()
    }
    made = compiled.Unit(tables, programs)
    cache.keep(units.NETWORK, made)
    return made


def found() -> list[compiled.Unit]:
    """Return what may be loaded; none of it is doubtful here."""
    doubts: list[str] = []
    units_found = list(cache.found(units.NETWORK, doubts))
    assert doubts == []
    return units_found


def test_what_was_kept_is_found(unit: compiled.Unit) -> None:
    assert found() == [unit]


def test_another_compiler_compiles_anew(
    unit: compiled.Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "identity", lambda: "another compiler")
    assert found() == []


def test_another_kernel_compiles_anew(unit: compiled.Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "release", lambda: "6.99.0")
    assert found() == []


def test_without_a_compiler_what_another_made_has_to_do(
    unit: compiled.Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "identity", lambda: None)
    monkeypatch.setattr(platform, "release", lambda: "6.99.0")
    assert found() == [unit]


def test_what_comes_compiled_is_for_any_kernel_and_first(
    unit: compiled.Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.ship(units.NETWORK, unit, cache.SHIPPED)
    assert found() == [unit, unit]
    monkeypatch.setattr(platform, "release", lambda: "6.99.0")
    assert found() == [unit]


def test_what_comes_compiled_is_for_one_processor(
    unit: compiled.Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.ship(units.NETWORK, unit, cache.SHIPPED)
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert found() == []


def test_only_the_last_few_are_kept(unit: compiled.Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        monkeypatch.setattr(compiler, "identity", lambda number=number: f"compiler {number}")
        cache.keep(units.NETWORK, unit)
    assert len(list(cache.FOLDER.iterdir())) == 8
    assert found() == [unit]


def test_a_compiler_that_could_not_ask_the_kernel_ships_nothing(
    unit: compiled.Unit, tmp_path: Path
) -> None:
    """bpf_probe_read: some processors' kernels have it not."""
    old = compiled.Code(5, bytes([0x85, 0, 0, 0, 4, 0, 0, 0]), {})
    with pytest.raises(cache.SensorError) as refused:
        cache.ship(units.NETWORK, compiled.Unit({}, {"old": old}), tmp_path / "compiled")
    assert refused.value.code == "kernel_refused"


def test_all_that_is_read_of_tracepoints_is_in_the_key() -> None:
    """The programs' source says what they read: `data_loc_` is bcc's word for a place that is told."""
    source = (units.SOURCES / "lives.c").read_text()
    programs = re.split(r"^int (\w+)\(struct tracepoint__", source, flags=re.MULTILINE)
    read = {
        name: sorted(set(re.findall(r"args->(?:data_loc_)?(\w+)", text)))
        for name, text in zip(programs[1::2], programs[2::2], strict=True)
    }
    assert read == {name: sorted(fields) for name, fields in LIFE_FIELDS.items()}


def test_other_headers_are_other_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = units.NETWORK.digest()
    (tmp_path / "one.h").write_text("")
    monkeypatch.setattr(units, "_INCLUDES", tmp_path)
    assert units.NETWORK.digest() != before
