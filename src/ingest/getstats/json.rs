//! A cursor over JSON text with the operations that the readers need. It builds no tree, and neither allocates nor
//! recurses.
//!
//! It is more lenient than RFC 8259 where that costs nothing and loses nothing:
//! - skipped arrays and objects are checked only for balanced brackets and closed strings, and below 128 levels a
//!   bracket of either type closes the other;
//! - strings may contain control characters; an unknown escape stands for itself, and an unpaired surrogate for
//!   its escape with four lower-case digits, so that two names stay two names;
//! - numbers may begin with zeros and may exceed the range of `f64` (then they are infinite, which no rule accepts);
//! - the words `NaN`, `Infinity` and `-Infinity`, which some native bridges write, count as `null`;
//! - a byte order mark may come first.
//!
//! It is always strict about where a value ends.

use alloc::string::String;
use core::fmt::Write;

use crate::ingest::error::{ReadError, ReadErrorKind};

/// The levels of a skipped value whose brackets are checked to be of the same type. Real reports nest three levels.
const CHECKED_DEPTH: usize = 128;

/// A position in validated text.
#[derive(Clone, Debug)]
pub(in crate::ingest) struct Cursor<'a> {
    text: &'a str,
    pub(in crate::ingest) pos: usize,
}

/// A string between its quotes, with escapes unresolved.
#[derive(Clone, Copy, Debug)]
pub(in crate::ingest) struct RawStr<'a> {
    raw: &'a str,
    escaped: bool,
}

/// The type of the next value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) enum Next {
    Object,
    Array,
    Str,
    Number,
    True,
    False,
    /// `null`, and the words for numbers that JSON lacks.
    Null,
}

impl<'a> Cursor<'a> {
    /// Checks once that `bytes` are UTF-8, and starts before the first value.
    pub(in crate::ingest) fn new(bytes: &'a [u8]) -> Result<Self, ReadError> {
        match core::str::from_utf8(bytes) {
            Ok(text) => Ok(Self::of(text)),
            Err(error) => Err(ReadError::new(error.valid_up_to(), ReadErrorKind::NotUtf8)),
        }
    }

    /// Starts before the first value of `text`, after a byte order mark.
    pub(in crate::ingest) fn of(text: &'a str) -> Self {
        Self { text, pos: if text.starts_with('\u{feff}') { 3 } else { 0 } }
    }

    /// Starts at a position in `text`.
    pub(super) const fn at(text: &'a str, pos: usize) -> Self {
        Self { text, pos }
    }

