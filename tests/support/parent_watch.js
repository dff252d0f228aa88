// Loaded with `node --require`: ends the process when whoever started it is gone, however that ended. The starter holds the
// other end of stdin, and the system closes it even after a SIGKILL.
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM"));
process.stdin.on("error", () => process.kill(process.pid, "SIGTERM"));
process.stdin.resume();
process.stdin.unref?.();
