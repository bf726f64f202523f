// webrtc-issue-detector: one round of its reporter, `parseReports()`, with all of its nine detectors and its scores.
//
// It requests a report from each sender and receiver; these are cut from the snapshot before the clock starts, by the
// selection rules of webrtc-stats: the RTP entries of a track and all entries that they refer to. Shims: `window`.

import { createRequire } from 'node:module';

import { Connection, entries, report, track } from './reports.mjs';

export const detecting = async (lines) => {
  globalThis.window = globalThis;
  const { default: Detector } = createRequire(import.meta.url)('webrtc-issue-detector');
  let [scores, issues] = [0, 0];
  const detector = new Detector({
    autoAddPeerConnections: false,
    onIssues: (found) => (issues += found.length),
    onNetworkScoresUpdated: ({ inbound }) => (scores += inbound === undefined ? 0 : 1),
  });
  const connection = new Connection();
  detector.handleNewPeerConnection(connection, 'alice');
  const ends = lines.map((line) => endsOf(entries(line)));
  return {
    step: async (at) => {
      [connection.receivers, connection.senders] = ends[at];
      await detector.statsReporter.parseReports();
    },
    saw: () => `${scores} scores, ${issues} issues, ${connection.receivers.length} receivers`,
  };
};

/** The receivers and senders of a snapshot. */
const endsOf = (stats) => {
  const all = report(stats);
  const end = (id, kind, rtp) => {
    const own = selection(all, rtp);
    return { track: track(id, kind), getStats: async () => own };
  };
  const received = groupBy(stats.filter(({ type }) => type === 'inbound-rtp'), ({ trackIdentifier }) => trackIdentifier);
  const sources = stats.filter(({ type }) => type === 'media-source');
  return [
    [...received].map(([id, rtp]) => end(id, rtp[0].kind, rtp)),
    sources.map((source) => end(source.trackIdentifier, source.kind, stats.filter(({ mediaSourceId }) => mediaSourceId === source.id))),
  ];
};

const groupBy = (list, key) => {
  const groups = new Map();
  for (const one of list) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
};

const REFERENCES = [
  'codecId',
  'transportId',
  'mediaSourceId',
  'playoutId',
  'remoteId',
  'localId',
  'selectedCandidatePairId',
  'localCandidateId',
  'remoteCandidateId',
  'localCertificateId',
  'remoteCertificateId',
];

const selection = (all, rtp) => {
  const selected = new Map();
  const open = [...rtp];
  while (open.length > 0) {
    const entry = open.pop();
    if (selected.has(entry.id)) continue;
    selected.set(entry.id, entry);
    open.push(...REFERENCES.map((name) => all.get(entry[name])).filter(Boolean));
  }
  return selected;
};
