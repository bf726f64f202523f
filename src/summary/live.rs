//! The state of a call right now: what callstats' `csStatsCallback` received, for every fabric and track. The view
//! reads the conference and changes nothing.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Deref;

use crate::conference::Conference;
use crate::diagnosis::Diagnosis;
use crate::event::{FabricState, words};
use crate::fabric::{Fabric, StreamSlot};
use crate::id::{Direction, MediaKind, Ssrc};
use crate::maybe::Maybe;
use crate::metric::Metric;
use crate::score::rating::CallstatsRating;

words! {
    /// Whether the user that reports on a fabric is reachable.
    Reachability {
        /// The user reports.
        Online "online",
        /// The user left, was inactive for too long, or terminated the fabric.
        Offline "offline",
    }

    /// The stats type of a track's figures.
    TrackStats {
        /// A received stream.
        InboundRtp "inbound-rtp",
        /// A sent stream.
        OutboundRtp "outbound-rtp",
    }
}

/// A list that reuses the memory of its items when it is refilled.
#[derive(Clone, Debug)]
pub struct Reused<T> {
    items: Vec<T>,
    len: usize,
}

/// The state of a call right now; cheap enough to query at any rate.
///
/// The serialized form has callstats' names and units: kbit/s, packets per second, ms. Figures that callstats
/// documented but never filled, or filled in other units, are correct here; an unknown figure is `null`. Refilling an
/// existing value allocates nothing once it has been as large.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct View {
    /// The fabrics in the order of opening.
    pub fabrics: Reused<FabricView>,
}

/// The state of a fabric.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct FabricView {
    /// The fabric's name.
    pub fabric: String,
    /// Whether the local user is reachable.
    pub connection_state: Reachability,
    /// The connection's state; initializing until a report states it.
    pub fabric_state: FabricState,
    /// Whether the local user is the dominant speaker.
    pub is_dominant_speaker: bool,
    /// The sender's bandwidth estimate from congestion control, bit/s.
    pub available_outgoing_bps: Option<f64>,
    /// The diagnoses that are going on, in the order in which they were raised. [`Conference::sentence`] puts one in
    /// words.
    pub diagnoses: Vec<Diagnosis>,
    /// The streams in the order of their first report.
    pub media_stream_tracks: Reused<TrackView>,
}

/// The state of a stream: figures of its latest interval, and means over the call.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct TrackView {
    /// The SSRC.
    pub ssrc: Ssrc,
    /// The remote user of the fabric; empty, and `null` in serde, if not given.
    #[cfg_attr(feature = "serde", serde(rename = "remoteUserID", serialize_with = "or_null"))]
    pub remote_user_id: String,
    /// The user that the media belongs to; empty if unknown.
    #[cfg_attr(feature = "serde", serde(rename = "userID", serialize_with = "or_null"))]
    pub user_id: String,
    /// The CNAME of the session description; empty if unknown.
    #[cfg_attr(feature = "serde", serde(serialize_with = "or_null"))]
    pub cname: String,
    /// The MediaStream and MediaStreamTrack of the session description; empty if unknown.
    #[cfg_attr(feature = "serde", serde(serialize_with = "or_null"))]
    pub msid: String,
    /// The direction.
    pub stats_type: TrackStats,
    /// Audio or video.
    pub media_type: Option<MediaKind>,
    /// The label of its association, otherwise its RID or MID; empty if unknown.
    #[cfg_attr(feature = "serde", serde(serialize_with = "or_null"))]
    pub usage_label: String,
    /// Bitrate, kbit/s.
    pub bitrate: Option<f64>,
    /// Packets per second.
    pub packet_rate: Option<f64>,
    /// Lost packets over expected packets, 0 to 1.
    pub fraction_loss: Option<f64>,
    /// The loss ratio in percent.
    pub packet_loss_percentage: Option<f64>,
    /// Jitter, ms.
    pub jitter: Option<f64>,
    /// Mean jitter over the call, weighted by time.
    pub average_jitter: Option<f64>,
    /// Round-trip time by RTCP, ms.
    pub rtt: Option<f64>,
    /// Mean round-trip time over the call, weighted by time.
    #[cfg_attr(feature = "serde", serde(rename = "averageRTT"))]
    pub average_rtt: Option<f64>,
    /// The rating that callstats.io would show, on its own scale: up to 15 % loss is excellent there. Show
    /// [`mos`](Self::mos) and [`FabricView::diagnoses`] to people.
    pub callstats_quality: Option<CallstatsRating>,
    /// Mean opinion score of the latest interval, 1 to 5; `None` without a score.
    pub mos: Option<f64>,
    /// The same with every assumption at its worst.
    pub mos_low: Option<f64>,
    /// The same with every assumption at its best.
    pub mos_high: Option<f64>,
    /// Width of the latest frame, pixels.
    pub frame_width: Option<f64>,
    /// Height of the latest frame, pixels.
    pub frame_height: Option<f64>,
    /// Frames per second: decoded for received streams, sent for sent streams.
    pub frames_per_second: Option<f64>,
    /// Audio level of a sent stream, 0 to 1.
    pub audio_input_level: Option<f64>,
    /// Audio level of a received stream as played, 0 to 1.
    pub audio_output_level: Option<f64>,
    /// The audio level in either direction.
    pub audio_level: Option<f64>,
}

impl Conference {
    /// The state of the call right now. See [`Self::snapshot_into`].
    #[must_use]
    pub fn snapshot(&self) -> View {
        let mut view = View::default();
        self.snapshot_into(&mut view);
        view
    }

