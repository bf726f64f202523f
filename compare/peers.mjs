// What a peer takes for a snapshot: `node --expose-gc peers.mjs PEER FILE WARM`. Run by `compare/run`.
//
// Every peer gets the snapshots of FILE as objects that were parsed before the clock starts, in the shape in which it
// would get them from a browser; callgauge, beside it, gets the text and parses it within its time. What a browser does
// to make a report is in nobody's time. The first WARM snapshots warm up the compiler and the peer's state; the rest is
// measured, in processor time of the process, with its compiler's and its collector's threads.
//
// `Date.now` moves on by what lies between two snapshots, so that detectors see the time that the call took. Timers never
// fire: each peer's periodic step is called by hand, once a snapshot. How, stands on top of each file in `peers/`.

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
// What was parsed is old by now; collecting later would throw away what the compiler learned.
globalThis.gc();
await run(0, warm);
const before = cpuUsage();
await run(warm, lines.length);
const { user, system } = cpuUsage(before);
const snapshots = lines.length - warm;
console.log(JSON.stringify({ nanos: Math.round((1_000 * (user + system)) / snapshots), snapshots, saw: saw() }));
exit(0);