    pub(in crate::ingest) const fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The text from `start` to the current position.
    pub(in crate::ingest) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.pos).unwrap_or("")
    }

    /// The text between two positions.
    pub(in crate::ingest) fn range(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or("")
    }

    /// Number of bytes from the current position to the end.
    pub(in crate::ingest) const fn rest(&self) -> usize {
        self.text.len().saturating_sub(self.pos)
    }

    /// The next `N` bytes, if available.
    #[inline]
    pub(in crate::ingest) fn window<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.bytes().get(self.pos..)?.first_chunk()
    }

    /// The next byte that is not white space, without consuming it.
    #[inline]
    pub(in crate::ingest) fn peek(&mut self) -> Option<u8> {
        let bytes = self.bytes();
        loop {
            match bytes.get(self.pos) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.pos += 1,
                other => return other.copied(),
            }
        }
    }

    /// Consumes `byte` if it comes next.
    #[inline]
    pub(in crate::ingest) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.pos += usize::from(found);
        found
    }

    #[inline]
    pub(in crate::ingest) fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), ReadError> {
        if self.eat(byte) { Ok(()) } else { Err(self.error(what)) }
    }

    /// The error for a missing `what`, or for the end of the text.
    #[cold]
    pub(in crate::ingest) fn error(&self, what: &'static str) -> ReadError {
        let kind =
            if self.pos >= self.bytes().len() { ReadErrorKind::Truncated } else { ReadErrorKind::Expected(what) };
        ReadError::new(self.pos, kind)
    }

    /// The type of the next value.
    #[inline]
    pub(in crate::ingest) fn next(&mut self) -> Result<Next, ReadError> {
        match self.peek() {
            Some(b'{') => Ok(Next::Object),
            Some(b'[') => Ok(Next::Array),
            Some(b'"') => Ok(Next::Str),
            Some(b't') => Ok(Next::True),
            Some(b'f') => Ok(Next::False),
            Some(b'n' | b'N' | b'I') => Ok(Next::Null),
            Some(b'-') if self.bytes().get(self.pos + 1) == Some(&b'I') => Ok(Next::Null),
            Some(b'-' | b'0'..=b'9') => Ok(Next::Number),
            _ => Err(self.error("a value")),
        }
    }

    /// Advances to the next element of an array or member of an object. Returns true if there is one, and false after
    /// consuming `close`. `first` is true directly after the opening bracket.
    #[inline]
    pub(in crate::ingest) fn more(&mut self, first: &mut bool, close: u8) -> Result<bool, ReadError> {
        if self.eat(close) {
            return Ok(false);
        }
        if !core::mem::replace(first, false) && !self.eat(b',') {
            return Err(self.error(if close == b'}' { "`,` or `}`" } else { "`,` or `]`" }));
        }
        Ok(true)
    }

    /// Reads a member's name and its colon.
    pub(in crate::ingest) fn key(&mut self) -> Result<RawStr<'a>, ReadError> {
        let key = self.string("a member name")?;
        self.expect(b':', "`:`")?;
        Ok(key)
    }

    /// Reads a string without escapes at the exact position; consumes nothing otherwise.
    #[inline(always)]
    pub(in crate::ingest) fn plain_string(&mut self) -> Option<&'a str> {
        let bytes = self.bytes();
        if bytes.get(self.pos) != Some(&b'"') {
            return None;
        }
        let start = self.pos + 1;
        let end = find_quote_or_backslash(bytes, start);
        if bytes.get(end) != Some(&b'"') {
            return None;
        }
        self.pos = end + 1;
        self.text.get(start..end)
    }

    /// Reads `true` or `false` at the exact position; consumes nothing otherwise.
    #[inline(always)]
    pub(in crate::ingest) fn plain_bool(&mut self) -> Option<bool> {
        let rest = self.bytes().get(self.pos..)?;
        let value = rest.starts_with(b"true");
        if !value && !rest.starts_with(b"false") {
            return None;
        }
        self.pos += if value { 4 } else { 5 };
        Some(value)
    }

    /// Reads a string.
    #[inline]
    pub(in crate::ingest) fn string(&mut self, what: &'static str) -> Result<RawStr<'a>, ReadError> {
        self.expect(b'"', what)?;
        let start = self.pos;
        let mut escaped = false;
        loop {
            self.pos = find_quote_or_backslash(self.bytes(), self.pos);
            match self.bytes().get(self.pos) {
                Some(b'"') => break,
                Some(_) => {
                    escaped = true;
                    self.pos += 2;
                }
                None => return Err(ReadError::new(self.bytes().len(), ReadErrorKind::Truncated)),
            }
        }
        let raw = self.text.get(start..self.pos).unwrap_or("");
        self.pos += 1;
        Ok(RawStr { raw, escaped })
    }

    /// Reads a number, correctly rounded.
    #[inline(always)]
    pub(in crate::ingest) fn number(&mut self) -> Result<f64, ReadError> {
        match self.plain_number() {
            Some(value) => Ok(value),
            None => self.rounded_number(),
        }
    }

    /// Reads a number without sign and exponent at the exact position; consumes nothing otherwise.
    #[inline(always)]
    pub(in crate::ingest) fn plain_number(&mut self) -> Option<f64> {
        let rest = self.bytes().get(self.pos..)?;
        if let [digit @ b'0'..=b'9', b',' | b'}', ..] = rest {
            self.pos += 1;
            return Some(f64::from(digit - b'0'));
        }
        let mut digits = Digits { value: 0, end: 0, after: 0 };
        digits.append(rest)?;
        let mut power = 1.0;
        if digits.after == b'.' {
            digits.end += 1;
            let point = digits.end;
            digits.append(rest)?;
            power = *POWERS.get(digits.end - point)?;
        }
        if matches!(digits.after, b'e' | b'E') {
            return None;
        }
        // Nineteen digits do not overflow.
        if digits.end > 19 || digits.value > 1 << 53 {
            return self.long_number(digits.end);
        }
        self.pos += digits.end;
        // Both operands are exact and the division rounds once (Clinger 1990), so the result is the nearest f64.
        Some(digits.value as i64 as f64 / power)
    }

    /// Reads a number of the given length in bytes, with more digits than an `f64` holds exactly.
    #[inline(never)]
    fn long_number(&mut self, length: usize) -> Option<f64> {
        let value = self.text.get(self.pos..self.pos + length)?.parse().ok()?;
        self.pos += length;
        Some(value)
    }

    /// Reads any number.
    #[cold]
    fn rounded_number(&mut self) -> Result<f64, ReadError> {
        let text = self.number_text()?;
        text.parse().map_err(|_| ReadError::new(self.pos - text.len(), ReadErrorKind::Expected("a number")))
    }

    /// Reads the text of a number.
    fn number_text(&mut self) -> Result<&'a str, ReadError> {
        self.peek();
        let start = self.pos;
        self.pos += usize::from(self.bytes().get(start) == Some(&b'-'));
        self.skip_digits("a number")?;
        if self.bytes().get(self.pos) == Some(&b'.') {
            self.pos += 1;
            self.skip_digits("a digit")?;
        }
        if let Some(b'e' | b'E') = self.bytes().get(self.pos) {
            self.pos += 1;
            self.pos += usize::from(matches!(self.bytes().get(self.pos), Some(b'+' | b'-')));
            self.skip_digits("a digit")?;
        }
        Ok(self.since(start))
    }

    /// Skips one or more digits.
    fn skip_digits(&mut self, what: &'static str) -> Result<(), ReadError> {
        let start = self.pos;
        while self.bytes().get(self.pos).is_some_and(u8::is_ascii_digit) {
            self.pos += 1;
        }
        if self.pos > start { Ok(()) } else { Err(self.error(what)) }
    }

    /// Consumes `true`, `false`, `null`, `NaN`, `Infinity` or `-Infinity`.
    pub(in crate::ingest) fn word(&mut self) -> Result<(), ReadError> {
        self.peek();
        let rest = self.bytes().get(self.pos..).unwrap_or(&[]);
        let word = match rest.first() {
            Some(b't') => "true",
            Some(b'f') => "false",
            Some(b'n') => "null",
            Some(b'N') => "NaN",
            Some(b'I') => "Infinity",
            _ => "-Infinity",
        };
        if rest.starts_with(word.as_bytes()) {
            self.pos += word.len();
            return Ok(());
        }
        Err(if word.as_bytes().starts_with(rest) {
            ReadError::new(self.bytes().len(), ReadErrorKind::Truncated)
        } else {
            self.error("a value")
        })
    }

    /// Skips one value of any type.
    pub(in crate::ingest) fn skip(&mut self) -> Result<(), ReadError> {
        match self.next()? {
            Next::Object | Next::Array => self.skip_nested(),
            Next::Str => self.string("a string").map(drop),
            Next::Number => self.number_text().map(drop),
            _ => self.word(),
        }
    }

    /// Reads the next value with `read`, and skips it if that fails. Returns whether it was read.
    #[inline]
    pub(in crate::ingest) fn read_or_skip(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(), ReadError>,
    ) -> Result<bool, ReadError> {
        let start = self.pos;
        let is_read = read(self).is_ok();
        if !is_read {
            self.pos = start;
            self.skip()?;
        }
        Ok(is_read)
    }

    /// Skips an object or array of any depth. One bit per level records the open bracket's type, and below
    /// [`CHECKED_DEPTH`] levels brackets are only counted, so that hostile nesting costs nothing.
    fn skip_nested(&mut self) -> Result<(), ReadError> {
        let (mut open, mut depth) = (0_u128, 0_usize);
        loop {
            if let Some(text) = self.window() {
                let far = ahead(u64::from_le_bytes(*text));
                self.pos += far;
                if far == size_of::<u64>() {
                    continue;
                }
            }
            let byte = self.bytes().get(self.pos).copied().ok_or_else(|| self.error("a value"))?;
            match byte {
                b'"' => {
                    self.string("a string")?;
                    continue;
                }
                b'{' | b'[' => {
                    if depth < CHECKED_DEPTH {
                        open = open << 1 | u128::from(byte == b'{');
                    }
                    depth += 1;
                }
                b'}' | b']' => {
                    if depth <= CHECKED_DEPTH {
                        if (open & 1 == 1) != (byte == b'}') {
                            return Err(self.error(if byte == b'}' { "`]`" } else { "`}`" }));
                        }
                        open >>= 1;
                    }
                    depth -= 1;
                }
                _ => {}
            }
            self.pos += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Checks that only white space is left.
    pub(in crate::ingest) fn end(&mut self) -> Result<(), ReadError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error("the end")),
        }
    }
}

