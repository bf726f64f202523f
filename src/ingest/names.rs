//! The names that applications give to the members of a record: its time, its connection, its report.

/// Names of the member that holds the time of a record: a number, or a text in ISO 8601.
pub(super) const TIMES: &[&str] = &["t", "timestamp", "time", "timestamp_ms", "timestampMs", "ts", "date", "datetime"];
/// Names of the member that holds the name of the connection.
pub(super) const CONNECTIONS: &[&str] = &[
    "pc",
    "fabric",
    "peerConnectionId",
    "peer_connection_id",
    "connectionId",
    "connection_id",
    "pcId",
    "pc_id",
    "pcid",
];
/// Names of the member that holds the report.
pub(super) const REPORTS: &[&str] =
    &["report", "stats", "getStats", "statsReport", "rtcStats", "webrtcStats", "snapshot"];
