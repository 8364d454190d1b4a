// Makes what a library calls deprecated an error of the process that uses it: in the output of a test run nobody would find it.

/**
 * A listener to warnings of the process.
 * @throws the warning, whose stack says who is meant. Not those of Node itself, which have a code: they come with new versions of it, and who
 * runs the tests may be meant.
 */
export function refuseDeprecated(warning: Error & { readonly code?: unknown }): void {
  if (warning.name === 'DeprecationWarning' && warning.code === undefined) throw warning;
}
