//! `callgauge`: call quality from WebRTC getStats recordings.
//! This module parses the arguments and sets the exit status; each command is a module of its own.

mod derived;
mod files;
mod inspect;
mod intervals;
mod output;
mod paths;
mod problems;
mod records;
mod report;
mod score;
mod unpack;
mod wording;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{Format, RowFormat};

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
    Report {
        /// Output format.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// Name of the conference [default: the name in the input].
        #[arg(long, value_name = "ID")]
        conference: Option<String>,
        /// Recordings of the same conference.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print one line per stream and interval.
    Intervals {
        /// Output format.
        #[arg(long, value_enum, default_value_t = RowFormat::Ndjson)]
        format: RowFormat,
        /// Recordings of the same conference.
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
  2  wrong usage, or a FILE that cannot be opened";

/// The exit status for an input without anything usable.
const NOTHING_USABLE: u8 = 1;
/// The exit status for wrong usage; clap's own.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !paths::can_be_opened(arguments.command.files()) {
        return ExitCode::from(WRONG_USAGE);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let result = run(arguments.command, &mut out).and_then(|usable| out.flush().map(|()| usable));
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NOTHING_USABLE),
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

/// Runs a command. Returns whether the input held anything usable; an error is one of writing.
fn run(command: Command, out: &mut dyn Write) -> io::Result<bool> {
    match command {
        Command::Report { format, conference, files } => report::run(format, conference.as_deref(), &files, out),
        Command::Intervals { format, files } => intervals::run(format, &files, out),
        Command::Derived { files } => derived::run(&files, out),
        Command::Score { media } => score::run(&media, out),
        Command::Inspect { format, files } => inspect::run(format, &files, out),
    }
}
