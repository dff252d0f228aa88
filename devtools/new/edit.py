"""Adding to a module that there is: what it imports, and where a class ends."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from devtools.environment import TroubleError


class Module:
    """The text of a module, with what it binds.

    Raises:
        TroubleError: it is no Python.
    """

    def __init__(self, place: str, text: str) -> None:
        self.place = place
        self.text = text
        try:
            self._tree = ast.parse(text)
        except SyntaxError as error:
            raise TroubleError(f"{place}, line {error.lineno}: this is no Python; nothing was written") from None
        self._bound = dict(_bound(self._tree))

    def require_free(self, *names: str) -> None:
        """Raise a TroubleError where the module has one of these names already."""
        for name in names:
            if name in self._bound:
                raise TroubleError(f"{self.place} has {name!r} already; nothing was written")

    def last_class(self, base: str) -> ast.ClassDef | None:
        """The last class that is derived from one of this name."""
        classes = (each for each in self._tree.body if isinstance(each, ast.ClassDef))
        derived = [each for each in classes if any(isinstance(b, ast.Name) and b.id == base for b in each.bases)]
        return derived[-1] if derived else None

    def with_field(self, owner: ast.ClassDef, line: str) -> Module:
        """The module with a line after the last field of a class."""
        fields = [each for each in owner.body if isinstance(each, ast.AnnAssign)] or owner.body[:1]
        lines = self.text.splitlines(keepends=True)
        lines.insert(fields[-1].end_lineno or 0, line)
        return Module(self.place, "".join(lines))

    def with_code(self, code: str) -> Module:
        """The module with more code at its end."""
        return Module(self.place, self.text.rstrip("\n") + "\n" + code)

    def with_imports(self, wanted: Iterable[str]) -> Module:
        """The module with these imports (`module:name`) that it lacks; ruff puts them in order.

        Raises:
            TroubleError: it calls something else by such a name.
        """
        lacking = []
        for each in wanted:
            module, _, name = each.partition(":")
            origin = self._bound.get(name)
            if origin is None:
                lacking.append(f"from {module} import {name}\n")
            elif origin != module:
                raise TroubleError(f"{self.place} calls something else {name!r}; nothing was written")
        lines = self.text.splitlines(keepends=True)
        lines[self._head() : self._head()] = lacking
        return Module(self.place, "".join(lines))

    def _head(self) -> int:
        """How many lines come before the first code: the docstring and the imports."""
        end = 0
        for each in self._tree.body:
            docstring = isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
            if not (docstring or isinstance(each, ast.Import | ast.ImportFrom)):
                break
            end = each.end_lineno or 0
        return end


def _bound(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The names at a module's top level, each with the module that it is imported from, or an empty text."""
    for each in tree.body:
        match each:
            case ast.ImportFrom(module=module, names=names):
                yield from ((one.asname or one.name, "" if one.asname else module or "") for one in names)
            case ast.Import(names=names):
                yield from ((one.asname or one.name.partition(".")[0], "") for one in names)
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, ""
            case ast.Assign(targets=targets):
                yield from ((one.id, "") for one in targets if isinstance(one, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name, ""
            case _:
                pass
