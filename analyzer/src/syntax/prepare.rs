//! What may stand in a Rust file before its first token and that the tokenizer does not take: a byte order mark, a
//! `#!` line, a cargo-script front matter. All of them are blanked so that every later position stays right.

use std::borrow::Cow;

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
    use super::prepare;

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
