// @observertc/observer-js: `ObservedClient.accept(sample)` for one client of one call, with its reports emitted to a
// listener that drops them, a thousand at a time.
//
// The version on npm takes samples of schema 2, which today's client monitor no longer makes. This file makes them before
// the clock starts, by the types of its schema package: every member of an entry that the schema supports, in the sample
// of its track; codecs, certificates and candidates once, when they appear. No shims: it is a server.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { entries } from './reports.mjs';

const require = createRequire(import.meta.url);

export const accepting = async (lines) => {
  const { Observer } = require('@observertc/observer-js');
  const observer = new Observer({ defaultServiceId: 'service', defaultMediaUnitId: 'unit', maxReports: 1_000 });
  let reports = 0;
  observer.on('reports', () => (reports += 1_000));
  const call = observer.createObservedCall({ roomId: 'room', callId: 'call', appData: {} });
  const client = call.createClient({ clientId: 'alice', mediaUnitId: 'unit', appData: {} });
  const toSample = converter();
  const samples = lines.map((line, at) => toSample(entries(line), Date.now() + 5_000 * at));
  return {
    step: (at) => client.accept(samples[at]),
    saw: () => {
      const [connection] = client.peerConnections.values();
      const received = connection.inboundAudioTracks.size + connection.inboundVideoTracks.size;
      const sent = connection.outboundAudioTracks.size + connection.outboundVideoTracks.size;
      return `${received} received, ${sent} sent, ${Math.round(client.inboundVideoBitrate)} bit/s of video, ${reports} reports`;
    },
  };
};

/** The observer leaves out tracks whose name is no UUID of a known version; the workload's are random throughout. */
const uuid = (id) => id?.replace(/^(.{14}).(.{4})./, '$14$28');

/** The names of the members of each type of the schema, from its declarations. */
const schema = () => {
  const path = require.resolve('@observertc/sample-schemas-js').replace('index.js', 'samples/Samples.d.ts');
  const types = readFileSync(path, 'utf8').matchAll(/export type (\w+) = \{(.*?)^\};/gms);
  return Object.fromEntries([...types].map(([, type, body]) => [type, [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name]) => name)]));
};

const converter = () => {
  const types = schema();
  const known = new Set();
  const peerConnectionId = '4393d208-6831-40b0-8c32-206ccedd78ff';
  const take = (type, ...sources) => {
    const taken = { peerConnectionId };
    for (const source of sources.filter(Boolean)) {
      for (const name of types[type]) if (name in source) taken[name] = source[name];
    }
    return taken;
  };
  return (stats, timestamp) => {
    const by = new Map(stats.map((entry) => [entry.id, entry]));
    const all = (type, kind) => stats.filter((entry) => entry.type === type && (kind === undefined || entry.kind === kind));
    const once = (type, as) =>
      all(type)
        .filter(({ id }) => !known.has(id) && known.add(id))
        .map((entry) => take(as, entry));
    const received = (kind, as) => all('inbound-rtp', kind).map((rtp) => ({ ...take(as, by.get(rtp.remoteId), rtp), trackId: uuid(rtp.trackIdentifier) }));
    const sent = (kind, as) =>
      all('outbound-rtp', kind).map((rtp) => {
        const source = by.get(rtp.mediaSourceId);
        return { ...take(as, source, by.get(rtp.remoteId), rtp), trackId: uuid(source?.trackIdentifier) };
      });
    return {
      clientId: 'alice',
      timestamp,
      // The observer stores a connection by its own id and finds it by its transport's id: only equal ids work.
      pcTransports: all('transport').map((entry) => ({ ...take('PeerConnectionTransport', entry), transportId: peerConnectionId })),
      inboundAudioTracks: received('audio', 'InboundAudioTrack'),
      inboundVideoTracks: received('video', 'InboundVideoTrack'),
      outboundAudioTracks: sent('audio', 'OutboundAudioTrack'),
      outboundVideoTracks: sent('video', 'OutboundVideoTrack'),
      iceCandidatePairs: all('candidate-pair').map((entry) => ({ ...take('IceCandidatePair', entry), candidatePairId: entry.id })),
      dataChannels: all('data-channel').map((entry) => take('DataChannel', entry)),
      codecs: once('codec', 'MediaCodecStats'),
      certificates: once('certificate', 'Certificate'),
      iceLocalCandidates: once('local-candidate', 'IceLocalCandidate'),
      iceRemoteCandidates: once('remote-candidate', 'IceRemoteCandidate'),
    };
  };
};
