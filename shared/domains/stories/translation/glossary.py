"""Translation without a service: of the grammar's sentences, which it reads back and says again in the other language."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domains.stories.generation.lexicon import WRITTEN
from shared.domains.stories.languages import NAMES, Language
from shared.domains.stories.ports import Cost, Translation, UntranslatableError


class GlossaryTranslator:
    """Translates between English, French, Spanish and German whatever the grammar can say, and nothing else."""

    name = "glossary"

    def can_translate(self, source: Language, target: Language) -> bool:
        """Whether the grammar knows both languages."""
        return source in WRITTEN and target in WRITTEN and source != target

    async def translate(self, texts: Sequence[str], source: Language, target: Language) -> Translation:
        """The same sentences in another language.

        Raises:
            UntranslatableError: one is not the grammar's, or a language is not.
        """
        if not self.can_translate(source, target):
            raise UntranslatableError(f"the glossary does not translate from {NAMES[source]} to {NAMES[target]}")
        translated = tuple(_translated(text, source, target) for text in texts)
        return Translation(texts=translated, cost=Cost(characters=sum(map(len, texts))))


def _translated(text: str, source: Language, target: Language) -> str:
    from shared.domains.stories.generation.sentences import read

    found = read(text, source)
    if found is None:
        raise UntranslatableError("the glossary knows only sentences of its own grammar")
    template, fillers = found
    return template.render(target, fillers)
