//! `intervals`: a line per stream and interval, as NDJSON or CSV.
//! Every figure comes from the engine's interval and its score.

use std::io::{self, Write};

use callgauge::Event;
use callgauge::metric::{Interval, Metric};
use callgauge::score::rating::CallstatsRating;
use callgauge::score::{Cause, NoScore, Score, mos_of};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::calls::CallFiles;
use crate::files::{EventOrigin, replay};
use crate::output::{RowFormat, Status};

/// The metrics that come first among the columns: the most used ones.
const FIRST: &[Metric] = &[
    Metric::BitrateBps,
    Metric::PacketRatePps,
    Metric::LossRatio,
    Metric::JitterMs,
    Metric::RttMs,
    Metric::JitterBufferDelayMs,
    Metric::ConcealedRatio,
    Metric::FramesPerSecond,
];

/// The columns of the score.
const SCORES: &[&str] =
    &["mos", "mos_low", "mos_high", "mos_lq", "scale", "model", "tier", "cause", "rating", "reason"];

/// Prints the intervals of every call. In CSV `for_spreadsheet`, no name begins like a formula.
pub(crate) fn run(
    format: RowFormat,
    for_spreadsheet: bool,
    calls: &[CallFiles],
    out: &mut dyn Write,
) -> io::Result<Status> {
    let mut csv = csv::Writer::from_writer(vec![]);
    if matches!(format, RowFormat::Csv) {
        write_csv(&mut csv, out, columns().map(Into::into))?;
    }
    let mut is_usable = false;
    for call in calls {
        let mut result = Ok(());
        let replayed = replay(call, &mut |origin, event, call| {
            let Event::IntervalClosed { stream, interval, score, rating, .. } = event else { return };
            if result.is_err() {
                return;
            }
            let user = call.user_of(*stream).and_then(|user| call.user_name(user));
            let row = IntervalRow { origin, codec: call.codec_of(*stream), user, interval, score, rating: *rating };
            result = match format {
                RowFormat::Ndjson => {
                    serde_json::to_writer(&mut *out, &row).map_err(io::Error::from).and_then(|()| writeln!(out))
                }
                RowFormat::Csv => write_csv(&mut csv, out, row.cells().map(|(_, cell)| cell.in_csv(for_spreadsheet))),
            };
        });
        result?;
        replayed.print_problems();
        is_usable |= replayed.is_usable();
    }
    Ok(Status::usable(is_usable))
}

fn write_csv(
    csv: &mut csv::Writer<Vec<u8>>,
    out: &mut dyn Write,
    cells: impl Iterator<Item = String>,
) -> io::Result<()> {
    csv.write_record(cells.map(String::into_bytes))?;
    csv.flush()?;
    let line = std::mem::replace(csv, csv::Writer::from_writer(vec![]));
    out.write_all(&line.into_inner().map_err(|error| io::Error::other(error.to_string()))?)
}

/// One line.
struct IntervalRow<'a> {
    origin: EventOrigin<'a>,
    codec: Option<&'a str>,
    user: Option<&'a str>,
    interval: &'a Interval,
    score: &'a Result<Score, NoScore>,
    rating: CallstatsRating,
}

