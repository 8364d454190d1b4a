// Where random programs come from.
import fc from 'fast-check';
import type { Op, Program } from './durability-program.js';

/** At most so deep do branches nest. */
const deepest = 2;

const ms = fc.integer({ min: 0, max: 40 });
const value = fc.integer({ min: 0, max: 9 });

const simple: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('step' as const), value }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('flaky' as const), failures: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('failing' as const), attempts: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.constant({ op: 'row' } as const) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('sleep' as const), ms }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('until' as const), ms: fc.integer({ min: -10, max: 40 }) }) },
  { weight: 2, arbitrary: fc.constant({ op: 'event', name: '' } as const) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('timeout' as const), ms }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('recorded' as const), what: fc.constantFrom('now', 'random', 'uuid') }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('race' as const), value }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('tell' as const),
      name: fc.constant(''),
      mode: fc.constantFrom('broadcast' as const, 'competing' as const, 'direct' as const, 'group' as const),
      value,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ op: 'post' } as const) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('recur' as const), left: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('saga' as const), count: fc.integer({ min: 1, max: 3 }) }) },
);

function programOfDepth(depth: number): fc.Arbitrary<Program> {
  if (depth === 0) return fc.array(simple, { minLength: 1, maxLength: 5 });
  const branches = fc.array(programOfDepth(depth - 1), { minLength: 2, maxLength: 3 });
  const all: fc.Arbitrary<Op> = fc.record({ op: fc.constant('all' as const), branches });
  return fc.array(fc.oneof({ weight: 4, arbitrary: simple }, { weight: 1, arbitrary: all }), { minLength: 1, maxLength: 6 });
}

/** Every event and channel of it has a name of its own, so that each wait gets the one that it asked for. */
export const randomProgram: fc.Arbitrary<Program> = programOfDepth(deepest).map((program) => named(program, 'event'));

function named(program: Program, prefix: string): Program {
  return program.map((op, index) => {
    const name = `${prefix}-${index}`;
    if (op.op === 'event' || op.op === 'tell') return { ...op, name };
    if (op.op === 'all') return { ...op, branches: op.branches.map((branch, at) => named(branch, `${name}-${at}`)) };
    return op;
  });
}
