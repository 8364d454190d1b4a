// Intervals for apps that are to find what they were told of, and nothing else.

/** Nobody looks by itself within a test. */
export const seldom = {
  workflowPollInterval: '1h',
  timerPollInterval: '1h',
  channelTimeoutInterval: '1h',
  notifyFallbackInterval: '2h',
  leaseDuration: '10h',
} as const;
