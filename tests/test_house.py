"""How the code is built: no import circle, no state in modules, and nothing that is too long to be read at once.

Longer classes, functions and lists of parameters than usual are right where a docstring says why: "lines, for …" or
"parameters, for …".
"""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_CLASS, LONGEST_FUNCTION, MOST_PARAMETERS = 250, 60, 6
FOREIGN = {"torch", "lightning", "torchmetrics", "training"}  # none of the live program's business

# What functions change of their module, and why that is right.
STATES = {
    ("visualizer/leave.py", "_watch"): "signals are of the process, and there is one",
    ("visualizer/leave.py", "_last_things"): "for a signal's thread, where the main thread does not return",
    ("visualizer/stage/x11.py", "_last_things"): "Xlib calls back without arguments where the server dies",
    ("visualizer/stage/x11.py", "_told"): "what Xlib calls back about is said once, whichever window it was",
    ("visualizer/support/log.py", "_curious"): "of the process, as logging's own levels are",
}
# Longer than they should be. Nothing may be added; what is mended must be taken out.
KNOWN: dict[str, set[str]] = {
    "class": set(),
    "function": set(),
    "parameters": {
        "training/cli.py ear",
        "training/cli.py fit",
        "training/cli.py footage",
        "training/cli.py motion",
        "training/cli.py new_dancer",
        "training/data/choreography/__main__.py main",
        "visualizer/stage/overlay.py _write",
    },
}


@cache
def read_modules() -> dict[str, tuple[Path, ast.Module]]:
    """All modules of the program and the training by their names."""
    found = {}
    for path in sorted([*ROOT.glob("visualizer/**/*.py"), *ROOT.glob("training/**/*.py")]):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = path, ast.parse(path.read_text(encoding="utf-8"))
    return found


def walk_when_imported(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is imported: not functions, and not what is for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from walk_when_imported(child)


def find_imports(name: str, nodes: Iterator[ast.AST]) -> set[str]:
    """Modules that are imported by `name`, in full."""
    path = read_modules()[name][0]
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:  # a module of a package, or a name of a module
                inner = f"{module}.{alias.name}"
                found.add(inner if inner in read_modules() else module)
    return found


def test_no_module_imports_itself_by_way_of_others() -> None:
    modules = read_modules()
    graph = {name: find_imports(name, walk_when_imported(tree)) & modules.keys() - {name}
             for name, (_, tree) in modules.items()}  # fmt: skip
    assert graph["visualizer.live"] >= {"visualizer.show", "visualizer.commands"}  # it does see imports
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_the_live_program_imports_nothing_of_the_training() -> None:
    """Not even late, in a function."""
    guilty = {
        name: found
        for name, (_, tree) in read_modules().items()
        if name.startswith("visualizer")
        and (found := {each for each in find_imports(name, ast.walk(tree)) if each.split(".")[0] in FOREIGN})
    }
    assert not guilty


CHANGES = {"append", "appendleft", "add", "update", "pop", "popleft", "popitem", "clear", "extend", "insert", "remove",
           "discard", "setdefault", "sort", "reverse"}  # fmt: skip
CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


def find_containers(tree: ast.Module) -> set[str]:
    """Names of a module's own lists, dictionaries and sets."""
    found = set()
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        made = isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] in {
            "list", "dict", "set", "deque", "defaultdict", "OrderedDict", "Counter", "WeakSet", "WeakKeyDictionary",
        }  # fmt: skip
        if isinstance(target, ast.Name) and (made or isinstance(value, CONTAINERS)):
            found.add(target.id)
    return found


def find_local_names(function: ast.AST) -> set[str]:
    """Names that a function binds itself."""
    names = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    return names | {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def find_changed(tree: ast.Module) -> set[str]:
    """Names of a module that its functions bind again, and its containers that they change."""
    containers, changed = find_containers(tree), set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        shared = containers - find_local_names(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Global):
                changed |= set(node.names)
            elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                changed |= {node.value.id} & shared if isinstance(node.value, ast.Name) else set()
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
                changed |= {node.func.value.id} & shared if isinstance(node.func.value, ast.Name) else set()
    return changed


def test_what_functions_change_of_their_module_is_seen() -> None:
    code = """
LIST, DICT, NUMBER, CONSTANT, own = [], 1, 2, [3], []
LIST = []
DICT: dict = {}
CONSTANT = [3]
own = []
def change():
    global NUMBER
    NUMBER = 3
    LIST.append(1)
    DICT["a"] = CONSTANT[0]
    own = []
    own.append(1)
"""
    assert find_changed(ast.parse(code)) == {"NUMBER", "LIST", "DICT"}


def test_modules_keep_no_state_but_that_of_the_process() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path, tree in (read_modules()[each] for each in read_modules())
        for name in find_changed(tree)
    }
    assert found == STATES.keys()


def find_long(kind: str) -> set[str]:
    """What is longer than usual without a reason, as "path name"."""
    found = set()
    for path, tree in read_modules().values():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            said = " ".join((ast.get_docstring(node) or "").split())
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            if isinstance(node, ast.ClassDef):
                long = kind == "class" and length > LONGEST_CLASS and "lines, for" not in said
            elif kind == "function":
                long = length > LONGEST_FUNCTION and "lines, for" not in said
            else:
                named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                count = sum(each.arg not in ("self", "cls") for each in named)
                long = kind == "parameters" and count > MOST_PARAMETERS and "parameters, for" not in said
            if long:
                found.add(f"{path.relative_to(ROOT).as_posix()} {node.name}")
    return found


@pytest.mark.parametrize("kind", KNOWN)
def test_what_is_long_says_why(kind: str) -> None:
    assert find_long(kind) == KNOWN[kind]
