// What names and values of CloudEvents attributes may be (CloudEvents 1.0.2, "Naming Conventions" and "Type System").

/** The extension attribute that names the one instance an event is for. */
export const instanceAttribute = 'romancyinstance';

/** Attributes that every event has. */
export const requiredAttributes = ['id', 'source', 'type'] as const;

/** Names that extensions cannot have: those of the specification itself. */
export const coreAttributes: ReadonlySet<string> = new Set([
  ...requiredAttributes,
  'specversion',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'data',
]);

/** The longest `id`, `source` and `type`, and the longest id of an instance, that an app takes, in UTF-16 units. */
export const longestName = 255;

/** Lower-case letters and digits of ASCII. That names should not be longer than 20 characters is no reason to refuse one. */
export function isAttributeName(name: string): boolean {
  return /^[a-z0-9]+$/.test(name);
}

/** No control characters, no halves of surrogate pairs, none of Unicode's noncharacters. */
export function isAttributeText(text: string): boolean {
  return !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text);
}

/** A 32-bit integer, the only number that CloudEvents has. */
export function isAttributeInteger(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;
}
