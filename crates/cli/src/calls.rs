//! Groups the files of the command line into calls, and says which files do not belong together. The rule is the engine's
//! ([`callgauge::replay::calls`]); nothing is replayed here.

use callgauge::ingest::Item;
use callgauge::replay::{Doubt, SourceOverview, calls};

use crate::records::{self, Sink};
use crate::sources::InputSource;
use crate::wording::{duration, plural, printable, time_of_day};

/// How files become calls, as the command line says.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Grouping {
    /// Name of the conference [default: the name in the input]. All files are then taken as one call.
    #[arg(long, value_name = "ID")]
    pub(crate) conference: Option<String>,
    /// Take each call by itself: files that have a conference, a stream, a connection or, at the same time, a user in
    /// common are one call.
    #[arg(long, conflicts_with = "conference")]
    pub(crate) each: bool,
}

/// The files of one call.
#[derive(Debug)]
pub(crate) struct CallFiles {
    pub(crate) files: Vec<InputSource>,
    /// An overview of each file; empty for a single file.
    pub(crate) overviews: Vec<SourceOverview>,
    /// The name given on the command line.
    pub(crate) conference: Option<String>,
}

/// Files that do not belong together, or an input that cannot be copied: a sentence, and lines below it.
#[derive(Debug)]
pub(crate) struct Misfit(Vec<String>);

impl Misfit {
    /// Prints the reason on standard error.
    pub(crate) fn print(&self) {
        self.0.iter().for_each(|line| eprintln!("callgauge: {line}"));
    }
}

/// The calls that the files belong to.
///
/// # Errors
/// The files belong to several calls and neither [`Grouping::conference`] nor [`Grouping::each`] was given, or an input
/// that can be read only once cannot be copied.
pub(crate) fn group(mut files: Vec<InputSource>, grouping: &Grouping) -> Result<Vec<CallFiles>, Misfit> {
    let conference = grouping.conference.clone();
    if let [_] = &*files {
        return Ok(vec![CallFiles { files, overviews: vec![SourceOverview::default()], conference }]);
    }
    for file in &mut files {
        if let Err(error) = file.make_rereadable() {
            return Err(Misfit(vec![format!("{}: no temporary copy: {error}", printable(&file.name()))]));
        }
    }
    let overviews: Vec<SourceOverview> = files.iter().map(overview_of).collect();
    let doubt = if grouping.each { Doubt::Apart } else { Doubt::Together };
    let groups = if conference.is_some() { vec![(0..files.len()).collect()] } else { calls(&overviews, doubt) };
    if groups.len() > 1 && !grouping.each {
        return Err(misfit(&files, &overviews, &groups));
    }
    let mut files: Vec<Option<(InputSource, SourceOverview)>> = files.into_iter().zip(overviews).map(Some).collect();
    let of_group = |group: Vec<usize>| {
        let (files, overviews) = group.iter().filter_map(|&index| files.get_mut(index)?.take()).unzip();
        CallFiles { files, overviews, conference: conference.clone() }
    };
    Ok(groups.into_iter().map(of_group).collect())
}

/// What an overview is made of.
struct OverviewSink(SourceOverview);

impl Sink for OverviewSink {
    fn push(&mut self, item: Item<'_>) {
        self.0.observe(&item);
    }
}

fn overview_of(file: &InputSource) -> SourceOverview {
    let mut sink = OverviewSink(SourceOverview::default());
    let input = records::read(file, &mut sink);
    sink.0.set_conference(input.conference.as_deref());
    sink.0
}

/// Says which files belong together, and what to do.
fn misfit(files: &[InputSource], overviews: &[SourceOverview], groups: &[Vec<usize>]) -> Misfit {
    let mut lines = vec![format!("these files are of {} different calls:", groups.len())];
    for (number, group) in groups.iter().enumerate() {
        lines.push(format!("call {}:", number + 1));
        for (file, overview) in group.iter().filter_map(|&index| Some((files.get(index)?, overviews.get(index)?))) {
            lines.push(format!("  {}", described(file, overview)));
        }
    }
    lines.push("use --each for a result of each call, or --conference ID if all are one call".into());
    Misfit(lines)
}

/// Users that are named of a file, at most.
const MAX_USERS: usize = 8;

/// `a.json: 2026-11-21 09:53:03 UTC, 1 min 28 s, conference daily, users A, B`.
fn described(file: &InputSource, overview: &SourceOverview) -> String {
    let mut facts = Vec::new();
    match overview.span_ms() {
        Some((first, last)) => facts.extend([time_of_day(first), duration((last - first) / 1e3)]),
        None => facts.push("no times".into()),
    }
    facts.push(plural(overview.snapshots(), "snapshot"));
    facts.extend(overview.conference().map(|name| format!("conference {}", printable(name))));
    let users: Vec<_> = overview.users().take(MAX_USERS).map(printable).collect();
    if !users.is_empty() {
        let more = if overview.users().count() > MAX_USERS { " and others" } else { "" };
        facts.push(format!("users {}{more}", users.join(", ")));
    }
    format!("{}: {}", printable(&file.name()), facts.join(", "))
}