    /// Writes the state of the call right now into a value that is reused.
    ///
    /// Cost: linear in streams. Allocates nothing once `view` has been as large.
    pub fn snapshot_into(&self, view: &mut View) {
        view.fabrics.clear();
        for fabric in &self.fabrics {
            let presence = match fabric.spec.local_user {
                Some(user) => self.roster.get(user).is_some_and(|user| user.presence.is_present()),
                None => self.roster.unnamed.is_present(),
            };
            let shown = view.fabrics.next();
            set(&mut shown.fabric, Some(fabric.spec.name()));
            let is_online = presence && fabric.lifecycle.terminated.is_none();
            shown.connection_state = if is_online { Reachability::Online } else { Reachability::Offline };
            shown.fabric_state = fabric.lifecycle.state().unwrap_or(FabricState::Initializing);
            shown.is_dominant_speaker = self.speaks_at(fabric);
            shown.available_outgoing_bps = fabric.paths.main.available_bps;
            shown.diagnoses.clear();
            shown.diagnoses.extend(fabric.detectors.log.diagnoses.iter().filter(|diagnosis| diagnosis.to.is_none()));
            shown.media_stream_tracks.clear();
            for stream in fabric.streams.iter() {
                self.show_track(fabric, stream, shown.media_stream_tracks.next());
            }
        }
    }

    fn show_track(&self, fabric: &Fabric, stream: &StreamSlot, shown: &mut TrackView) {
        let StreamSlot { record, latest, .. } = stream;
        let (owner, label) = fabric.owner_of(stream);
        shown.ssrc = record.ssrc;
        set(&mut shown.remote_user_id, fabric.spec.remote_user.and_then(|user| self.user_name(user)));
        set(&mut shown.user_id, owner.and_then(|user| self.user_name(user)));
        set(&mut shown.usage_label, label.or(record.label.as_deref()));
        let described = fabric.mapping.described(record.ssrc);
        set(&mut shown.cname, described.map(|described| &*described.cname));
        set(&mut shown.msid, described.map(|described| &*described.msid));
        shown.stats_type = match record.direction {
            Direction::Inbound => TrackStats::InboundRtp,
            Direction::Outbound => TrackStats::OutboundRtp,
        };
        shown.media_type = record.kind;
        shown.bitrate = latest.bitrate_bps.get().map(|bps| bps / 1e3);
        shown.packet_rate = latest.packet_rate_pps.get();
        shown.fraction_loss = latest.loss_ratio.get();
        shown.packet_loss_percentage = latest.loss_ratio.get().map(|ratio| ratio * 100.0);
        shown.jitter = latest.jitter_ms.get();
        shown.average_jitter = record.digests.mean(Metric::JitterMs);
        shown.rtt = latest.rtt_ms.get();
        shown.average_rtt = record.digests.mean(Metric::RttMs);
        shown.callstats_quality = latest.rating;
        [shown.mos, shown.mos_low, shown.mos_high] = latest.mos.map(Maybe::get);
        shown.frame_width = record.size.map(|(width, _)| width);
        shown.frame_height = record.size.map(|(_, height)| height);
        shown.frames_per_second = latest.frames_per_second.get();
        let level_of = |direction| latest.level.get().filter(|_| record.direction == direction);
        shown.audio_input_level = level_of(Direction::Outbound);
        shown.audio_output_level = level_of(Direction::Inbound);
        shown.audio_level = latest.level.get();
    }
}

/// Replaces the text within its existing allocation.
fn set(text: &mut String, to: Option<&str>) {
    text.clear();
    text.push_str(to.unwrap_or(""));
}

impl<T: Default> Reused<T> {
    /// Removes the items but retains their memory.
    fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds one item, with its previous contents.
    #[allow(clippy::indexing_slicing)] // pushed where missing
    fn next(&mut self) -> &mut T {
        if self.items.len() == self.len {
            self.items.push(T::default());
        }
        self.len += 1;
        &mut self.items[self.len - 1]
    }
}

impl<T> Deref for Reused<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.items.get(..self.len).unwrap_or(&[])
    }
}

impl<T> Default for Reused<T> {
    fn default() -> Self {
        Self { items: Vec::new(), len: 0 }
    }
}

impl<T: PartialEq> PartialEq for Reused<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<'a, T> IntoIterator for &'a Reused<T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Default for FabricView {
    fn default() -> Self {
        Self {
            fabric: String::new(),
            connection_state: Reachability::Offline,
            fabric_state: FabricState::Initializing,
            is_dominant_speaker: false,
            available_outgoing_bps: None,
            diagnoses: Vec::new(),
            media_stream_tracks: Reused::default(),
        }
    }
}

impl Default for TrackView {
    fn default() -> Self {
        Self {
            ssrc: Ssrc::new(0),
            remote_user_id: String::new(),
            user_id: String::new(),
            stats_type: TrackStats::InboundRtp,
            media_type: None,
            usage_label: String::new(),
            cname: String::new(),
            msid: String::new(),
            bitrate: None,
            packet_rate: None,
            fraction_loss: None,
            packet_loss_percentage: None,
            jitter: None,
            average_jitter: None,
            rtt: None,
            average_rtt: None,
            callstats_quality: None,
            mos: None,
            mos_low: None,
            mos_high: None,
            frame_width: None,
            frame_height: None,
            frames_per_second: None,
            audio_input_level: None,
            audio_output_level: None,
            audio_level: None,
        }
    }
}

#[cfg(feature = "serde")]
impl<T: serde::Serialize> serde::Serialize for Reused<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(feature = "serde")]
fn or_null<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if text.is_empty() { serializer.serialize_none() } else { serializer.serialize_str(text) }
}
