"""The shape of the code base: sizes, names, and what must never appear."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "backsight").rglob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py")) + sorted((ROOT / "benchmarks").glob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 400, 60
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}


def trees():
    return [(path, ast.parse(path.read_text())) for path in SOURCES]


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno}"


def functions(tree: ast.Module):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_there_is_something_to_check():
    assert len(SOURCES) > 50


def test_modules_are_short_enough_to_read():
    long = [f"{p.relative_to(ROOT)}: {n}" for p in SOURCES if (n := len(p.read_text().splitlines())) > LONGEST_MODULE]
    assert not long


def test_functions_fit_on_a_screen():
    long = [
        f"{place(path, node)} {node.name}: {length}"
        for path, tree in trees()
        for node in functions(tree)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not long


def test_no_module_is_named_after_nothing():
    assert not [path for path in SOURCES if FORBIDDEN_NAMES & set(path.relative_to(ROOT).with_suffix("").parts)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src" / "backsight")))
def test_public_things_have_docstrings(path):
    tree = ast.parse(path.read_text())
    bare = [
        place(path, node)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert ast.get_docstring(tree) is not None
    assert not bare


def test_no_broad_except_and_no_swallowed_error():
    broad = [
        place(path, node)
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
            or all(isinstance(line, ast.Pass) for line in node.body)
        )
    ]
    assert not broad


def test_losses_take_no_loose_keywords():
    loose = [
        place(path, node)
        for path, tree in trees()
        if path.parent.name == "losses"
        for node in functions(tree)
        if node.args.kwarg is not None or node.args.vararg is not None
    ]
    assert not loose


def test_torch_is_never_loaded_as_pickle():
    for path in SOURCES + SCRIPTS:
        text = path.read_text()
        assert "torch.load(" not in text, path
        assert "sys.path" not in text, path


def test_every_folder_says_what_it_is():
    for folder in {path.parent for path in SOURCES}:
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text())), folder
