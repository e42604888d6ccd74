//! The comments of a file, for what is said in them: `// lockcheck: allow(..)`.
//!
//! The parser drops comments, so they are taken from the text itself. Guarantees: strings are never taken for
//! comments on a text that tokenizes. Misses: doc comments on purpose, they are documentation; comments behind a
//! quote that nobody closes.

use super::prepare::prepare;
use super::shape::{Lines, Scanner, Shape};
use super::tree::Span;

/// A comment that is not documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// From its first slash to the end of its line, or to behind `*/`.
    pub span: Span,
    /// What it says, without the slashes and stars around it and without outer white space.
    pub text: String,
}

/// The comments of a file in order. Linear; callers skip files without the word they look for.
pub fn comments(text: &str) -> Vec<Comment> {
    let text = prepare(text);
    let lines = Lines::new(&text);
    let mut comments = Vec::new();
    let mut scanner = Scanner::new(&text);
    while let Some((start, shape)) = scanner.next() {
        if shape != Shape::Comment {
            continue;
        }
        let end = scanner.offset();
        let Some(written) = text.get(start..end).map(str::trim_end) else { continue };
        if is_documentation(written) {
            continue;
        }
        let inner = match written.strip_prefix("/*") {
            Some(block) => block.strip_suffix("*/").unwrap_or(block),
            None => &written[2..],
        };
        let span = lines.span(&text, start..start + written.len());
        comments.push(Comment { span, text: inner.trim().to_owned() });
    }
    comments
}

/// `///` and `//!`, `/**` and `/*!`; four slashes, three stars and `/**/` are no documentation.
fn is_documentation(comment: &str) -> bool {
    let bytes = comment.as_bytes();
    match bytes {
        [b'/', _, b'!', ..] => true,
        [b'/', b'/', b'/', rest @ ..] => rest.first() != Some(&b'/'),
        [b'/', b'*', b'*', rest @ ..] => !matches!(rest.first(), Some(b'*' | b'/')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::comments;

    fn found(text: &str) -> Vec<(u32, u32, u32, String)> {
        let at = |c: super::Comment| (c.span.start.line, c.span.start.column, c.span.end.column, c.text);
        comments(text).into_iter().map(at).collect()
    }

    #[test]
    fn comments_have_their_place_and_text() {
        let text = "\u{feff}#!x\n// one \r\nfn f() { \"// no\"; 'é' /* two */ } //three\n";
        assert_eq!(
            found(text),
            [(2, 1, 7, "one".into()), (3, 23, 32, "two".into()), (3, 35, 42, "three".into())]
                as [(u32, u32, u32, String); 3]
        );
    }

    #[test]
    fn documentation_is_no_comment() {
        let text = "//! a\n/// b\n/** c */ /*! d */\n//// e\n/*** f */ /**/ /***/\nfn f() {}";
        let texts: Vec<String> = found(text).into_iter().map(|(.., text)| text).collect();
        assert_eq!(texts, ["// e", "** f", "", "*"]);
    }

    #[test]
    fn strings_and_nested_comments() {
        let text = r####"let a = r#"// "no" "#; /* a /* b */ // c */ let b = "\" // no"; let c = '"'; // yes
            b"//"; br##"//"# "##; c"//"; '/'; b'\''; // last"####;
        let texts: Vec<String> = found(text).into_iter().map(|(.., text)| text).collect();
        assert_eq!(texts, ["a /* b */ // c", "yes", "last"]);
        assert_eq!(found("/* open").len(), 1);
        assert_eq!(found("//").len(), 1);
        assert_eq!(found("/"), []);
    }
}
