// Notes by hand as cheap as they can be: gathered for long, equal ones once, one statement for all, and heard by who sends and by another.
import pg from 'pg';

/** So long notes are gathered, in milliseconds: as long as the notifier does at most. */
const gatherMs = 50;

export class RawNoteSender {
  readonly #channel: string;
  readonly #sending: pg.Client;
  readonly #listening: pg.Client;
  #gathered = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #heard = 0;

  constructor(channel: string, sending: pg.Client, listening: pg.Client) {
    this.#channel = channel;
    this.#sending = sending;
    this.#listening = listening;
    // A process that tells others also hears them, and with them itself.
    listening.on('notification', () => this.#heard++);
  }

  static async connect(url: string, channel: string): Promise<RawNoteSender> {
    const [sending, listening] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
    const sender = new RawNoteSender(channel, sending, listening);
    await Promise.all([sending.connect(), listening.connect()]);
    await sending.query('SET synchronous_commit = off');
    await listening.query(`LISTEN ${channel}`);
    return sender;
  }

  /** How many notes came back. */
  get heard(): number {
    return this.#heard;
  }

  send(instanceId: string, workflowName: string): void {
    if (this.#gathered.size === 0) this.#timer = setTimeout(() => void this.#flush(), gatherMs);
    this.#gathered.add(JSON.stringify({ instance_id: instanceId, workflow_name: workflowName }));
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all([this.#sending, this.#listening].map((client) => client.end().catch(() => undefined)));
  }

  async #flush(): Promise<void> {
    const payloads = [...this.#gathered].join('\n');
    this.#gathered = new Set();
    await this.#sending.query({
      name: 'notify',
      text: `SELECT count(pg_notify($1, payload)) FROM unnest(string_to_array($2, E'\\n')) AS n (payload)`,
      values: [this.#channel, payloads],
    });
  }
}
