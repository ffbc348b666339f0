"""What code a result was made by: a hash of the functions and modules behind a command.

A change of code must make stale what it touches, and only that. So the hash of a command covers
its own function, the helpers beside it that it uses, and every module of the package that these
import, and what those import in turn. Comments, docstrings and layout are no part of it: nothing is
computed anew for words. The versions of the numerical libraries that this code imports are, and so
is the content of the package's own tables and folders of data that it names.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGE = "xascoord"
# The settings of a job stand in its parameters, by value: their definitions are not its code.
_NOT_CODE = "xascoord.settings."
_ROOT = Path(__file__).resolve().parents[1]
# Libraries whose version may change a number, by the name they are imported by.
_NUMERICAL = {
    "numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "torch": "torch",
    "pymatgen": "pymatgen-core", "matminer": "matminer", "larch": "xraylarch", "xraydb": "xraydb",
    "spglib": "spglib", "larixite": "larixite", "feff10": "feff10-rs", "skops": "skops",
}  # fmt: skip
_TABLES = (".csv", ".json", ".toml", ".yaml")  # of what lies beside modules


def fingerprint(*entries: str, without: str | None = None) -> str:
    """Hash of the code behind a command and of the libraries that it uses.

    Parameters
    ----------
    entries
        ``module:function``, as in ``labels.stage:make_labels``.
    without
        A subpackage, and a library, that is known not to be used: ``networks``, with it torch.

    Returns
    -------
    str
        Sixteen hexadecimal digits: the same for the same code, libraries and minor version of
        Python on every machine.

    Raises
    ------
    KeyError
        If there is no such function.
    """
    statements: list[ast.stmt] = []
    imports: set[str] = set()
    for entry in entries:
        mine, theirs = _closure(entry)
        statements += mine
        imports |= theirs
    modules = {name for name in _reached(imports) if name.split(".")[1] != without}
    parts = [_text(node) for node in statements]
    parts += [f"{name} {_hash_of(name)}" for name in sorted(modules)]
    data = set().union(*map(_data_in, statements), *map(_data_of, modules))
    parts += [f"{path.as_posix()} {_hash_of_data(path)}" for path in sorted(data)]
    used = {name for name in imports if not _is_ours(name)}
    used |= {name for one in modules for name in _imports_of(one) if not _is_ours(name)}
    libraries = {name.partition(".")[0] for name in used} & set(_NUMERICAL)
    if without == "networks":
        libraries -= {"torch"}
    if "pymatgen" in libraries:  # it finds equivalent sites by spglib
        libraries |= {"spglib"}
    parts += sorted(map(_version, libraries))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def rooms_of(entry: str) -> set[str]:
    """Subpackages behind a command: what DVC, which knows files only, has to depend on."""
    _, imports = _closure(entry)
    return {entry.split(".")[0], *(name.split(".")[1] for name in _reached(imports))}


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == _PACKAGE


def _version(name: str) -> str:
    library = _NUMERICAL[name]
    try:
        return f"{library} {version(library).partition('+')[0]}"
    except PackageNotFoundError:
        return f"{library} none"


def _closure(entry: str) -> tuple[list[ast.stmt], set[str]]:
    """A function with what it uses of its own module, in its order, and modules these import."""
    module, _, function = entry.partition(":")
    statements = _tree_of(f"{_PACKAGE}.{module}").body
    body = {name: node for node in statements for name in _names_bound(node)}
    imported: dict[str, str] = {}
    for node in statements:
        imported |= _imported_names(node)
    if function not in body:
        raise KeyError(f"{_PACKAGE}.{module} has no {function!r}")
    wanted, todo, imports = set(), [function], set()
    while todo:
        name = todo.pop()
        if name in wanted:
            continue
        wanted.add(name)
        for used in _names_used(body[name]):
            if used in imported:
                imports.add(imported[used])
            elif used in body:
                todo.append(used)
        for inner in ast.walk(body[name]):
            imports |= set(_imported_names(inner).values())
    return [node for node in statements if wanted & set(_names_bound(node))], imports


def _names_bound(node: ast.stmt) -> list[str]:
    """Names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return [node.name]
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]


def _names_used(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _imported_names(node: ast.AST) -> dict[str, str]:
    """Names that an import binds, each with the module that it comes from."""
    if isinstance(node, ast.Import):
        return {(a.asname or a.name).partition(".")[0]: a.name for a in node.names}
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        # A name may be a module itself: 'from xascoord.sources.demo import spectra'.
        return {
            a.asname or a.name: inner if _path_of(inner) else node.module
            for a in node.names
            for inner in [f"{node.module}.{a.name}"]
        }
    return {}


@cache
def _path_of(module: str) -> Path | None:
    """File of a module of the package; None for a package, which holds no code, and for others."""
    if not _is_ours(module):
        return None
    path = _ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")
    return path if path.is_file() else None


@cache
def _tree_of(module: str) -> ast.Module:
    path = _path_of(module)
    if path is None:
        raise KeyError(f"no module {module}")
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imports_of(module: str) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(_tree_of(module)):
        found |= set(_imported_names(node).values())
    return frozenset(found)


def _reached(imports: set[str]) -> set[str]:
    """Modules of the package behind some imports."""
    found: set[str] = set()
    todo = list(imports)
    while todo:
        name = todo.pop()
        if name not in found and not name.startswith(_NOT_CODE) and _path_of(name):
            found.add(name)
            todo += _imports_of(name)
    return found


@cache
def _hash_of(module: str) -> str:
    return hashlib.sha256(_text(_tree_of(module)).encode()).hexdigest()


@cache
def _data_files() -> dict[str, list[Path]]:
    """Data of the package by the name that code reads it by: of a table, or of a folder of data."""
    files = [path.relative_to(_ROOT) for path in _ROOT.rglob("*") if path.is_file()]
    files = [path for path in files if "__pycache__" not in path.parts]
    with_code = {folder for path in files if path.suffix == ".py" for folder in path.parents}
    found: dict[str, list[Path]] = {}
    for path in files:
        # From the whole package downwards: the first folder that holds no code is one of data.
        data = [folder.name for folder in [*path.parents][::-1] if folder not in with_code]
        if data or path.suffix in _TABLES:
            found.setdefault(data[0] if data else path.name, []).append(path)
    return found


def _data_in(tree: ast.AST) -> set[Path]:
    """Data files that some code names in a string."""
    texts = {node.value for node in ast.walk(tree)
             if isinstance(node, ast.Constant) and isinstance(node.value, str)}  # fmt: skip
    return {path for text in texts for path in _data_files().get(text.rpartition("/")[2], ())}


@cache
def _data_of(module: str) -> set[Path]:
    return _data_in(_tree_of(module))


@cache
def _hash_of_data(path: Path) -> str:
    return hashlib.sha256((_ROOT / path).read_bytes()).hexdigest()


def _text(tree: ast.AST) -> str:
    """The code alone: no docstring, no comment, no layout."""
    return ast.unparse(_Plain().visit(copy.deepcopy(tree)))


class _Plain(ast.NodeTransformer):
    """Leaves docstrings out."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Go through a node and what is in it."""
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                node.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]
        return node
