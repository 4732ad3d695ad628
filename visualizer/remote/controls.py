"""What remotes may ask for, and what a knob, a fader or a number means to each command."""

from __future__ import annotations

from visualizer.commands import COMMANDS
from visualizer.options import MOST_DANCERS, MOST_SENSITIVE, SYNCS
from visualizer.remote.state import State
from visualizer.values import Temperature

# Not: to end the show, which a hand in a pocket could do, and the help, which is about keys.
REMOTE_COMMANDS = {name: command for name, command in COMMANDS.items() if name not in ("quit", "help")}
# Least and most of the commands that take a number.
RANGES = {
    "troupe": (1.0, float(MOST_DANCERS)),
    "sensitivity": (float(-MOST_SENSITIVE), float(MOST_SENSITIVE)),
    "temperature": (Temperature.least, Temperature.most),
}
WHOLE = ("troupe",)
SWITCH = "[on|off]"
NAMED = ("style", "dance", "look", "figure", "sync")


def find_choices(name: str, state: State | None) -> tuple[str, ...]:
    """The names that a command can be given, in the order of a knob; () where there are none, or none are known yet."""
    if state is None or name not in NAMED:
        return ()
    if name == "look":
        return tuple(look for look, _ in state.looks)
    return {"style": state.styles, "dance": state.dances, "figure": state.figures, "sync": SYNCS}[name]


def find_argument(name: str, value: float, state: State | None) -> str | None:
    """The argument of a command for a control at `value`, 0..1; "" where it takes none, None where it cannot be said.

    A switch is on in the upper half; what takes nothing is only asked for there.
    """
    command, value = REMOTE_COMMANDS[name], min(max(value, 0.0), 1.0)
    if command.argument == SWITCH:
        return "on" if value >= 0.5 else "off"
    if name in RANGES:
        least, most = RANGES[name]
        number = least + (most - least) * value
        return str(round(number)) if name in WHOLE else f"{number:.3g}"
    if choices := find_choices(name, state):
        return choices[min(int(value * len(choices)), len(choices) - 1)]
    return "" if value >= 0.5 and (not command.argument or command.argument[0] == "[") else None


def find_value(name: str, state: State | None) -> float | None:
    """Where a control of that command would be now, 0..1; None where it has no place."""
    if state is None:
        return None
    if name in RANGES:
        least, most = RANGES[name]
        return (getattr(state, name) - least) / (most - least)
    choices, now = find_choices(name, state), getattr(state, name, None) if name in NAMED else None
    return (choices.index(now) + 0.5) / len(choices) if now in choices else None
