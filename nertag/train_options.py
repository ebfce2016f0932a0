"""The options of `nertag train`, made from the configuration: one for every setting, so that none is forgotten.

Their help is the `Attributes` section of the dataclasses. They are made when `train` is called or listed, not before:
`tag` need not wait for fifty options (8 ms of 300, measured).
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from dataclasses import Field, fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer

from nertag.config import ModelConfig, Recipe, TrainingConfig

SECTIONS: tuple[tuple[str, type[Any]], ...] = (("model", ModelConfig), ("training", TrainingConfig), ("", Recipe))
_OWN_NAMES = {"output": "--output-layer", "from_model": "--from", "person_labels": "--person-label"}
_LEFT_OUT = {"sources", "model", "training"}


def setting_parameters() -> list[inspect.Parameter]:
    """Return one keyword parameter for every setting, each None unless given."""
    return [
        inspect.Parameter(
            f"{section}__{field.name}" if section else field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=_annotation(field, kinds[field.name], helps.get(field.name, ""), section),
        )
        for section, cls in SECTIONS
        for kinds, helps in [(typing.get_type_hints(cls), _attributes(cls))]
        for field in fields(cls)
        if field.name not in _LEFT_OUT
    ]


def _annotation(field: Field[Any], kind: Any, text: str, section: str) -> Any:  # noqa: ANN401 - Typer's have no type
    """Return the annotation that makes Typer declare a setting, with the default that applies if it is not given."""
    option = _OWN_NAMES.get(field.name, "--" + field.name.replace("_", "-"))
    if get_origin(kind) in (typing.Union, types.UnionType):
        kind = get_args(kind)[0]
    metavar = None
    if field.name == "labels":
        text += " Several with commas."
        kind, metavar = str, "LABEL,…"
    elif get_origin(kind) is tuple:
        kind = list[str]
    elif kind is bool:
        option = f"{option}/--no-{option[2:]}"
    panel = {"model": "Network", "training": "Training", "": "Data"}[section]
    text += _default(field.default)
    return Annotated[kind | None, typer.Option(option, help=text, metavar=metavar, rich_help_panel=panel)]


def _default(value: object) -> str:
    """Return what help says about a default: nothing if there is none. Typer, given None, would not know it."""
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if isinstance(value, tuple):
        value = ",".join(value)
    return "" if value in (None, "") else f" [default: {value}]"


def _attributes(cls: type[Any]) -> dict[str, str]:
    """Return the descriptions in the `Attributes` section of a docstring."""
    section = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")[2]
    entries = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", section, re.MULTILINE)
    return {name: re.sub(r"\s*\n\s+", " ", text).replace("`", "") for name, text in entries}


def gather(values: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that were given, as `Recipe` nests them."""
    settings: dict[str, Any] = {}
    for name, value in values.items():
        if value is None or value == []:
            continue
        section, _, field = name.rpartition("__")
        if field == "labels":
            value = [label.strip() for label in value.split(",")]
        place = settings.setdefault(section, {}) if section else settings
        place[field] = value
    return settings


_EXAMPLES = """\b
Examples:
  nertag train train.conll --validation dev.conll --output models/mine
  nertag train org/name --validation org/name --embedding learned --cell gru --output models/gru
  nertag train --recipe recipe.toml --seed 2 --output models/second
  nertag train --resume --output models/mine
"""


def train(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="Files or folders with gold tags, or Hub ids, org/name:config@revision."),
    ] = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="The model folder to write.")],
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", exists=True, dir_okay=False, help="A TOML file of settings; options win over it."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a model that is there already.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from where an interrupted run stopped.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    **values: Any,  # noqa: ANN401 - one for every setting
) -> None:
    """Train a model on text with gold tags and write its folder."""
    from nertag.commands import train as command

    settings = gather(values)
    if sources:
        settings["sources"] = sources
    command.train(settings, output=output, recipe_path=recipe, force=force, resume=resume, quiet=quiet)


def train_app() -> typer.Typer:
    """Return a Typer application with the one command `train` and all its options."""
    own = [p for p in inspect.signature(train, eval_str=True).parameters.values() if p.kind is not p.VAR_KEYWORD]
    parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in own] + setting_parameters()

    def declared(**values: Any) -> None:  # noqa: ANN401 - every option
        train(**values)

    declared.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    declared.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    declared.__doc__ = train.__doc__
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    app.command("train", epilog=_EXAMPLES)(declared)
    return app
