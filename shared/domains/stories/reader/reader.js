// The page: the entries that were read, one below the other, and the next one as soon as it is there.

import {get, post} from '../../dashboard/api.js';
import {announce, h} from '../../dashboard/dom.js';
import {startKeys} from '../../dashboard/key.js';
import {entryView, open} from './entry.js';
import {startShortcuts} from './keys.js';

const MAKING = ['pending', 'generating', 'translating', 'speaking', 'analysing'];
const BESIDE = 'nightshift.stories.beside';
const story = document.getElementById('story');
const toggle = document.getElementById('beside');
const path = location.pathname.replace(/\/read\/?$/, '');
let adventure = null;
let shown = []; // of each entry on the page: {entry, element}
let waiting = null;
let current = 0;

const wait = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, {once: true});
});

/** Reads the adventure and shows one way through it: the one in the address, else the latest. */
async function start() {
  waiting?.abort();
  waiting = new AbortController();
  const {signal} = waiting;
  if (!shown.length) story.replaceChildren(h('p', {class: 'making'}, 'The adventure is being opened.'));
  try {
    ({body: adventure} = await get(path, {signal}));
    document.documentElement.style.setProperty('--length', adventure.length);
    await follow(wayTo(location.hash.slice(1)), {signal, first: true});
  } catch (error) {
    if (error.name === 'AbortError') return;
    story.replaceChildren(h('div', {class: 'notice bad'}, h('p', {}, error.status === 404 ? 'There is no such adventure.' : error.message),
      h('div', {class: 'actions'}, h('button', {type: 'button', class: 'primary', onclick: start}, 'Try again'))));
    shown = [];
    if (error.status === 0) { await wait(5000, signal); if (!signal.aborted) start(); }
  }
}

/** The ids of the entries on the way to one. */
function wayTo(wanted) {
  const known = new Map(adventure.entries.map((each) => [each.entry_id, each]));
  let last = known.get(wanted) ?? adventure.entries.at(-1);
  const way = [];
  for (; last; last = known.get(last.parent_id)) way.unshift(last.entry_id);
  return way;
}

/** Shows these entries, keeps what is on the page of them, and waits for those that are not ready. */
async function follow(way, {signal, first = false}) {
  const kept = shown.findIndex(({entry}, at) => entry.id !== way[at]);
  if (kept >= 0) for (const {element} of shown.splice(kept)) element.remove();
  if (!shown.length) story.replaceChildren();
  for (const [at, id] of way.entries()) {
    await showEntry(at, id, signal);
    if (signal.aborted) return;
  }
  history.replaceState(null, '', `#${way.at(-1)}`);
  if (first && shown.length > 1) shown.at(-1).element.scrollIntoView({block: 'start'});
}

async function showEntry(at, id, signal) {
  for (let again = false; ; again = true) {
    const {body: entry} = await get(`${path}/entries/${id}`, {signal});
    const before = shown[at]?.entry;
    if (!before || before.updated_at !== entry.updated_at || !again) put(at, entry);
    if (!MAKING.includes(entry.status)) {
      if (again) arrived(at, entry);
      return;
    }
    await wait(1000, signal);
    if (signal.aborted) return;
  }
}

