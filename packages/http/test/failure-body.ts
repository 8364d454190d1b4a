// What a refusal says.
import { expect } from 'vitest';

/** The body of a refusal, whatever its words. */
export const failure = (error_type: string, retryable = false) => ({ error: expect.any(String), error_type, retryable });
