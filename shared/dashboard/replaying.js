// Replaying dead letters: looked at first, then done, and told.

import {get, post} from './api.js';
import {announce, h, swap} from './dom.js';
import {number, plural, short} from './format.js';
import {action, confirmed, jobLink, table} from './parts.js';
import {to} from './router.js';

const BATCH = 100, AT_ONCE = 50; // dead letters of one request; jobs of one
const PATIENCE = 30_000, FIRST_PAUSE = 300, LONGEST_PAUSE = 5000; // ms for which the jobs are followed, and between two looks
const WORDS = {replayed: 'replayed', would_replay: 'would be replayed', invalid: 'payload does not fit', not_failed: 'nothing to replay'};

/** The two buttons for many: `what()` is the body of the request, {filter} or {ids}; `name` says which they are. */
export function replayButtons(name, what, said, done) {
  const look = async () => {
    swap(said, h('p', {}, 'Looking …'));
    return replayAll(what(), true).catch((error) => { swap(said); throw error; });
  };
  const tell = (outcome) => { swap(said, outcomeView(outcome)); announce(summary(outcome)); };
  const replay = async () => {
    const looked = await look();
    const count = looked.counts.would_replay ?? 0;
    tell(looked);
    if (!count || !await confirmed(`Replay ${plural(count, 'dead letter')}?`, 'Each job is put back on its queue, once.', 'Replay')) return;
    swap(said, h('p', {}, 'Replaying …'));
    const outcome = await replayAll(snapshot(what(), looked.until), false).catch((error) => { swap(said); throw error; });
    tell(outcome);
    done?.();
    await followed(outcome.results.filter((each) => each.outcome === 'replayed'), said);
  };
  return [action(`Dry run ${name}`, async () => tell(await look()), {into: said}), action(`Replay ${name}`, replay, {primary: true, into: said})];
}

/** What was there at a moment: what fails again afterwards is not among it. */
const snapshot = (what, until) => (what.ids ? what : {...what, filter: {...what.filter, until}});

/** Asks for one batch after the other, from the newest to the oldest: going on from the cursor meets none twice. */
async function replayAll(what, dryRun) {
  const total = {dry_run: dryRun, counts: {}, results: []};
  let wanted = {...what, limit: BATCH, dry_run: dryRun};
  for (;;) {
    const answer = await post('dead-letters/replay', wanted);
    for (const [name, count] of Object.entries(answer.counts)) total.counts[name] = (total.counts[name] ?? 0) + count;
    total.results.push(...answer.results);
    total.until ??= answer.until;
    if (!answer.cursor) return total;
    wanted = {...snapshot(wanted, answer.until), cursor: answer.cursor};
    if (!dryRun) announce(`${number(total.counts.replayed)} replayed so far`);
  }
}

/** Says below how jobs that were replayed fare, until all have ended or for half a minute. */
async function followed(results, said) {
  const letters = new Map(results.map((each) => [each.job_id, each.dead_letter_id]));
  const counts = {completed: 0, 'failed again': 0, cancelled: 0};
  const going = new Set(letters.keys());
  const line = h('p', {class: 'aftermath'});
  said.querySelector('.notice')?.append(line);
  const end = Date.now() + PATIENCE;
  for (let pause = FIRST_PAUSE; going.size && line.isConnected; pause = Math.min(pause * 1.5, LONGEST_PAUSE)) {
    for (const job of await jobs([...going])) {
      const ended = outcomeOf(job, letters.get(job.job_id));
      if (!ended) continue;
      counts[ended] += 1;
      going.delete(job.job_id);
    }
    const words = Object.entries({...counts, 'not ended yet': going.size}).filter(([, count]) => count);
    swap(line, 'Since then: ', words.map(([name, count]) => `${number(count)} ${name}`).join(', '), '.');
    if (counts['failed again']) said.querySelector('.notice')?.classList.replace('good', 'warn');
    if (Date.now() >= end) break;
    if (going.size) await new Promise((resolve) => { setTimeout(resolve, pause); });
  }
  announce(line.textContent);
}

async function jobs(ids) {
  const found = [];
  for (let n = 0; n < ids.length; n += AT_ONCE) found.push(...(await get('jobs', {params: {ids: ids.slice(n, n + AT_ONCE).join(',')}})).body.items);
  return found;
}

/** How a replayed job has ended; null while it has not, or while the index still shows the state before. */
const outcomeOf = ({status, dead_letter_id: letter}, before) => {
  if (status === 'failed') return letter === before ? null : 'failed again';
  return status === 'completed' || status === 'cancelled' ? status : null;
};

const summary = ({counts}) => {
  const said = Object.entries(counts).filter(([, count]) => count).map(([name, count]) => `${number(count)} ${WORDS[name] ?? name}`);
  return said.join(', ') || 'There was nothing to replay';
};

function outcomeView(outcome) {
  const troubled = outcome.results.filter((each) => each.outcome === 'invalid' || each.outcome === 'not_failed');
  const shown = troubled.slice(0, 20);
  return h('div', {class: `notice ${troubled.length ? 'warn' : 'good'}`}, h('p', {}, `${outcome.dry_run ? 'Dry run: ' : ''}${summary(outcome)}.`),
    shown.length ? table('What cannot be replayed', [
      ['Dead letter', (each) => h('a', {class: 'id', href: to(`/dead-letters/${each.dead_letter_id}`)}, short(each.dead_letter_id))],
      ['Why', (each) => [each.detail ?? WORDS[each.outcome], each.errors?.length ? h('ul', {}, each.errors.map(problemLine)) : '']],
    ], shown) : null,
    troubled.length > shown.length ? h('p', {class: 'note'}, `and ${plural(troubled.length - shown.length, 'other')}`) : null);
}

const problemLine = ({field, message}) => h('li', {}, h('code', {}, field), ' ', message);

/** What became of one replay. */
export function resultView(result) {
  const good = result.outcome === 'replayed' || result.outcome === 'would_replay';
  return h('div', {class: `notice ${good ? 'good' : 'bad'}`},
    h('p', {}, result.outcome === 'would_replay' ? 'The payload fits: it would be replayed' : `The dead letter: ${WORDS[result.outcome]}`,
      result.detail ? ` (${result.detail})` : '', '. ', result.job_id ? ['Its job is ', jobLink(result.job_id), '.'] : ''),
    result.errors?.length ? h('ul', {}, result.errors.map(problemLine)) : null);
}
