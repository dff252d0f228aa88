// The page: which view is shown, and what all views share.

import {showDocument} from './document.js';
import {showDocuments} from './documents.js';
import {announce, h} from './dom.js';
import {showJob} from './job.js';
import {showJobs} from './jobs.js';
import {showLetter} from './letter.js';
import {showLetters} from './letters.js';
import {showOverview} from './overview.js';
import {startKeys} from './key.js';
import {tick, trouble} from './parts.js';
import {showExecution, showPipeline, showPipelines} from './pipelines.js';
import {lookAgain} from './poller.js';
import {routeOf} from './router.js';
import {startShortcuts} from './shortcuts.js';
import {showSources} from './sources.js';
import {showTimer, showTimers} from './timers.js';

const VIEWS = {
  overview: ['Overview', showOverview],
  jobs: ['Jobs', showJobs],
  job: ['Job', showJob],
  'dead-letters': ['Dead letters', showLetters],
  letter: ['Dead letter', showLetter],
  timers: ['Timers', showTimers],
  timer: ['Timer', showTimer],
  sources: ['Sources', showSources],
  documents: ['Documents', showDocuments],
  document: ['Document', showDocument],
  pipelines: ['Pipelines', showPipelines],
  pipeline: ['Pipeline', showPipeline],
  execution: ['Execution', showExecution],
  missing: ['No such view', async (main) => { main.append(h('p', {}, 'There is no such view. Go on with one of those above.')); }],
};
const PARENTS = {job: 'jobs', letter: 'dead-letters', document: 'documents', pipeline: 'pipelines', execution: 'pipelines', timer: 'timers'};

const main = document.getElementById('main');
let leave = new AbortController();
let shown = null;

/** Shows the view that the address asks for. The one before stops asking the app. */
async function show({keepFocus = false} = {}) {
  const route = routeOf(location.hash);
  const [title, view] = VIEWS[route.name];
  leave.abort();
  leave = new AbortController();
  const {signal} = leave;
  const again = shown === route.name;
  shown = route.name;
  document.title = `${title} – Nightshift`;
  for (const link of document.querySelectorAll('nav [data-view]')) {
    const current = link.dataset.view === (PARENTS[route.name] ?? route.name);
    if (current) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const heading = h('h1', {tabindex: '-1'}, title);
  const content = h('div', {class: `view ${route.name}`, 'data-at': location.hash});
  main.replaceChildren(heading, content);
  if (!keepFocus) {
    scrollTo(0, 0);
    heading.focus({preventScroll: true});
    if (!again) announce(title);
  }
  try {
    await view(content, {...route, signal, heading});
  } catch (error) {
    if (error.name !== 'AbortError' && !signal.aborted) content.append(trouble(error));
  }
}

startKeys(() => show({keepFocus: true}));
startShortcuts();
setInterval(tick, 5000);
document.getElementById('refresh').addEventListener('click', () => { lookAgain(); announce('Looking again'); });
document.getElementById('skip').addEventListener('click', (event) => { event.preventDefault(); main.focus(); });
addEventListener('hashchange', () => show());
show({keepFocus: true});
