// Content types: which of them are JSON, which are text, and which mean a mode of CloudEvents.

/** A parsed content type; both in lower case. */
export interface MediaType {
  /** Without parameters: `application/json`. */
  readonly essence: string;
  /** The `charset` parameter; undefined: none was given. */
  readonly charset: string | undefined;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const shape = new RegExp(`^\\s*(${token}/${token})\\s*(?:;|$)`);
const charsetShape = new RegExp(`;\\s*charset\\s*=\\s*(?:"([^"]*)"|(${token}))`, 'i');

/** Undefined when it is none. */
export function parseMediaType(value: string | null | undefined): MediaType | undefined {
  const essence = shape.exec(value ?? '')?.[1]?.toLowerCase();
  if (essence === undefined) return undefined;
  const charset = charsetShape.exec(value ?? '');
  return { essence, charset: (charset?.[1] ?? charset?.[2])?.toLowerCase() };
}

/** As the JSON format of CloudEvents has it (section 3.1.1): any type with the subtype `json`, or one that ends in `+json`. */
export function isJsonType({ essence }: MediaType): boolean {
  return /\/(?:.*\+)?json$/.test(essence);
}

export function isTextType({ essence }: MediaType): boolean {
  return essence.startsWith('text/');
}

/** JSON between systems is UTF-8 (RFC 8259, section 8.1); ASCII is a part of it. */
export function isUtf8({ charset }: MediaType): boolean {
  return charset === undefined || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii';
}
