// @observertc/client-monitor-js: `ClientMonitor.collect()` over one `RTCPeerConnection`, which updates all monitors,
// tracks, detectors and scores. `collecting` does nothing else; `sampling` has the default periods, so that every fourth
// step also makes a sample, and stores events and issues for it.
//
// Shims: `navigator.userAgent` of a Chrome; imports without a file extension, which a bundler would complete. A track is
// announced when it appears in a report, as a page's `track` event and `addTrack` would.

import { register } from 'node:module';

import { Connection, entries, report, track, tracks } from './reports.mjs';

register('./extensions.mjs', import.meta.url);
globalThis.navigator ??= {
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
};

const through = (config) => async (lines) => {
  const { ClientMonitor } = await import('@observertc/client-monitor-js');
  const monitor = new ClientMonitor({ clientId: 'alice', callId: 'call', integrateNavigatorMediaDevices: false, ...config });
  let samples = 0;
  monitor.on('sample-created', () => (samples += 1));
  const connection = new Connection();
  monitor.addSource(connection);
  const [watched] = monitor.peerConnections;
  watched.connectionState = 'connected';

  const snapshots = lines.map(entries);
  const reports = snapshots.map(report);
  let present = new Set();
  const announced = snapshots.map((stats) => {
    const all = [...tracks(stats).received, ...tracks(stats).sent];
    const fresh = all.filter(([id]) => !present.has(id)).map(([id, kind]) => track(id, kind));
    present = new Set(all.map(([id]) => id));
    return fresh;
  });
  return {
    step: async (at) => {
      announced[at].forEach((one) => watched.addMediaStreamTrack(one));
      connection.next = reports[at];
      await monitor.collect();
    },
    saw: () =>
      `${monitor.inboundRtps.length} received, ${monitor.outboundRtps.length} sent, ${monitor.tracks.length} tracks, ` +
      `score ${monitor.score}, ${samples} samples`,
  };
};

export const collecting = through({ collectingPeriodInMs: 0, samplingPeriodInMs: 0 });
export const sampling = through({});
