// Loaded into every fixture process: ends it when the test process that started it is gone, however it went, or when it uses what is deprecated.
import { refuseDeprecated } from './refuse-deprecated.js';

process.on('warning', refuseDeprecated);

// The standard input of a fixture is a pipe on which nothing is ever written; it closes when its other end does. (Not the IPC
// channel: a listener for 'disconnect' would keep the process alive, and unref() there would cancel what listeners for 'message' do.)
process.stdin.once('close', () => process.kill(process.pid, 'SIGKILL')).resume();
process.stdin.unref();
