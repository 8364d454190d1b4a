// Which effects of one commit are left out, since a later one of them undoes them and the storage would carry it out first.
import { describe, expect, it } from 'vitest';
import type { Effect } from '../ports/effect.js';
import { withoutUndone } from './entry-extras.js';

let seq = 0;
const about = (type: 'seek' | 'unseek', topic = 'jobs', instanceId = 'i'): Effect => ({ type, topic, instanceId, seq: seq++ });
const of = (type: 'join' | 'leave', group = 'g'): Effect => ({ type, group, instanceId: 'i', seq: seq++ });

describe('the effects of one commit', () => {
  it('have no seek that an unseek behind it ends, however many there are', () => {
    const end = about('unseek');
    expect(withoutUndone([about('seek'), about('seek'), end])).toEqual([end]);
    const [again, other, elsewhere] = [about('seek'), about('seek', 'others'), about('seek', 'jobs', 'j')];
    expect(withoutUndone([about('seek'), other, elsewhere, end, again])).toEqual([other, elsewhere, end, again]);
  });

  it('have no leave that a join behind it takes back', () => {
    const [joined, left] = [of('join'), of('leave')];
    expect(withoutUndone([of('leave'), of('leave'), joined])).toEqual([joined]);
    expect(withoutUndone([joined, left, of('leave', 'h')].slice(0, 2))).toEqual([joined, left]);
  });
});
