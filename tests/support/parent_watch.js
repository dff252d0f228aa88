// Loaded with `node --require`: ends the process when whoever started it is gone, however that ended. The starter holds the
// other end of stdin, and the system closes it even after a SIGKILL. A service that does not end in good order is killed.
function end() {
  setTimeout(() => process.kill(process.pid, "SIGKILL"), 5000);
  process.kill(process.pid, "SIGTERM");
}
process.stdin.on("end", end);
process.stdin.on("error", end);
process.stdin.resume();
process.stdin.unref?.();
