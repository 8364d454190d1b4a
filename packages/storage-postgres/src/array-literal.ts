// Lists as PostgreSQL reads them, written faster and with less garbage than the driver does for any kind of value.

/** What may stand in a list. */
export type ArrayItem = string | number | boolean | null;

/** In double quotes only quotes and backslashes have a meaning (PostgreSQL: Array Value Input). */
const special = /["\\]/;
const eachSpecial = /["\\]/g;
/** What JSON may write in another way than with a backslash in front of it: controls, and halves of characters. */
const otherInJson = /[^ -\ud7ff]/;

/** The literal of a one-dimensional array: of texts, or of a type that reads its values from such texts. */
export function arrayLiteral<T>(rows: readonly T[], of: (row: T) => ArrayItem): string {
  let literal = '{';
  for (let index = 0; index < rows.length; index++) {
    if (index > 0) literal += ',';
    literal += item(of(rows[index]!));
  }
  return `${literal}}`;
}

function item(value: ArrayItem): string {
  if (typeof value === 'string') return quoted(value);
  return value === null ? 'NULL' : String(value);
}

/** JSON's way is four times as fast as replacing, and most payloads are full of quotes. */
function quoted(text: string): string {
  if (!special.test(text)) return `"${text}"`;
  return otherInJson.test(text) ? `"${text.replace(eachSpecial, '\\$&')}"` : JSON.stringify(text);
}
