//! Divides a text into documents, and completes one that was cut off. It reads no values.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::ReadError;
use super::getstats::json::Cursor;

/// The documents of a text, one after the other, with nothing but white space between them. An error ends them: its
/// offset is that in the text.
///
/// ```
/// use callgauge::ingest::documents;
///
/// let parts: Vec<_> = documents("{\"a\":\n1}\n[2]\nend").collect();
/// assert_eq!((parts[0], parts[1]), (Ok("{\"a\":\n1}"), Ok("[2]")));
/// assert_eq!((parts[2].unwrap_err().offset(), parts.len()), (13, 3));
/// ```
pub fn documents(text: &str) -> impl Iterator<Item = Result<&str, ReadError>> {
    let mut cursor = Some(Cursor::of(text));
    core::iter::from_fn(move || {
        let mut at = cursor.take()?;
        at.peek()?;
        let start = at.pos;
        let skipped = at.skip();
        Some(skipped.map(|()| {
            let document = at.since(start);
            cursor = Some(at);
            document
        }))
    })
}

/// The beginning of a document that was cut off, up to its last whole value, with what closes it. `None` if nothing is
/// open at the end of the text.
///
/// ```
/// use callgauge::ingest::completed;
///
/// assert_eq!(completed(r#"{"a":[1,{"b":2,"c":"x"#).as_deref(), Some(r#"{"a":[1,{"b":2}]}"#));
/// assert_eq!(completed("[1]"), None);
/// ```
#[must_use]
pub fn completed(text: &str) -> Option<String> {
    let mut open = Vec::new();
    let mut end = 0;
    let mut cursor = Cursor::of(text);
    while let Some(byte) = cursor.peek() {
        match byte {
            b'"' if cursor.string("a string").is_ok() => continue,
            b'"' => break,
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' if open.pop() != Some(byte) => return None,
            // Of a character that has several bytes, none is any of these.
            b'}' | b']' | b',' => {}
            _ => {
                cursor.pos += 1;
                continue;
            }
        }
        // What stands before a comma is whole.
        end = cursor.pos + usize::from(byte != b',');
        cursor.pos += 1;
    }
    if open.is_empty() {
        return None;
    }
    let mut whole = String::from(text.get(..end)?);
    whole.extend(open.iter().rev().map(|&close| char::from(close)));
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn every_beginning_of_a_document_is_completed() {
        let text = r#"{"a":[1,"é]",{"b\"":{}},[],-2.5e3],"c":null,"d":{"e":"f"}}"#;
        let mut last = 0;
        for (end, _) in text.char_indices().skip(1) {
            let whole = completed(&text[..end]).unwrap();
            let value: serde_json::Value =
                serde_json::from_str(&whole).unwrap_or_else(|error| panic!("{whole}: {error}"));
            // More text never gives less.
            let size = format!("{value}").len();
            assert!(size >= last && whole.len() <= text.len() + 8, "{whole}");
            last = size;
        }
        assert_eq!(completed(text), None);
        assert_eq!(completed("[}"), None);
        assert_eq!(completed(&"[".repeat(100_000)).unwrap().len(), 200_000);
    }
}
