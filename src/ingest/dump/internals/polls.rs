//! Groups the points of all entries into polls. It reads no values.

use alloc::vec;
use alloc::vec::Vec;
use ordered_float::OrderedFloat;

use super::column::{PollGrid, Spread};

/// The points of one entry.
pub(super) struct PollTrack<'t> {
    /// Its times, in ascending order.
    pub(super) times: &'t [f64],
    /// Whether the times were recorded and not interpolated.
    pub(super) exact: bool,
    /// Whether the times are those of RTCP reports, older than the poll.
    pub(super) remote: bool,
}

/// A point and its poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    pub(super) poll: u32,
    pub(super) track: u32,
}

pub(super) struct Plan {
    /// The time of each poll, in milliseconds.
    pub(super) polls: Vec<f64>,
    /// Every point, by poll and then by track. A track has at most one point in a poll, and its points keep their
    /// order.
    pub(super) points: Vec<Point>,
}

/// Times closer than this belong to one poll: a browser that is asked again within 50 ms returns its previous report.
const ONE_POLL_MS: f64 = 50.0;

/// How much later than its poll a remote entry may seem, because the browser takes the poll's time before it reads
/// RTCP: a busy browser takes a while [64 ms seen].
const YOUNGER_MS: f64 = 250.0;

/// Finds the polls and assigns every point to one.
///
/// Tracks of local entries lead: their times are the polls. Interpolated leaders are first aligned to the grid of the
/// longest. The other tracks follow: they begin at the first poll that is not before their first time, and then have a
/// point at every poll, because their entry exists whether or not a new RTCP report arrived. Only a time well after the
/// next poll shows that the entry was missing; the track then continues at the first poll not before that time. No
/// track is pushed past the end. A track with more points than there are polls leads too.
pub(super) fn plan(tracks: &[PollTrack<'_>]) -> Plan {
    let local = tracks.iter().any(|track| !track.remote);
    let exact = tracks.iter().any(|track| track.exact && (!track.remote || !local));
    let may_lead = |track: &PollTrack<'_>| (!track.remote || !local) && (track.exact || !exact);
    let mut leaders = Leader::of(tracks, exact, may_lead);
    let mut polls = Polls::new(&leaders);
    let known = polls.times.len();
    if tracks.iter().any(|track| track.times.len() > known) {
        leaders = Leader::of(tracks, exact, |track| may_lead(track) || track.times.len() > known);
        polls = Polls::new(&leaders);
    }
    let mut points = Vec::with_capacity(tracks.iter().map(|track| track.times.len()).sum());
    for ((track, leader), number) in tracks.iter().zip(&leaders).zip(0..) {
        let place = |poll: usize| points.push(Point { poll: u32::try_from(poll).unwrap_or(u32::MAX), track: number });
        match leader {
            Some(leader) => polls.place_leader(leader, place),
            None => polls.place_follower(track, place),
        }
    }
    points.sort_unstable();
    Plan { polls: polls.times, points }
}

/// A track whose times define the polls.
struct Leader<'t> {
    times: &'t [f64],
    /// For interpolated times: the grid of the longest track, and the positions in it.
    places: Option<(PollGrid, Spread)>,
}

impl<'t> Leader<'t> {
    /// The leader of each track that leads.
    fn of(tracks: &[PollTrack<'t>], exact: bool, leads: impl Fn(&PollTrack<'_>) -> bool) -> Vec<Option<Self>> {
        let mut longest: &[f64] = &[];
        for track in tracks.iter().filter(|track| leads(track) && !exact) {
            if track.times.len() > longest.len() {
                longest = track.times;
            }
        }
        let grid = PollGrid::new(longest);
        tracks.iter().map(|track| leads(track).then(|| Self::new(track, grid))).collect()
    }

    fn new(track: &PollTrack<'t>, grid: Option<PollGrid>) -> Self {
        let ends = track.times.first().zip(track.times.last());
        let places =
            grid.zip(ends).and_then(|(grid, (&start, &end))| Some((grid, grid.place(start, end, track.times.len())?)));
        Self { times: track.times, places }
    }

    /// The time of the poll of one point.
    fn time(&self, index: usize) -> f64 {
        match &self.places {
            Some((grid, spread)) => grid.time(spread.place(index)),
            None => self.times.get(index).copied().unwrap_or(0.0),
        }
    }
}

/// The polls of a connection, in order of time.
struct Polls {
    /// Polls with the same time: the time, and the number of the first one.
    clusters: Vec<(f64, usize)>,
    /// The time of each poll.
    times: Vec<f64>,
}

