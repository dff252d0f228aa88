// One entry: its text with the translation of each sentence, its audio, its words, and what can be decided.

import {h} from '../../dashboard/dom.js';
import {player} from './player.js';

const MAKING = {
  pending: 'waits for its turn', generating: 'is being written', translating: 'is being translated',
  speaking: 'is being spoken', analysing: 'is nearly ready',
};

/** What is shown of an entry; `acts` has what can be done: decide(choice), retell(), know(word, known). */
export function entryView(adventure, entry, chosen, acts) {
  const heading = h('h2', {tabindex: '-1', lang: adventure.language}, entry.title ?? `Entry ${entry.number}`);
  const element = h('article', {class: `entry ${entry.status}`, 'data-entry': entry.id, 'aria-busy': String(entry.status in MAKING)});
  const sentences = [];
  const text = entry.paragraphs.map((paragraph) => h('div', {class: 'paragraph'}, paragraph.map((sentence) => {
    const view = sentenceView(adventure, sentence, sentences.length);
    sentences.push(view.element);
    return [view.element, ' '];
  })));
  const sound = entry.paragraphs.length ? player(acts.path, entry, (number) => {
    sentences.forEach((each, at) => each.classList.toggle('heard', at === number));
  }) : null;
  element.append(...[
    h('p', {class: 'step'}, `${entry.number} of ${adventure.length}`),
    heading,
    entry.title_translation && h('p', {class: 'subtitle', lang: adventure.native_language}, entry.title_translation),
    sound,
    h('div', {class: 'text', lang: adventure.language}, text),
    progress(entry),
    words(adventure, entry, acts),
    decisions(adventure, entry, chosen, acts),
  ].filter(Boolean));
  element.heading = heading;
  return element;
}

/** A sentence that shows its translation where it is asked for it. */
function sentenceView(adventure, sentence, number) {
  const translated = sentence.translation
    ? h('span', {class: 'translation', lang: adventure.native_language, id: `t-${Math.random().toString(36).slice(2)}`}, sentence.translation)
    : null;
  const turn = () => open(element, !element.classList.contains('open'));
  const button = translated
    ? h('span', {
      class: 'sentence', role: 'button', tabindex: '0', 'aria-expanded': 'false', 'aria-controls': translated.id, onclick: turn,
      onkeydown: (event) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); turn(); } },
    }, marked(sentence))
    : h('span', {class: 'sentence'}, marked(sentence));
  const element = h('span', {class: 'pair', 'data-sentence': number}, button, translated && ' ', translated);
  return {element, number};
}

/** Opens or closes a sentence's translation. */
export function open(element, on) {
  element.classList.toggle('open', on);
  element.querySelector('[aria-expanded]')?.setAttribute('aria-expanded', String(on));
}

/** The words of a sentence; those beyond the reader's level stand out. */
function marked(sentence) {
  const parts = [];
  let at = 0;
  for (const token of sentence.tokens.filter((each) => each.rare)) {
    parts.push(sentence.text.slice(at, token.start), h('span', {class: 'rare'}, sentence.text.slice(token.start, token.end)));
    at = token.end;
  }
  return [...parts, sentence.text.slice(at)];
}

function progress(entry) {
  if (entry.status in MAKING) return h('p', {class: 'making'}, `This entry ${MAKING[entry.status]}.`);
  if (entry.status === 'error') {
    return h('div', {class: 'notice bad'}, h('p', {}, 'This entry could not be made.'),
      entry.error && h('p', {class: 'note'}, `${entry.error.type}: ${entry.error.message}`));
  }
  return null;
}

function words(adventure, entry, acts) {
  const found = new Map();
  for (const sentence of entry.paragraphs.flat()) {
    for (const token of sentence.tokens) if (token.rare && token.lemma) found.set(token.lemma, sentence.text.slice(token.start, token.end));
  }
  if (!found.size) return null;
  return h('details', {class: 'words', 'data-name': `words-${entry.id}`},
    h('summary', {}, `${found.size} ${found.size === 1 ? 'word' : 'words'} beyond ${adventure.level}`),
    h('ul', {}, [...found].map(([lemma, form]) => h('li', {},
      h('span', {lang: adventure.language}, lemma), form.toLowerCase() !== lemma.toLowerCase() && h('span', {class: 'note', lang: adventure.language}, ` ${form}`),
      h('button', {
        type: 'button', class: 'quiet', 'aria-pressed': 'false', 'aria-label': `I know it: ${lemma}`,
        onclick: async ({currentTarget: button}) => {
          const known = button.getAttribute('aria-pressed') !== 'true';
          if (await acts.know(lemma, known)) button.setAttribute('aria-pressed', String(known));
        },
      }, 'I know it')))));
}

function decisions(adventure, entry, chosen, acts) {
  if (entry.status === 'error') {
    return h('div', {class: 'actions'}, h('button', {type: 'button', class: 'primary', onclick: acts.retell}, 'Try again'));
  }
  if (entry.status !== 'complete') return null;
  if (!entry.choices.length) return h('p', {class: 'end'}, 'The end');
  return h('div', {class: 'decide', role: 'group', 'aria-label': 'What do you do?'},
    entry.choices.map((choice, number) => h('button', {
      type: 'button', class: `choice${number === chosen ? ' chosen' : ''}`, 'data-choice': number,
      'aria-pressed': chosen == null ? null : String(number === chosen), onclick: () => acts.decide(number),
    }, h('kbd', {'aria-hidden': 'true'}, String(number + 1)), h('span', {lang: adventure.language}, choice.text),
    choice.translation && h('span', {class: 'gloss', lang: adventure.native_language}, choice.translation))),
    h('button', {type: 'button', class: 'quiet again', onclick: acts.retell}, 'Tell this part differently'));
}
