// Says why a value cannot be written down and what to pass instead.

/** The end of a sentence that begins with the place of the value; for functions, symbols and objects of an unknown kind. */
export function refusalOf(value: unknown): string {
  if (typeof value === 'function') return 'is a function; a payload takes data only: leave it out, or pass what it gives';
  if (typeof value === 'symbol') return 'is a symbol, which no database can hold; pass a string';
  const object = value as object;
  const looks = Object.prototype.toString.call(object).slice('[object '.length, -1);
  if (looks === 'Promise') return 'is a promise; await it and pass what it gives';
  if (looks.startsWith('Weak')) return `is a ${looks}, whose content cannot be listed; pass a Map, a Set or the object itself`;
  if (boxed.has(looks)) return `is a boxed ${looks.toLowerCase()}; pass the ${looks.toLowerCase()} itself`;
  const called = describeClass(object);
  if (Array.isArray(object)) return `is ${called}, whose class would be lost; pass a plain array, such as [...value]`;
  if (typeof (object as { readonly toJSON?: unknown }).toJSON === 'function') {
    return (
      `is ${called}; its toJSON() would lose the class without a word: pass what toJSON() gives, or a plain object, ` +
      `and make the instance again where it is used`
    );
  }
  return `is ${called}, whose class would be lost; pass a plain object, such as { ...value }, and make the instance again where it is used`;
}

const boxed: ReadonlySet<string> = new Set(['String', 'Number', 'Boolean', 'BigInt', 'Symbol']);

function describeClass(object: object): string {
  const prototype = Object.getPrototypeOf(object) as { readonly constructor?: { readonly name?: unknown } } | null;
  const name = prototype?.constructor?.name;
  if (typeof name !== 'string' || name === '') return 'an instance of a class without a name';
  return name === 'Object' ? 'an object with a prototype of its own' : `an instance of ${name}`;
}
