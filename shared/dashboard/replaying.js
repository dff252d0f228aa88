// Replaying dead letters: looked at first, then done, and told.

import {post} from './api.js';
import {announce, h, swap} from './dom.js';
import {number, plural, short} from './format.js';
import {action, confirmed, jobLink, table} from './parts.js';
import {to} from './router.js';

const BATCH = 100;
const WORDS = {replayed: 'replayed', would_replay: 'would be replayed', invalid: 'payload does not fit', not_failed: 'nothing to replay'};

/** The two buttons for many: `what()` is the body of the request, {filter} or {ids}; `name` says which they are. */
export function replayButtons(name, what, said, done) {
  const run = async (dryRun) => {
    swap(said, h('p', {}, dryRun ? 'Looking …' : 'Replaying …'));
    const outcome = await replayAll(what(), dryRun).catch((error) => { swap(said); throw error; });
    swap(said, outcomeView(outcome));
    announce(summary(outcome));
    if (!dryRun) done?.();
  };
  return [
    action(`Dry run ${name}`, () => run(true), {into: said}),
    action(`Replay ${name}`, async () => {
      if (await confirmed(`Replay ${name}?`, 'Each payload is checked, and its job is put back on its queue.', 'Replay')) await run(false);
    }, {primary: true, into: said}),
  ];
}

/** Asks batch after batch, until there is no more, or nothing of a batch went through. */
async function replayAll(what, dryRun) {
  const total = {dry_run: dryRun, counts: {}, results: [], more: false};
  for (;;) {
    const answer = await post('dead-letters/replay', {...what, limit: BATCH, dry_run: dryRun});
    for (const [name, count] of Object.entries(answer.counts)) total.counts[name] = (total.counts[name] ?? 0) + count;
    total.results.push(...answer.results);
    total.more = answer.more;
    if (dryRun || what.ids || !answer.more || !answer.counts.replayed) return total;
    announce(`${number(total.counts.replayed)} replayed so far`);
  }
}

const summary = ({counts, more}) => {
  const said = Object.entries(counts).filter(([, count]) => count).map(([name, count]) => `${number(count)} ${WORDS[name] ?? name}`);
  return (said.join(', ') || 'There was nothing to replay') + (more ? ', and there are more' : '');
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
