// Says where the loader is with which Node runs TypeScript files, whatever the current folder.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The value for `node --import`. */
export function tsxLoader(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
}

/** Keeps the loader from leaving its cache in the machine's folder for temporary files. */
export const tsxEnvironment: Readonly<Record<string, string>> = { TSX_DISABLE_CACHE: '1' };
