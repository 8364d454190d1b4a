// The words of the stored format: what writing and reading of payloads share.

/** The member by which an object of the stored text is known to stand for something that JSON has no form for. */
export const tagKey = '$romancy';

/**
 * How many objects and arrays of the stored text may lie in each other. SQLite's JSON functions go as deep as this and call
 * deeper text malformed, which would make every query over inputs fail; PostgreSQL's go some thousand deep.
 */
export const deepestNesting = 1000;

/**
 * Members of errors that are written beside the fields: the first three always, the others when the error has them. All of them
 * are non-enumerable, as JavaScript makes them; `error` and `suppressed` belong to SuppressedError.
 */
export const separateErrorMembers = ['name', 'message', 'stack', 'cause', 'errors', 'error', 'suppressed'] as const;

/** Whether a member of a user's object would be taken for the tag when it were written as it is. */
export function isTagLike(key: string): boolean {
  return key.endsWith(tagKey) && tagLike.test(key);
}

const tagLike = /^\$+romancy$/;
const loneSurrogate = /\p{Surrogate}/u;

/** Whether PostgreSQL's jsonb takes the text: it refuses U+0000 and surrogates without their other half. */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && !loneSurrogate.test(text);
}

/** Any text in characters that every database takes: base64 of its UTF-16 units, low byte first. */
export function wrapText(text: string): string {
  return Buffer.from(text, 'utf16le').toString('base64');
}

/** Any text as a tree: itself where it is storable, else with its tag. */
export function textTree(text: string): string | { readonly [tagKey]: 'string'; readonly value: string } {
  return isStorableText(text) ? text : { [tagKey]: 'string', value: wrapText(text) };
}

/** What {@link wrapText} was given. */
export function unwrapText(wrapped: string): string {
  return Buffer.from(wrapped, 'base64').toString('utf16le');
}

/** A step into a value: a member, an index, or a call such as `get("eur")` for what is in a Map. */
export type PathStep = string | number | { readonly call: string };

/** `$.items[3].price`; `$` is the value itself. */
export function pathText(steps: readonly PathStep[]): string {
  let text = '$';
  for (const step of steps) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (typeof step === 'object') text += `.${step.call}`;
    else text += identifier.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  }
  return text;
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
