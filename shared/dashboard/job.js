// One job: live until it ends.

import {get, post} from './api.js';
import {announce, h, swap} from './dom.js';
import * as format from './format.js';
import {jobTable} from './jobs.js';
import {action, badge, confirmed, facts, failure, jobLink, json, section, trouble, when} from './parts.js';
import {lookAgain, poll} from './poller.js';
import {to} from './router.js';
import {events, timeline} from './timeline.js';
import {drawRun} from './workflow.js';

const FASTEST = 1000;
const SLOWEST = 10_000;
const FINAL = ['completed', 'failed', 'cancelled'];

export async function showJob(main, {id, signal}) {
  const parts = Object.fromEntries(['head', 'why', 'run', 'outcome', 'attempts', 'children'].map((name) => [name, h('div', {class: name})]));
  main.append(parts.head, parts.why, parts.run, parts.outcome, payload(id, signal), parts.attempts, parts.children);
  const view = new JobView(id, parts, signal);
  for (;;) {
    await poll(() => view.look(), signal, {fastest: FASTEST, slowest: SLOWEST});
    if (signal.aborted) return;
    await new Promise((resolve) => {
      addEventListener('look-again', resolve, {once: true});
      signal.addEventListener('abort', resolve, {once: true});
    });
  }
}

class JobView {
  #last = '';

  constructor(id, parts, signal) {
    Object.assign(this, {id, parts, signal});
  }

  /** Looks once; 'done' where the job has ended. */
  async look() {
    const {signal} = this;
    try {
      const {body: job, changed} = await get(`jobs/${this.id}`, {signal});
      if (changed || !this.#last) await this.#draw(job);
      return FINAL.includes(job.status) ? 'done' : changed;
    } catch (error) {
      if (signal.aborted) return 'done';
      swap(this.parts.outcome, trouble(error));
      return error.status >= 400 && error.status < 500 && error.status !== 429 ? 'done' : false;
    }
  }

  async #draw(job) {
    const told = this.#last;
    this.#last = job.status;
    swap(this.parts.head, ...head(job));
    swap(this.parts.outcome, outcome(job));
    if (told !== job.status) announce(`The job is ${job.status}`);
    const showing = [this.#history(), drawRun(this.parts.run, this.id, this.signal)];
    if (told !== job.status) showing.push(this.#explain(job), this.#children());
    await Promise.all(showing);
  }

  async #history() {
    const {body} = await get(`jobs/${this.id}/history`, {signal: this.signal});
    swap(this.parts.attempts, section('Attempts', timeline(body.items)), section('History', events(body.items)));
  }

  async #explain(job) {
    if (FINAL.includes(job.status)) return swap(this.parts.why);
    const {body} = await get(`jobs/${this.id}/explain`, {signal: this.signal});
    const title = job.status === 'queued' ? 'Why is it not running?' : 'What is it doing?';
    swap(this.parts.why, section(title, body.reasons.map(({text, advice}) => h('p', {}, text, ' ', h('span', {class: 'note'}, advice)))));
  }

  async #children() {
    const {body} = await get('jobs', {signal: this.signal, params: {parent_id: this.id, limit: 20}});
    const {items, cursor} = body;
    if (!items.length) return swap(this.parts.children);
    const all = h('p', {}, h('a', {href: to('/jobs', {parent_id: this.id})}, cursor ? 'All its children' : 'As a list'));
    swap(this.parts.children, section('Children', jobTable(items), all));
  }
}

function head(job) {
  const done = into();
  return [
    h('p', {class: 'title'}, h('code', {class: 'id'}, job.job_id), ' ', h('strong', {}, job.kind), ' ', badge(job.status),
      job.cancel_requested && !FINAL.includes(job.status) ? h('span', {class: 'note'}, ' asked to stop') : null),
    progress(job),
    h('div', {class: 'actions'}, steer(job, done)), done,
    facts([
      ['Created', when(job.created_at)],
      ['Started', job.started_at && when(job.started_at)],
      ['Finished', job.finished_at && when(job.finished_at)],
      ['Took', job.started_at && job.finished_at && format.duration(format.between(job.started_at, job.finished_at))],
      ['Due', job.status === 'queued' ? when(job.next_attempt_at) : null],
      ['Attempt', format.number(job.attempt)],
      ['Priority', job.priority],
      ['Replays', job.replays],
      ['Part of', job.parent_id && jobLink(job.parent_id)],
      ['Callback', job.callback_job_id && jobLink(job.callback_job_id)],
      ['Dead letter', job.dead_letter_id && h('a', {class: 'id', href: to(`/dead-letters/${job.dead_letter_id}`)}, format.short(job.dead_letter_id))],
    ]),
  ];
}

const into = () => h('div', {class: 'said'});

function steer(job, said) {
  const told = (text) => { announce(text); lookAgain(); };
  if (job.status === 'failed') {
    return [action('Retry', async () => { await post(`jobs/${job.job_id}/retry`); told('Put back'); }, {primary: true, into: said}),
      job.dead_letter_id ? h('a', {class: 'button', href: to(`/dead-letters/${job.dead_letter_id}`)}, 'Edit and replay') : null];
  }
  if (FINAL.includes(job.status)) return [];
  return [action('Cancel', async () => {
    if (!(await confirmed('Cancel this job?', 'What has not started will not; what runs stops at its next checkpoint.', 'Cancel the job'))) return;
    await post(`jobs/${job.job_id}/cancel`);
    told('Asked to stop');
  }, {danger: true, into: said})];
}

function progress(job) {
  if (!job.progress || job.status === 'queued') return null;
  const {step, completed, total} = job.progress;
  return h('div', {class: 'progress'},
    h('label', {for: 'progress'}, `${step} – ${format.number(completed)} of ${format.number(total)}`),
    h('progress', {id: 'progress', value: completed, max: Math.max(total, 1)}));
}

function outcome(job) {
  const failed = job.error
    ? section(job.status === 'failed' ? 'Error' : 'Last error', failure(job.error))
    : null;
  return [failed, job.status === 'completed' ? section('Result', job.results_excerpt ? excerpt(job) : json(job.results ?? null, 'Result')) : null];
}

/** The start of a large result, and all of it for who asks. */
function excerpt({job_id: id, results_excerpt: {bytes, start}}) {
  const content = h('div', {}, h('pre', {class: 'json', tabindex: '0', role: 'region', 'aria-label': 'Start of the result'}, start));
  const all = action('Show all of it', async () => {
    const {body} = await get(`jobs/${id}?results=whole`);
    swap(content, json(body.results, 'Result'));
    all.remove();
  });
  return [h('p', {}, `${format.number(bytes)} bytes, which begin:`), content, h('div', {class: 'said'}, all)];
}

/** Payloads may be personal: shown to who asks for it. */
function payload(id, signal) {
  const content = h('div');
  const details = h('details', {class: 'payload', 'data-name': 'payload'}, h('summary', {}, 'Payload'), content);
  details.addEventListener('toggle', async () => {
    if (!details.open || content.childElementCount) return;
    try {
      const {body} = await get(`jobs/${id}/payload`, {signal});
      swap(content, json(body.payload, 'Payload'));
    } catch (error) {
      if (!signal.aborted) swap(content, trouble(error));
    }
  });
  return details;
}
