// Pipelines: which there are, what feeds them, what was executed, and one execution item by item.

import {get, post} from './api.js';
import {announce, h, swap} from './dom.js';
import * as format from './format.js';
import {action, badge, confirmed, facts, jobLink, json, section, table, trouble, when} from './parts.js';
import {lookAgain, poll} from './poller.js';
import {to} from './router.js';
import {graph} from './workflow.js';

const PACE = {fastest: 2_000, slowest: 30_000};
const STARTER = `executors:
  - id: find
    type: azure_blob_input
    settings:
      blob_container_name: documents
      polling_interval_seconds: 300
  - id: get
    type: content_retriever
  - id: extract
    type: pdf_extractor
`;

const BADGES = {gone: 'cancelled', pending: 'queued', skipped: 'cancelled'};
const stateBadge = (state) => badge(state, BADGES[state] ?? state);
const pipelineLink = (id, text = id) => h('a', {href: to(`/pipelines/${id}`), 'data-focus': `pipeline ${id}`}, text);
const executionLink = (one) => h('a', {href: to(`/executions/${one.id}`), 'data-focus': one.id, title: one.id}, one.filename ?? one.content ?? one.id);

/** Looks at several addresses, again and again, and draws what they answer when that has changed. */
async function watch(signal, element, paths, draw) {
  await poll(async () => {
    try {
      const answers = await Promise.all(paths.map(([path, params]) => get(path, {signal, params})));
      const changed = answers.some((each) => each.changed) || element.hasAttribute('aria-busy');
      element.removeAttribute('aria-busy');
      if (changed) draw(...answers.map((each) => each.body));
      return changed;
    } catch (error) {
      if (signal.aborted) return 'done';
      element.removeAttribute('aria-busy');
      swap(element, trouble(error));
      return error.status === 404 ? 'done' : false;
    }
  }, signal, PACE);
}

/** All pipelines, the vaults that feed them, and the latest executions. */
export async function showPipelines(main, {signal, params}) {
  const list = h('div', {class: 'list', 'aria-busy': 'true'});
  main.append(list, creation());
  await watch(signal, list, [['pipelines', {limit: 200}], ['vaults', {limit: 200}], ['executions', {limit: 25, cursor: params.cursor}]], (pipelines, vaults, executions) => {
    const said = h('div', {class: 'said'});
    swap(list,
      section('Pipelines', table('Pipelines', [
        ['Pipeline', (one) => [pipelineLink(one.id, one.name), one.description ? h('div', {class: 'detail'}, one.description) : null], 'wide'],
        ['State', (one) => badge(one.enabled ? 'on' : 'off', one.enabled ? 'completed' : 'cancelled')],
        ['Version', (one) => format.number(one.version), 'number'],
        ['Fed by', (one) => one.input_executor ?? 'what it is given', 'extra'],
        ['Changed', (one) => when(one.updated_at), 'extra'],
      ], pipelines.items, {empty: 'There is no pipeline yet. Make one below, or with POST /api/pipelines.'})),
      section('Vaults', vaultTable(vaults.items, said), said),
      section('Executions', executionTable(executions.items),
        h('div', {class: 'actions'},
          params.cursor ? h('a', {class: 'button', href: to('/pipelines'), 'data-focus': 'newest'}, 'Newest') : null,
          executions.cursor ? h('a', {class: 'button', href: to('/pipelines', {cursor: executions.cursor}), 'data-focus': 'older'}, 'Older') : null)));
  });
}

const executionTable = (items) => table('Executions', [
  ['Content', (one) => [executionLink(one), one.retry_of ? h('span', {class: 'note'}, ' (a retry)') : null], 'wide'],
  ['State', (one) => stateBadge(one.status)],
  ['Pipeline', (one) => [pipelineLink(one.pipeline_id, one.pipeline_name), h('span', {class: 'note'}, ` v${one.version}`)]],
  ['Vault', (one) => one.vault_id ?? '–', 'extra'],
  ['Items', (one) => format.number(one.count), 'number extra'],
  ['Begun', (one) => when(one.created_at)],
], items, {empty: 'Nothing was executed yet.'});

