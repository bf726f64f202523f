// Runs callgauge and every library in turn, each in a process of its own, and prints the time per snapshot. A ratio is the
// median of the rounds' ratios: both of its sides ran within the same round, so that it holds on a machine with varying
// speed. The first third of each call is warm-up.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { argv, execPath } from 'node:process';

import { steps } from './peers/steps.mjs';

const rounds = Number(argv[2]);
const sets = argv.slice(3);

const measure = (command, args) => JSON.parse(execFileSync(command, args, { encoding: 'utf8' }));
const ours = (what) => (file, warm) => measure('target/release/callgauge-compare', [what, file, warm]);
const ways = {
  callgauge: ours('measure'),
  'callgauge, reading alone': ours('read'),
  ...Object.fromEntries(
    Object.keys(steps).map((peer) => [
      peer,
      (file, warm) => measure(execPath, ['--expose-gc', '--max-old-space-size=3072', 'peers.mjs', peer, file, warm]),
    ]),
  ),
};

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const columns = sets.map((set) => {
  const file = `calls/${set}.ndjson`;
  const warm = `${Math.floor(readFileSync(file).filter((byte) => byte === 10).length / 3)}`;
  const times = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [way, run] of Object.entries(ways)) {
      const { nanos, snapshots, saw } = run(file, warm);
      times[way].push(nanos);
      if (round === 0) console.error(`${set}, ${way}: ${snapshots} snapshots, ${saw}`);
    }
  }
  return times;
});

const cell = (way, times) => {
  const ratios = times[way].map((time, round) => time / times.callgauge[round]);
  const spread = `${Math.min(...ratios).toFixed(1)}–${Math.max(...ratios).toFixed(1)}`;
  const micros = (median(times[way]) / 1_000).toFixed(0);
  return way === 'callgauge' ? `${micros} µs` : `${micros} µs, × ${median(ratios).toFixed(1)} (${spread})`;
};
console.log(`| | ${sets.join(' | ')} |`);
console.log(`|---|${sets.map(() => '---|').join('')}`);
for (const way of Object.keys(ways)) {
  console.log(`| ${way} | ${columns.map((times) => cell(way, times)).join(' | ')} |`);
}
