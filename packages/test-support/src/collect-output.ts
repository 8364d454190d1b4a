// Listens to what a process complains about.
import type { ChildProcess } from 'node:child_process';

/** Keeps the last of what a process says, for error messages; reading on also keeps its pipe from filling up. */
export function collect(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-8192);
  });
  return () => text;
}
