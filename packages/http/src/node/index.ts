// `@romancy/http/node`: web-standard handlers on Node's own servers, and on frameworks built on them.
export { toNodeListener, type WebHandler } from './to-node-listener.js';
