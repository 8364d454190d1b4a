// The command: `node main.js --help` says what it takes.
import { help, parseCommandLine, DemoError } from './command-line.js';
import { runDemo } from './run-demo.js';

const stop = new AbortController();
const interrupted = new Error('interrupted');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Impatience is respected: the children end by themselves when this process is gone, and what is committed stays.
    if (stop.signal.aborted) process.exit(130);
    stop.abort(interrupted);
  });
}
// Whoever read our output has gone (`demo | head`): as good as Ctrl-C.
process.stdout.on('error', () => stop.abort(interrupted));

try {
  const options = parseCommandLine(process.argv.slice(2));
  if (options === undefined) process.stdout.write(`${help}\n`);
  else if (!(await runDemo(options, process.stdout, stop.signal))) process.exitCode = 1;
} catch (error) {
  if (error === interrupted) {
    process.stdout.write('Stopped.\n');
    process.exitCode = 130;
  } else if (error instanceof DemoError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  } else {
    throw error;
  }
}
