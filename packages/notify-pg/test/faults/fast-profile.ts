// The intervals of a notifier whose faults a test wants to see soon.

/** A silent session is found within 1.3 s, and a new attempt to connect is made within 0.2 s. */
export const fast = { pingInterval: 1000, pingTimeout: 300, connectTimeout: 1000, reconnectDelay: 200 } as const;
