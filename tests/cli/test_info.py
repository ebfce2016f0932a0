"""`nertag info` and `nertag models`: what they say of the shipped model and of one's own."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from nertag import model_folder
from nertag.cli import main
from nertag.model_folder import CARD, CONFIG
from tests.tiny import trained_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(trained_folder(), tmp_path / "model")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_shipped_model(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "info")
    rows = dict(line.split("\t", 1) for line in out.partition("\n\n")[0].splitlines())
    assert rows["model"] == "en-person"
    assert rows["labels"] == "PER"
    assert rows["licence"] == "cc-by-sa-4.0"
    assert rows["about"].startswith("The model that ships with nertag")
    assert "\nscores, from its card\ncorpus\tprecision\t" in out
    assert said(capsys, "info", "en-person") == out


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads(said(capsys, "info", "--json"))
    folder = model_folder.find("en-person")
    assert values["size"] == sum(file.stat().st_size for file in folder.iterdir())
    assert values["temperature"] == model_folder.read_config(folder).temperature
    assert values["vocabulary"]["words"] == model_folder.read_vocabulary(folder).size - 2
    assert values["network"]["window"] >= 2
    assert all(isinstance(row["F1"], float) and isinstance(row["corpus"], str) for row in values["scores"])
    assert values["scores"]


def test_ones_own_model_with_hardly_a_card(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "info", str(folder))
    assert f"folder\t{folder}\nlicence\tnot stated\n" in out
    assert "scores" not in out
    (folder / CARD).unlink()
    assert said(capsys, "info", str(folder)).startswith(f"model\t{folder}\n")
    values = json.loads(said(capsys, "info", "--json", str(folder)))
    assert (values["about"], values["license"], values["scores"]) == ("", None, [])


def test_a_card_gives_a_terminal_no_orders(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / CARD).write_text("---\nlicense: \x1b]0;x\x07\n---\n# a\n\nSee \x1b[2J\there.\n", encoding="utf-8")
    out = said(capsys, "info", str(folder))
    assert "about\tSee \\x1b[2J here.\n" in out
    assert "licence\t\\x1b]0;x\\x07\n" in out
    assert "\x1b" not in out


def test_on_a_terminal_nothing_is_wider_than_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for width in (60, 80, 100):
        monkeypatch.setenv("COLUMNS", str(width))
        for command in ("info", "models"):
            lines = said(capsys, command).splitlines()
            text = [line for line in lines if line.startswith(("about", "en-person", " "))]
            assert len(text) > 1
            assert max(map(len, text)) <= width


def test_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.split("\t") for line in said(capsys, "models").splitlines()]
    assert [name for name, _, _ in lines] == model_folder.shipped_names()
    assert all(size.endswith(" MB") and about for _, size, about in lines)
    values = json.loads(said(capsys, "models", "--json"))
    assert [row["name"] for row in values if row["default"]] == ["en-person"]
    assert {row["license"] for row in values} == {"cc-by-sa-4.0"}


@pytest.mark.parametrize("model", ["no-such-model", "", "."])
def test_what_is_no_model(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["info", model]) == 1
    out, err = capsys.readouterr()
    assert (out, err.startswith("nertag: error: ")) == ("", True)


def test_a_damaged_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / CONFIG).write_text("[]", encoding="utf-8")
    assert main(["info", str(folder)]) == 1
    assert capsys.readouterr().err == f"nertag: error: {folder / CONFIG}: it must hold a JSON object, not list\n"
