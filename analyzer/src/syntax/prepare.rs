//! What the tokenizer does not take or does better without. In front of the first token: a byte order mark, a `#!`
//! line, a cargo-script front matter. Anywhere: comments, of which a documentation comment is an attribute with a
//! string to the parser, and much of the text of a documented library. Every later position stays right.

use std::borrow::Cow;

use super::shape::{Scanner, Shape};

/// The text without comments, with the same lines and columns for all that stays.
///
/// Right for every text that the tokenizer takes; in another one, what looks like a comment may be none.
pub(super) fn without_comments(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    let mut scanner = Scanner::new(text);
    while let Some((start, shape)) = scanner.next() {
        if shape != Shape::Comment {
            continue;
        }
        let end = scanner.offset().min(text.len());
        let (Some(before), Some(comment)) = (text.get(kept..start), text.get(start..end)) else { continue };
        if comment.starts_with("/*") && end == text.len() {
            // Perhaps nobody closed it, which the tokenizer has to say.
            break;
        }
        if out.is_empty() {
            out.reserve(text.len());
        }
        out.push_str(before);
        if comment.starts_with("//") {
            // What is left of the line is white space.
            out.truncate(out.trim_end_matches([' ', '\t']).len());
        } else {
            out.extend(comment.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        kept = end;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(out)
}

/// The text as the tokenizer wants it, with the same lines and columns (a byte order mark is no column).
pub(super) fn prepare(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let after_shebang = shebang_len(text);
    let fence = frontmatter_len(&text[after_shebang..]);
    match after_shebang + fence {
        0 => Cow::Borrowed(text),
        skipped => Cow::Owned(super::shape::blank(text, std::slice::from_ref(&(0..skipped)))),
    }
}

/// The length of a `#!` line; `#![attribute]` is none.
fn shebang_len(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("#!") else { return 0 };
    // rustc looks past white space and comments for the bracket; comments between `#!` and `[` do not occur.
    if rest.trim_start().starts_with('[') {
        return 0;
    }
    text.find('\n').unwrap_or(text.len())
}

/// The length of blank lines and a `---` .. `---` block at the start.
fn frontmatter_len(text: &str) -> usize {
    let body = text.trim_start();
    let dashes = body.bytes().take_while(|&byte| byte == b'-').count();
    if dashes < 3 {
        return 0;
    }
    let fence = &body[..dashes];
    let mut end = text.len() - body.len();
    for (index, line) in body.split_inclusive('\n').enumerate() {
        end += line.len();
        if index > 0 && line.trim_end() == fence {
            return end;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::{prepare, without_comments};

    #[test]
    fn what_stands_beside_comments_stays_where_it_is() {
        assert_eq!(without_comments("fn f() {}"), "fn f() {}");
        assert_eq!(without_comments("  /// é\n  fn f() {} // g\n"), "\n  fn f() {}\n");
        assert_eq!(without_comments("a /* é\n// */ b"), "a     \n      b");
        assert_eq!(without_comments("\"// no\" //! yes"), "\"// no\"");
        assert_eq!(without_comments("/**/ "), "     ");
        assert_eq!(without_comments("a /* never /* closed */"), "a /* never /* closed */");
    }

    #[test]
    fn blanks_keep_lines_and_columns() {
        assert_eq!(prepare("fn f() {}"), "fn f() {}");
        assert_eq!(prepare("#![allow(x)]\n"), "#![allow(x)]\n");
        assert_eq!(prepare("#! [allow(x)]\n"), "#! [allow(x)]\n");
        assert_eq!(prepare("\u{feff}#!/é\nfn f() {}"), "    \nfn f() {}");
        assert_eq!(prepare("#!x"), "   ");
        assert_eq!(prepare("---\n[a]\n---\nfn f() {}"), "   \n   \n   \nfn f() {}");
        assert_eq!(prepare("#!x\n\n----toml\n---\n----\nf"), "   \n\n        \n   \n    \nf");
        assert_eq!(prepare("---\nnever closed"), "---\nnever closed");
        assert_eq!(prepare(""), "");
    }
}
