"""Model folders that are damaged, foreign or made to do harm: an error each time, and no file touched elsewhere.

What is tested is what a user sees: `nertag tag` ends with exit code 1 and one message, nothing on standard output, no
traceback; no file outside the folder was opened, and nothing was written anywhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from nertag.cli import main
from nertag.model_folder import CARD, CONFIG, GRAPH, NEEDED, WEIGHTS
from tests.tiny import trained_folder

SECRET = "secret.txt"
Damage = Callable[[Path], None]

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX links or pipes")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model folder of one's own to damage, and a secret beside it. The program runs elsewhere."""
    (tmp_path / SECRET).write_text('{"secret": 1}', encoding="utf-8")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return shutil.copytree(trained_folder(), tmp_path / "model")


# --- Watching ---------------------------------------------------------------------------------------------------------

_opened: list[tuple[Path, str]] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _opened is not None and isinstance(arguments[0], str | bytes):
        _opened.append((Path(os.fsdecode(arguments[0])), str(arguments[1])))


@contextlib.contextmanager
def watched() -> Iterator[list[tuple[Path, str]]]:
    """Note every file that Python opens in the block."""
    global _opened
    if not hasattr(sys, "_nertag_watch"):
        sys.addaudithook(_watch)
        sys._nertag_watch = True  # type: ignore[attr-defined]
    _opened = seen = []
    try:
        yield seen
    finally:
        _opened = None


def tree(place: Path) -> dict[str, tuple[int, int, int]]:
    """Everything below a folder with its kind, size and time."""
    return {
        str(path.relative_to(place)): (status.st_mode, status.st_size, status.st_mtime_ns)
        for path in sorted(place.rglob("*"))
        for status in [path.lstat()]
    }


def refused(
    folder: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...] = ("tag", "--text", "Ann")
) -> str:
    """Run a command with the folder, check all that holds of every case, and return the message."""
    place = folder.parent
    before = tree(place)
    capfd.readouterr()
    option = ["--model", str(folder)] if command[0] == "tag" else [str(folder)]
    with watched() as opened:
        code = main([*command, *option])
    out, err = capfd.readouterr()
    assert code == 1
    assert out == ""
    assert err.startswith("nertag: error: ")
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 2
    assert tree(place) == before
    for path, mode in opened:
        inside = path.is_relative_to(folder) and path.resolve().is_relative_to(folder.resolve())
        assert inside or not path.is_relative_to(place), f"{path} was opened"
        assert not path.is_relative_to(place) or "w" not in mode
    return err.removeprefix("nertag: error: ").removesuffix("\n")


# --- Any file ---------------------------------------------------------------------------------------------------------


def cut(share: float) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])

    return damage


