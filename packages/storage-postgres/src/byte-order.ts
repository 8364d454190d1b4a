// The order of texts in the database, which compares them byte by byte.

/**
 * Compares as the bytes of UTF-8 do, and COLLATE "C" with them: by characters. JavaScript's `<` goes by halves of characters, and puts what lies beyond
 * U+FFFF before some of what lies below. Two sides that lock the same rows must do it in one order.
 */
export function byBytes(a: string, b: string): number {
  if (a === b) return 0;
  const most = Math.min(a.length, b.length);
  for (let index = 0; index < most; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Halves of characters beyond U+FFFF come behind all that is a character by itself. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
