//! Words: the states of a PeerConnection as W3C webrtc names them, and what callstats says of a fabric.

/// Declares an enum of words: its variants with the names that inputs and outputs have for them. Inputs may also have an
/// alias. Adds the names as serde's, and `ALL`, `name` and `from_name`.
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
            /// Every variant, in the order of declaration.
            pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

            /// The word in inputs and outputs.
            #[must_use]
            pub fn name(self) -> &'static str {
                self.into()
            }

            /// The variant of a word; `None` for an unknown word. Case counts.
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
        /// No checks yet, or again after a restart.
        New "new",
        /// Looking for a path.
        Checking "checking",
        /// A path was found; others are still tried.
        Connected "connected",
        /// A path was found and the search is over.
        Completed "completed",
        /// The path stopped answering.
        Disconnected "disconnected",
        /// No path, for good or until a restart.
        Failed "failed",
        /// Over.
        Closed "closed",
    }

    /// `RTCIceGatheringState`.
    GatheringState {
        /// Not begun.
        New "new",
        /// Candidates are being collected.
        Gathering "gathering",
        /// All are there.
        Complete "complete",
    }

    /// `RTCSignalingState`.
    SignalingState {
        /// No negotiation is under way.
        Stable "stable",
        /// An offer was made and has no answer yet.
        HaveLocalOffer "have-local-offer",
        /// An offer came and was not answered yet.
        HaveRemoteOffer "have-remote-offer",
        /// A provisional answer was made.
        HaveLocalPranswer "have-local-pranswer",
        /// A provisional answer came.
        HaveRemotePranswer "have-remote-pranswer",
        /// The PeerConnection is closed.
        Closed "closed",
    }

    /// `RTCPeerConnectionState`.
    ConnectionState {
        /// Nothing has begun.
        New "new",
        /// ICE or DTLS is being set up.
        Connecting "connecting",
        /// ICE and DTLS are up.
        Connected "connected",
        /// The path stopped answering.
        Disconnected "disconnected",
        /// ICE or DTLS failed.
        Failed "failed",
        /// The PeerConnection is closed.
        Closed "closed",
    }

    /// Where a fabric stands, in callstats' words.
    FabricState {
        /// Not connected yet, or again after a restart.
        Initializing "initializing",
        /// Connected.
        Established "established",
        /// Was connected, and its path stopped answering.
        Disrupted "disrupted",
        /// The path stopped answering while it was still being checked.
        CheckingDisrupted "checkingDisrupted",
        /// No path.
        Failed "failed",
        /// On hold, by the application's own word.
        Hold "hold",
        /// Over.
        Terminated "terminated",
    }

    /// What a fabric carries (`fabricUsage`).
    FabricUsage {
        /// Everything.
        Multiplex "multiplex",
        /// Sound only.
        Audio "audio",
        /// Cameras only.
        Video "video",
        /// A shared screen only.
        Screen "screen",
        /// Data channels only.
        Data "data",
        /// Media of all kinds, each on a transport of its own.
        Unbundled "unbundled",
    }

    /// What is at the other end (`remoteEndpointType`).
    EndpointType {
        /// Another participant.
        Peer "peer",
        /// A server that forwards or mixes.
        Server "server",
    }

    /// Which way media is meant to flow (`fabricTransmissionDirection`).
    TransmissionDirection {
        /// From here only.
        Sendonly "sendonly",
        /// To here only.
        Receiveonly "receiveonly" | "recvonly",
        /// Both ways.
        Sendrecv "sendrecv",
        /// Neither.
        Inactive "inactive",
    }

    /// How packets reach a TURN server (`relayProtocol` of the local candidate).
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
        /// Not connected, though it was tried.
        Failed "failed",
        /// Some connected, others never did. Of a conference only.
        PartiallyFailed "partiallyFailed",
        /// An offer that nobody answered.
        Missed "missed",
        /// Given up before it was connected.
        Aborted "aborted",
        /// Connected, and then lost without anybody meaning it.
        Dropped "dropped",
    }
}

impl CallClass {
    /// The class of a conference out of those of its fabrics; `None` while none is known. Whatever their order.
    #[must_use]
    pub fn of_conference(fabrics: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut counts = [0_u64; Self::ALL.len()];
        for class in fabrics {
            if let Some(count) = counts.get_mut(class as usize) {
                *count += 1;
            }
        }
        let count = |class: Self| counts.get(class as usize).copied().unwrap_or(0);
        let connected = count(Self::Established) + count(Self::Dropped);
        let others = count(Self::Failed) + count(Self::Missed) + count(Self::Aborted);
        Some(match (connected, others) {
            (0, 0) => return None,
            (_, 0) if count(Self::Established) == 0 => Self::Dropped,
            (_, 0) => Self::Established,
            (0, _) if count(Self::Failed) > 0 => Self::Failed,
            (0, _) if count(Self::Missed) > 0 => Self::Missed,
            (0, _) => Self::Aborted,
            _ => Self::PartiallyFailed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conference_is_classed_by_all_of_its_fabrics() {
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