/// One value of a line.
enum CsvCell<'a> {
    /// A text out of the input or the command line.
    Name(&'a str),
    Text(&'a str),
    Printed(String),
    Integer(u32),
    Real(f64),
    Unknown,
}

impl<'a> IntervalRow<'a> {
    fn cells(&self) -> impl Iterator<Item = (&'static str, CsvCell<'a>)> {
        let Self { origin, codec, user, interval, .. } = *self;
        let head = [
            ("file", CsvCell::Name(origin.file)),
            ("conference", origin.conference.map_or(CsvCell::Unknown, CsvCell::Name)),
            ("t_ms", CsvCell::Real(interval.at.as_millis())),
            ("span_ms", CsvCell::Real(interval.span_ms)),
            ("fabric", CsvCell::Name(origin.fabric)),
            ("ssrc", CsvCell::Integer(interval.ssrc.get())),
            ("direction", CsvCell::Text(interval.direction.name())),
            ("kind", interval.kind.map_or(CsvCell::Unknown, |kind| CsvCell::Text(kind.name()))),
            ("codec", codec.map_or(CsvCell::Unknown, CsvCell::Name)),
            ("user", user.map_or(CsvCell::Unknown, CsvCell::Name)),
        ];
        let metric = |&metric: &Metric| (metric.name(), interval.get(metric).map_or(CsvCell::Unknown, CsvCell::Real));
        head.into_iter()
            .chain(FIRST.iter().map(metric))
            .chain(SCORES.iter().copied().zip(self.scores()))
            .chain([("state", CsvCell::Text(interval.state.name()))])
            .chain(Metric::ALL.iter().filter(|metric| !FIRST.contains(metric)).map(metric))
    }
}

impl IntervalRow<'_> {
    /// The cells under [`SCORES`].
    fn scores(&self) -> [CsvCell<'static>; 10] {
        let rating = CsvCell::Text(self.rating.name());
        let score = match self.score {
            Ok(score) => score,
            Err(reason) => {
                let [mos, low, high, lq, scale, model, cause] = [const { CsvCell::Unknown }; 7];
                let tier = reason.tier().map_or(CsvCell::Unknown, |tier| CsvCell::Text(tier.name()));
                return [mos, low, high, lq, scale, model, tier, cause, rating, CsvCell::Text(reason.name())];
            }
        };
        [
            CsvCell::Real(score.mos().as_f64()),
            CsvCell::Real(score.low().as_f64()),
            CsvCell::Real(score.high().as_f64()),
            score.rx_lq.map_or(CsvCell::Unknown, |rx| CsvCell::Real(mos_of(rx).as_f64())),
            CsvCell::Text(score.scale.name()),
            CsvCell::Printed(score.model.to_string()),
            CsvCell::Text(score.tier.name()),
            score.cause.map(Cause::name).map_or(CsvCell::Unknown, CsvCell::Text),
            rating,
            CsvCell::Unknown,
        ]
    }
}

/// The names of the columns.
fn columns() -> impl Iterator<Item = &'static str> {
    let head = ["file", "conference", "t_ms", "span_ms", "fabric", "ssrc", "direction", "kind", "codec", "user"];
    head.into_iter()
        .chain(FIRST.iter().map(|metric| metric.name()))
        .chain(SCORES.iter().copied())
        .chain(["state"])
        .chain(Metric::ALL.iter().filter(|metric| !FIRST.contains(metric)).map(|metric| metric.name()))
}

impl CsvCell<'_> {
    fn in_csv(&self, for_spreadsheet: bool) -> String {
        match self {
            Self::Name(name) if for_spreadsheet => without_formula(name),
            Self::Name(name) => (*name).to_owned(),
            Self::Text(text) => (*text).to_owned(),
            Self::Printed(text) => text.clone(),
            Self::Integer(value) => value.to_string(),
            Self::Real(value) => value.to_string(),
            Self::Unknown => String::new(),
        }
    }
}

/// A name that no spreadsheet takes for a formula: one that begins like a formula has an apostrophe before it (OWASP, CSV
/// Injection).
fn without_formula(name: &str) -> String {
    const FIRST: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if name.starts_with(FIRST) { format!("'{name}") } else { name.to_owned() }
}

impl Serialize for IntervalRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, cell) in self.cells() {
            match cell {
                CsvCell::Name(text) | CsvCell::Text(text) => map.serialize_entry(name, text)?,
                CsvCell::Printed(text) => map.serialize_entry(name, &text)?,
                CsvCell::Integer(value) => map.serialize_entry(name, &value)?,
                CsvCell::Real(value) => map.serialize_entry(name, &value)?,
                CsvCell::Unknown => map.serialize_entry(name, &())?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_formulas_and_numbers_stay_numbers() {
        for name in ["=1+1", "+49 30", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"] {
            assert_eq!(CsvCell::Name(name).in_csv(true), format!("'{name}"));
            assert_eq!(CsvCell::Name(name).in_csv(false), name);
        }
        for name in ["", "alice", "PC_0", "a=b", "1-2"] {
            assert_eq!(CsvCell::Name(name).in_csv(true), name);
        }
        assert_eq!(CsvCell::Real(-3.5).in_csv(true), "-3.5");
    }
}
