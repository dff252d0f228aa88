// Asking again: soon while things change, ever less often while they do not, and never while nobody looks.

/**
 * Calls `look` at once and then again and again until the signal is aborted or `look` returns 'done'. `look` returns
 * whether anything changed. Times are milliseconds.
 */
export async function poll(look, signal, {fastest, slowest, factor = 1.5}) {
  let pause = fastest;
  while (!signal.aborted) {
    const outcome = await look();
    if (outcome === 'done') return;
    pause = outcome ? fastest : Math.min(pause * factor, slowest);
    await wait(pause, signal);
    if (document.hidden) {
      await shown(signal);
      pause = fastest;
    }
  }
}

const wait = (milliseconds, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, milliseconds);
  const now = () => { clearTimeout(timer); resolve(); };
  signal.addEventListener('abort', now, {once: true});
  addEventListener('look-again', now, {once: true});
});

const shown = (signal) => new Promise((resolve) => {
  if (!document.hidden || signal.aborted) return resolve();
  const look = () => { if (!document.hidden) { document.removeEventListener('visibilitychange', look); resolve(); } };
  document.addEventListener('visibilitychange', look);
  signal.addEventListener('abort', () => { document.removeEventListener('visibilitychange', look); resolve(); }, {once: true});
});

/** Has everything that waits look now. */
export const lookAgain = () => dispatchEvent(new Event('look-again'));
