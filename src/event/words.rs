//! Enums with external names: the states of a PeerConnection in W3C webrtc's words, and callstats' attributes of a
//! fabric. They hold no other data.

/// Declares an enum, with the names of its variants in inputs and outputs.
macro_rules! words {
    ($($(#[$doc:meta])* $enum:ident { $($(#[$variant_doc:meta])* $variant:ident $name:literal $(| $alias:literal)*,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum $enum {
            $(
                $(#[$variant_doc])*
                #[cfg_attr(feature = "serde", serde(rename = $name $(, alias = $alias)*))]
                #[strum(to_string = $name $(, serialize = $alias)*)]
                $variant,
            )*
        }

        impl $enum {
            /// All variants, in the order of declaration.
            pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

            /// The name in inputs and outputs.
            #[must_use]
            pub fn name(self) -> &'static str {
                self.into()
            }

            /// The variant of a name; `None` for an unknown name. Names are case-sensitive.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                name.parse().ok()
            }
        }
    )* };
}

pub(crate) use words;

words! {
    /// `RTCIceConnectionState`, and `RTCIceTransportState` in stats.
    IceState {
        /// No checks yet, or none since a restart.
        New "new",
        /// Searching for a path.
        Checking "checking",
        /// A path was found; others are still being tried.
        Connected "connected",
        /// A path was found, and the search has ended.
        Completed "completed",
        /// The path stopped responding.
        Disconnected "disconnected",
        /// No path, permanently or until a restart.
        Failed "failed",
        /// Closed.
        Closed "closed",
    }

    /// `RTCIceGatheringState`.
    GatheringState {
        /// Not started.
        New "new",
        /// Candidates are being collected.
        Gathering "gathering",
        /// All candidates are collected.
        Complete "complete",
    }

    /// `RTCSignalingState`.
    SignalingState {
        /// No negotiation is in progress.
        Stable "stable",
        /// A local offer has no answer yet.
        HaveLocalOffer "have-local-offer",
        /// A remote offer has no answer yet.
        HaveRemoteOffer "have-remote-offer",
        /// A local provisional answer was set.
        HaveLocalPranswer "have-local-pranswer",
        /// A remote provisional answer was set.
        HaveRemotePranswer "have-remote-pranswer",
        /// The PeerConnection is closed.
        Closed "closed",
    }

    /// `RTCPeerConnectionState`.
    ConnectionState {
        /// Not started.
        New "new",
        /// ICE or DTLS is being set up.
        Connecting "connecting",
        /// ICE and DTLS are connected.
        Connected "connected",
        /// The path stopped responding.
        Disconnected "disconnected",
        /// ICE or DTLS failed.
        Failed "failed",
        /// The PeerConnection is closed.
        Closed "closed",
    }

    /// `RTCDtlsTransportState`.
    DtlsState {
        /// Not started.
        New "new",
        /// Keys are being negotiated.
        Connecting "connecting",
        /// Packets can flow.
        Connected "connected",
        /// Closed by either end.
        Closed "closed",
        /// The negotiation failed, or a fingerprint did not match.
        Failed "failed",
    }

    /// The state of a fabric, in callstats' words.
    FabricState {
        /// Not connected yet, or not since a restart.
        Initializing "initializing",
        /// Connected.
        Established "established",
        /// The path stopped responding after it was connected.
        Disrupted "disrupted",
        /// The path stopped responding during checks.
        CheckingDisrupted "checkingDisrupted",
        /// No path.
        Failed "failed",
        /// On hold, as the application reported it.
        Hold "hold",
        /// Terminated.
        Terminated "terminated",
    }

    /// The use of a fabric (`fabricUsage`).
    FabricUsage {
        /// Everything.
        Multiplex "multiplex",
        /// Audio only.
        Audio "audio",
        /// Camera video only.
        Video "video",
        /// A shared screen only.
        Screen "screen",
        /// Data channels only.
        Data "data",
        /// Media of all kinds, each on its own transport.
        Unbundled "unbundled",
    }

    /// The type of the remote endpoint (`remoteEndpointType`).
    EndpointType {
        /// Another participant.
        Peer "peer",
        /// A server that forwards or mixes.
        Server "server",
    }

    /// The intended direction of media (`fabricTransmissionDirection`).
    TransmissionDirection {
        /// Send only.
        Sendonly "sendonly",
        /// Receive only.
        Receiveonly "receiveonly" | "recvonly",
        /// Both directions.
        SendRecv "sendrecv",
        /// Neither direction.
        Inactive "inactive",
    }

    /// The protocol to a TURN server (`relayProtocol` of the local candidate).
    Relay {
        /// Over UDP.
        Udp "turn/udp" | "udp",
        /// Over TCP.
        Tcp "turn/tcp" | "tcp",
        /// Over TLS.
        Tls "turn/tls" | "tls",
    }

    /// How a call went (callstats' classes).
    CallClass {
        /// Connected.
        Established "established",
        /// Not connected, despite an attempt.
        Failed "failed",
        /// Some fabrics connected, others never did. Only conferences have this class.
        PartiallyFailed "partiallyFailed",
        /// An offer without an answer.
        Missed "missed",
        /// Abandoned before it was connected.
        Aborted "aborted",
        /// Connected, then lost unintentionally.
        Dropped "dropped",
    }
}

impl CallClass {
    /// The class of a conference, from those of its fabrics in any order; `None` while none is known.
    #[must_use]
    pub fn of_conference(fabrics: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut counts = [0_u64; Self::ALL.len()];
        for class in fabrics {
            counts[class as usize] += 1;
        }
        let [established, failed, missed, aborted, dropped] =
            [Self::Established, Self::Failed, Self::Missed, Self::Aborted, Self::Dropped]
                .map(|class| counts[class as usize]);
        Some(match (established + dropped, failed + missed + aborted) {
            (0, 0) => return None,
            (_, 0) if established == 0 => Self::Dropped,
            (_, 0) => Self::Established,
            (0, _) if failed > 0 => Self::Failed,
            (0, _) if missed > 0 => Self::Missed,
            (0, _) => Self::Aborted,
            _ => Self::PartiallyFailed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_of_a_conference_follows_from_all_its_fabrics() {
        use CallClass::{Aborted, Dropped, Established, Failed, Missed, PartiallyFailed};
        for (fabrics, class) in [
            (&[][..], None),
            (&[Established], Some(Established)),
            (&[Established, Dropped], Some(Established)),
            (&[Dropped, Dropped], Some(Dropped)),
            (&[Established, Failed], Some(PartiallyFailed)),
            (&[Dropped, Missed], Some(PartiallyFailed)),
            (&[Missed, Missed], Some(Missed)),
            (&[Aborted], Some(Aborted)),
            (&[Aborted, Missed], Some(Missed)),
            (&[Aborted, Missed, Failed], Some(Failed)),
        ] {
            assert_eq!(CallClass::of_conference(fabrics.iter().copied()), class, "{fabrics:?}");
            assert_eq!(CallClass::of_conference(fabrics.iter().rev().copied()), class, "{fabrics:?}");
        }
    }
}
