// A run of a workflow: its steps drawn as a graph, and the same in words. Both are live, and lead to each step's job.

import {get, post} from './api.js';
import {announce, h, s, swap} from './dom.js';
import * as format from './format.js';
import {action, badge, section, table, trouble, when} from './parts.js';
import {lookAgain} from './poller.js';
import {to} from './router.js';

const WIDTH = 172;
const HEIGHT = 50;
const GAP_X = 22;
const GAP_Y = 40;
const BADGES = {completed: 'completed', failed: 'failed', running: 'running', pending: 'queued', skipped: 'cancelled', cancelled: 'cancelled'};
const MARKS = {completed: '✓', failed: '✕', running: '●', pending: '○', skipped: '–', cancelled: '⊘'};

/** Draws the run into an element; nothing where the job is no run. */
export async function drawRun(element, id, signal) {
  try {
    const {body} = await get(`jobs/${id}/graph`, {signal});
    const said = h('div', {class: 'said'});
    const title = `${body.workflow}, version ${body.version}: ${body.ended} of ${body.steps.length} steps have ended`;
    swap(element, section('Steps', h('p', {class: 'note'}, title), graph(body), list(body, said), said));
  } catch (error) {
    if (signal.aborted) return;
    swap(element, error.status === 404 ? null : trouble(error));
  }
}

/** The row of each step: below all that it waits for. */
export function rowsOf(steps) {
  const depth = new Map();
  for (let changed = true; changed;) {
    changed = false;
    for (const {name, after} of steps) {
      const deep = Math.max(-1, ...after.map((each) => depth.get(each) ?? -1)) + 1;
      if (depth.get(name) !== deep) { depth.set(name, deep); changed = true; }
    }
  }
  const rows = [];
  for (const step of steps) (rows[depth.get(step.name)] ??= []).push(step);
  return rows;
}

/** The graph of some steps; a step may say more of itself by `said`. */
export function graph({steps}) {
  const rows = rowsOf(steps);
  const widest = Math.max(...rows.map((row) => row.length));
  const width = widest * (WIDTH + GAP_X) - GAP_X + 4;
  const height = rows.length * (HEIGHT + GAP_Y) - GAP_Y + 4;
  const places = new Map();
  rows.forEach((row, y) => {
    const left = (width - (row.length * (WIDTH + GAP_X) - GAP_X)) / 2;
    row.forEach((step, x) => places.set(step.name, {x: left + x * (WIDTH + GAP_X), y: 2 + y * (HEIGHT + GAP_Y)}));
  });
  const edges = steps.flatMap((step) => step.after.map((name) => edge(places.get(name), places.get(step.name), step)));
  const boxes = steps.map((step) => box(step, places.get(step.name)));
  return h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Graph of the steps'},
    s('svg', {class: widest > 2 ? 'graph' : 'graph narrow', viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': 'Steps of the run', style: {width: `${width}px`}}, edges, boxes));
}

function edge(from, to, step) {
  const [x1, y1, x2, y2] = [from.x + WIDTH / 2, from.y + HEIGHT, to.x + WIDTH / 2, to.y];
  const bend = Math.max(GAP_Y / 2, (y2 - y1) / 2);
  return s('path', {
    class: `edge ${step.condition ? 'conditional' : ''} ${step.state}`, 'aria-hidden': 'true',
    d: `M${x1} ${y1} C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`,
  });
}

function box(step, {x, y}) {
  const words = [
    s('rect', {x, y, width: WIDTH, height: HEIGHT, rx: 7}),
    s('text', {x: x + 12, y: y + 21, class: 'name'}, clipped(step.name, 21)),
    s('text', {x: x + 12, y: y + 39, class: 'state'}, `${MARKS[step.state]} ${clipped(count(step), 24)}`),
    s('title', {}, sentence(step)),
  ];
  const target = step.job_id ? to(`/jobs/${step.job_id}`) : step.items?.errors.length ? to(`/jobs/${step.items.errors[0].job_id}`) : null;
  return target
    ? s('a', {href: target, class: `step ${step.state}`, 'aria-label': sentence(step), 'data-focus': `step ${step.name}`}, words)
    : s('g', {class: `step ${step.state}`, role: 'img', 'aria-label': sentence(step)}, words);
}

const clipped = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const count = ({state, items, said}) => (said ?? (items ? `${state} ${format.number(items.completed)} of ${format.number(items.total)}${items.failed ? `, ${format.number(items.failed)} lost` : ''}` : state));
const sentence = (step) => `${step.name}: ${count(step)}${step.reason ? `, ${step.reason}` : ''}${step.waits_for ? `, ${step.waits_for}` : ''}`;

function list(run, said) {
  return table('Steps', [
    ['Step', (step) => [h('strong', {}, step.name), ' ', step.kind ? h('span', {class: 'note'}, step.kind) : h('span', {class: 'note'}, step.sort)]],
    ['State', (step) => badge(count(step), BADGES[step.state])],
    ['Says', (step) => [step.reason ?? step.waits_for ?? '', lost(step), event(run, step, said)], 'wide'],
    ['Began', (step) => when(step.started_at)],
    ['Took', (step) => (step.started_at && step.ended_at ? format.duration(format.between(step.started_at, step.ended_at)) : '–')],
    ['Job', (step) => (step.job_id ? h('a', {class: 'id', href: to(`/jobs/${step.job_id}`), 'data-focus': `job of ${step.name}`, title: step.job_id}, format.short(step.job_id)) : '–')],
  ], run.steps);
}

function lost({items}) {
  if (!items?.errors.length) return null;
  return h('ul', {class: 'events'}, items.errors.map(({index, job_id: id, error}) => h('li', {},
    h('a', {href: to(`/jobs/${id}`), 'data-focus': id}, `item ${index}`), ' ', h('span', {class: 'detail'}, error))));
}

/** What a step waits for can be sent from here. */
function event(run, step, said) {
  if (step.sort !== 'wait' || step.state !== 'running') return null;
  return action(`Send ${step.event}`, async () => {
    await post(`jobs/${run.job_id}/events/${encodeURIComponent(step.event)}`, {});
    announce(`Sent ${step.event}`);
    lookAgain();
  }, {into: said, focus: `event ${step.event}`});
}