function vaultTable(vaults, said) {
  return table('Vaults', [
    ['Vault', (one) => one.name],
    ['Pipeline', (one) => pipelineLink(one.pipeline_id)],
    ['State', (one) => badge(one.enabled ? 'on' : 'off', one.enabled ? 'completed' : 'cancelled')],
    ['', (one) => h('div', {class: 'actions'},
      action('Look now', async () => { await post(`vaults/${one.id}/crawl`); tell(said, `${one.name} is being looked at.`); }, {into: said, focus: `look ${one.id}`, disabled: !one.enabled, name: `Look at ${one.name} now`}),
      action(one.enabled ? 'Switch off' : 'Switch on', async () => { await post(`vaults/${one.id}`, {enabled: !one.enabled}, {method: 'PATCH'}); tell(said, `${one.name} is ${one.enabled ? 'off' : 'on'}.`); }, {into: said, focus: `switch ${one.id}`, name: `${one.enabled ? 'Switch off' : 'Switch on'} ${one.name}`}))],
  ], vaults, {empty: 'No vault feeds a pipeline. POST /api/vaults makes one.'});
}

function tell(said, text) {
  swap(said, h('p', {class: 'notice good'}, text));
  announce(text);
  lookAgain();
}

/** Where a pipeline is written: checked as often as wanted, then made. */
function creation() {
  const said = h('div', {class: 'said'});
  const text = h('textarea', {id: 'pipeline-text', rows: 14, spellcheck: 'false', class: 'code'});
  text.value = STARTER;
  const name = h('input', {id: 'pipeline-name', size: 30, autocomplete: 'off'});
  return h('details', {'data-name': 'new pipeline'}, h('summary', {}, 'New pipeline'),
    h('div', {class: 'field'}, h('label', {for: 'pipeline-name'}, 'Name'), name),
    h('div', {class: 'field'}, h('label', {for: 'pipeline-text'}, 'File (YAML)'), text),
    h('div', {class: 'actions'},
      action('Check', async () => { swap(said, findings(await post('pipelines/validate', {text: text.value}))); }, {into: said}),
      action('Make it', async () => {
        const made = await post('pipelines', {text: text.value, ...(name.value ? {name: name.value} : {})});
        location.hash = to(`/pipelines/${made.id}`);
      }, {primary: true, into: said})),
    said);
}

/** What was found in a file that was checked. */
function findings(told) {
  const lines = (items, kind) => items.map((each) => h('li', {}, h('code', {}, `${each.line}:${each.column}`), ' ', each.path ? h('code', {}, each.path) : null, each.path ? ' ' : null, h('span', {class: kind}, each.message)));
  const text = !told.valid ? 'It cannot be run.' : told.ready ? 'It can be run.' : 'It is valid, and lacks something before it can be run.';
  announce(text);
  return h('div', {class: told.ready ? 'notice good' : 'notice bad'}, h('p', {}, h('strong', {}, text)),
    h('ul', {}, lines(told.errors, 'error'), lines(told.lacks, 'error'), lines(told.warnings, 'note')));
}

/** One pipeline: its graph, its file, a dry run, its executions. */
export async function showPipeline(main, {signal, id}) {
  const content = h('div', {'aria-busy': 'true'});
  const executions = h('div', {});
  const tried = h('div', {class: 'said'});
  main.append(content, tried, executions);
  await watch(signal, content, [[`pipelines/${id}`], ['executions', {pipeline_id: id, limit: 50}]], (one, page) => {
    const said = h('div', {class: 'said'});
    const steps = one.executors.map((each) => ({
      name: each.id, state: 'pending', said: each.type, job_id: null, items: null, after: one.edges.filter((edge) => edge.target === each.id).map((edge) => edge.source),
      condition: one.edges.some((edge) => edge.target === each.id && edge.condition) || null,
    }));
    swap(content,
      h('p', {class: 'note'}, one.description || null),
      facts([['Name', one.name], ['State', badge(one.enabled ? 'on' : 'off', one.enabled ? 'completed' : 'cancelled')], ['Version', format.number(one.version)], ['Changed', when(one.updated_at)]]),
      h('div', {class: 'actions'},
        action('Try it on three items', async () => { swap(tried, dryRun(await post(`pipelines/${id}/dry-run`, {limit: 3}))); }, {into: said, primary: true}),
        action(one.enabled ? 'Switch off' : 'Switch on', async () => { await post(`pipelines/${id}`, {enabled: !one.enabled}, {method: 'PATCH'}); tell(said, one.enabled ? 'It is off.' : 'It is on.'); }, {into: said})),
      said,
      one.lacks.length ? h('div', {class: 'notice bad'}, h('p', {}, 'It lacks:'), h('ul', {}, one.lacks.map((each) => h('li', {}, each.message)))) : null,
      section('Executors', graph({steps})),
      h('details', {'data-name': 'file'}, h('summary', {}, 'File'), h('pre', {class: 'json', tabindex: '0', role: 'region', 'aria-label': 'File'}, one.text)));
    swap(executions, section('Executions', executionTable(page.items)));
  });
}

