//! The life of one PeerConnection ("fabric"): how far it got, what happened to it, and the path that its packets take.

mod errors;
mod happening;
mod ice;
mod lifecycle;
mod mapping;
mod media;
mod path;
mod state;

pub use errors::{ErrorReport, FailureReason, MAX_TEXT, Reported, WebRtcFunction};
pub(crate) use errors::{Kept, cut};
pub use happening::{EndReason, EventKind, Happening, StateChange};
pub(crate) use lifecycle::{Lifecycle, Raise};
pub(crate) use mapping::{Mapping, Owner};
pub use media::{Answer, AppEvent, Device};
pub(crate) use media::{Media, Switch, Told};
pub(crate) use path::Path;
pub(crate) use state::words;
pub use state::{
    CallClass, ConnectionState, EndpointType, FabricState, FabricUsage, GatheringState, IceState, Relay,
    SignalingState, TransmissionDirection,
};
