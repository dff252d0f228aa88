// Which view the address asks for: #/jobs?kind=greet is the view `jobs`, #/jobs/ID is `job` with an id.

const ROUTES = [
  [/^\/?$/, 'overview'],
  [/^\/jobs$/, 'jobs'],
  [/^\/jobs\/([^/]+)$/, 'job'],
  [/^\/dead-letters$/, 'dead-letters'],
  [/^\/dead-letters\/([^/]+)$/, 'letter'],
  [/^\/timers$/, 'timers'],
  [/^\/timers\/([^/]+)$/, 'timer'],
  [/^\/sources$/, 'sources'],
  [/^\/pipelines$/, 'pipelines'],
  [/^\/pipelines\/([^/]+)$/, 'pipeline'],
  [/^\/executions\/([^/]+)$/, 'execution'],
  [/^\/documents$/, 'documents'],
  [/^\/documents\/([^/]+)$/, 'document'],
];

/** The view of an address: its name, the id in the path if there is one, and its parameters. */
export function routeOf(hash) {
  const [path, query = ''] = hash.replace(/^#/, '').split('?');
  for (const [pattern, name] of ROUTES) {
    const found = pattern.exec(path);
    const id = found?.[1] && decoded(found[1]);
    if (found && id !== null) return {name, id, params: Object.fromEntries(new URLSearchParams(query))};
  }
  return {name: 'missing', params: {}};
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** The address of a view. */
export function to(path, params = {}) {
  const chosen = Object.entries(params).filter(([, value]) => value !== '' && value != null);
  return `#${path}${chosen.length ? `?${new URLSearchParams(chosen)}` : ''}`;
}
