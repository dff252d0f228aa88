// A payload to be edited: JSON that is checked while it is typed, and compared with what it was.

import {h, swap} from './dom.js';
import {diffView} from './diff.js';
import {pretty, problemOf} from './json.js';

export class Editor {
  /** `original`: the payload as it was, or null where none could be read. */
  constructor(original) {
    this.original = pretty(original ?? {});
    this.known = original != null;
    this.area = h('textarea', {
      id: 'payload', rows: Math.min(Math.max(this.original.split('\n').length + 1, 6), 30), spellcheck: 'false', autocomplete: 'off',
      'aria-describedby': 'payload-problem', oninput: () => this.#check(),
    });
    this.problem = h('p', {id: 'payload-problem', class: 'problem', role: 'status'});
    this.changes = h('div', {class: 'changes'});
    this.element = h('div', {class: 'editor'}, h('label', {for: 'payload'}, 'Payload'), this.area, this.problem,
      h('h3', {}, 'What was changed'), this.changes);
    this.reset();
  }

  reset() {
    this.area.value = this.original;
    this.#check();
  }

  get valid() {
    return problemOf(this.area.value) === null;
  }

  get edited() {
    return !this.known || this.area.value !== this.original;
  }

  /** The body of a replay as text, so that no digit of it is lost on the way. */
  request(dryRun) {
    return this.edited ? `{"dry_run": ${dryRun}, "payload": ${this.area.value}}` : `{"dry_run": ${dryRun}}`;
  }

  focus() {
    this.area.focus();
  }

  #check() {
    const problem = problemOf(this.area.value);
    this.problem.textContent = problem ?? '';
    if (problem) this.area.setAttribute('aria-invalid', 'true');
    else this.area.removeAttribute('aria-invalid');
    swap(this.changes, diffView(this.original, this.area.value) ?? h('p', {class: 'empty'}, 'Nothing.'));
  }
}
