// Timers: how they do, and each one's occurrences as a calendar.

import {get, post} from './api.js';
import {calendar, monthKey, monthName, monthOf, nextMonth} from './calendar.js';
import {announce, h, swap} from './dom.js';
import * as format from './format.js';
import {action, badge, confirmed, facts, jobLink, section, table, trouble, when} from './parts.js';
import {spark} from './plots.js';
import {lookAgain, poll} from './poller.js';
import {to} from './router.js';

const PACE = {fastest: 15_000, slowest: 60_000};
const MOST_PAGES = 10;
const MISSED = ['missed', 'skipped'];

const timerHealth = (timer) => badge(timer.healthy ? 'healthy' : 'unhealthy');

export const timerTable = (items) => table('Timers', [
  ['Timer', (timer) => h('a', {href: to(`/timers/${timer.name}`), 'data-focus': timer.name}, timer.name)],
  ['Health', (timer) => timerHealth(timer)],
  ['Last', (timer) => last(timer)],
  ['Next', (timer) => when(timer.next_at)],
  ['Schedule', (timer) => [timer.words, ' ', h('code', {class: 'note'}, timer.schedule)]],
  ['Missed', (timer) => format.number(timer.missed), 'number'],
  ['Durations', (timer) => durations(timer)],
], items, {empty: 'No timers.'});

const last = ({last: each}) => (each ? [when(each.scheduled_at), ' ', badge(each.state)] : '–');

function durations({durations: trend}) {
  const seconds = trend?.seconds ?? [];
  if (seconds.length < 2) return format.duration(seconds[0]);
  return [spark(seconds, `The last ${seconds.length} runs took up to ${format.duration(Math.max(...seconds))}`), ' ', h('span', {class: 'note'}, trend.direction)];
}

export async function showTimers(main, {signal}) {
  const list = h('div', {'aria-busy': 'true'});
  main.append(list);
  await poll(async () => {
    try {
      const {body, changed} = await get('timers', {signal});
      if (changed || list.hasAttribute('aria-busy')) swap(list, timerTable(body.items), unhealthy(body.items));
      list.removeAttribute('aria-busy');
      return changed;
    } catch (error) {
      return failed(list, error, signal);
    }
  }, signal, PACE);
}

const unhealthy = (items) => items.filter((timer) => !timer.healthy).map((timer) =>
  h('p', {class: 'notice bad'}, h('strong', {}, timer.name), ' ', timer.reason));

export async function showTimer(main, {id, params, signal, heading}) {
  heading.textContent = id;
  const month = monthOf(params.month);
  const parts = Object.fromEntries(['head', 'steer', 'said', 'month'].map((name) => [name, h('div', {class: name})]));
  main.append(...Object.values(parts));
  swap(parts.steer, h('div', {class: 'actions'}, action('Run now', () => run(id, parts.said), {primary: true, into: parts.said})));
  parts.month.setAttribute('aria-busy', 'true');
  await poll(async () => {
    try {
      const [timers, found, ahead] = await Promise.all([get('timers', {signal}), occurrences(id, month, signal), upcoming(id, month, signal)]);
      const timer = timers.body.items.find(({name}) => name === id);
      if (timers.changed || !parts.head.hasChildNodes()) swap(parts.head, timer ? about(timer) : h('p', {class: 'empty'}, 'There is no such timer.'));
      if (timers.changed || found.changed || ahead.changed || parts.month.hasAttribute('aria-busy')) swap(parts.month, monthView(id, month, found, ahead.items, parts.said));
      parts.month.removeAttribute('aria-busy');
      return timers.changed || found.changed;
    } catch (error) {
      return failed(parts.month, error, signal);
    }
  }, signal, {fastest: 5000, slowest: 60_000});
}

const about = (timer) => [
  h('p', {}, timerHealth(timer), ' ', timer.reason),
  h('p', {class: 'note'}, timer.meaning),
  facts([
    ['Schedule', [timer.words, ' ', h('code', {}, timer.schedule)]],
    ['Next', when(timer.next_at)],
    ['Last', last(timer)],
    ['Last success', when(timer.last_success_at)],
    ['If missed', timer.policy],
    ['Lateness', timer.lateness_seconds == null ? null : format.duration(timer.lateness_seconds)],
    ['Durations', durations(timer)],
  ]),
];

