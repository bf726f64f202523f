//! How results are printed: the formats, and a page of text with a width and, on a terminal, a style.
//! It lays out and styles what other modules say, and says nothing itself.

use std::io::{self, Write};

use clap::ValueEnum;
use console::{Style, Term, measure_text_width, truncate_str};

/// The format of a result that a person or a program reads.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// The format of a table.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RowFormat {
    Ndjson,
    Csv,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Done,
    /// The input held nothing usable.
    NothingUsable,
    /// Wrong usage, or files that do not belong together.
    Misuse,
}

impl Status {
    pub(crate) fn usable(is_usable: bool) -> Self {
        if is_usable { Self::Done } else { Self::NothingUsable }
    }
}

/// Columns of a line where standard output is no terminal.
const PLAIN_WIDTH: usize = 80;
/// Columns of a line on a terminal, at least: the bars need them.
const MIN_WIDTH: usize = 60;
/// Columns of a line on a terminal, at most: longer lines are hard to read.
const MAX_WIDTH: usize = 120;
/// Columns by which a wrapped line is indented further.
const HANG: usize = 2;

/// Text in lines of limited width.
pub(crate) struct Page<'a> {
    out: &'a mut dyn Write,
    width: usize,
    is_styled: bool,
}

impl<'a> Page<'a> {
    /// A page on standard output, to which `out` writes. It is styled only on a terminal, unless `NO_COLOR` is set or
    /// `CLICOLOR` is 0; elsewhere its width is fixed.
    pub(crate) fn stdout(out: &'a mut dyn Write) -> Self {
        let terminal = Term::stdout();
        let columns = terminal.size_checked().map(|(_, columns)| usize::from(columns));
        Self {
            out,
            width: columns.map_or(PLAIN_WIDTH, |columns| columns.clamp(MIN_WIDTH, MAX_WIDTH)),
            is_styled: terminal.is_term() && console::colors_enabled(),
        }
    }

    /// A page without style, of fixed width.
    #[cfg(test)]
    pub(crate) fn plain(out: &'a mut dyn Write) -> Self {
        Self { out, width: PLAIN_WIDTH, is_styled: false }
    }

    /// Columns of a line.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// A line in bold.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.lines(0, &wrap(&[text], "", self.room(0)), &Style::new().bold())
    }

    /// A sentence.
    pub(crate) fn line(&mut self, indent: usize, text: &str) -> io::Result<()> {
        self.lines(indent, &wrap(&[text], "", self.room(indent)), &Style::new())
    }

    /// A sentence beside a lead of fixed width, such as a bar; the lead alone has the style.
    pub(crate) fn item(&mut self, lead: &str, style: &Style, text: &str) -> io::Result<()> {
        let indent = measure_text_width(lead);
        let lead = style.apply_to(lead).force_styling(self.is_styled);
        for (index, line) in wrap(&[text], "", self.room(indent)).iter().enumerate() {
            if index == 0 {
                writeln!(self.out, "{lead}{line}")?;
            } else {
                writeln!(self.out, "{:indent$}{:HANG$}{line}", "", "")?;
            }
        }
        Ok(())
    }

    /// Facts with a separator between them: a line is broken inside a fact only if the fact is longer than the line.
    pub(crate) fn facts(&mut self, indent: usize, facts: &[String], separator: &'static str) -> io::Result<()> {
        let facts: Vec<&str> = facts.iter().map(String::as_str).collect();
        self.lines(indent, &wrap(&facts, separator, self.room(indent)), &Style::new())
    }

    fn lines(&mut self, indent: usize, lines: &[String], style: &Style) -> io::Result<()> {
        for (index, line) in lines.iter().enumerate() {
            let indent = if index == 0 { indent } else { indent + HANG };
            writeln!(self.out, "{:indent$}{}", "", style.apply_to(line).force_styling(self.is_styled))?;
        }
        Ok(())
    }

    /// Columns beside an indent, in every line of an entry.
    fn room(&self, indent: usize) -> usize {
        self.width.saturating_sub(indent + HANG)
    }
}

