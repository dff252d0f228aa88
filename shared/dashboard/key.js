// The dialog that asks for a key: the dashboard's, and that of other pages of the app.

import {onRefused, useKey} from './api.js';

let asking = null;

const forOperators = (problem) => (problem.status === 403 ? `${problem.message} An operator's key is needed.` : problem.message);

/**
 * Lets the key dialog ask when the app refuses, and when somebody wants another key. One dialog for all who wait; `worded` says
 * why it asks.
 */
export function startKeys(changed, worded = forOperators) {
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

  onRefused((problem) => ask(worded(problem)));
  document.getElementById('key').addEventListener('click', async () => { if (await ask('')) changed(); });
}