impl<'a> RawStr<'a> {
    /// The text, unescaped into `buffer` if it has escapes.
    #[inline]
    pub(in crate::ingest) fn get<'s>(self, buffer: &'s mut String) -> &'s str
    where
        'a: 's,
    {
        if !self.escaped {
            return self.raw;
        }
        buffer.clear();
        unescape(self.raw, buffer);
        buffer
    }

    /// Appends the text, unescaped.
    pub(in crate::ingest) fn append_to(self, out: &mut String) {
        unescape(self.raw, out);
    }

    /// The text between the quotes, with escapes unresolved.
    pub(in crate::ingest) const fn raw(self) -> &'a str {
        self.raw
    }

    /// The text between the quotes, if it has no escapes.
    #[inline]
    pub(in crate::ingest) fn plain(self) -> Option<&'a str> {
        (!self.escaped).then_some(self.raw)
    }

    /// Whether the unescaped text equals `text`, which must need no escapes.
    pub(in crate::ingest) fn is(self, text: &str) -> bool {
        self.plain() == Some(text)
    }
}

/// How many of eight bytes of text come before the first that may be a quote or a bracket.
#[inline(always)]
const fn ahead(text: u64) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    /// The high bit of each byte that is zero; the lowest such bit is exact.
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & ONES << 7
    }
    // The four brackets, and few other bytes, become 0x7f by these bits.
    let quotes = zeros(text ^ (ONES * b'"' as u64));
    let brackets = zeros((text | (ONES * 0x26)) ^ (ONES * 0x7f));
    (quotes | brackets).trailing_zeros() as usize / 8
}

