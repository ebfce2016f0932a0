"""The built package, installed outside the checkout with the base dependencies only. Needs a package index for pip."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from nertag._version import __version__

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
TRAINING_PACKAGES = ("torch", "datasets", "seqeval", "onnx", "safetensors", "huggingface_hub", "matplotlib")


@dataclass(frozen=True)
class Installation:
    """A virtual environment with nertag in it and an empty folder to work in."""

    programs: Path
    folder: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs, with nothing of the checkout in sight."""
        return run([str(self.programs / program), *arguments], self.folder)


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    environment["PYTHONUTF8"] = "1"
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def run_well(command: list[str], folder: Path) -> str:
    result = run(command, folder)
    assert result.returncode == 0, f"{command} failed:\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive and the wheel that is built from it."""
    assert (ROOT / "models/en-person/config.json").is_file(), "the default model, models/en-person, is missing"
    folder = tmp_path_factory.mktemp("dist")
    run_well([sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)], folder)
    return folder


@pytest.fixture(scope="module", params=["constraints.txt", "constraints-oldest.txt"])
def installation(
    request: pytest.FixtureRequest, distributions: Path, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    folder = tmp_path_factory.mktemp("installation")
    venv.create(folder / "venv", with_pip=True)
    installed = Installation(
        folder / "venv" / ("Scripts" if os.name == "nt" else "bin"), tmp_path_factory.mktemp("empty")
    )
    (wheel,) = distributions.glob("*.whl")
    pip = [str(installed.programs / "python"), "-m", "pip", "install", "--quiet"]
    run_well([*pip, "-c", str(ROOT / request.param), str(wheel)], installed.folder)
    return installed


def test_it_tags(installation: Installation) -> None:
    result = installation.run("nertag", "tag", "--text", "Harry Potter and Hermione Granger invented a new spell")
    assert (result.stdout, result.stderr, result.returncode) == ("1 1 0 1 1 0 0 0 0\n", "", 0)


def test_it_is_the_installed_package_without_the_extra(installation: Installation) -> None:
    code = f"""
import importlib.util, nertag, sys
print(nertag.__version__)
print(nertag.__file__)
print([name for name in {TRAINING_PACKAGES!r} if importlib.util.find_spec(name)])
"""
    version, file, extras = installation.run("python", "-c", code).stdout.splitlines()
    assert version == __version__
    assert not Path(file).is_relative_to(ROOT)
    assert Path(file).with_name("py.typed").is_file()
    assert extras == "[]"


def test_it_tags_from_python(installation: Installation) -> None:
    code = "import nertag; print([m.text for m in nertag.load().tag('Harry Potter met Hermione Granger.')])"
    result = installation.run("python", "-c", code)
    assert (result.stdout, result.stderr) == ("['Harry Potter', 'Hermione Granger']\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["tag", "--help"], ["train", "--help"], ["evaluate", "--help"]])
def test_help_needs_no_extra(installation: Installation, arguments: list[str]) -> None:
    result = installation.run("nertag", *arguments)
    assert (result.stderr, result.returncode) == ("", 0)
    assert "Usage: nertag" in result.stdout


def test_version(installation: Installation) -> None:
    assert __version__ in installation.run("nertag", "--version").stdout


@pytest.mark.parametrize(
    "arguments", [["train", "a.conll", "--validation", "a.conll", "--output", "model"], ["evaluate", "a.conll"]]
)
def test_a_command_without_its_extra_says_what_to_install(installation: Installation, arguments: list[str]) -> None:
    (installation.folder / "a.conll").write_text("Ann B-PER\n\n", encoding="utf-8")
    result = installation.run("nertag", *arguments)
    assert (result.stdout, result.returncode) == ("", 1)
    assert result.stderr.startswith("nertag: error: ")
    assert "pip install 'nertag[train]'" in result.stderr
    assert "Traceback" not in result.stderr


def test_both_archives_hold_the_package_and_its_model(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    (source,) = distributions.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
    with tarfile.open(source) as archive:
        in_source = {name.partition("/")[2] for name in archive.getnames()}
    top_levels = {name.partition("/")[0] for name in in_wheel}
    assert top_levels == {"nertag", f"nertag-{__version__}.dist-info", f"nertag-{__version__}.data"}
    data = [name for name in in_wheel if name.startswith(f"nertag-{__version__}.data/")]
    assert data == [f"nertag-{__version__}.data/data/share/man/man1/nertag.1"]
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "nertag").rglob("*.py")}
    assert modules | {"nertag/py.typed"} <= in_wheel & in_source
    model = {path.name for path in (ROOT / "models/en-person").iterdir()}
    assert {name.rpartition("/")[2] for name in in_wheel if name.startswith("nertag/models/")} == model
    assert {f"nertag/models/en-person/{name}" for name in model} <= in_wheel
    assert {f"models/en-person/{name}" for name in model} <= in_source
    assert {"LICENSE", "README.md", "CHANGELOG.md", "tests/conftest.py"} <= in_source