/// A part of a line that is not broken.
struct Piece<'a> {
    /// What stands between it and the piece before it in the same line.
    glue: &'static str,
    text: &'a str,
}

/// Lines of at most `width` columns out of parts with a separator between them.
fn wrap(parts: &[&str], separator: &'static str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let glue = if index == 0 { "" } else { separator };
        break_up(part, glue, width, &mut pieces);
    }
    let mut lines: Vec<String> = Vec::new();
    let mut columns = 0;
    for (index, piece) in pieces.iter().enumerate() {
        // A comma stays on the line of the piece before it.
        let comma = pieces.get(index + 1).map_or("", |next| next.glue.trim_end());
        let needed = measure_text_width(piece.text) + measure_text_width(comma);
        let glue = measure_text_width(piece.glue);
        match lines.last_mut() {
            Some(line) if columns + glue + needed <= width => {
                *line += piece.glue;
                *line += piece.text;
                columns += glue + measure_text_width(piece.text);
            }
            last => {
                if let Some(line) = last {
                    *line += piece.glue.trim_end();
                }
                lines.push(piece.text.to_owned());
                columns = measure_text_width(piece.text);
            }
        }
    }
    lines
}

/// A part whole if it fits into a line, else its words, else the columns of a word.
fn break_up<'a>(part: &'a str, glue: &'static str, width: usize, pieces: &mut Vec<Piece<'a>>) {
    // A comma may follow.
    let width = width.saturating_sub(1).max(1);
    if measure_text_width(part) <= width {
        return pieces.push(Piece { glue, text: part });
    }
    let mut glue = glue;
    for mut word in words(part) {
        while measure_text_width(word) > width {
            let head = truncate_str(word, width, "").len();
            // A character that is wider than the line stands alone.
            let head = if head == 0 { word.chars().next().map_or(word.len(), char::len_utf8) } else { head };
            let (text, rest) = word.split_at_checked(head).unwrap_or((word, ""));
            pieces.push(Piece { glue, text });
            (glue, word) = ("", rest);
        }
        pieces.push(Piece { glue, text: word });
        glue = " ";
    }
}

/// The words of a text. A number stays with the word that follows it, mostly its unit.
fn words(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    let mut start = 0;
    for (space, _) in text.match_indices(' ') {
        let Some(word) = text.get(start..space) else { continue };
        if !word.is_empty() && !word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            words.push(word);
            start = space + 1;
        }
    }
    words.extend(text.get(start..));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_page() {
        let long = "x".repeat(200);
        let wide = "話".repeat(90);
        for text in
            ["", "a", "  two  spaces ", "the loss was 5 % in all of 12 min 30 s", &long, &wide, "1 2 3 4 5 6 7 8 9 10"]
        {
            for width in [8, 20, 80] {
                let lines = wrap(&[text, text, text], ", ", width);

                assert!(lines.iter().all(|line| measure_text_width(line) <= width), "{width}: {lines:?}");
                let letters = |text: &str| text.replace([' ', ','], "");
                assert_eq!(letters(&lines.concat()), letters(text).repeat(3));
            }
        }
    }

    #[test]
    fn a_number_stays_with_its_unit() {
        assert_eq!(words("lost 4.7 % in 12 s"), ["lost", "4.7 %", "in", "12 s"]);
        assert_eq!(wrap(&["lost 4.7 % of all"], "", 10), ["lost 4.7 %", "of all"]);
    }

    #[test]
    fn a_line_breaks_between_facts() {
        assert_eq!(wrap(&["muted 3 s", "paused 4 s", "2 resets"], ", ", 22), ["muted 3 s, paused 4 s,", "2 resets"]);
    }

    #[test]
    fn only_a_styled_page_has_escape_codes() {
        for is_styled in [false, true] {
            let mut out = Vec::new();
            let mut page = Page { out: &mut out, width: PLAIN_WIDTH, is_styled };
            page.heading("Heading").unwrap();
            page.item("  severe  ", &Style::new().red(), "text").unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.contains('\u{1b}'), is_styled, "{text}");
            assert!(text.ends_with("text\n"));
        }
    }
}
