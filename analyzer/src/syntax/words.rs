//! Which files say a name: code that does not say the name of a function cannot call it.
//!
//! Guarantees: every file whose text, comments included, has the name as a word counts. Misses: names that a macro puts
//! together; what is behind a macro's name is asked of the macros ([`Words::macros_say`]).

use std::sync::Arc;

use memchr::memmem;

use super::expand::Definitions;
use super::tree::Symbol;

/// The texts of a program.
pub struct Words<'t> {
    texts: Vec<&'t str>,
    macros: Vec<Arc<Definitions>>,
}

impl<'t> Words<'t> {
    /// Of these files and macros.
    pub fn new(texts: impl Iterator<Item = &'t str>, macros: Vec<Arc<Definitions>>) -> Words<'t> {
        Words { texts: texts.collect(), macros }
    }

    /// Whether a file says one of the names.
    pub fn file_says(&self, file: usize, names: &[Symbol]) -> bool {
        self.texts.get(file).is_some_and(|text| names.iter().any(|name| says(text, name.as_str())))
    }

    /// Whether the text of a macro does.
    pub fn macros_say(&self, names: &[Symbol]) -> bool {
        let mut texts = self.macros.iter().flat_map(|macros| macros.values());
        texts.any(|text| names.iter().any(|name| says(text, name.as_str())))
    }
}

fn says(text: &str, name: &str) -> bool {
    let bytes = text.as_bytes();
    let word = |at: Option<usize>| {
        let byte = at.and_then(|at| bytes.get(at));
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80)
    };
    memmem::find_iter(bytes, name).any(|at| !word(at.checked_sub(1)) && !word(Some(at + name.len())))
}

#[cfg(test)]
mod tests {
    use super::says;

    #[test]
    fn a_name_is_a_whole_word() {
        for text in ["f", "f()", "a.f::<T>()", "r#f", "x\nf\n", "ff f"] {
            assert!(says(text, "f"), "{text}");
        }
        for text in ["", "ff", "f_", "_f", "f1", "\u{e9}f", "f\u{e9}"] {
            assert!(!says(text, "f"), "{text}");
        }
    }
}
