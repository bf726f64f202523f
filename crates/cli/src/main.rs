//! `callgauge`: call quality from WebRTC getStats recordings.
//! This module parses the arguments and sets the exit status; each command is a module of its own.

mod calls;
mod derived;
mod files;
mod inspect;
mod intervals;
mod output;
mod paths;
mod problems;
mod queue;
mod records;
mod report;
mod score;
mod unpack;
mod wording;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use calls::{CallFiles, Grouping};
use output::{Format, RowFormat, Status};

/// Call quality from WebRTC getStats recordings.
///
/// FILE is a path, or `-` for standard input. The format is recognised by content: getStats reports, recordings with one
/// snapshot per line, webrtc-internals dumps, rtcstats dumps of all versions, Jitsi server lines and ObserveRTC samples,
/// plain or gzip.
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
        /// Recordings of the same conference.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
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
        /// Recordings of the same conference, or of several with --each.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print the derived values of Chromium's webrtc-internals, under the same names, for any input format.
    Derived {
        /// Recordings.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
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
        /// Recordings.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// The part of the help that lists the exit status.
const EXIT_STATUS: &str = "\
Exit status:
  0  done, even if some lines or entries were skipped: standard error counts them
  1  nothing usable: no entry of getStats was read
  2  wrong usage, a FILE that cannot be opened, or files of different calls";

/// The exit status for an input without anything usable.
const NOTHING_USABLE: u8 = 1;
/// The exit status for wrong usage, clap's own, and for files that do not belong together.
const MISUSE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !paths::can_be_opened(arguments.command.files()) {
        return ExitCode::from(MISUSE);
    }
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

impl Command {
    fn files(&self) -> &[PathBuf] {
        match self {
            Self::Report { files, .. }
            | Self::Intervals { files, .. }
            | Self::Derived { files }
            | Self::Inspect { files, .. } => files,
            Self::Score { .. } => &[],
        }
    }
}

/// Runs a command. An error is one of writing.
fn run(command: Command, out: &mut dyn Write) -> io::Result<Status> {
    match command {
        Command::Report { format, grouping, files } => {
            with_calls(&files, &grouping, |calls| report::run(format, grouping.each, calls, out))
        }
        Command::Intervals { format, spreadsheet, grouping, files } => {
            with_calls(&files, &grouping, |calls| intervals::run(format, spreadsheet, calls, out))
        }
        Command::Derived { files } => derived::run(&files, out).map(Status::usable),
        Command::Score { media } => score::run(&media, out).map(Status::usable),
        Command::Inspect { format, files } => inspect::run(format, &files, out).map(Status::usable),
    }
}

/// Runs a command on the calls that the files belong to.
fn with_calls(
    files: &[PathBuf],
    grouping: &Grouping,
    run: impl FnOnce(&[CallFiles]) -> io::Result<Status>,
) -> io::Result<Status> {
    match calls::group(files, grouping) {
        Ok(calls) => run(&calls),
        Err(misfit) => {
            misfit.print();
            Ok(Status::Misuse)
        }
    }
}