impl Polls {
    /// A cluster has as many polls as the most points that any track has in it.
    fn new(leaders: &[Option<Leader<'_>>]) -> Self {
        let leaders: Vec<_> = leaders.iter().flatten().collect();
        let mut times = Vec::with_capacity(leaders.iter().map(|leader| leader.times.len()).sum());
        for leader in &leaders {
            times.extend((0..leader.times.len()).map(|index| leader.time(index)));
        }
        times.sort_unstable_by_key(|&time| OrderedFloat(time));
        let mut clusters: Vec<(f64, usize)> = Vec::new();
        for time in times {
            if clusters.last().is_none_or(|&(start, _)| time - start > ONE_POLL_MS) {
                clusters.push((time, 0));
            }
        }
        let mut polls = Self { clusters, times: Vec::new() };
        // First counts the polls of each cluster, then numbers them.
        let mut counts = vec![1_usize; polls.clusters.len()];
        for leader in &leaders {
            polls.walk(leader, |cluster, turn| {
                if let Some(count) = counts.get_mut(cluster) {
                    *count = (*count).max(turn + 1);
                }
            });
        }
        for ((time, first), count) in polls.clusters.iter_mut().zip(counts) {
            *first = polls.times.len();
            polls.times.extend(core::iter::repeat_n(*time, count));
        }
        polls
    }

    /// Calls `each` with the cluster of every point, and the number of earlier points of the track in it.
    fn walk(&self, leader: &Leader<'_>, mut each: impl FnMut(usize, usize)) {
        let first = leader.time(0);
        let mut cluster = self.clusters.partition_point(|&(start, _)| start <= first).saturating_sub(1);
        let mut turn = 0;
        for index in 0..leader.times.len() {
            let before = cluster;
            while self.clusters.get(cluster + 1).is_some_and(|&(start, _)| start <= leader.time(index)) {
                cluster += 1;
            }
            turn = if index == 0 || cluster != before { 0 } else { turn + 1 };
            each(cluster, turn);
        }
    }

    fn place_leader(&self, leader: &Leader<'_>, mut place: impl FnMut(usize)) {
        self.walk(leader, |cluster, turn| {
            if let Some((_, first)) = self.clusters.get(cluster) {
                place(first + turn);
            }
        });
    }

    /// Assigns a track with no more points than there are polls.
    fn place_follower(&self, track: &PollTrack<'_>, mut place: impl FnMut(usize)) {
        let spare = self.times.len().saturating_sub(track.times.len());
        let mut next = 0;
        for (index, &time) in track.times.iter().enumerate() {
            let is_late = self.times.get(next).is_some_and(|&poll| poll < time - YOUNGER_MS);
            if index == 0 || track.exact && is_late {
                next = next.max(self.times.partition_point(|&poll| poll < time));
            }
            // An even grid may be a poll off at the start; such entries last to the end.
            if !track.exact && (next..=next + 1 + track.times.len() / 50).contains(&spare) && index == 0 {
                next = spare;
            }
            next = next.min(index + spare);
            place(next);
            next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    fn places(tracks: &[PollTrack<'_>]) -> (Vec<f64>, Vec<Vec<u32>>) {
        let plan = plan(tracks);
        let mut places = vec![Vec::new(); tracks.len()];
        for point in &plan.points {
            places[point.track as usize].push(point.poll);
        }
        (plan.polls, places)
    }

    const fn local(times: &[f64]) -> PollTrack<'_> {
        PollTrack { times, exact: true, remote: false }
    }

    const fn remote(times: &[f64]) -> PollTrack<'_> {
        PollTrack { times, exact: true, remote: true }
    }

    #[test]
    fn a_late_remote_entry_lasts_from_its_first_report_to_the_end() {
        let polls = [1_000.0, 2_000.0, 3_000.0, 4_000.0, 5_000.0];
        let (_, places) = places(&[local(&polls), remote(&[2_500.0, 2_500.0, 2_500.0])]);
        assert_eq!(places, [vec![0, 1, 2, 3, 4], vec![2, 3, 4]]);
        let (_, places) = self::places(&[local(&polls), remote(&[1_100.0, 1_100.0, 3_500.0])]);
        assert_eq!(places[1], [1, 2, 3]);
    }

    #[test]
    fn a_report_during_collection_stays_in_its_poll() {
        let polls = [1_000.0, 2_000.0, 3_000.0, 4_000.0];
        let (_, places) = places(&[local(&polls), remote(&[900.0, 2_064.0, 2_990.0, 3_500.0])]);
        assert_eq!(places[1], [0, 1, 2, 3]);
    }

    #[test]
    fn a_missing_remote_entry_returns_with_its_next_report() {
        let polls: Vec<f64> = (1..=9).map(|second| f64::from(second) * 1e3).collect();
        let (_, places) = places(&[local(&polls), remote(&[900.0, 1_900.0, 6_500.0, 6_500.0])]);
        assert_eq!(places[1], [0, 1, 6, 7]);
    }

    #[test]
    fn entries_of_one_poll_may_differ_by_milliseconds() {
        let (polls, places) = places(&[local(&[1_000.0, 2_000.0]), local(&[1_000.4, 2_003.0, 3_000.0])]);
        assert_eq!(polls, [1_000.0, 2_000.0, 3_000.0]);
        assert_eq!(places, [vec![0, 1], vec![0, 1, 2]]);
    }

    #[test]
    fn a_repeated_poll_stays_two_polls() {
        let times = [1_000.0, 2_000.0, 2_000.0, 3_000.0];
        let (polls, places) = places(&[local(&times), local(&times)]);
        assert_eq!(polls, times);
        assert_eq!(places, [vec![0, 1, 2, 3], vec![0, 1, 2, 3]]);
    }

    proptest! {
        #[test]
        fn every_point_has_a_poll_of_its_own_in_order(
            tracks in prop::collection::vec((prop::collection::vec(0.0_f64..20_000.0, 1..40), any::<bool>(), any::<bool>()), 1..8),
        ) {
            let sorted: Vec<_> = tracks.into_iter().map(|(mut times, exact, remote)| {
                times.sort_by_key(|&time| OrderedFloat(time));
                (times, exact, remote)
            }).collect();
            let tracks: Vec<_> =
                sorted.iter().map(|(times, exact, remote)| PollTrack { times, exact: *exact, remote: *remote }).collect();
            let (polls, places) = places(&tracks);
            prop_assert!(polls.is_sorted());
            for (track, places) in tracks.iter().zip(&places) {
                prop_assert_eq!(track.times.len(), places.len());
                prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", places);
                prop_assert!(places.iter().all(|&poll| (poll as usize) < polls.len()));
            }
            // Every poll has a point.
            let mut used: Vec<_> = places.concat();
            used.sort_unstable();
            used.dedup();
            prop_assert_eq!(used.len(), polls.len());
        }
    }
}
