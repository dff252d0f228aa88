// The key that the app asks for, and single keys of the keyboard. Both keep the habits of the dashboard, and its settings.

import {onRefused, useKey} from '../../dashboard/api.js';
import {h} from '../../dashboard/dom.js';

const STORED = 'nightshift.shortcuts';
let asking = null;

/** Asks for a key whenever the app wants another; `changed` is called after one was given by hand. */
export function startKey(changed) {
  const dialog = document.getElementById('key-dialog');
  const input = document.getElementById('key-input');
  const why = document.getElementById('key-why');
  const first = why.textContent;
  const ask = (reason) => {
    asking ??= new Promise((resolve) => {
      why.textContent = reason || first;
      input.value = '';
      dialog.returnValue = '';
      dialog.addEventListener('close', () => {
        asking = null;
        const use = dialog.returnValue === 'use';
        if (use) useKey(input.value.trim());
        input.value = '';
        resolve(use);
      }, {once: true});
      dialog.showModal();
      input.focus();
    });
    return asking;
  };
  onRefused((problem) => ask(problem.message));
  document.getElementById('key').addEventListener('click', async () => { if (await ask('')) changed(); });
}

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