/// Calls `read` for each member of the object at `cursor`; `read` must consume the value.
pub(in crate::ingest) fn members<'a>(
    cursor: &mut Cursor<'a>,
    mut read: impl FnMut(&mut Cursor<'a>, RawStr<'a>, Next) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    cursor.expect(b'{', "`{`")?;
    let mut first = true;
    while cursor.more(&mut first, b'}')? {
        let key = cursor.key()?;
        let next = cursor.next()?;
        read(cursor, key, next)?;
    }
    Ok(())
}

/// Calls `read` for each element of the array at `cursor`; `read` must consume it.
pub(in crate::ingest) fn elements<'a>(
    cursor: &mut Cursor<'a>,
    mut read: impl FnMut(&mut Cursor<'a>, Next) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    cursor.expect(b'[', "`[`")?;
    let mut first = true;
    while cursor.more(&mut first, b']')? {
        let next = cursor.next()?;
        read(cursor, next)?;
    }
    Ok(())
}

/// Appends `raw` to `out` with its escapes resolved. An unpaired surrogate is copied in lower case; of an unknown escape the
/// character after the backslash is copied.
fn unescape(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let mut chars = rest[at + 1..].chars();
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let (unit, after) = code_unit(chars.as_str());
                chars = after.chars();
                let decoded = match unit {
                    Some(high @ 0xd800..=0xdbff) => {
                        let low = after.strip_prefix("\\u").map(code_unit);
                        match low {
                            Some((Some(low @ 0xdc00..=0xdfff), after)) => {
                                chars = after.chars();
                                char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
                            }
                            _ => None,
                        }
                    }
                    Some(unit) => char::from_u32(unit),
                    None => None,
                };
                match (decoded, unit) {
                    (Some(decoded), _) => out.push(decoded),
                    (None, Some(surrogate)) => _ = write!(out, "\\u{surrogate:04x}"),
                    (None, None) => out.push(char::REPLACEMENT_CHARACTER),
                }
            }
            Some(other) => out.push(other),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

/// Parses four hexadecimal digits; returns also the text after them.
fn code_unit(text: &str) -> (Option<u32>, &str) {
    match text.get(..4) {
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            (u32::from_str_radix(hex, 16).ok(), &text[4..])
        }
        _ => (None, text),
    }
}

