// Single keys of the keyboard, with the habits of the dashboard, and its settings.

import {h} from '../../dashboard/dom.js';

const STORED = 'nightshift.shortcuts';
/** Listens to single keys: a list of [key, what it does in words, function]. They can be turned off, and never act while somebody types. */
export function startShortcuts(keys) {
  const dialog = document.getElementById('help-dialog');
  const box = document.getElementById('shortcuts-on');
  box.checked = localStorage.getItem(STORED) !== 'off';
  box.addEventListener('change', () => localStorage.setItem(STORED, box.checked ? 'on' : 'off'));
  document.getElementById('help').addEventListener('click', () => dialog.showModal());
  const all = [...keys, ['?', 'this help', () => dialog.showModal()]];
  document.getElementById('help-keys').append(...all.flatMap(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)]));
  document.addEventListener('keydown', (event) => {
    const typing = event.target.closest('input, textarea, select, dialog, audio');
    if (!box.checked || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const found = all.find(([key]) => key.split(' ').includes(event.key));
    if (!found) return;
    event.preventDefault();
    found[2](event.key);
  });
}
