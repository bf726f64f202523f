//! The public API: the traits and sizes of its types, and an SDK that uses no text. Needs no feature.

use std::panic::{RefUnwindSafe, UnwindSafe};

use callgauge::conference::{FabricMut, Feedback, FeedbackRating};

use callgauge::digest::{Digest, Stats};
use callgauge::event::CallEvent;
use callgauge::event::{ErrorReport, FabricState, IceState, Reported};
use callgauge::fleet::{
    Alert, AlertRule, ConferenceGuard, Ended, Fleet, FleetConfig, FleetError, FleetLimits, Merger, Part, Tally,
};
use callgauge::id::{Direction, FabricId, MediaKind, Ssrc, StreamKey, UserId};
use callgauge::ingest::getstats::Scanner;
use callgauge::ingest::{Format, Framing, ReadError, ReadErrorKind, Reader, Snapshot};
use callgauge::metric::counter::{Delta, EntryTracker, EntryTrackers, Progress};
use callgauge::metric::derived::Derived;
use callgauge::metric::{Formula, Interval, IntervalState, Metric, Unit};
use callgauge::replay::{
    ClockOffset, Doubt, ItemOrigin, OwnedItem, Recording, Refusals, Replay, SenderReportTimes, SourceId, SourceOutcome,
    SourceOverview,
};
use callgauge::report::{Entry, EntryMut, Flag, Num, Report, Rule, Skipped, StatsType, Text};
use callgauge::score::audio::{AudioInputs, AudioModel, AudioWindow};
use callgauge::score::{Cause, Input, Inputs, ModelId, MosScale, NoScore, Origin, Parts, Score, Tier};
use callgauge::summary::{ConferenceSummary, EventSummary, UserSummary};
use callgauge::summary::{FabricView, TrackView, View};
use callgauge::unit::{Bitrate, Mos, RFactor, Ratio, StatTime, Timestamp};
use callgauge::{AppEvent, Conference, Config, Event, FabricSpec, InputError, Limits, Outcome};

fn goes_anywhere<T: Send + Sync + Unpin + RefUnwindSafe>() {}
fn goes_anywhere_whole<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static>() {}
fn is_a_value<T: Copy + PartialEq + std::fmt::Debug>() {}
fn is_an_error<T: std::error::Error + Copy + Send + Sync + 'static>() {}

