// What the scraper reads, and how it goes.

import {get, post} from './api.js';
import {announce, h, swap} from './dom.js';
import * as format from './format.js';
import {action, badge, jobLink, table, trouble, when} from './parts.js';
import {poll} from './poller.js';
import {to} from './router.js';

export async function showSources(main, {signal, params}) {
  const said = h('div', {class: 'said'});
  const list = h('div', {'aria-busy': 'true'});
  const pages = h('div', {class: 'actions'});
  main.append(said, list, pages);
  await poll(async () => {
    try {
      const {body, changed} = await get('sources', {signal, params: {limit: 100, cursor: params.cursor}});
      if (changed || list.hasAttribute('aria-busy')) {
        list.removeAttribute('aria-busy');
        swap(list, sourceTable(body.items, said));
        swap(pages, body.cursor ? h('a', {class: 'button', href: to('/sources', {cursor: body.cursor})}, 'More') : null);
      }
      return changed;
    } catch (error) {
      if (signal.aborted) return 'done';
      list.removeAttribute('aria-busy');
      swap(list, trouble(error));
      return error.status === 404 ? 'done' : false;
    }
  }, signal, {fastest: 20_000, slowest: 120_000});
}

function sourceTable(items, said) {
  return table('Sources', [
    ['Source', (source) => h('div', {}, h('strong', {}, source.label || source.id), h('div', {class: 'note clip'}, source.url ?? (source.subreddit ? `r/${source.subreddit}` : '')))],
    ['Kind', (source) => source.kind],
    ['Health', (source) => [badge(String(healthOf(source)).replaceAll('_', ' '), healthOf(source)), source.switched_off_reason ? h('div', {class: 'detail'}, source.switched_off_reason) : null], 'wide'],
    ['Last run', (source) => lastRun(source)],
    ['New', (source) => format.number(source.last_run?.new), 'number'],
    ['Failures', (source) => format.number(source.failures), 'number'],
    ['Due', (source) => (source.active === false ? '–' : when(source.due_at))],
    [h('span', {class: 'unseen'}, 'Actions'), (source) => action('Run', () => run(source, said), {focus: `run ${source.id}`, into: said, name: `Run ${source.label || source.id}`})],
  ], items, {empty: 'No sources yet: POST /api/sources makes one.'});
}

const healthOf = (source) => source.health ?? (source.active === false ? 'inactive' : source.failures ? 'failing' : 'healthy');

function lastRun({last_run: last}) {
  if (!last) return '–';
  return [when(last.at), ' ', last.outcome, last.job_id ? [' ', jobLink(last.job_id, 'job')] : null, last.error ? h('div', {class: 'detail'}, last.error) : null];
}

async function run(source, said) {
  const ticket = await post(`sources/${encodeURIComponent(source.id)}/run`);
  swap(said, h('p', {class: 'notice good'}, `${source.label || source.id} is being read: `, jobLink(ticket.job_id, 'its job'), '.'));
  announce(`${source.label || source.id} is being read`);
}