function arrived(at, entry) {
  announce(entry.status === 'complete' ? `${entry.title}: the entry is there` : 'The entry could not be made');
  if (at > 0 && document.activeElement?.closest('article') !== shown[at].element) {
    shown[at].element.heading.focus({preventScroll: true});
    shown[at].element.scrollIntoView({block: 'start', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth'});
  }
}

/** Puts an entry in its place on the page. */
function put(at, entry) {
  const acts = {
    path: `${path}/entries/${entry.id}`,
    decide: (choice) => decide(at, choice),
    retell: () => retell(at),
    know,
  };
  const chosen = choiceAfter(at, entry);
  const element = entryView(adventure, entry, chosen, acts);
  for (const pair of element.querySelectorAll('.pair')) open(pair, toggle.getAttribute('aria-pressed') === 'true');
  if (shown[at]) {
    const focused = document.activeElement?.closest('article') === shown[at].element;
    shown[at].element.replaceWith(element);
    if (focused) element.heading.focus({preventScroll: true});
  } else story.append(element);
  shown[at] = {entry, element};
  title();
}

const choiceAfter = (at, entry) => {
  const next = shown[at + 1]?.entry.id ?? wayTo(location.hash.slice(1))[at + 1];
  return adventure.entries.find((each) => each.entry_id === next && each.parent_id === entry.id)?.choice ?? null;
};

function title() {
  const name = adventure.title ?? shown[0]?.entry.title;
  document.title = name ? `${name} – ${shown.length} of ${adventure.length}` : 'An adventure';
  const where = document.getElementById('where');
  where.textContent = name ?? 'An adventure';
  where.lang = name ? adventure.language : 'en';
}

const decide = (at, choice) => act(at, async () => post(`${path}/decisions`, {entry_id: shown[at].entry.id, choice}));
const retell = (at) => act(at, async () => post(`${path}/entries/${shown[at].entry.id}/regenerate`));

/** Does something of which an entry comes, and shows it. */
async function act(at, does) {
  const {element} = shown[at];
  if (element.getAttribute('aria-busy') === 'true') return;
  element.setAttribute('aria-busy', 'true');
  element.querySelector('.notice.refused')?.remove();
  try {
    const entry = await does();
    ({body: adventure} = await get(path));
    waiting?.abort();
    waiting = new AbortController();
    const way = wayTo(entry.id);
    const last = way.length - 1;
    for (const {element: old} of shown.splice(last)) old.remove();
    history.replaceState(null, '', `#${entry.id}`);
    if (last > 0) put(last - 1, shown[last - 1].entry);
    await follow(way, {signal: waiting.signal});
  } catch (error) {
    if (error.name !== 'AbortError') shown[at]?.element.append(h('div', {class: 'notice bad refused', role: 'alert'}, h('p', {}, error.message)));
  } finally {
    element.setAttribute('aria-busy', 'false');
  }
}

async function know(word, known) {
  try {
    await post(`${path.replace(/adventures\/[^/]+$/, '')}users/${encodeURIComponent(adventure.user_id)}/vocabulary/${encodeURIComponent(word)}`,
      {language: adventure.language, known}, {method: 'PUT'});
    announce(known ? `${word}: known` : `${word}: not known yet`);
    return true;
  } catch (error) {
    announce(error.message);
    return false;
  }
}

function translations(on) {
  toggle.setAttribute('aria-pressed', String(on));
  document.body.classList.toggle('beside', on);
  localStorage.setItem(BESIDE, on ? 'on' : 'off');
  for (const pair of document.querySelectorAll('.pair')) open(pair, on);
}

/** Moves to the next sentence, or the one before, and so through the text without a mouse. */
function step(by) {
  const all = [...document.querySelectorAll('[role=button].sentence')];
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  current = at >= 0 ? Math.min(Math.max(at + by, 0), all.length - 1) : Math.min(current, all.length - 1);
  all[current].focus();
}

startKeys(() => start(), ({message}) => message);
startShortcuts([
  ['t', 'translations on or off', () => translations(toggle.getAttribute('aria-pressed') !== 'true')],
  ['p', 'play or pause the last entry', () => [...document.querySelectorAll('.play')].at(-1)?.click()],
  ['j', 'to the next sentence', () => step(1)],
  ['k', 'to the sentence before', () => step(-1)],
  ['1 2 3 4', 'decide', (key) => [...document.querySelectorAll('.decide')].at(-1)?.querySelector(`[data-choice="${Number(key) - 1}"]`)?.click()],
]);
toggle.addEventListener('click', () => translations(toggle.getAttribute('aria-pressed') !== 'true'));
document.getElementById('skip').addEventListener('click', (event) => { event.preventDefault(); story.focus(); });
translations(localStorage.getItem(BESIDE) === 'on');
start();
