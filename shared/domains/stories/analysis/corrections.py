"""Where a dictionary that knows no context is wrong more often than right: frequent words, and what they mostly are.

Beside it, the words whose part of speech a list can tell, by Universal Dependencies' names. Words of more than one part of
speech are left out: nothing is better than a guess to somebody who learns.
"""

from __future__ import annotations

LEMMAS: dict[str, dict[str, str]] = {
    "en": {
        "'s": "be", "'m": "be", "'re": "be", "'ve": "have", "'ll": "will", "'d": "would", "n't": "not", "ca": "can", "wo": "will",
        "gone": "go", "fixed": "fix", "born": "bear", "an": "a", "media": "media", "troops": "troops", "worried": "worried",
        "her": "she", "him": "he", "them": "they", "us": "we", "me": "I", "i": "I", "cannot": "can",
        "left": "leave",
    },
    "fr": {
        "certains": "certain", "certaines": "certain", "quelques": "quelque", "ils": "il", "elles": "elle", "sommes": "être",
        "active": "actif", "mme": "madame", "m.": "monsieur", "concernant": "concerner", "suivant": "suivre",
        "secondes": "seconde", "moyenne": "moyen", "chaude": "chaud", "mise": "mise", "visite": "visite", "droite": "droit",
        "présente": "présenter", "aux": "à", "au": "à", "du": "de", "des": "un",
    },
    "es": {
        "tan": "tanto", "mala": "malo", "malas": "malo", "bueno": "bueno", "buena": "bueno", "buenas": "bueno",
        "del": "de", "al": "a", "segura": "seguro", "políticas": "político", "salida": "salida", "mecánicas": "mecánico",
        "conmigo": "yo", "contigo": "tú",
    },
    "de": {
        "welcher": "welcher", "welche": "welcher", "welches": "welcher", "gegessen": "essen", "aussah": "aussehen",
        "im": "in", "zum": "zu", "zur": "zu", "am": "an", "vom": "von", "beim": "bei", "ins": "in", "ans": "an",
        "gefallen": "gefallen", "hat": "haben", "letzten": "letzter", "früher": "früh", "was": "was", "'s": "es",
    },
}  # fmt: skip

FRENCH_NOUNS = frozenset(
    [
        "marché",
        "supermarché",
        "député",
        "employé",
        "blessé",
        "café",
        "fossé",
        "passé",
        "côté",
        "été",
        "pâté",
        "traité",
        "délégué",
        "associé",
        "communiqué",
        "comité",
        "congé",
        "degré",
        "musée",
        "lycée",
        "blé",
        "pré",
        "thé",
        "bébé",
    ]
)
"""Nouns that look like participles."""


def _table(**words: str) -> dict[str, str]:
    return {word: pos for pos, text in words.items() for word in text.split()}


PARTS_OF_SPEECH: dict[str, dict[str, str]] = {
    "en": _table(
        DET="the a an every each no this these some any",
        PRON="I you he she it we they me him us them myself yourself himself herself itself who whom what something somebody "
        "someone nothing nobody anyone anybody everything mine yours",
        ADP="of in at from with without under behind between into towards through against among during upon beside beneath",
        CCONJ="and or but nor",
        SCONJ="because although if whether unless while though",
        PART="not n't",
        AUX="can could will would shall should may might must 'm 're 've 'll",
        ADV="very never always often again already now then here there perhaps maybe soon finally suddenly",
    ),
    "fr": _table(
        DET="un une ce cet cette ces mon ton son ma ta sa mes tes ses notre votre nos vos chaque quelques",
        PRON="je j' tu il elle on ils elles moi toi me m' te t' se s' c' qui quelqu'un personne rien cela ça",
        ADP="de d' à dans sur sous avec sans pour par chez vers contre entre depuis pendant derrière devant jusqu' du au aux",
        CCONJ="et ou mais donc car ni",
        SCONJ="quand lorsque lorsqu' puisque puisqu' comme",
        ADV="ne n' pas très jamais toujours souvent encore déjà maintenant alors ici là enfin bien peut-être aussi aujourd'hui",
    ),
    "es": _table(
        DET="el los un una unos unas este esta estos estas ese esa esos esas mi tu su mis tus sus cada",
        PRON="yo tú él ella nosotros nosotras ellos ellas me te se le les nos quien alguien nadie nada algo esto eso",
        ADP="de a en con sin por para sobre entre hasta desde hacia contra bajo ante tras del al durante",
        CCONJ="y e o u pero ni sino",
        SCONJ="porque aunque si",
        ADV="no muy nunca siempre ya ahora entonces aquí allí quizás también más bien todavía",
    ),
    "de": _table(
        DET="ein eine einen einem einer eines mein meine meinen dein deine deinen sein seine kein keine keinen jeder jede jedes",
        PRON="ich du er es wir mich dich sich uns euch mir dir ihm ihn man jemand niemand etwas nichts wer",
        ADP="in im von vom mit auf für bei beim nach aus über unter zwischen gegen ohne durch hinter neben vor am zum zur ins",
        CCONJ="und oder aber denn sondern",
        SCONJ="dass weil obwohl wenn ob als bevor nachdem",
        AUX="bin bist ist sind seid war waren wird werden wurde kann kannst muss musst soll darf",
        ADV="sehr nie immer oft wieder schon jetzt dann hier dort vielleicht bald endlich plötzlich heute",
        PART="nicht",
    ),
}
"""By language, words in lower case (but English I), each with what it nearly always is."""
