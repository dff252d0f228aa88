// Dead letters: by what they look like, and those of one look as a list.

import {get} from './api.js';
import {announce, h, swap} from './dom.js';
import * as format from './format.js';
import {jobLink, table, trouble, when} from './parts.js';
import {lookAgain, poll} from './poller.js';
import {replayButtons} from './replaying.js';
import {to} from './router.js';

const PACE = {fastest: 15_000, slowest: 60_000};

export const showLetters = (main, route) => (route.params.fingerprint ? showAlike(main, route) : showGroups(main, route));

async function showGroups(main, {signal, params}) {
  const replayed = params.replayed === 'true';
  const said = h('div', {class: 'said'});
  const list = h('div', {'aria-busy': 'true'});
  main.append(
    h('p', {class: 'note'}, replayed ? 'Those that were replayed, ' : 'Those that were never replayed, ', 'the newest first; failures that look alike are one line. ',
      h('a', {href: to('/dead-letters', {replayed: replayed ? '' : 'true'})}, replayed ? 'Show those that were not' : 'Show those that were')),
    said, list);
  await poll(async () => {
    try {
      const {body, changed} = await get('dead-letters/groups', {signal, params: {replayed: params.replayed}});
      if (changed || list.hasAttribute('aria-busy')) drawGroups(list, body, replayed, said);
      return changed;
    } catch (error) {
      return failed(list, error, signal);
    }
  }, signal, PACE);
}

function drawGroups(list, {items, looked_at: seen, truncated}, replayed, said) {
  if (list.hasAttribute('aria-busy')) announce(items.length ? `${format.plural(items.length, 'group')} of dead letters` : 'No dead letters');
  list.removeAttribute('aria-busy');
  swap(list,
    items.length > 1 && !replayed ? h('div', {class: 'actions'}, replayButtons('all groups', () => ({filter: {}}), said, lookAgain)) : null,
    truncated ? h('p', {class: 'notice'}, `Of the newest ${format.number(seen)}; there are older ones.`) : null,
    items.length ? h('ul', {class: 'groups'}, items.map((group) => groupView(group, truncated, replayed, said)))
      : h('p', {class: 'empty'}, replayed ? 'None was replayed.' : 'No dead letters: nothing has given up.'));
}

function groupView(group, truncated, replayed, said) {
  const {fingerprint, kind, queue, error, count, newest, oldest, example_id: example, reasons} = group;
  const alike = to('/dead-letters', {fingerprint, replayed: replayed ? 'true' : ''});
  return h('li', {class: 'group'},
    h('div', {class: 'count'}, h('strong', {}, `${format.number(count)}${truncated ? '+' : ''}`)),
    h('div', {class: 'what'},
      h('h2', {}, h('a', {href: alike, 'data-focus': fingerprint}, kind ?? `not readable, on ${queue}`), ' ', h('span', {class: 'note'}, reasons.join(', '))),
      h('p', {class: 'error'}, h('strong', {}, error.type), ' ', error.message),
      h('p', {class: 'note'}, 'newest ', when(newest), ', oldest ', when(oldest), ', fingerprint ', h('code', {}, fingerprint))),
    h('div', {class: 'actions'},
      h('a', {class: 'button', href: to(`/dead-letters/${example}`), 'data-focus': `example ${fingerprint}`, 'aria-label': `Example of ${kind ?? queue}: ${error.type}`}, 'Example'),
      replayed ? null : replayButtons(`all ${format.number(count)}${truncated ? '+' : ''}`, () => ({filter: {fingerprint}}), said, lookAgain)));
}

async function showAlike(main, {signal, params, heading}) {
  heading.textContent = 'Dead letters that look alike';
  const {fingerprint, replayed = 'false', cursor} = params;
  const chosen = new Set();
  const said = h('div', {class: 'said'});
  const bar = h('div', {class: 'actions'});
  const list = h('div', {'aria-busy': 'true'});
  const pages = h('div', {class: 'actions'});
  main.append(h('p', {class: 'note'}, 'Fingerprint ', h('code', {}, fingerprint), '. ', h('a', {href: '#/dead-letters'}, 'All groups')), bar, said, list, pages);
  const some = () => swap(bar, chosen.size
    ? replayButtons(`the ${chosen.size} chosen`, () => ({ids: [...chosen]}), said, done)
    : replayButtons('all of them', () => ({filter: {fingerprint}}), said, done));
  const done = () => { chosen.clear(); some(); lookAgain(); };
  some();
  await poll(async () => {
    try {
      const {body, changed} = await get('dead-letters', {signal, params: {fingerprint, replayed, cursor, limit: 100}});
      if (changed || list.hasAttribute('aria-busy')) {
        list.removeAttribute('aria-busy');
        drawAlike(list, body.items, chosen, some);
        swap(pages, body.cursor ? h('a', {class: 'button', href: to('/dead-letters', {...params, cursor: body.cursor})}, 'Older') : null);
      }
      return changed;
    } catch (error) {
      return failed(list, error, signal);
    }
  }, signal, PACE);
}

function drawAlike(list, items, chosen, some) {
  const box = (letter) => h('input', {
    type: 'checkbox', checked: chosen.has(letter.id), 'data-focus': `choose ${letter.id}`, 'aria-label': `Choose ${letter.id}`,
    onchange: ({target}) => { if (target.checked) chosen.add(letter.id); else chosen.delete(letter.id); some(); },
  });
  swap(list, items.length ? h('p', {class: 'error'}, h('strong', {}, items[0].error.type), ' ', items[0].error.message) : null,
    table('Dead letters', [
      [h('span', {class: 'unseen'}, 'Choose'), box],
      ['Dead letter', (letter) => h('a', {class: 'id', href: to(`/dead-letters/${letter.id}`), 'data-focus': letter.id, title: letter.id}, format.short(letter.id))],
      ['Recorded', (letter) => when(letter.recorded_at)],
      ['Reason', (letter) => letter.reason],
      ['Job', (letter) => (letter.job_id ? jobLink(letter.job_id) : '–')],
      ['Attempts', (letter) => format.number(letter.attempts), 'number'],
      ['Replays', (letter) => format.number(letter.replays.length), 'number'],
    ], items, {empty: 'None is left.'}));
}

function failed(list, error, signal) {
  if (signal.aborted) return 'done';
  list.removeAttribute('aria-busy');
  swap(list, trouble(error));
  return false;
}
