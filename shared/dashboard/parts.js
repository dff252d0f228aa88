// What several views are made of.

import {Problem} from './api.js';
import {announce, h} from './dom.js';
import * as format from './format.js';
import {pretty} from './json.js';
import {to} from './router.js';

/** A state in words and colour. */
export const badge = (state, kind = state) => h('span', {class: `badge ${kind}`}, state);

/** A moment as long ago as it is; kept up to date by `tick`. */
export const when = (moment) =>
  moment ? h('time', {datetime: moment, title: format.exact(moment), 'data-ago': ''}, format.ago(moment)) : '–';

export function tick() {
  for (const each of document.querySelectorAll('time[data-ago]')) {
    const text = format.ago(each.getAttribute('datetime'));
    if (each.textContent !== text) each.textContent = text;
  }
}

export const jobLink = (id, text = format.short(id)) =>
  h('a', {href: to(`/jobs/${id}`), class: 'id', 'data-focus': id, title: id}, text);

/** A table. Columns: [heading, cell of a row, class]. `caption` is for those who listen. */
export function table(caption, columns, rows, {empty = 'Nothing here.', rowClass} = {}) {
  if (!rows.length) return h('p', {class: 'empty'}, empty);
  return h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption}, h('table', {},
    h('caption', {class: 'unseen'}, caption),
    h('thead', {}, h('tr', {}, columns.map(([name, , kind]) => h('th', {scope: 'col', class: kind}, name)))),
    h('tbody', {}, rows.map((row, n) => h('tr', {class: rowClass?.(row)},
      columns.map(([name, cell, kind]) => h('td', {class: kind, 'data-name': typeof name === 'string' ? name : ''}, cell(row, n))))))));
}

/** A section with a heading. */
export const section = (title, ...content) => h('section', {}, h('h2', {}, title), content);

/** Facts by name; what is null is left out. */
export const facts = (pairs) => h('dl', {class: 'facts'}, pairs.filter(([, value]) => value != null)
  .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));

/** JSON to be read. */
export const json = (value, label) => h('pre', {class: 'json', tabindex: '0', role: 'region', 'aria-label': label}, pretty(value) ?? 'null');

/** Why an attempt failed, and where: the app's own code first, the rest folded away. */
export function failure({type, message, attempt, frames = [], causes = []}) {
  const line = ({file, line: number, function: name}) => h('li', {}, h('code', {}, `${file}:${number}`), ` in ${name}`);
  const own = frames.filter((each) => each.own).reverse();
  const folded = frames.length > own.length ? h('details', {'data-name': `frames ${attempt}`}, h('summary', {}, `All ${format.plural(frames.length, 'frame')}, outermost first`), h('ol', {}, frames.map(line))) : null;
  return h('div', {class: 'failure'},
    h('p', {class: 'error'}, h('strong', {}, type), ` in attempt ${attempt}: `, message),
    own.length ? h('ol', {class: 'frames', 'aria-label': 'Where it was raised, innermost first'}, own.map(line)) : null,
    folded,
    causes.length ? h('ul', {class: 'causes', 'aria-label': 'What it was raised from'}, causes.map((each) => h('li', {}, 'from ', each))) : null);
}

/** What went wrong, in words. */
export function trouble(error) {
  const missing = error instanceof Problem && error.status === 404;
  const text = missing ? 'This app does not offer it, or it is gone.' : error.message;
  const forbidden = error.status === 401 || error.status === 403;
  return h('div', {class: 'notice bad'},
    h('p', {}, h('strong', {}, error.title || 'Something went wrong'), ' ', text),
    error.fields?.length ? h('ul', {}, error.fields.map(({field, message}) => h('li', {}, h('code', {}, field), ' ', message))) : null,
    forbidden ? h('button', {type: 'button', onclick: () => document.getElementById('key').click()}, 'Use another key') : null);
}

/** A button that does something once at a time, and says below how it went. */
export function action(label, act, {primary, danger, focus, disabled, into, name} = {}) {
  const kind = [primary && 'primary', danger && 'danger'].filter(Boolean).join(' ');
  return h('button', {
    type: 'button', class: kind, 'aria-label': name, 'data-focus': focus ?? label, disabled,
    onclick: async ({currentTarget}) => {
      if (currentTarget.hasAttribute('aria-disabled')) return;
      const said = into ?? currentTarget.parentElement;
      said.querySelectorAll('.notice.bad').forEach((each) => each.remove());
      currentTarget.setAttribute('aria-disabled', 'true');
      try {
        await act();
      } catch (error) {
        announce(error.message);
        said.append(trouble(error));
      } finally {
        currentTarget.removeAttribute('aria-disabled');
      }
    },
  }, label);
}

/** Asks before what cannot be taken back. */
export function confirmed(title, text, yes) {
  const dialog = document.getElementById('confirm-dialog');
  document.getElementById('confirm-title').textContent = title;
  document.getElementById('confirm-text').textContent = text;
  document.getElementById('confirm-yes').textContent = yes;
  return new Promise((resolve) => {
    dialog.returnValue = '';
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), {once: true});
    dialog.showModal();
  });
}
