// Single keys: `/` to the search, `g` and a letter to a view. They can be turned off, and never act while somebody types.

import {h} from './dom.js';

const STORED = 'nightshift.shortcuts';
const KEYS = [
  ['/', 'to the search', () => document.querySelector('[data-search]')?.focus()],
  ['r', 'look again now', () => document.getElementById('refresh').click()],
  ['k', 'another key', () => document.getElementById('key').click()],
  ['?', 'this help', () => document.getElementById('help').click()],
  ['g o', 'to the overview', () => { location.hash = '#/'; }],
  ['g j', 'to the jobs', () => { location.hash = '#/jobs'; }],
  ['g d', 'to the dead letters', () => { location.hash = '#/dead-letters'; }],
  ['g t', 'to the timers', () => { location.hash = '#/timers'; }],
  ['g s', 'to the sources', () => { location.hash = '#/sources'; }],
  ['g f', 'to the documents', () => { location.hash = '#/documents'; }],
];
let before = '';

export function startShortcuts() {
  const dialog = document.getElementById('help-dialog');
  const box = document.getElementById('shortcuts-on');
  box.checked = localStorage.getItem(STORED) !== 'off';
  box.addEventListener('change', () => localStorage.setItem(STORED, box.checked ? 'on' : 'off'));
  document.getElementById('help').addEventListener('click', () => dialog.showModal());
  document.getElementById('help-keys').append(...KEYS.flatMap(([keys, what]) => [
    h('dt', {}, keys.split(' ').map((key) => [h('kbd', {}, key), ' '])), h('dd', {}, what),
  ]));
  document.addEventListener('keydown', (event) => { if (box.checked) pressed(event); });
}

function pressed(event) {
  const typing = event.target.closest('input, textarea, select, dialog');
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  const keys = before === 'g' ? `g ${event.key}` : event.key;
  before = event.key === 'g' && before !== 'g' ? 'g' : '';
  const found = KEYS.find(([each]) => each === keys);
  if (!found) return;
  event.preventDefault();
  found[2]();
}
