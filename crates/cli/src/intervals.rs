//! `intervals`: a line per stream and interval, as NDJSON or CSV.
//! Every figure comes from the engine's interval and its score.

use std::io::{self, Write};
use std::path::PathBuf;

use callgauge::Event;
use callgauge::metric::{Interval, Metric};
use callgauge::score::rating::CallstatsRating;
use callgauge::score::{Cause, NoScore, Score, mos_of};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::files::replay;
use crate::output::RowFormat;

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

pub(crate) fn run(format: RowFormat, files: &[PathBuf], out: &mut dyn Write) -> io::Result<bool> {
    let mut csv = csv::Writer::from_writer(vec![]);
    let mut result = match format {
        RowFormat::Csv => write_csv(&mut csv, out, columns().map(Into::into)),
        RowFormat::Ndjson => Ok(()),
    };
    let replayed = replay(files, |fabric, event, call| {
        let Event::IntervalClosed { stream, interval, score, rating, .. } = event else { return };
        if result.is_err() {
            return;
        }
        let user = call.user_of(*stream).and_then(|user| call.user_name(user));
        let row = IntervalRow { fabric, user, interval, score, rating: *rating };
        result = match format {
            RowFormat::Ndjson => {
                serde_json::to_writer(&mut *out, &row).map_err(io::Error::from).and_then(|()| writeln!(out))
            }
            RowFormat::Csv => write_csv(&mut csv, out, row.cells().map(|(_, cell)| cell.to_string())),
        };
    });
    replayed.print_problems();
    result.map(|()| replayed.inputs.iter().any(|input| input.snapshots > 0))
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
    fabric: &'a str,
    user: Option<&'a str>,
    interval: &'a Interval,
    score: &'a Result<Score, NoScore>,
    rating: CallstatsRating,
}

/// One value of a line.
enum CsvCell<'a> {
    Text(&'a str),
    Printed(String),
    Integer(u32),
    Real(f64),
    Unknown,
}

impl<'a> IntervalRow<'a> {
    fn cells(&self) -> impl Iterator<Item = (&'static str, CsvCell<'a>)> {
        let Self { fabric, user, interval, .. } = *self;
        let head = [
            ("t_ms", CsvCell::Real(interval.at.as_millis())),
            ("span_ms", CsvCell::Real(interval.span_ms)),
            ("fabric", CsvCell::Text(fabric)),
            ("ssrc", CsvCell::Integer(interval.ssrc.get())),
            ("direction", CsvCell::Text(interval.direction.name())),
            ("kind", interval.kind.map_or(CsvCell::Unknown, |kind| CsvCell::Text(kind.name()))),
            ("user", user.map_or(CsvCell::Unknown, CsvCell::Text)),
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
    let head = ["t_ms", "span_ms", "fabric", "ssrc", "direction", "kind", "user"];
    head.into_iter()
        .chain(FIRST.iter().map(|metric| metric.name()))
        .chain(SCORES.iter().copied())
        .chain(["state"])
        .chain(Metric::ALL.iter().filter(|metric| !FIRST.contains(metric)).map(|metric| metric.name()))
}

impl std::fmt::Display for CsvCell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Printed(text) => f.write_str(text),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Real(value) => write!(f, "{value}"),
            Self::Unknown => Ok(()),
        }
    }
}

impl Serialize for IntervalRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, cell) in self.cells() {
            match cell {
                CsvCell::Text(text) => map.serialize_entry(name, text)?,
                CsvCell::Printed(text) => map.serialize_entry(name, &text)?,
                CsvCell::Integer(value) => map.serialize_entry(name, &value)?,
                CsvCell::Real(value) => map.serialize_entry(name, &value)?,
                CsvCell::Unknown => map.serialize_entry(name, &())?,
            }
        }
        map.end()
    }
}
