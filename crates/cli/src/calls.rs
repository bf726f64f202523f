//! Groups the files of the command line into calls, and says which files do not belong together. The rule is the engine's
//! ([`callgauge::replay::calls`]); nothing is replayed here.

use std::collections::HashSet;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use callgauge::ingest::Item;
use callgauge::replay::{Doubt, SourceOverview, calls};

use crate::records::{self, Sink};
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
    pub(crate) files: Vec<PathBuf>,
    /// An overview of each file; empty for what can be read only once.
    pub(crate) overviews: Vec<SourceOverview>,
    /// The name given on the command line.
    pub(crate) conference: Option<String>,
}

/// Files that do not belong together, or an input that cannot be read twice: a sentence, and lines below it.
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
/// that can be read only once is given twice.
pub(crate) fn group(files: &[PathBuf], grouping: &Grouping) -> Result<Vec<CallFiles>, Misfit> {
    let conference = grouping.conference.clone();
    if let [_] = files {
        return Ok(vec![CallFiles { files: files.to_vec(), overviews: vec![SourceOverview::default()], conference }]);
    }
    check_streams(files)?;
    let overviews: Vec<SourceOverview> = files.iter().map(|file| overview_of(file)).collect();
    let doubt = if grouping.each { Doubt::Apart } else { Doubt::Together };
    let groups = if conference.is_some() { vec![(0..files.len()).collect()] } else { calls(&overviews, doubt) };
    if groups.len() > 1 && !grouping.each {
        return Err(misfit(files, &overviews, &groups));
    }
    let of_group = |group: Vec<usize>| CallFiles {
        files: group.iter().filter_map(|&index| files.get(index).cloned()).collect(),
        overviews: group.iter().filter_map(|&index| overviews.get(index).cloned()).collect(),
        conference: conference.clone(),
    };
    Ok(groups.into_iter().map(of_group).collect())
}

impl CallFiles {
    /// Checks that the files belong together, with the overviews of what could be read only once.
    pub(crate) fn check(&self, late: Vec<Option<SourceOverview>>) -> Result<(), Misfit> {
        if self.conference.is_some() || late.iter().all(Option::is_none) {
            return Ok(());
        }
        let known = self.overviews.iter().zip(late);
        let overviews: Vec<_> = known.map(|(overview, late)| late.unwrap_or_else(|| overview.clone())).collect();
        let groups = calls(&overviews, Doubt::Together);
        if groups.len() > 1 { Err(misfit(&self.files, &overviews, &groups)) } else { Ok(()) }
    }
}

/// What an overview is made of.
struct OverviewSink(SourceOverview);

impl Sink for OverviewSink {
    fn push(&mut self, item: Item<'_>) {
        self.0.observe(&item);
    }
}

/// The overview of a file; empty for what can be read only once.
fn overview_of(file: &Path) -> SourceOverview {
    let mut sink = OverviewSink(SourceOverview::default());
    if !is_stream(file) {
        let input = records::read(file, &mut sink);
        sink.0.set_conference(input.conference.as_deref());
    }
    sink.0
}

/// Whether a file can be read only once: standard input, a pipe, a device. A path that does not exist is none.
fn is_stream(file: &Path) -> bool {
    is_standard_input(file) || file.metadata().is_ok_and(|metadata| !metadata.is_file())
}

fn is_standard_input(file: &Path) -> bool {
    ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|name| file == Path::new(name))
}

/// An input that can be read only once must not be given twice: its readers would share what it holds.
fn check_streams(files: &[PathBuf]) -> Result<(), Misfit> {
    let mut streams = HashSet::new();
    for file in files.iter().filter(|file| is_stream(file)) {
        let identity = if is_standard_input(file) { None } else { file.metadata().ok().and_then(|at| identity(&at)) };
        if is_standard_input(file) || identity.is_some() {
            let is_new = streams.insert(identity);
            if !is_new {
                let name = records::name_of(file);
                return Err(Misfit(vec![format!("{} can be read only once, but is given twice", printable(&name))]));
            }
        }
    }
    Ok(())
}

/// The device and the number of a file.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// Says which files belong together, and what to do.
fn misfit(files: &[PathBuf], overviews: &[SourceOverview], groups: &[Vec<usize>]) -> Misfit {
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
fn described(file: &Path, overview: &SourceOverview) -> String {
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
    format!("{}: {}", printable(&records::name_of(file)), facts.join(", "))
}
