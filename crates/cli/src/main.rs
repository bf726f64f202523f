//! `callgauge`: call quality from WebRTC getStats recordings.
//! This module parses the arguments and sets the exit status; each command is a module of its own.

mod calls;
mod derived;
mod files;
mod inspect;
mod intervals;
mod output;
mod problems;
mod queue;
mod records;
mod report;
mod score;
mod sources;
mod unpack;
mod wording;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use calls::{CallFiles, Grouping};
use output::{Format, RowFormat, Status};
use sources::InputSource;

/// Call quality from WebRTC getStats recordings.
///
/// FILE is a path, or `-` for standard input. The format is recognised by content: getStats reports, recordings with one
/// snapshot per line or all of them in one JSON document, webrtc-internals dumps, rtcstats dumps of all versions, Jitsi
/// server lines and ObserveRTC samples, plain or gzip.
#[derive(Debug, Parser)]
#[command(name = "callgauge", version, after_help = EXIT_STATUS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Report on one call (conference), built from all files: every connection and stream, worst first.
    ///
    /// Files belong together if they have a conference, a stream (SSRC) or a connection in common, or if their times
    /// overlap and their conferences have no different names. Snapshots that several files have count once. Files that do
    /// not belong together are refused (exit status 2), unless --conference or --each is given. Files whose snapshots are
    /// newest first are sorted.
    Report {
        /// Output format.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        grouping: Grouping,
        #[command(flatten)]
        inputs: FileArguments,
    },
    /// Print one line per stream and interval.
    ///
    /// Files become calls as in `report`.
    Intervals {
        /// Output format.
        #[arg(long, value_enum, default_value_t = RowFormat::Ndjson)]
        format: RowFormat,
        /// In CSV, put an apostrophe before names that a spreadsheet would take for a formula (`=`, `+`, `-`, `@`, tab).
        /// Use it before you open the output of foreign recordings in a spreadsheet.
        #[arg(long)]
        spreadsheet: bool,
        #[command(flatten)]
        grouping: Grouping,
        #[command(flatten)]
        inputs: FileArguments,
    },
    /// Print the derived values of Chromium's webrtc-internals, under the same names, for any input format.
    ///
    /// Files become calls as in `report`. The files of a call are read one after the other, the earliest first.
    Derived {
        #[command(flatten)]
        grouping: Grouping,
        #[command(flatten)]
        inputs: FileArguments,
    },
    /// Compute one score from figures given as options (what-if), with its impairments.
    Score {
        #[command(subcommand)]
        media: score::Media,
    },
    /// Show the format and contents of files, what was skipped or refused and why, and which members were not read.
    Inspect {
        /// Output format; JSON is one object per file and line.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        inputs: FileArguments,
    },
}

/// The files that a command reads.
#[derive(Debug, clap::Args)]
struct FileArguments {
    /// The longest record that is read, a line or a document, in MiB. Reading it takes up to twice as much memory.
    #[arg(long, value_name = "MIB", default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    max_record: u32,
    /// Recordings.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// The part of the help that lists the exit status.
const EXIT_STATUS: &str = "\
Exit status:
  0  done, even if some lines or entries were skipped: standard error counts them
  1  nothing usable: no entry of getStats was read, or too few options for a score; or the output cannot be written
  2  wrong usage, a FILE that cannot be opened, or files of different calls: nothing is printed";

/// The exit status for an input without anything usable.
const NOTHING_USABLE: u8 = 1;
/// The exit status for wrong usage, clap's own, and for files that do not belong together.
const MISUSE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let result = run(arguments.command, &mut out).and_then(|status| out.flush().map(|()| status));
    match result {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::NothingUsable) => ExitCode::from(NOTHING_USABLE),
        Ok(Status::Misuse) => ExitCode::from(MISUSE),
        // The reader of the output has closed it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("callgauge: cannot write: {error}");
            ExitCode::from(NOTHING_USABLE)
        }
    }
}

/// Runs a command. An error is one of writing.
fn run(command: Command, out: &mut dyn Write) -> io::Result<Status> {
    match command {
        Command::Report { format, grouping, inputs } => {
            with_calls(inputs, &grouping, |calls| report::run(format, grouping.each, calls, out))
        }
        Command::Intervals { format, spreadsheet, grouping, inputs } => {
            with_calls(inputs, &grouping, |calls| intervals::run(format, spreadsheet, calls, out))
        }
        Command::Derived { grouping, inputs } => with_calls(inputs, &grouping, |calls| derived::run(calls, out)),
        Command::Score { media } => score::run(&media, out).map(Status::usable),
        Command::Inspect { format, inputs } => {
            inputs.sources().map_or(Ok(Status::Misuse), |files| inspect::run(format, &files, out))
        }
    }
}

impl FileArguments {
    fn sources(self) -> Option<Vec<InputSource>> {
        let max_record = usize::try_from(u64::from(self.max_record) << 20).unwrap_or(usize::MAX);
        sources::sources(self.files, max_record)
    }
}

/// Runs a command on the calls that the files belong to.
fn with_calls(
    inputs: FileArguments,
    grouping: &Grouping,
    run: impl FnOnce(&[CallFiles]) -> io::Result<Status>,
) -> io::Result<Status> {
    let Some(files) = inputs.sources() else { return Ok(Status::Misuse) };
    match calls::group(files, grouping) {
        Ok(calls) => run(&calls),
        Err(misfit) => {
            misfit.print();
            Ok(Status::Misuse)
        }
    }
}