/** What is still to come in a month. */
async function upcoming(name, month, signal) {
  const params = {since: month.toISOString(), until: new Date(nextMonth(month).getTime() - 1).toISOString(), limit: 200};
  const {body, changed} = await get(`timers/${encodeURIComponent(name)}/upcoming`, {signal, params});
  return {items: body.items.map((each) => ({...each, state: 'planned'})), changed};
}

/** The occurrences of a month, in as many pages as it takes, up to a bound. */
async function occurrences(name, month, signal) {
  const all = {items: [], changed: false, more: false};
  let cursor = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const until = new Date(nextMonth(month).getTime() - 1).toISOString();
    const params = {since: month.toISOString(), until, limit: 200, cursor};
    const {body, changed} = await get(`timers/${encodeURIComponent(name)}/occurrences`, {signal, params});
    all.items.push(...body.items);
    all.changed ||= changed;
    cursor = body.cursor;
    if (!cursor) return all;
  }
  return {...all, more: true};
}

function monthView(name, month, {items, more}, ahead, said) {
  const go = (step) => to(`/timers/${name}`, {month: monthKey(nextMonth(month, step))});
  return section(monthName(month),
    h('div', {class: 'actions'},
      h('a', {class: 'button', href: go(-1), 'data-focus': 'earlier'}, 'Month before'),
      h('a', {class: 'button', href: go(1), 'data-focus': 'later'}, 'Month after')),
    more ? h('p', {class: 'notice'}, 'More occurrences than are shown.') : null,
    calendar(month, [...items, ...ahead], (each) => entry(name, each, said)),
    list(name, items, said));
}

const entry = (name, each) => {
  const text = [h('span', {}, each.scheduled_at.slice(11, 16)), h('span', {class: 'state'}, ` ${each.state}`)];
  return each.job_id
    ? h('a', {class: `occurrence ${each.state}`, href: to(`/jobs/${each.job_id}`), title: each.reason}, text)
    : h('span', {class: `occurrence ${each.state}`, title: each.reason}, text);
};

const list = (name, items, said) => table('Occurrences', [
  ['Scheduled (UTC)', (each) => h('time', {datetime: each.scheduled_at}, each.scheduled_at.slice(0, 19).replace('T', ' '))],
  ['State', (each) => badge(each.state)],
  ['By', (each) => each.trigger ?? '–'],
  ['Late', (each) => format.duration(each.lateness_seconds), 'number'],
  ['Took', (each) => format.duration(each.duration_seconds), 'number'],
  ['Job', (each) => (each.job_id ? jobLink(each.job_id) : '–')],
  ['Says', (each) => each.reason ?? '', 'wide'],
  [h('span', {class: 'unseen'}, 'Actions'), (each) => (MISSED.includes(each.state)
    ? action('Make up', () => makeUp(name, each, said), {focus: `make up ${each.scheduled_at}`, into: said, name: `Make up ${each.scheduled_at.slice(0, 16).replace('T', ' ')}`}) : null)],
], items, {empty: 'Nothing recorded in this month.'});

async function makeUp(name, each, said) {
  if (await confirmed('Make up for what was missed?', `The occurrence of ${each.scheduled_at.slice(0, 16).replace('T', ' ')} UTC is run now.`, 'Make up')) {
    await run(name, said, {scheduled_for: each.scheduled_at});
  }
}

async function run(name, said, request = {}) {
  const ticket = await post(`timers/${encodeURIComponent(name)}/run`, request);
  swap(said, h('p', {class: 'notice good'}, `${name} was begun: `, jobLink(ticket.job_id, 'its job'), '.'));
  announce(`${name} was begun`);
  lookAgain();
}

function failed(list, error, signal) {
  if (signal.aborted) return 'done';
  list.removeAttribute('aria-busy');
  swap(list, trouble(error));
  return error.status === 404 ? 'done' : false;
}
