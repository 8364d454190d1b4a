// `@romancy/http`: CloudEvents over HTTP, in and out.
export type { ErrorBody } from './answers.js';
export { createHttpEventSender, type HttpEventSender } from './create-http-event-sender.js';
export { createHttpHandler, type HttpHandler } from './create-http-handler.js';
export { EventSendError } from './event-send-error.js';
export type { HttpEventSenderOptions } from './event-sender-options.js';
export type { HttpErrorType } from './http-failure.js';
export type { HttpApp, HttpHandlerOptions } from './http-handler-options.js';
export type { OutgoingEvent } from './outgoing-event.js';
