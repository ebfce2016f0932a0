"""Settings files and NERTAG_* variables in; defaults for a command's options out.

What wins, first to last: the command line, a variable, nertag.toml, the table [tool.nertag] of pyproject.toml, the
default. The keys are the names of the options. Options that name one run's text and files stay on the command line, so
that no settings file can make the program write anywhere.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer

from nertag.console import Results
from nertag.errors import ConfigError, MissingExtraError

PREFIX = "NERTAG_"
_COMMAND_LINE = "command line"
_ORIGINS = "nertag.settings"
_OF_ONE_RUN = frozenset({"force", "null", "show-settings", "text"})
_METAVARS_OF_ONE_RUN = frozenset({"FILE", "FOLDER", "PATH"})
_SWITCHES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@contextmanager
def applied(ctx: typer.Context, files: Sequence[str], args: Sequence[str]) -> Iterator[None]:
    """Let settings stand in for options that are not on the command line while it is parsed.

    Args:
        ctx: The context of a command whose arguments are parsed in the block.
        files: Settings files, the weakest first.
        args: Its arguments; if they ask for help, no setting is read.

    Yields:
        Nothing.

    Raises:
        ConfigError: If a file cannot be read, a key is unknown, or a value does not do.
        BadParameter: If a value on the command line does not do.
    """
    given, _, _ = ctx.command.make_parser(ctx).parse_args(args=list(args))
    if given.get("help"):
        yield
        return
    options = configurable(ctx.command)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, settings in [*((file, read(file)) for file in files), (PREFIX, _variables(os.environ, options))]:
        for key, value in settings.items():
            option = options.get(key)
            if option is None:
                message, hint = _unknown(key, origin, options, ctx.command)
                raise ConfigError(message, hint=hint, path=None if origin == PREFIX else origin)
            origins[option.name] = _variable(key) if origin == PREFIX else origin
            values[option.name] = _converted(value, option, key, origins[option.name])
    ctx.default_map = values
    ctx.meta[_ORIGINS] = origins
    try:
        yield
    except typer.BadParameter as error:
        name = getattr(error.param, "name", None)
        if name not in origins or _source(ctx, name) == _COMMAND_LINE:
            raise
        key = next(key for key, option in options.items() if option.name == name)
        message = error.message.removeprefix("Value error, ").rstrip(".")  # The one is pydantic's, the other Typer's.
        raise ConfigError(f"{_place(key, origins[name])}{message}") from None


def configurable(command: Any) -> dict[str, Any]:  # noqa: ANN401 - Typer keeps its class of commands to itself
    """Return the options of a command that may be set outside the command line, by their names without dashes."""
    options = {
        next(name for name in parameter.opts if name.startswith("--")).removeprefix("--"): parameter
        for parameter in command.params
        if parameter.param_type_name == "option" and parameter.metavar not in _METAVARS_OF_ONE_RUN
    }
    return {name: option for name, option in options.items() if name not in _OF_ONE_RUN}


def show(ctx: typer.Context) -> None:
    """Write the settings in force as TOML, each with where it comes from.

    Raises:
        NertagError: If standard output cannot be written.
    """
    lines = []
    for key, option in configurable(ctx.command).items():
        value = ctx.params[option.name]
        setting = f"# {key} is not set" if value is None else f"{key} = {_toml(value)}"
        lines.append((setting, _source(ctx, option.name)))
    width = max(len(setting) for setting, _ in lines)
    results = Results()
    results.write("".join(f"{setting:{width}}  # {origin}\n" for setting, origin in lines))
    results.flush()


def _source(ctx: typer.Context, name: str) -> str:
    """Say where a parameter's value comes from."""
    source = ctx.get_parameter_source(name)
    if source is None or source.name == "DEFAULT":
        return "default"
    return _COMMAND_LINE if source.name == "COMMANDLINE" else _toml(ctx.meta[_ORIGINS][name])[1:-1]


def _toml(value: object) -> str:
    """Return a value as TOML writes it, in one line and without control characters; JSON's strings are all but that."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
    return str(value).lower()


def read(file: str) -> Mapping[str, Any]:
    """Read a settings file.

    Returns:
        The settings in it, by name.

    Raises:
        ConfigError: If it cannot be read or is no TOML.
        MissingExtraError: If this Python reads no TOML.
    """
    try:
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
    except ImportError:
        raise MissingExtraError("to read it, Python 3.10 needs tomli: run pip install tomli", path=file) from None
    try:
        values: Any = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"it cannot be read as TOML: {error}", path=file) from None
    for table in ("tool", "nertag") if os.path.basename(file) == "pyproject.toml" else ():
        values = values.get(table, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{table!r} must be a table of settings, not {values!r}", path=file)
    settings: Mapping[str, Any] = values
    return settings


def _variables(environment: Mapping[str, str], options: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings among the environment variables, by key; an empty one is as good as none."""
    names = {_variable(key): key for key in options}
    ours = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value}
    return {names.get(name, name): value for name, value in ours.items()}


def _variable(key: str) -> str:
    """Return the variable for a key: `NERTAG_TEXT_FIELD` for `text-field`."""
    return PREFIX + key.upper().replace("-", "_")


def _unknown(key: str, origin: str, options: Mapping[str, Any], command: Any) -> tuple[str, str]:  # noqa: ANN401
    """Return what to say of a key that is no setting, and a hint."""
    kind, names, flag = "key", list(options), f"--{key}"
    if origin == PREFIX:
        kind, names = "variable", [_variable(name) for name in options]
        flag = "--" + key.removeprefix(PREFIX).lower().replace("_", "-")
    if any(flag in parameter.opts for parameter in command.params):
        return f"{key!r} is no setting", f"{flag} belongs on the command line."
    close = get_close_matches(key, names, n=1)
    return f"unknown {kind} {key!r}", f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(names)}."


def _converted(value: object, option: Any, key: str, origin: str) -> object:  # noqa: ANN401 - as above
    """Return a value as the command line would give it; the option itself checks what it means.

    A model that is a folder as seen from the settings file is that folder, wherever the program runs.

    Raises:
        ConfigError: If it is of the wrong kind.
    """
    of_variable = origin.startswith(PREFIX)
    wanted = "a text or a number"
    if option.is_flag:
        value = _SWITCHES.get(str(value).lower(), value) if of_variable else value
        if isinstance(value, bool):
            return value
        wanted = "true or false"
    elif option.multiple:
        values = str(value).split() if of_variable else value
        if isinstance(values, list) and all(map(_is_plain, values)):
            return [str(item) for item in values]
        wanted = "a list"
    elif _is_plain(value):
        if option.metavar == "MODEL" and not of_variable and value:
            folder = Path(origin).parent / str(value)
            return str(folder) if folder.is_dir() else str(value)
        return str(value)
    raise ConfigError(f"{_place(key, origin)}it must be {wanted}, not {value!r}")


def _is_plain(value: object) -> bool:
    """Whether a value is a text or a number."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _place(key: str, origin: str) -> str:
    """Say where a value comes from, as messages begin."""
    return f"{origin}: " if origin.startswith(PREFIX) else f"{origin}: {key}: "
