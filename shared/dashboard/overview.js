// How everything is: alarms, queues, jobs over time, kinds, timers.

import {get} from './api.js';
import {h, swap} from './dom.js';
import * as format from './format.js';
import {badge, section, table, when} from './parts.js';
import {columns, spark} from './plots.js';
import {poll} from './poller.js';
import {to} from './router.js';
import {timerTable} from './timers.js';

const PACE = {fastest: 15_000, slowest: 120_000};
const HOUR = 3_600_000;
const SPANS = {24: 'the last 24 hours', 168: 'the last 7 days'};
const SERIES = ['completed', 'failed', 'cancelled'];

export async function showOverview(main, {params, signal}) {
  const hours = params.hours in SPANS ? Number(params.hours) : 24;
  const names = ['alarms', 'queues', 'jobs', 'kinds', 'timers'];
  const parts = Object.fromEntries(names.map((name) => [name, h('div', {class: `part ${name}`, 'aria-busy': 'true'})]));
  main.append(...names.map((name) => parts[name]));
  const since = () => new Date((Math.floor(Date.now() / HOUR) - hours + 1) * HOUR).toISOString();
  const looks = [
    look(parts.alarms, 'alarms', () => ({}), ({items}) => items, alarmsView, signal),
    look(parts.queues, 'queues', () => ({}), ({items}) => items, queuesView, signal),
    look([parts.jobs, parts.kinds], 'stats', () => ({since: since()}), hoursOf, (found) => [jobsView(found, hours), kindsView(found, hours)], signal),
    look(parts.timers, 'timers', () => ({}), ({items}) => items, (items) => section('Timers', timerTable(items)), signal),
  ];
  await poll(async () => {
    const outcomes = await Promise.all(looks.map((each) => each()));
    return signal.aborted ? 'done' : outcomes.some(Boolean);
  }, signal, PACE);
}

/**
 * A look at one thing, which draws what `pick` takes of the answer where that has changed: answers count their own cost
 * among other things, and are never the same. What the app does not offer is asked for once.
 */
function look(targets, path, params, pick, draw, signal) {
  const into = [targets].flat();
  let gone = false;
  let before = null;
  return async () => {
    if (gone) return false;
    try {
      const picked = pick((await get(path, {signal, params: params()})).body);
      const now = JSON.stringify(picked);
      const changed = now !== before;
      before = now;
      if (changed) [draw(picked)].flat().forEach((content, n) => swap(into[n], content));
      into.forEach((each) => each.removeAttribute('aria-busy'));
      return changed;
    } catch (error) {
      if (signal.aborted) return false;
      before = null;
      gone = error.status === 404;
      into.forEach((each) => each.removeAttribute('aria-busy'));
      swap(into[0], h('p', {class: 'note'}, h('code', {}, `/api/${path}`), ' ', gone ? 'is not offered by this app.' : error.message));
      return false;
    }
  };
}

function queuesView(items) {
  return section('Queues', table('Queues', [
    ['Queue', (queue) => h('span', {class: 'id'}, queue.name)],
    ['Messages', (queue) => format.number(queue.messages), 'number'],
    ['Oldest waits', (queue) => (queue.oldest_seconds == null ? '–' : format.duration(queue.oldest_seconds)), 'number'],
    ['Poison', (queue) => format.number(queue.poison.messages), 'number'],
    ['Kinds', (queue) => queue.kinds.join(', '), 'wide note extra'],
  ], items, {rowClass: (queue) => (queue.poison.messages ? 'bad' : queue.oldest_seconds > 86_400 ? 'warn' : null)}));
}

function alarmsView(items) {
  const on = items.filter(({state}) => state === 'on');
  if (!on.length) return h('p', {class: 'note'}, badge('no alarm', 'healthy'), ` ${items.length} alarms are watched, none is on.`);
  return section('Alarms', on.map(({alarm, since, reason, runbook}) =>
    h('p', {class: 'notice bad'}, h('strong', {}, alarm), ' since ', when(since), ': ', reason, ' ', h('span', {class: 'note'}, 'Runbook: ', h('code', {}, runbook)))));
}

/** Of each hour, what is drawn: its moment and its kinds. */
const hoursOf = ({items, bounds}) => Object.assign(items.map(({hour, kinds}) => ({
  hour,
  kinds: Object.entries(kinds).map(([kind, {jobs, durations, dead_letters: dead}]) => ({kind, jobs: {...jobs, dead: sum(Object.values(dead))}, count: durations.count, sum: durations.sum, counts: durations.counts})),
})), {bounds});