/// 10⁰ to 10²², all exact in an `f64`.
static POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The digits of a number read so far.
struct Digits {
    value: u64,
    /// The position after the digits.
    end: usize,
    /// The byte at that position.
    after: u8,
}

impl Digits {
    /// Appends the digits from `self.end` on, eight bytes at a time. `None` if there are none, or if the text ends too
    /// early to decide.
    #[inline(always)]
    fn append(&mut self, text: &[u8]) -> Option<()> {
        const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
        let start = self.end;
        loop {
            let bytes = u64::from_le_bytes(*text.get(self.end..)?.first_chunk()?);
            let word = bytes ^ u64::from_ne_bytes([b'0'; 8]);
            // The high bit marks bytes above 9; a carry affects only bytes after such a byte.
            let others = (word.wrapping_add(u64::from_ne_bytes([0x76; 8])) | word) & HIGH;
            if others == 0 {
                self.value = self.value.wrapping_mul(100_000_000).wrapping_add(eight(word));
                self.end += 8;
                continue;
            }
            let bits = others.trailing_zeros() & 56;
            self.after = (bytes >> bits) as u8;
            let count = bits as usize / 8;
            self.end += count;
            if count > 0 {
                // As if zeros preceded the digits.
                let value = eight(word << (64 - bits));
                self.value = self.value.wrapping_mul(SHIFTS[count]).wrapping_add(value);
            }
            return (self.end > start).then_some(());
        }
    }
}

