// @peermetrics/webrtc-stats: the work of its interval, `getStats()` and `emitEvent` of each result, with a listener for
// `stats`. It parses the report, computes rates and appends to a timeline that it never shortens; a long-running
// application must clear it, which this file does every 60 snapshots.
//
// Shims: `window`, and a global `RTCPeerConnection` for its `instanceof`.

import { createRequire } from 'node:module';

import { Connection, entries, report } from './reports.mjs';

export const emitting = async (lines) => {
  globalThis.RTCPeerConnection = Connection;
  globalThis.window = globalThis;
  const { WebRTCStats } = createRequire(import.meta.url)('@peermetrics/webrtc-stats');
  const stats = new WebRTCStats({ getStatsInterval: 5_000, remote: true });
  let last;
  let events = 0;
  stats.on('stats', ({ data }) => {
    last = data;
    events += 1;
  });
  const connection = new Connection();
  await stats.addConnection({ pc: connection, peerId: 'alice' });
  const reports = lines.map((line) => report(entries(line)));
  return {
    step: async (at) => {
      connection.next = reports[at];
      (await stats.getStats()).forEach((result) => stats.emitEvent(result));
      if (at % 60 === 59) stats.clearTimeline();
    },
    saw: () => {
      const received = [...last.audio.inbound, ...last.video.inbound];
      return `${events} events, ${received.length} received, ${received.filter(({ bitrate }) => bitrate > 0).length} with a bitrate`;
    },
  };
};