def becomes(content: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.write_bytes(content)

    return damage


def replaced_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def swollen(path: Path) -> None:
    """Make a file of 3 GB that takes no room."""
    with path.open("r+b") as file:
        file.truncate(3 << 30)


ANY_FILE: dict[str, Callable[[Path], None]] = {
    "missing": Path.unlink,
    "a folder": replaced_by_folder,
    "empty": becomes(b""),
    "one byte": becomes(b"{"),
    "half": cut(0.5),
    "almost whole": cut(0.97),
    "zeros": becomes(bytes(4096)),
    "a picture": becomes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64)),
    "a pickle": becomes(b"\x80\x04cos\nsystem\n(S'touch here'\ntR."),
    "an archive": becomes(b"PK\x03\x04" + bytes(64)),
    "text": becomes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 18188900\n"),
    "a JSON list": becomes(b"[1, 2]"),
    "another object": becomes(b'{"architectures": ["BertForTokenClassification"]}'),
    "deep JSON": becomes(b"[" * 100_000),
    "not UTF-8": becomes(b'{"\xff\xfe": "\x80"}'),
}


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("case", ANY_FILE)
def test_a_file_that_is_not_what_it_should_be(
    case: str, name: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ANY_FILE[case](folder / name)
    message = refused(folder, capfd)
    assert str(folder) in message
    assert name in message


@pytest.mark.parametrize("name", [CONFIG, GRAPH])
def test_a_file_larger_than_any_of_ours(name: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    swollen(folder / name)
    assert "it is larger than " in refused(folder, capfd)


# --- Links and pipes --------------------------------------------------------------------------------------------------


def link(target: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.unlink()
        path.symlink_to(target)

    return damage


LINKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "to a secret": (link(f"../{SECRET}"), "is a link out of the folder"),
    "to a device": (link("/dev/zero"), ""),
    "to nothing": (link("nowhere"), ""),
    "to a folder": (link(".."), ""),
    "to itself": (link("config.json"), ""),
}


@posix
@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("case", LINKS)
def test_a_link(case: str, name: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    damage, words = LINKS[case]
    damage(folder / name)
    message = refused(folder, capfd)
    assert str(folder) in message
    assert words in message


@posix
@pytest.mark.parametrize("command", [("tag", "--text", "Ann"), ("info",), ("info", "--json")])
def test_a_card_that_links_out(command: tuple[str, ...], folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    link(f"../{SECRET}")(folder / CARD)
    hint = "\n  hint: Put the file itself there."
    assert refused(folder, capfd, command) == f"{folder}: its {CARD} is a link out of the folder{hint}"


@posix
@pytest.mark.parametrize("name", NEEDED)
def test_a_pipe_is_not_waited_for(name: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert refused(folder, capfd) == f"{folder}: this is no model folder: {name} is missing"


@posix
def test_a_card_that_is_a_pipe_is_not_waited_for(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / CARD).unlink()
    os.mkfifo(folder / CARD)
    assert main(["info", str(folder)]) == 0


@posix
def test_links_that_lead_nowhere_else_are_fine(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / CONFIG).rename(folder / "real.json")
    (folder / CONFIG).symlink_to("real.json")
    (folder.parent / "latest").symlink_to("model")
    for place in (folder, folder.parent / "latest"):
        assert main(["tag", "--model", str(place), "--text", "Ann"]) == 0


@posix
def test_the_links_of_the_hub_s_cache_are_fine(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    repository = folder.parent / "models--org--name"
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    folder.rename(repository / "blobs")
    for path in (repository / "blobs").iterdir():
        (snapshot / path.name).symlink_to(f"../../blobs/{path.name}")
    assert main(["tag", "--model", str(snapshot), "--text", "Ann"]) == 0
    link(f"../../../{SECRET}")(snapshot / CONFIG)
    assert main(["tag", "--model", str(snapshot), "--text", "Ann"]) == 1
    assert "is a link out of the folder" in capfd.readouterr().err


# --- config.json ------------------------------------------------------------------------------------------------------


def setting(**changes: object) -> Damage:
    def damage(folder: Path) -> None:
        values = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        for name, value in changes.items():
            (values["model"] if name in values["model"] and name != "embedding_size" else values)[name] = value
        (folder / CONFIG).write_text(json.dumps(values), encoding="utf-8")

    return damage


def padded(folder: Path) -> None:
    with (folder / CONFIG).open("ab") as file:
        file.write(b" " * (1 << 20))


def huge_number(folder: Path) -> None:
    text = (folder / CONFIG).read_text(encoding="utf-8")
    (folder / CONFIG).write_text(text.replace('"embedding_size": 8', '"embedding_size": ' + "9" * 5000, 1), "utf-8")


CONFIGS: dict[str, tuple[Damage, str]] = {
    "a path for a setting": (setting(embedding=f"../{SECRET}"), "embedding must be one of 'pretrained', 'learned'"),
    "a file of its own": (setting(weights_file=f"../{SECRET}"), "unknown key 'weights_file'"),
    "a path for a version": (setting(format=f"../{SECRET}"), f"its format is '../{SECRET}'"),
    "a window without end": (setting(window=10**12), "window must be at most 10000, not 1000000000000"),
    "a window of nothing": (setting(window=-1), "window must be at least 2, not -1"),
    "vectors of absurd size": (setting(embedding_size=10**18), "its word vectors have the shape"),
    "a negative size": (setting(embedding_size=-8), "embedding_size must be at least 1"),
    "an infinite temperature": (setting(temperature=float("inf")), "temperature from 0.001 to 1000"),
    "a label with an order to the terminal": (setting(labels=["\x1b[2J"]), "labels must be one or more"),
    "more labels than logits": (setting(labels=["PER", "ORG"]), "it does not lead from vectors"),
    "no labels": (setting(labels=[]), "labels must be one or more different words"),
    "too long": (padded, "it is larger than 1,048,576 bytes"),
    "a number of 5000 digits": (huge_number, "it cannot be read: Exceeds the limit"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_configuration(case: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    damage, words = CONFIGS[case]
    damage(folder)
    assert words in refused(folder, capfd)


# --- weights.safetensors ----------------------------------------------------------------------------------------------


def weights(change: Callable[[dict[str, Any]], Any], *, length: int | None = None, tail: bytes = b"") -> Damage:
    """Rewrite the header, which `change` alters or replaces, and what it says of its own length."""

    def damage(folder: Path) -> None:
        content = (folder / WEIGHTS).read_bytes()
        size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + size])
        replaced = change(header)
        text = json.dumps(header if replaced is None else replaced).encode()
        stated = len(text) if length is None else length
        (folder / WEIGHTS).write_bytes(stated.to_bytes(8, "little") + text + content[8 + size :] + tail)

    return damage


def word_table(**changes: object) -> Damage:
    return weights(lambda header: header[_table_of(header)].update(changes))


def _table_of(header: dict[str, Any]) -> str:
    return "words.weight" if "words.weight" in header else "words.table"


WEIGHT_FILES: dict[str, tuple[Damage, str]] = {
    "a header of absurd length": (weights(lambda header: None, length=1 << 62), "it is no safetensors file"),
    "a header of all the length there is": (weights(lambda header: None, length=(1 << 64) - 1), "it is no safetensors"),
    "a header longer than the file": (weights(lambda header: None, length=1 << 19), "it is no safetensors file"),
    "a header of no length": (weights(lambda header: None, length=0), "it is no safetensors file"),
    "a header that is a list": (weights(lambda header: [header]), "it is no safetensors file"),
    "an absurd shape": (word_table(shape=[1 << 40, 1 << 40]), "is damaged"),
    "a shape beyond 64 bits": (word_table(shape=[10**30, 1]), "is damaged"),
    "a negative shape": (word_table(shape=[-1, 8]), "is damaged"),
    "a shape of a thousand dimensions": (word_table(shape=[1] * 1000), "is damaged"),
    "a shape of text": (word_table(shape="88"), "is damaged"),
    "no shape": (word_table(shape=None), "is damaged"),
    "another shape": (word_table(shape=[8, 8], data_offsets=[0, 256]), "its word vectors have the shape (8, 8)"),
    "bytes before the file": (word_table(data_offsets=[-100, 0]), "is damaged"),
    "bytes after the file": (word_table(data_offsets=[0, 1 << 40]), "is damaged"),
    "bytes from end to beginning": (word_table(data_offsets=[100, 0]), "is damaged"),
    "bytes at half a number": (word_table(data_offsets=[0.5, 100.5]), "is damaged"),
    "an unknown type": (word_table(dtype="../../secret.txt"), "is damaged"),
    "a type of objects": (word_table(dtype="O"), "is damaged"),
    "a type that is none": (word_table(dtype=["F32"]), "is damaged"),
    "no word vectors": (weights(lambda header: header.pop(_table_of(header)) and None), "it holds no word vectors"),
    "nothing": (weights(lambda header: {}), "it holds no word vectors"),
}


@pytest.mark.parametrize("case", WEIGHT_FILES)
def test_weights(case: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    damage, words = WEIGHT_FILES[case]
    damage(folder)
    message = refused(folder, capfd)
    assert message.startswith(f"{folder / WEIGHTS}: ")
    assert words in message


# --- model.onnx -------------------------------------------------------------------------------------------------------


def graph(change: Callable[[Any], None]) -> Damage:
    def damage(folder: Path) -> None:
        model = onnx.load(folder / GRAPH)
        change(model)
        (folder / GRAPH).write_bytes(model.SerializeToString())

    return damage


def external(location: str) -> Callable[[Any], None]:
    """Let the largest weight lie in another file."""

    def change(model: Any) -> None:
        tensor = max(model.graph.initializer, key=lambda tensor: tensor.ByteSize())
        size = len(numpy_helper.to_array(tensor).tobytes())
        tensor.ClearField("raw_data")
        tensor.ClearField("float_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", "0"), ("length", str(size))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value

    return change


def colossal(model: Any) -> None:
    """Let the logits depend on a tensor of 4 petabytes."""
    (last,) = [node for node in model.graph.node if "logits" in node.output]
    last.output[0] = "real_logits"
    model.graph.initializer.append(numpy_helper.from_array(np.array([1 << 50]), "many"))
    model.graph.node.append(helper.make_node("ConstantOfShape", ["many"], ["colossus"]))
    model.graph.node.append(helper.make_node("ReduceSum", ["colossus"], ["nought"], keepdims=0))
    model.graph.node.append(helper.make_node("Add", ["real_logits", "nought"], ["logits"]))


def unknown_operator(model: Any) -> None:
    model.graph.node.append(helper.make_node("ReadFile", ["lengths"], ["content"], domain="evil"))
    model.opset_import.append(helper.make_opsetid("evil", 1))


def endless(model: Any) -> None:
    """Let the graph begin where it ends."""
    model.graph.node[0].input[0] = "logits"


def text_for_numbers(model: Any) -> None:
    for entry in model.graph.input:
        if entry.name == "vectors":
            entry.type.tensor_type.elem_type = TensorProto.STRING


def without_shapes(model: Any) -> None:
    for entry in [*model.graph.input, *model.graph.output]:
        entry.type.tensor_type.ClearField("shape")


GRAPHS: dict[str, tuple[Damage, str]] = {
    "weights in a file elsewhere": (graph(external(f"../{SECRET}")), "it refers to other files for its weights"),
    "weights in a file by its full path": (graph(external("/etc/passwd")), "it refers to other files for its weights"),
    "weights in a file of the folder": (graph(external(WEIGHTS)), "it refers to other files for its weights"),
    "ONNX Runtime's own format": (
        lambda folder: becomes(b"\x20\x00\x00\x00ORTM" + bytes(100))(folder / GRAPH),
        "it is no ONNX file",
    ),
    "a tensor of petabytes": (graph(colossal), "ONNX Runtime "),
    "an operator nobody knows": (graph(unknown_operator), "ONNX Runtime does not accept it"),
    "a circle": (graph(endless), "ONNX Runtime does not accept it"),
    "text where numbers belong": (graph(text_for_numbers), "ONNX Runtime does not accept it"),
    "no shapes": (graph(without_shapes), "it does not lead from vectors"),
    "no graph": (graph(lambda model: model.ClearField("graph")), "ONNX Runtime does not accept it"),
    "no inputs": (graph(lambda model: model.graph.ClearField("input")), "ONNX Runtime does not accept it"),
    "no outputs": (graph(lambda model: model.graph.ClearField("output")), ""),
    "names that are no text": (
        lambda folder: becomes((folder / GRAPH).read_bytes().replace(b"LSTM", b"LS\xd0M"))(folder / GRAPH),
        "ONNX Runtime does not accept it",
    ),
    "a version of the future": (graph(lambda model: setattr(model, "ir_version", 999)), "ONNX Runtime does not accept"),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_graphs(case: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    damage, words = GRAPHS[case]
    damage(folder)
    message = refused(folder, capfd)
    assert message.startswith(f"{folder / GRAPH}: ")
    assert words in message


def test_what_is_refused_would_work_undamaged(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = tree(folder.parent)
    assert main(["tag", "--model", str(folder), "--text", "Mira waved", "--format", "labels"]) == 0
    assert capfd.readouterr() == ("1 0\n", "")
    assert main(["info", str(folder)]) == 0
    assert tree(folder.parent) == before
