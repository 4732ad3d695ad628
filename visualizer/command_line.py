"""From the table of options to a command of the terminal."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Any, TypeVar

import typer

from visualizer.errors import UserError
from visualizer.options import FIRST_CAMERA, Option, SharedOptions, old_names, options_of
from visualizer.support.log import log
from visualizer.values import Flag

T = TypeVar("T")


def takes(table: type[SharedOptions]) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """A decorator: the command takes the options of that table too, before its own.

    It is given those that were asked for as keyword arguments, read, by the names they have now.
    """
    options = {name: each for name, each in options_of(table).items() if each.on_command_line}

    def decorate(command: Callable[..., T]) -> Callable[..., T]:
        own = [
            each
            for each in inspect.signature(command, eval_str=True).parameters.values()
            if each.kind is not inspect.Parameter.VAR_KEYWORD
        ]

        @functools.wraps(command)
        def run(**values: Any) -> T:
            mine = {each.name: values.pop(each.name) for each in own}
            return command(**mine, **_read(table, options, values))

        parameters = []
        for name, each in sorted(options.items(), key=lambda pair: not pair[1].required):
            parameters.append(_parameter(name, each))
            parameters += (_parameter(old, Option(each.kind, "", hidden=True, name=old)) for old in each.old_names)
        parameters += (each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own)
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        return run

    return decorate


def _parameter(name: str, option: Option) -> inspect.Parameter:
    """As typer wants it. Words are read by the option's kind, not by typer, so that all say the same of a wrong one."""
    typed: Any = bool if isinstance(option.kind, Flag) else str
    info = typer.Option(
        *(option.flags or (option.flag,)), metavar=option.kind.metavar, help=option.said, hidden=option.hidden
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if option.required else None,
        annotation=Annotated[typed if option.required else typed | None, info],
    )


def _read(table: type[SharedOptions], options: dict[str, Option], values: dict[str, Any]) -> dict[str, Any]:
    """What was asked for. UserError for a value that cannot be read, or an option under both of its names."""
    asked = {name: value for name, value in values.items() if value is not None}
    for old, name in old_names(table).items():
        if old not in asked:
            continue
        if name in asked:
            raise UserError(f"--{old} is the old name of {options[name].flag}: one of them is enough")
        log.info("--%s is now called %s", old, options[name].flag)
        asked[name] = asked.pop(old)
    return {name: options[name].kind.read(name, value) for name, value in asked.items()}


def refuse_before(context: typer.Context, table: type[SharedOptions]) -> None:
    """UserError if an option of the program stands before the name of a command, which would not see it."""
    options = options_of(table)
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE" and not name.startswith("_"):
            flag = options[name].flag if name in options else f"--{name.replace('_', '-')}"
            raise UserError(f"{flag} goes after '{context.invoked_subcommand}', or is not for it")


def fill_in_camera(words: list[str]) -> list[str]:
    """The command line with the first camera after a `--camera` that names none."""
    out: list[str] = []
    for word, after in pairwise([*words, "-"]):
        out += [word, FIRST_CAMERA] if word == "--camera" and after.startswith("-") else [word]
    return out