/// The value of eight digits, the first one in the lowest byte: combines two, four and eight of them at once.
#[inline(always)]
const fn eight(word: u64) -> u64 {
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8);
    let low = (pairs & 0xff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let high = (pairs >> 16 & 0xff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    low.wrapping_add(high) >> 32
}

/// 10⁰ to 10⁷: the factor by which that many digits shift a number to the left.
static SHIFTS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The position of the first `"` or `\` at or after `from`, or of the end: eight bytes at a time.
#[inline]
fn find_quote_or_backslash(bytes: &[u8], from: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    // A byte of `word ^ pattern` is zero where the byte matches; the lowest set bit marks the first match.
    const fn zero_bytes(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGH
    }
    let rest = bytes.get(from..).unwrap_or(&[]);
    let mut at = from;
    for chunk in rest.as_chunks::<8>().0 {
        let word = u64::from_le_bytes(*chunk);
        let found = zero_bytes(word ^ (ONES * b'"' as u64)) | zero_bytes(word ^ (ONES * b'\\' as u64));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\') {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{format, vec::Vec};

    /// Reads a number followed by `tail`: numbers at the end of a text take another path.
    fn number(text: &str, tail: &str) -> Option<f64> {
        let text = format!("{text}{tail}");
        let mut cursor = Cursor::of(&text);
        let value = cursor.number().ok()?;
        (cursor.pos == text.len() - tail.len()).then_some(value)
    }

    proptest! {
        #[test]
        fn no_quote_or_bracket_is_passed(text in prop::array::uniform8(prop_oneof![any::<u8>(), prop::sample::select(&b"\"{}[] 1,:Yy_"[..])])) {
            let first = text.iter().position(|byte| b"\"{}[]".contains(byte)).unwrap_or(8);
            let ahead = ahead(u64::from_le_bytes(text));
            prop_assert!(ahead <= first);
            // Few other bytes stop it, and none of a number.
            prop_assert!(ahead == first || b"Yy_\x7f".contains(&text[ahead]), "{:?}", text);
        }
    }

    proptest! {
        #[test]
        fn numbers_are_rounded_as_the_standard_library_rounds(value in any::<f64>(), digits in 0_usize..25) {
            prop_assume!(value.is_finite());
            for text in [format!("{value}"), format!("{value:e}"), format!("{value:.digits$}")] {
                let text = text.replace("inf", "0");
                for tail in ["", ",\"jitter\":0", "}]             "] {
                    prop_assert_eq!(number(&text, tail), text.parse().ok(), "{}", text);
                }
            }
        }

        #[test]
        fn short_decimals_are_rounded_as_the_standard_library_rounds(
            sign in "-?",
            whole in "0|[1-9][0-9]{0,19}",
            fraction in "(\\.[0-9]{1,23})?",
        ) {
            let text = format!("{sign}{whole}{fraction}");
            for tail in ["", ",\"jitter\":0", "}]             "] {
                prop_assert_eq!(number(&text, tail), text.parse().ok(), "{}", text);
            }
        }

        #[test]
        fn strings_unescape_as_serde_json_does(text in any::<String>()) {
            let encoded = serde_json::to_string(&text).unwrap();
            let mut buffer = String::new();
            let mut cursor = Cursor::of(&encoded);
            prop_assert_eq!(cursor.string("a string").unwrap().get(&mut buffer), text);
            prop_assert!(cursor.end().is_ok());
        }

        #[test]
        fn skipping_ends_where_the_value_ends(depth in 0_usize..40, tail in "[a-z]{0,9}") {
            let value = format!("{}[1,\"]}}\\\"\",null]{}", "{\"a\":[".repeat(depth), "]}".repeat(depth));
            let text = format!("{value}{tail}");
            let mut cursor = Cursor::of(&text);
            cursor.skip().unwrap();
            prop_assert_eq!(cursor.pos, value.len());
        }

        #[test]
        fn any_bytes_give_a_result(bytes in any::<Vec<u8>>()) {
            if let Ok(mut cursor) = Cursor::new(&bytes) {
                let _ = cursor.skip();
                prop_assert!(cursor.pos <= bytes.len() + 1);
            }
        }
    }

    #[test]
    fn escapes_that_serde_json_refuses_still_read() {
        let mut buffer = String::new();
        for (raw, meant) in [(r#""\ud83d\ude00""#, "😀"), (r#""\uD83d!""#, r"\ud83d!"), (r#""\uzz""#, "\u{fffd}zz")] {
            assert_eq!(Cursor::of(raw).string("a string").unwrap().get(&mut buffer), meant);
        }
    }

    #[test]
    fn values_of_any_depth_are_skipped_to_their_end() {
        for depth in [CHECKED_DEPTH - 1, CHECKED_DEPTH, CHECKED_DEPTH + 1, 1_000_000] {
            let text = format!("{}1{},", "{\"a\":[".repeat(depth), "]}".repeat(depth));
            let mut cursor = Cursor::of(&text);
            cursor.skip().unwrap();
            assert_eq!(cursor.pos, text.len() - 1, "{depth}");
        }
        let error = Cursor::of(&"[".repeat(1_000_000)).skip().unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ReadErrorKind::Truncated, 1_000_000));
        // The outer levels are checked after deep ones too.
        let text = format!("{}{}}}", "[".repeat(400), "]".repeat(399));
        assert_eq!(Cursor::of(&text).skip().unwrap_err().offset(), 799);
    }

    #[test]
    fn words_for_non_json_numbers_read_as_null() {
        for word in ["NaN", "Infinity", "-Infinity", "null"] {
            let mut cursor = Cursor::of(word);
            assert_eq!(cursor.next(), Ok(Next::Null), "{word}");
            assert!(cursor.word().and_then(|()| cursor.end()).is_ok(), "{word}");
        }
    }
}