#[test]
fn public_types_are_send_sync_and_unwind_safe() {
    macro_rules! check {
        ($($type:ty),* $(,)?) => { $(goes_anywhere_whole::<$type>();)* };
    }
    check!(Conference, Config, Limits, FabricSpec, InputError, Event, ConferenceSummary);
    check!(View, FabricView, TrackView, Feedback, FeedbackRating, UserSummary, EventSummary);
    check!(Outcome, AppEvent<'static>, ErrorReport<'static>, Reported, CallEvent, FabricState, IceState);
    check!(Digest, Stats, Direction, FabricId, MediaKind, Ssrc, StreamKey, UserId);
    check!(Alert, AlertRule, Ended, Fleet, FleetConfig, FleetError, FleetLimits, Merger, Part, Tally);
    check!(Reader, Scanner, Format, Framing, ReadError, ReadErrorKind);
    check!(Derived, Formula, Interval, Metric, IntervalState, Unit);
    check!(Flag, Num, Report, Rule, Skipped, StatsType, Text, EntryTracker, EntryTrackers);
    check!(AudioInputs<'static>, AudioModel, AudioWindow, Score, NoScore, ModelId, MosScale, Tier);
    check!(Cause, Input, Inputs, Origin, Parts);
    check!(ClockOffset, OwnedItem, Recording, Refusals, Replay, SenderReportTimes, SourceId, SourceOutcome);
    check!(Doubt, ItemOrigin<'static>, SourceOverview);
    check!(Bitrate, Mos, RFactor, Ratio, StatTime, Timestamp);
    goes_anywhere::<Snapshot<'_>>();
    goes_anywhere::<FabricMut<'_>>();
    goes_anywhere::<ConferenceGuard<'_>>();
    goes_anywhere::<Entry<'_>>();
    goes_anywhere::<EntryMut<'_>>();
    goes_anywhere::<Progress<'_>>();
    goes_anywhere::<Delta<'_>>();
}

#[test]
fn outputs_are_values_and_refusals_are_errors() {
    is_a_value::<Event>();
    is_a_value::<CallEvent>();
    is_a_value::<Outcome>();
    is_a_value::<Reported>();
    is_a_value::<Interval>();
    is_a_value::<StreamKey>();
    is_a_value::<Limits>();
    is_an_error::<InputError>();
    is_an_error::<ReadError>();
    is_an_error::<FleetError>();
}

#[test]
fn ids_are_small_and_an_event_is_about_an_interval() {
    assert_eq!(size_of::<FabricId>(), 4);
    assert_eq!(size_of::<Ssrc>(), 4);
    assert!(size_of::<StreamKey>() <= 12);
    assert!(size_of::<InputError>() == 1 && size_of::<ReadError>() <= 32);
    // The figures are eight bytes each; everything else fits into a cache line.
    let figures = 8 * Metric::COUNT;
    assert!(size_of::<Interval>() <= figures + 64, "{}", size_of::<Interval>());
    assert!(size_of::<Event>() <= size_of::<Interval>() + size_of::<Score>() + 16, "{}", size_of::<Event>());
    assert!(size_of::<Score>() <= 328, "{}", size_of::<Score>());
    // An empty conference is small.
    assert!(size_of::<Conference>() <= 560, "{}", size_of::<Conference>());
}

/// The stats of one audio stream after `second` seconds: 50 packets of 80 bytes per second, one of them lost.
fn fill(report: &mut Report, ssrc: u32, second: u32) {
    let seconds = f64::from(second);
    report
        .push(StatsType::InboundRtp, "I")
        .set_media(MediaKind::Audio)
        .set_timestamp(StatTime::from_millis(1e3 * seconds))
        .set(Num::Ssrc, f64::from(ssrc))
        .set(Num::PacketsReceived, 49.0 * seconds)
        .set(Num::PacketsLost, seconds)
        .set(Num::BytesReceived, 3_920.0 * seconds);
}

#[test]
fn sdk_with_numbers_needs_no_json() {
    let mut call = Conference::new("AliceAndBob", Config::new());
    let start = Timestamp::from_millis(0);
    let fabrics = ["to-bob", "to-carol"].map(|name| call.open_fabric(start, FabricSpec::new(name)).unwrap());
    let mut report = Report::new();
    for second in 0..=10 {
        for fabric in fabrics {
            report.clear();
            fill(&mut report, 7, second);
            call.ingest(Timestamp::from_millis(1_000 * u64::from(second)), fabric, &report).unwrap();
        }
    }
    let mut seen = [0; 2];
    while let Some(event) = call.poll_event() {
        let Event::IntervalClosed { stream, interval, .. } = event else {
            assert!(matches!(event, Event::Call { .. }), "{event:?}");
            continue;
        };
        assert_eq!((stream.direction, stream.ssrc), (Direction::Inbound, Ssrc::new(7)));
        assert_eq!(interval.bitrate().map(Bitrate::as_bps), Some(31_360.0));
        assert_eq!(interval.loss().map(Ratio::as_f64), Some(0.02));
        assert_eq!(interval.get(Metric::JitterMs), None);
        seen[stream.fabric.index()] += 1;
    }
    assert_eq!(seen, [10, 10]);
    let summary = call.summary();
    assert_eq!(summary, call.summary());
    assert_eq!(summary.fabrics.iter().map(|fabric| fabric.fabric.as_str()).collect::<Vec<_>>(), ["to-bob", "to-carol"]);
    for fabric in &summary.fabrics {
        assert_eq!((fabric.streams[0].packets, fabric.streams[0].packets_lost), (Some(490), Some(10)));
        assert_eq!(fabric.streams[0].jitter_ms.mean, None);
    }
}

#[test]
fn refused_input_changes_nothing() {
    let limits = Limits::new().with_fabrics(1).with_streams_per_fabric(1).with_pending_events(2);
    let mut call = Conference::new("", Config::new().with_limits(limits));
    let (mut other, mut report) = (Conference::new("", Config::new()), Report::new());
    let fabric = call.open_fabric(Timestamp::from_millis(0), FabricSpec::new("A")).unwrap();
    other.open_fabric(Timestamp::from_millis(0), FabricSpec::new("A")).unwrap();
    let elsewhere = other.open_fabric(Timestamp::from_millis(0), FabricSpec::new("B")).unwrap();

    for second in 0..=5 {
        report.clear();
        fill(&mut report, 7, second);
        fill(&mut report, 8, second);
        call.ingest(Timestamp::from_millis(1_000 * u64::from(second)), fabric, &report).unwrap();
    }
    let before = call.summary();
    let late = Timestamp::from_millis(99_000);
    assert_eq!(call.open_fabric(late, FabricSpec::new("C")), Err(InputError::LimitReached));
    assert_eq!(call.ingest(late, elsewhere, &report), Err(InputError::UnknownFabric));
    assert_eq!(call.ingest(Timestamp::from_millis(4_999), fabric, &report), Err(InputError::TimeWentBackwards));
    assert_eq!(call.summary(), before);
    // The clock has not moved either: an input at the time of the last good one is accepted.
    assert_eq!(call.ingest(Timestamp::from_millis(5_000), fabric, &report), Ok(()));

    assert_eq!((before.fabrics[0].streams.len(), before.fabrics[0].refused_streams), (1, 6));
    assert!(matches!(call.poll_event(), Some(Event::Overflow { dropped: 4, .. })));
    let events: Vec<Event> = std::iter::from_fn(|| call.poll_event()).collect();
    assert_eq!(events.len(), 2);
}

#[test]
fn invalid_value_is_counted_and_left_out() {
    let mut report = Report::new();
    report.push(StatsType::InboundRtp, "I").set(Num::Jitter, f64::NAN).set(Num::PacketsReceived, -1.0);
    let entry = report.get(0).unwrap();
    assert_eq!((entry.get(Num::Jitter), entry.get(Num::PacketsReceived)), (None, None));
    assert_eq!(report.skipped().bad_fields, 2);
    let mut names: Vec<&str> = report.skipped().bad_numbers().map(Num::name).collect();
    names.sort_unstable();
    assert_eq!(names, ["jitter", "packetsReceived"]);
}

#[cfg(feature = "serde")]
#[test]
fn interval_serializes_every_key_with_null_for_unknown() {
    let mut call = Conference::new("", Config::new());
    let fabric = call.open_fabric(Timestamp::default(), FabricSpec::new("A")).unwrap();
    let mut report = Report::new();
    for second in [1, 3] {
        report.clear();
        fill(&mut report, 7, second);
        call.ingest(Timestamp::default(), fabric, &report).unwrap();
    }
    let interval = std::iter::from_fn(|| call.poll_event()).find_map(|event| match event {
        Event::IntervalClosed { interval, .. } => Some(interval),
        _ => None,
    });
    let value = serde_json::to_value(interval.unwrap()).unwrap();
    assert_eq!(value.as_object().unwrap().len(), 6 + Metric::COUNT);
    for (key, expected) in [
        ("t_ms", serde_json::json!(3e3)),
        ("span_ms", serde_json::json!(2e3)),
        ("ssrc", serde_json::json!(7)),
        ("direction", serde_json::json!("inbound")),
        ("kind", serde_json::json!("audio")),
        ("state", serde_json::json!("active")),
        ("bitrate_bps", serde_json::json!(31_360.0)),
        ("jitter_ms", serde_json::Value::Null),
    ] {
        assert_eq!(value.get(key), Some(&expected), "{key}");
    }
}