/** The duration that a share of all do not exceed, evenly spread within its bucket; null where there is none. */
function percentile(counts, bounds, share) {
  const rank = share * sum(counts);
  let below = 0;
  for (const [n, count] of counts.entries()) {
    if (count && below + count >= rank) {
      if (n >= bounds.length) return bounds.at(-1);
      const low = n ? bounds[n - 1] : 0;
      return low + (bounds[n] - low) * Math.min(Math.max((rank - below) / count, 0), 1);
    }
    below += count;
  }
  return null;
}

const sum = (values) => values.reduce((all, value) => all + value, 0);

const total = (entries, name) => entries.reduce((all, {jobs}) => all + (jobs[name] ?? 0), 0);

function jobsView(found, hours) {
  const label = ({hour}) => (hours > 24 ? `${format.date(hour)} ${format.hour(hour)}` : format.hour(hour));
  const all = found.flatMap(({kinds}) => kinds);
  const [taken, ...ended] = ['submitted', ...SERIES].map((name) => total(all, name));
  const finished = ended[0] + ended[1] + ended[2];
  const [completed, failed] = ended;
  const choice = h('span', {class: 'choice'}, Object.entries(SPANS).map(([value, text]) =>
    h('a', {href: to('/', {hours: value}), 'aria-current': Number(value) === hours ? 'true' : null, 'data-focus': `span ${value}`}, text)));
  const rate = finished ? failed / finished : null;
  return h('section', {}, h('div', {class: 'head-row'}, h('h2', {}, 'Jobs'), choice),
    h('dl', {class: 'tiles'},
      tile('taken in', format.number(taken)), tile('completed', format.number(completed)),
      tile('failed', format.number(failed), failed ? 'bad' : null), tile('failure rate', format.percent(rate)),
      tile('dead letters', h('a', {href: '#/dead-letters'}, format.number(total(all, 'dead')))),
      tile('an hour, on average', format.number(Math.round((finished / hours) * 10) / 10))),
    h('div', {class: 'plots'},
      columns('Jobs that ended, by state', `${format.number(completed)} completed, ${format.number(failed)} failed in ${SPANS[hours]}.`, SERIES,
        found.map((each) => ({label: label(each), values: SERIES.map((name) => total(each.kinds, name))}))),
      columns('Jobs taken in', `${format.number(taken)} in ${SPANS[hours]}.`, ['submitted'],
        found.map((each) => ({label: label(each), values: [total(each.kinds, 'submitted')]})))));
}

const tile = (name, value, kind) => h('div', {class: kind}, h('dt', {}, name), h('dd', {}, value));

function kindsView(found, hours) {
  const names = new Set(found.flatMap(({kinds}) => kinds.map(({kind}) => kind)));
  const rows = [...names].sort().map((kind) => kindRow(kind, found));
  return section('Kinds', table(`Kinds in ${SPANS[hours]}`, [
    ['Kind', (row) => h('a', {href: to('/jobs', {kind: row.kind}), 'data-focus': row.kind}, row.kind)],
    ['Taken in', (row) => format.number(row.submitted), 'number'],
    ['Completed', (row) => format.number(row.completed), 'number'],
    ['Failed', (row) => (row.failed ? h('a', {href: to('/jobs', {kind: row.kind, status: 'failed'}), 'data-focus': `failed ${row.kind}`}, format.number(row.failed)) : '0'), 'number'],
    ['Failure rate', (row) => format.percent(row.rate), 'number'],
    ['Median', (row) => format.duration(row.p50), 'number'],
    ['95 %', (row) => format.duration(row.p95), 'number'],
    ['Ended by the hour', (row) => spark(row.ended, `${row.kind}: up to ${format.number(Math.max(...row.ended))} an hour`), 'plotted'],
  ], rows, {empty: `Nothing happened in ${SPANS[hours]}.`}));
}

function kindRow(kind, found) {
  const mine = found.map(({kinds}) => kinds.find((each) => each.kind === kind) ?? NOTHING);
  const [submitted, completed, failed, cancelled] = ['submitted', ...SERIES].map((name) => total(mine, name));
  const counts = found.bounds.concat(Infinity).map((_, n) => sum(mine.map((each) => each.counts[n] ?? 0)));
  const ended = completed + failed + cancelled;
  return {
    kind, submitted, completed, failed, rate: ended ? failed / ended : null,
    p50: percentile(counts, found.bounds, 0.5), p95: percentile(counts, found.bounds, 0.95),
    ended: mine.map((each) => sum(SERIES.map((name) => each.jobs[name] ?? 0))),
  };
}

const NOTHING = {jobs: {}, counts: []};