const dryRun = (told) => section('Dry run', h('p', {class: told.completed ? 'notice good' : 'notice bad'}, told.completed ? 'It ran to its end; nothing was written.' : `It failed: ${told.error}`),
  told.executors.map((each) => h('details', {'data-name': `dry ${each.id}`}, h('summary', {}, `${each.id}: ${format.plural(each.count, 'item')}`), each.items.map((item) => json(item, `An item that came out of ${each.id}`)))));

/** One execution: its graph with the items that came out of each executor, and each item. */
export async function showExecution(main, {signal, id, params}) {
  const content = h('div', {'aria-busy': 'true'});
  const items = h('div', {});
  main.append(content, items);
  const shown = showItems(items, id, params.executor, signal);
  await watch(signal, content, [[`executions/${encodeURIComponent(id)}`]], (one) => draw(content, one, params));
  await shown;
}

function draw(content, one, params) {
  const said = h('div', {class: 'said'});
  const path = `executions/${encodeURIComponent(one.id)}`;
  const steps = one.executors.map((each) => ({
    name: each.id, state: each.state, job_id: each.job_id, items: null, reason: each.reason, said: counted(each), condition: one.edges.some((edge) => edge.target === each.id && edge.condition) || null,
    after: one.edges.filter((edge) => edge.target === each.id).map((edge) => edge.source),
  }));
  const ended = ['completed', 'failed', 'cancelled', 'gone'].includes(one.status);
  swap(content,
    facts([['Content', one.content ?? '–'], ['State', stateBadge(one.status)], ['Pipeline', [pipelineLink(one.pipeline_id, one.pipeline_name), ` v${one.version}`]], ['Vault', one.vault_id], ['Task', one.task_id],
      ['Ran before', one.left_out], ['Begun', when(one.created_at)], ['Job', jobLink(one.job_id)]]),
    one.error ? h('p', {class: 'notice bad'}, one.error) : null,
    h('div', {class: 'actions'},
      ended ? null : action('Cancel', async () => { await post(`${path}/cancel`); tell(said, 'It is being cancelled.'); }, {into: said, danger: true}),
      one.status === 'failed' ? action('Go on from what failed', async () => { await post(`${path}/retry`); tell(said, 'It goes on.'); }, {into: said, primary: true}) : null,
      ended ? action('Execute by the present version', async () => {
        if (!(await confirmed('Execute it again?', 'The same content goes through the pipeline as it is now, as an execution of its own.', 'Execute'))) return;
        location.hash = to(`/executions/${(await post(`${path}/retry`, {definition: 'fixed'})).id}`);
      }, {into: said}) : null),
    said,
    section('Executors', graph({steps}), table('Executors', [
      ['Executor', (each) => [h('strong', {}, each.id), ' ', h('span', {class: 'note'}, each.type)]],
      ['State', (each) => stateBadge(each.state)],
      ['Items', (each) => (each.count == null ? '–' : h('a', {href: to(`/executions/${encodeURIComponent(one.id)}`, {executor: each.id}), 'data-focus': `items ${each.id}`, 'aria-current': params.executor === each.id ? 'true' : null}, counted(each))), 'number'],
      ['Says', (each) => each.reason ?? '', 'wide'],
      ['Took', (each) => (each.started_at && each.ended_at ? format.duration(format.between(each.started_at, each.ended_at)) : '–'), 'extra'],
      ['Job', (each) => (each.job_id ? jobLink(each.job_id) : '–'), 'extra'],
    ], one.executors)));
}

function counted({count, statuses, state}) {
  if (count == null) return state;
  const failed = statuses.failed ? `, ${format.number(statuses.failed)} failed` : '';
  return `${format.plural(count, 'item')}${failed}`;
}

async function showItems(element, id, executor, signal) {
  try {
    const {body} = await get(`executions/${encodeURIComponent(id)}/items`, {signal, params: {executor, limit: 20}});
    const title = executor ? `Items that came out of ${executor}` : 'Items that went in';
    swap(element, section(title, h('p', {class: 'note'}, body.total > body.items.length ? `The first ${body.items.length} of ${format.number(body.total)}.` : format.plural(body.total, 'item')),
      body.items.map((item, n) => h('details', {'data-name': `item ${n}`, open: body.items.length === 1}, h('summary', {}, item.id.filename ?? item.id.canonical_id, ' ', h('span', {class: 'note'}, item.id.unique_id)), json(item, `Item ${n + 1}`)))));
  } catch (error) {
    if (!signal.aborted) swap(element, error.status === 404 ? null : trouble(error));
  }
}
