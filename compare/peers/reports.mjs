// Snapshots in the form that a browser gives.

/** The entries of a line. */
export const entries = (line) => JSON.parse(line).stats;

/** The used part of an `RTCStatsReport`: a map from id to entry. */
export const report = (stats) => new Map(stats.map((entry) => [entry.id, entry]));

/** The tracks of a snapshot: the receivers' by their RTP entries, the senders' by their sources. */
export const tracks = (stats) => ({
  received: stats.filter(({ type }) => type === 'inbound-rtp').map(({ trackIdentifier, kind }) => [trackIdentifier, kind]),
  sent: stats.filter(({ type }) => type === 'media-source').map(({ trackIdentifier, kind }) => [trackIdentifier, kind]),
});

/** A `MediaStreamTrack` that is never muted and never ends. */
export const track = (id, kind) => ({
  id,
  kind,
  enabled: true,
  muted: false,
  readyState: 'live',
  label: '',
  contentHint: '',
  addEventListener() {},
  removeEventListener() {},
  getConstraints: () => ({}),
  getCapabilities: () => ({}),
  getSettings: () => ({}),
});

/** A connected `RTCPeerConnection` whose `getStats` answers with `next`. */
export class Connection {
  connectionState = 'connected';
  iceConnectionState = 'connected';
  iceGatheringState = 'complete';
  signalingState = 'stable';
  receivers = [];
  senders = [];
  next = new Map();
  addEventListener() {}
  removeEventListener() {}
  setLocalDescription() {}
  getConfiguration = () => ({});
  getReceivers = () => this.receivers;
  getSenders = () => this.senders;
  getStats = async () => this.next;
}
