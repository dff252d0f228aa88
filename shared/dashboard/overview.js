// How everything is: alarms, queues, jobs over time, kinds, timers.

import {get} from './api.js';
import {announce, h, swap} from './dom.js';
import * as format from './format.js';
import {badge, section, table, trouble, when} from './parts.js';
import {columns, spark} from './plots.js';
import {poll} from './poller.js';
import {to} from './router.js';
import {timerTable} from './timers.js';

const PACE = {fastest: 15_000, slowest: 60_000};
const SPANS = {24: 'the last 24 hours', 168: 'the last 7 days'};
const SERIES = ['completed', 'failed', 'cancelled'];

export async function showOverview(main, {params, signal}) {
  const hours = params.hours in SPANS ? Number(params.hours) : 24;
  const names = ['alarms', 'queues', 'jobs', 'kinds', 'timers'];
  const parts = Object.fromEntries(names.map((name) => [name, h('div', {class: `part ${name}`, 'aria-busy': 'true'})]));
  main.append(...names.map((name) => parts[name]));
  const looks = [
    look(parts.alarms, 'alarms', {}, alarmsView, signal),
    look(parts.queues, 'queues', {}, queuesView, signal),
    look([parts.jobs, parts.kinds], 'stats', {hours}, (stats) => [jobsView(stats, hours), kindsView(stats, hours)], signal),
    look(parts.timers, 'timers', {}, ({items}) => section('Timers', timerTable(items)), signal),
  ];
  await poll(async () => {
    const outcomes = await Promise.all(looks.map((each) => each()));
    return signal.aborted ? 'done' : outcomes.some(Boolean);
  }, signal, PACE);
}

/** A look at one thing, which draws it where it has changed. What the app does not offer is asked for once. */
function look(targets, path, params, draw, signal) {
  const into = [targets].flat();
  let gone = false;
  return async () => {
    if (gone) return false;
    try {
      const {body, changed} = await get(path, {signal, params});
      const first = into[0].hasAttribute('aria-busy');
      if (changed || first) [draw(body)].flat().forEach((content, n) => swap(into[n], content));
      into.forEach((each) => each.removeAttribute('aria-busy'));
      return changed;
    } catch (error) {
      if (signal.aborted) return false;
      gone = error.status === 404;
      into.forEach((each) => each.removeAttribute('aria-busy'));
      swap(into[0], h('p', {class: 'note'}, h('code', {}, `/api/${path}`), ' ', gone ? 'is not offered by this app.' : error.message));
      return false;
    }
  };
}

function queuesView({items}) {
  return section('Queues', table('Queues', [
    ['Queue', (queue) => h('span', {class: 'id'}, queue.name)],
    ['Messages', (queue) => format.number(queue.messages), 'number'],
    ['Oldest waits', (queue) => (queue.oldest_seconds == null ? '–' : format.duration(queue.oldest_seconds)), 'number'],
    ['Poison', (queue) => format.number(queue.poison.messages), 'number'],
    ['Kinds', (queue) => queue.kinds.join(', '), 'wide note'],
  ], items, {rowClass: (queue) => (queue.poison.messages ? 'bad' : queue.oldest_seconds > 86_400 ? 'warn' : null)}));
}

function alarmsView({items}) {
  const on = items.filter((alarm) => alarm.on);
  return on.length ? section('Alarms', on.map((alarm) => h('p', {class: 'notice bad'}, h('strong', {}, alarm.name), ' ', alarm.reason))) : null;
}

function jobsView() {
  return null;
}

function kindsView() {
  return null;
}
