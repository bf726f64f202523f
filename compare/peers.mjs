// Measures a library's time per snapshot: `node --expose-gc peers.mjs PEER FILE WARM`. Run by `compare/run`.
//
// Every library gets the snapshots of FILE as objects that were parsed before the clock starts, in the shape in which a
// browser would give them; callgauge gets the text, and its time includes parsing. The browser's cost of making a report
// is in no time. The first WARM snapshots warm up the compiler and the library's state; the rest is measured, in processor
// time of the process, including the threads of its compiler and garbage collector.
//
// `Date.now` advances by the time between two snapshots, so that detectors see the duration of the call. Timers never fire:
// this program calls each library's periodic step once per snapshot. The head of each file in `peers/` says how.

import { readFileSync } from 'node:fs';
import { argv, cpuUsage, exit } from 'node:process';

import { steps } from './peers/steps.mjs';

const [peer, file, warm] = [argv[2], argv[3], Number(argv[4])];

const START = 1_753_776_000_000;
let now = START;
Date.now = () => now;
globalThis.setInterval = () => 0;
globalThis.setTimeout = () => 0;
console.warn = () => {};

const lines = readFileSync(file, 'utf8').split('\n').filter((line) => line !== '');
const { step, saw } = await (await steps[peer]())(lines);

const run = async (from, to) => {
  for (let at = from; at < to; at += 1) {
    now = START + 5_000 * at;
    await step(at);
  }
};
// The parsed objects are old by now; a later collection would discard the compiler's feedback.
globalThis.gc();
await run(0, warm);
const before = cpuUsage();
await run(warm, lines.length);
const { user, system } = cpuUsage(before);
const snapshots = lines.length - warm;
console.log(JSON.stringify({ nanos: Math.round((1_000 * (user + system)) / snapshots), snapshots, saw: saw() }));
exit(0);
