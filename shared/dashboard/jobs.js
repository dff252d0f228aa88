// The list of jobs: searched by id, kind, state and time; a page at a time.

import {get} from './api.js';
import {announce, h, swap} from './dom.js';
import * as format from './format.js';
import {badge, jobLink, table, trouble, when} from './parts.js';
import {poll} from './poller.js';
import {to} from './router.js';

const STATES = ['queued', 'running', 'completed', 'failed', 'cancelled'];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const FASTEST = 10_000;
const SLOWEST = 60_000;

const COLUMNS = [
  ['Job', (job) => jobLink(job.job_id)],
  ['Kind', (job) => job.kind],
  ['State', (job) => badge(job.status)],
  ['Created', (job) => when(job.created_at)],
  ['Took', (job) => took(job), 'number extra'],
  ['Attempt', (job) => format.number(job.attempt), 'number extra'],
  ['Says', (job) => says(job), 'wide says'],
];

export async function showJobs(main, {params, signal}) {
  const list = h('div', {class: 'list', 'aria-busy': 'true'});
  const pages = h('div', {class: 'actions'});
  const kinds = h('select', {id: 'kind', name: 'kind'}, h('option', {value: ''}, 'any'));
  const children = params.parent_id ? h('p', {class: 'note'}, 'Only the children of ', jobLink(params.parent_id), '.') : null;
  main.append(...[form(params, kinds), children, list, pages].filter(Boolean));
  fillKinds(kinds, params.kind, signal);
  const wanted = {limit: 50, ...params};
  await poll(async () => {
    try {
      const {body, changed} = await get('jobs', {signal, params: wanted});
      if (changed || list.hasAttribute('aria-busy')) draw(list, pages, body, params);
      return changed;
    } catch (error) {
      if (signal.aborted) return 'done';
      swap(list, trouble(error));
      list.removeAttribute('aria-busy');
      return false;
    }
  }, signal, {fastest: FASTEST, slowest: SLOWEST});
}

export const jobTable = (items, empty) => table('Jobs', COLUMNS, items, {empty});

function draw(list, pages, {items, cursor}, params) {
  const first = list.hasAttribute('aria-busy');
  list.removeAttribute('aria-busy');
  swap(list, jobTable(items, 'No job fits.'));
  swap(pages,
    params.cursor ? h('a', {class: 'button', href: to('/jobs', {...params, cursor: ''}), 'data-focus': 'newest'}, 'Newest') : null,
    cursor ? h('a', {class: 'button', href: to('/jobs', {...params, cursor}), 'data-focus': 'older'}, 'Older') : null);
  if (first) announce(`${format.plural(items.length, 'job')} shown${cursor ? ', and there are more' : ''}`);
}

function form(params, kinds) {
  const field = (label, control) => h('div', {class: 'field'}, h('label', {for: control.id}, label), control);
  return h('form', {class: 'search', role: 'search', onsubmit: searched}, [
    field('Id, or how it starts', h('input', {id: 'id', name: 'id', value: params.id, 'data-search': true, size: 24, spellcheck: 'false', autocomplete: 'off'})),
    field('Kind', kinds),
    field('State', h('select', {id: 'status', name: 'status'}, ['', ...STATES].map((each) =>
      h('option', {value: each, selected: each === (params.status ?? '')}, each || 'any')))),
    field('From (UTC)', h('input', {id: 'since', name: 'since', type: 'datetime-local', value: params.since})),
    field('Until (UTC)', h('input', {id: 'until', name: 'until', type: 'datetime-local', value: params.until})),
    h('div', {class: 'actions'}, h('button', {type: 'submit', class: 'primary'}, 'Search'), h('a', {class: 'button', href: '#/jobs'}, 'Clear')),
  ]);
}

function searched(event) {
  event.preventDefault();
  const values = Object.fromEntries(new FormData(event.target));
  const id = values.id.trim();
  location.hash = UUID.test(id) ? to(`/jobs/${id.toLowerCase()}`) : to('/jobs', {...values, id});
}

async function fillKinds(select, chosen, signal) {
  try {
    const {body} = await get('kinds', {signal});
    select.append(...body.items.map(({kind}) => h('option', {value: kind, selected: kind === chosen}, kind)));
  } catch {
    if (chosen) select.append(h('option', {value: chosen, selected: true}, chosen));
  }
}

function took(job) {
  if (!job.started_at) return '–';
  return job.finished_at ? format.duration(format.between(job.started_at, job.finished_at)) : '…';
}

function says(job) {
  if (job.status === 'running' && job.progress) return `${job.progress.step} (${job.progress.completed}/${job.progress.total})`;
  if (job.status === 'queued' && job.attempt) return ['again ', when(job.next_attempt_at), job.error ? `: ${job.error.type}` : ''];
  return job.status === 'failed' && job.error ? `${job.error.type}: ${job.error.message}` : '';
}
