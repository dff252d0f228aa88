"""What is to be written: every file whole, before the first one is touched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from devtools.environment import TroubleError
from devtools.new import templates
from devtools.new.edit import Module
from devtools.new.names import Name
from shared import declarations


@dataclass
class Plan:
    """The files of something new, below a folder. Nothing is written while it grows."""

    root: Path
    names: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    """The text of each file, by its path."""

    def fill(self, text: str) -> str:
        """A template with the names in it."""
        return Template(text).substitute(self.names)

    def module(self, path: str, beginning: str) -> Module:
        """A module as it is, or as it begins."""
        there = self.root / path
        text = there.read_text(encoding="utf-8") if there.exists() else self.fill(beginning)
        return Module(path, self.files.get(path, text))

    def keep(self, module: Module) -> None:
        """Have a module written."""
        self.files[module.place] = module.text

    def create(self, path: str, text: str) -> None:
        """Have a file written that must not be there yet."""
        path = self.fill(path)
        if (self.root / path).exists():
            raise TroubleError(f"{path} exists already; nothing was written")
        self.files[path] = self.fill(text)

    def write(self) -> None:
        """Write all of it."""
        for path, text in self.files.items():
            there = self.root / path
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_text(text, encoding="utf-8")


def kind(root: Path, name: Name, domain: Name) -> Plan:
    """A kind of job in a domain, which is made where there is none.

    Raises:
        TroubleError: there is something of that name already, or it cannot be added by a program.
    """
    _require_free("a kind of job", name.words, (each.name for each in declarations.kinds()))
    plan = _plan(root, domain, name)
    _add_kind(plan, name, templates.KIND, templates.KIND_IMPORTS)
    plan.create("tests/unit/domains/$domain/test_$kind.py", templates.KIND_TEST)
    return plan


def timer(root: Path, name: Name, domain: Name) -> Plan:
    """A timer of a domain that there is, with its schedule and the kind that it submits; raises as `kind` does."""
    known = sorted(each.parent.name for each in root.glob("shared/domains/*/__init__.py"))
    if domain.snake not in known:
        raise TroubleError(f"there is no domain {domain.snake!r}, but {', '.join(known)}; dev.py new domain makes one")
    _require_free("a timer", name.camel, (each.name for each in declarations.timers()))
    _require_free("a kind of job", name.words, (each.name for each in declarations.kinds()))
    _require_free("a setting", f"{name.upper}_SCHEDULE", declarations.specs())
    plan = _plan(root, domain, name)
    _add_schedule(plan)
    _add_kind(plan, name, templates.TIMED_KIND, templates.TIMED_KIND_IMPORTS)
    _add_timer(plan, name)
    plan.create("tests/unit/domains/$domain/test_$kind.py", templates.TIMER_TEST)
    return plan


def domain(root: Path, name: Name) -> Plan:
    """A domain with a setting, a container, a kind and a route; raises as `kind` does."""
    _require_free("a domain", name.snake, (each.name for each in (root / "shared/domains").iterdir()))
    _require_free("a kind of job", f"{name.words}-entry", (each.name for each in declarations.kinds()))
    _require_free("a container", name.words, declarations.containers())
    _require_free("a setting", f"{name.upper}_LONGEST", declarations.specs())
    _require_free("a function", f"Get{name.camel}Entry", (each.function for each in declarations.routes()))
    plan = Plan(root, _names(name, name))
    for path, text in templates.DOMAIN.items():
        plan.create(path, text)
    return plan


def _plan(root: Path, domain: Name, name: Name) -> Plan:
    plan = Plan(root, _names(domain, name))
    if not (root / f"shared/domains/{domain.snake}/__init__.py").exists():
        plan.create("shared/domains/$domain/__init__.py", templates.DOMAIN["shared/domains/$domain/__init__.py"])
    return plan


def _names(domain: Name, name: Name) -> dict[str, str]:
    words = domain.words.replace("-", " ")
    return {
        "domain": domain.snake, "Domain": domain.camel, "DOMAIN": domain.upper, "domain_name": domain.words,
        "domain_words": words, "Domain_words": words.capitalize(), "Section": f"{domain.camel}Settings",
        "kind": name.snake, "Kind": name.camel, "KIND": name.upper, "kind_words": name.words,
    }  # fmt: skip


def _add_kind(plan: Plan, name: Name, template: str, imports: Iterable[str]) -> None:
    module = plan.module(plan.fill("shared/domains/$domain/kinds.py"), _beginning("The jobs of $domain_words."))
    module.require_free(name.camel, name.snake)
    plan.keep(module.with_imports(imports).with_code(plan.fill(template)))


def _add_schedule(plan: Plan) -> None:
    """A field of the domain's last section; where it has none, a section for it, whose name other modules then use."""
    module = plan.module(plan.fill("shared/domains/$domain/settings.py"), _beginning("Settings of $domain_words."))
    section = module.last_class("Section")
    if section is None:
        module = module.with_imports(templates.SECTION_IMPORTS).with_code(plan.fill(templates.SECTION))
        section = module.last_class("Section")
    if section is None:
        raise TroubleError(
            f"{module.place} derives its settings in a way that a program cannot follow; nothing was written"
        )
    plan.names["Section"] = section.name
    plan.keep(module.with_field(section, plan.fill(templates.SCHEDULE)).with_imports(templates.SCHEDULE_IMPORTS))


def _add_timer(plan: Plan, name: Name) -> None:
    module = plan.module(plan.fill("shared/domains/$domain/timers.py"), _beginning("The timers of $domain_words."))
    module.require_free(name.upper)
    imports = map(plan.fill, templates.TIMER_IMPORTS)
    plan.keep(module.with_imports(imports).with_code(plan.fill(templates.TIMER)))


def _beginning(docstring: str) -> str:
    return f'"""{docstring}"""\n\n{templates.FUTURE}'


def _require_free(what: str, name: str, taken: Iterable[str]) -> None:
    if name in set(taken):
        raise TroubleError(f"there is {what} called {name!r} already; nothing was written")
