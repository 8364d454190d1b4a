// A handle on one instance: ask, wait, cancel.
import type { Duration } from '../domain/duration.js';
import type { InstanceStatus } from '../domain/instance.js';

export interface ResultOptions {
  /** How long to wait. Default, and `Infinity`: for ever. */
  readonly timeout?: Duration;
}

/** What a handle needs of its app. */
export interface HandleHost {
  result(instanceId: string, options: { readonly timeout: Duration | undefined; readonly known: boolean }): Promise<unknown>;
  statusOf(instanceId: string): Promise<InstanceStatus>;
  cancel(instanceId: string, reason?: string): Promise<void>;
}

/** Made by `startWorkflow` and `getHandle`. Costs nothing to hold; works for instances of any process. */
export class WorkflowHandle<TOutput> {
  readonly instanceId: string;
  readonly #host: HandleHost;
  /** The instance is known to exist. */
  readonly #known: boolean;

  constructor(host: HandleHost, facts: { readonly instanceId: string; readonly known: boolean }) {
    this.#host = host;
    this.instanceId = facts.instanceId;
    this.#known = facts.known;
  }

  /**
   * Waits for the end and gives the output.
   * @throws WorkflowFailedError with the workflow's error as `cause`, WorkflowCancelledError, ResultTimeoutError,
   * InstanceNotFoundError, NotRunningError when the app stops first.
   */
  result(options: ResultOptions = {}): Promise<TOutput> {
    return this.#host.result(this.instanceId, { timeout: options.timeout, known: this.#known }) as Promise<TOutput>;
  }

  /** @throws InstanceNotFoundError */
  status(): Promise<InstanceStatus> {
    return this.#host.statusOf(this.instanceId);
  }

  /** As `romancy.cancel(instanceId, reason)`. */
  cancel(reason?: string): Promise<void> {
    return this.#host.cancel(this.instanceId, reason);
  }
}
