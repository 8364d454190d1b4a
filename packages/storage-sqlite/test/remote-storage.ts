// A storage in a process of its own, as a test speaks to it.
import type {} from '@romancy/test-support/global-setup';
import type { Storage } from '@romancy/core/ports';
import { compileFixture, spawnFixture, type FixtureProcess } from '@romancy/test-support';

type Parts = Pick<Storage, 'leases' | 'runs' | 'instances'>;
interface Answer {
  readonly call: number;
  readonly result?: unknown;
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string };
}

/** An error that was raised in the other process. */
export class RemoteError extends Error {
  readonly code: string | undefined;
  constructor({ name, message, code }: NonNullable<Answer['error']>) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

/** A process whose storage is not open yet. */
export async function startRemoteStorage(filename: string): Promise<RemoteStorage> {
  const process = spawnFixture(await compileFixture(new URL('./fixtures/storage-process.ts', import.meta.url)), [filename]);
  await process.message<{ ready?: true }>(({ ready }) => ready === true, { timeout: 60_000 });
  return new RemoteStorage(process);
}

export class RemoteStorage implements Parts {
  readonly process: FixtureProcess;
  readonly leases = this.#part('leases');
  readonly runs = this.#part('runs');
  readonly instances = this.#part('instances');
  #calls = 0;

  constructor(process: FixtureProcess) {
    this.process = process;
  }

  async call<T = unknown>(path: string, ...args: readonly unknown[]): Promise<T> {
    const call = ++this.#calls;
    this.process.send({ call, path, args });
    const answer = await this.process.message<Answer>((message) => message.call === call, { timeout: 30_000 });
    if (answer.error !== undefined) throw new RemoteError(answer.error);
    return answer.result as T;
  }

  #part<Part extends keyof Parts>(part: Part): Parts[Part] {
    return new Proxy({} as Parts[Part], {
      get:
        (_target, member: string) =>
        (...args: readonly unknown[]) =>
          this.call(`${part}.${member}`, ...args),
    });
  }
}
