//! `callgauge`: what a getStats recording says about a call.

mod derived;
mod files;
mod inspect;
mod intervals;
mod output;
mod problems;
mod records;
mod report;
mod score;
mod wording;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{Format, RowFormat};

/// What a getStats recording says about a call.
///
/// FILE is a path, or `-` for standard input. Formats are recognised by content: getStats reports, recordings of one
/// snapshot a line, webrtc-internals dumps, rtcstats dumps of every version, jitsi's server lines, ObserveRTC samples;
/// each plain or gzip.
#[derive(Debug, Parser)]
#[command(name = "callgauge", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One conference built from all files: how every stream did, worst first.
    Report {
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// The conference's name, where the input does not say it or says it wrong.
        #[arg(long, value_name = "ID")]
        conference: Option<String>,
        /// The recordings.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// A line per stream and interval.
    Intervals {
        /// How to print them.
        #[arg(long, value_enum, default_value_t = RowFormat::Ndjson)]
        format: RowFormat,
        /// The recordings.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// The derived values of Chromium's webrtc-internals, under the same names, for any input.
    Derived {
        /// The recordings.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// What-if: one score from figures given as options, with all that made it.
    Score {
        #[command(subcommand)]
        what: score::What,
    },
    /// What a file is, what is inside, and what was skipped and why.
    Inspect {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// The process's exit status for an input that holds nothing to use.
const NOTHING_USABLE: u8 = 1;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let result = run(arguments.command, &mut out).and_then(|usable| out.flush().map(|()| usable));
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NOTHING_USABLE),
        // Whoever reads the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("callgauge: cannot write: {error}");
            ExitCode::from(NOTHING_USABLE)
        }
    }
}

/// Runs a command. Whether anything in the input was usable; an error is one of writing.
fn run(command: Command, out: &mut dyn Write) -> io::Result<bool> {
    match command {
        Command::Report { format, conference, files } => report::run(format, conference.as_deref(), &files, out),
        Command::Intervals { format, files } => intervals::run(format, &files, out),
        Command::Derived { files } => derived::run(&files, out),
        Command::Score { what } => score::run(&what, out),
        Command::Inspect { file } => inspect::run(&file, out),
    }
}
