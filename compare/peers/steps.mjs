// The libraries by name: each takes the lines of a file and returns `step(at)`, its work for one snapshot, and `saw()`,
// evidence that it did the work.

export const steps = {
  'client-monitor-js': async () => (await import('./client-monitor.mjs')).collecting,
  'client-monitor-js, samples': async () => (await import('./client-monitor.mjs')).sampling,
  'observer-js': async () => (await import('./observer.mjs')).accepting,
  'webrtc-stats': async () => (await import('./webrtc-stats.mjs')).emitting,
  'webrtc-issue-detector': async () => (await import('./issue-detector.mjs')).detecting,
  'JSON.parse': async () => async (lines) => {
    let entries = 0;
    return { step: (at) => (entries += JSON.parse(lines[at]).stats.length), saw: () => `${entries} entries` };
  },
};
