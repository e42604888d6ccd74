//! Changes of the source text that mend a finding: what `--fix` applies and editors offer.
//!
//! Guarantees: a [`Fix::safe`] change keeps every use of the guard inside the lock: `drop(guard);` stands where the guard is
//! not used any more in its block, and only where the program would otherwise surely wait for itself; `let _guard =` only
//! makes the lock last as long as the statement reads. Locks are never reordered. Where the text does not have the simple
//! shape that is looked for, there is no fix.
//!
//! Misses: guards whose `let` begins on another line than the acquisition, guards in patterns, uses of a guard in macros
//! under another name.

use std::ops::Range;

use crate::finding::{Finding, Level, Location};
use crate::rules::{double_lock, guard_across_await, guard_across_blocking_call, guard_dropped_immediately};
use crate::source::Text;
use crate::syntax::outline::Outline;

/// A change of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, for a menu.
    pub title: String,
    /// The file.
    pub file: String,
    /// The bytes of [`Text::raw`] that go.
    pub range: Range<usize>,
    /// What comes in their place.
    pub text: String,
    /// May be applied without asking.
    pub safe: bool,
}

/// The changes that mend a finding; `texts` gives the text of a file.
pub fn fixes(finding: &Finding, texts: &dyn Fn(&str) -> Option<Text>) -> Vec<Fix> {
    let place = &finding.primary;
    let Some(text) = texts(&place.file) else { return Vec::new() };
    if finding.rule == guard_dropped_immediately::RULE.id {
        return bind(&text, place).into_iter().collect();
    }
    let ends_guard = [double_lock::RULE.id, guard_across_await::RULE.id, guard_across_blocking_call::RULE.id]
        .contains(&finding.rule);
    if !ends_guard {
        return Vec::new();
    }
    // Dropping early can change what is atomic; it cannot be worse than a thread that surely waits for itself.
    let safe = finding.rule == double_lock::RULE.id && finding.level == Level::Deny;
    let before = |guard: &&Location| {
        guard.file == place.file
            && guard.function == place.function
            && (guard.line, guard.column) < (place.line, place.column)
    };
    let guards = finding.related.iter().filter(before);
    guards.filter_map(|guard| drop_before(&text, guard, place, safe)).take(1).collect()
}

/// `let _ = m.lock()` becomes `let _guard = m.lock()`.
fn bind(text: &Text, place: &Location) -> Option<Fix> {
    let line = text.line_range(place.line)?;
    let at = text.offset(place.line, place.column)?;
    let before = &text.raw()[line.start..at];
    let let_at = before.rfind("let")?;
    let underscore = let_at + before[let_at..].find('_')?;
    let written: String = before[let_at..].split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = written == "let _ =" || written == "let _=";
    // A name that is there already would be shadowed, which ends nothing and is harmless; none is looked for.
    plain.then(|| Fix {
        title: "bind the guard to `_guard`, so that the lock is held to the end of the block".into(),
        file: place.file.clone(),
        range: line.start + underscore..line.start + underscore + 1,
        text: "_guard".into(),
        safe: true,
    })
}

/// `drop(guard);` before the statement of `place`, in the block of the guard's `let`.
fn drop_before(text: &Text, guard: &Location, place: &Location, safe: bool) -> Option<Fix> {
    let raw = text.raw();
    let (guard_start, name) = guard_let(text, guard)?;
    let statement = first_of_line(text, place.line)?;
    // The line must begin a statement: what stands before it ends one or opens the block.
    let code_before = raw[..statement].trim_end();
    let mut code = &raw[statement..];
    while let Some((_, behind)) = code.strip_prefix("/*").and_then(|rest| rest.split_once("*/")) {
        code = behind.trim_start();
    }
    let begins = code.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '*' || c == '(');
    if !code_before.ends_with([';', '{', '}']) || !begins {
        return None;
    }
    let outline = Outline::new(text.text());
    let block = outline.around(guard_start);
    if outline.around(statement) != block {
        return None;
    }
    let rest = raw.get(statement..block.end)?;
    if uses(rest, name) {
        return None;
    }
    let indent = &raw[text.line_range(place.line)?.start..statement];
    let line_break = if raw.contains("\r\n") { "\r\n" } else { "\n" };
    Some(Fix {
        title: format!("drop `{name}` before this statement"),
        file: place.file.clone(),
        range: statement..statement,
        text: format!("drop({name});{line_break}{indent}"),
        safe,
    })
}

/// Where the `let` of a guard begins, and the guard's name.
fn guard_let<'t>(text: &'t Text, guard: &Location) -> Option<(usize, &'t str)> {
    let start = first_of_line(text, guard.line)?;
    let line = text.line_range(guard.line)?;
    let rest = text.raw()[start..line.end].strip_prefix("let ")?.trim_start();
    let rest = rest.strip_prefix("mut ").unwrap_or(rest).trim_start();
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let (name, rest) = rest.split_at(end);
    let rest = rest.trim_start();
    let named = !name.is_empty() && name != "_" && !name.starts_with(char::is_numeric);
    // `let Ok(guard) = ..` and `let guard = match ..` are more than this looks for.
    (named && (rest.starts_with('=') || rest.starts_with(':')) && guard.column > 1).then_some((start, name))
}

/// The first byte of a line that is no blank.
fn first_of_line(text: &Text, line: u32) -> Option<usize> {
    let range = text.line_range(line)?;
    let blank = text.raw()[range.clone()].find(|c: char| !c.is_whitespace())?;
    Some(range.start + blank)
}

/// Whether a word stands anywhere in a text, be it in a string, where formatting may use it.
fn uses(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

/// Applies changes of one text, from the end backwards; of two that overlap, the first one counts. O(text + changes).
pub fn apply(text: &Text, fixes: &[&Fix]) -> String {
    let mut sorted: Vec<&&Fix> = fixes.iter().collect();
    sorted.sort_by_key(|fix| (fix.range.start, fix.range.end));
    sorted.dedup_by(|next, before| next.range == before.range && next.text == before.text);
    let raw = text.raw();
    let mut out = String::with_capacity(raw.len());
    let mut at = 0;
    for fix in sorted {
        if fix.range.start < at || fix.range.end > raw.len() {
            continue;
        }
        out.push_str(&raw[at..fix.range.start]);
        out.push_str(&fix.text);
        at = fix.range.end;
    }
    out.push_str(&raw[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Request, discover};

    /// The text after all fixes of what a scan finds, and whether all are safe.
    fn mended(source: &str) -> (String, Vec<bool>) {
        let dir = tempfile::tempdir().expect("dir");
        std::fs::write(dir.path().join("a.rs"), source).expect("write");
        let paths = ["a.rs".into()];
        let sources = discover(&Request { paths: &paths, cwd: dir.path(), metadata: None }).expect("sources");
        let report = crate::scan(&sources);
        let text = sources.files[0].text.clone();
        let all: Vec<Fix> =
            report.findings.iter().flat_map(|finding| fixes(finding, &|_| Some(text.clone()))).collect();
        (apply(&text, &all.iter().collect::<Vec<_>>()), all.iter().map(|fix| fix.safe).collect())
    }

    const OPENING: &str = "use std::sync::Mutex;\nstruct A { x: Mutex<u32> }\nimpl A {\n";

    #[test]
    fn a_guard_that_is_not_used_any_more_is_dropped_before_the_lock_is_taken_again() {
        let body = |drop: &str| {
            format!(
                "{OPENING}    fn f(&self) {{\n        let mut x = self.x.lock().unwrap();\n        *x += 1;\n        {drop}self.g();\n    }}\n    fn g(&self) {{ *self.x.lock().unwrap() += 1; }}\n}}\n"
            )
        };
        assert_eq!(mended(&body("")), (body("drop(x);\n        "), vec![true]));
    }

    #[test]
    fn a_guard_that_is_used_later_stays() {
        let source = format!(
            "{OPENING}    fn f(&self) {{\n        let mut x = self.x.lock().unwrap();\n        self.g();\n        *x += 1;\n    }}\n    fn g(&self) {{ *self.x.lock().unwrap() += 1; }}\n}}\n"
        );
        assert_eq!(mended(&source), (source.clone(), vec![]));
    }

    #[test]
    fn a_call_in_a_block_of_its_own_is_left_to_the_reader() {
        let source = format!(
            "{OPENING}    fn f(&self, c: bool) {{\n        let x = self.x.lock().unwrap();\n        if c {{\n            self.g();\n        }}\n    }}\n    fn g(&self) {{ *self.x.lock().unwrap() += 1; }}\n}}\n"
        );
        assert_eq!(mended(&source).1, Vec::<bool>::new());
    }

    #[test]
    fn an_underscore_becomes_a_name() {
        let body = |name: &str| {
            format!(
                "{OPENING}    fn f(&self) {{\r\n        let {name} = self.x.lock();\r\n        work();\r\n    }}\n}}\n"
            )
        };
        assert_eq!(mended(&body("_")), (body("_guard"), vec![true]));
    }

    #[test]
    fn changes_do_not_overlap() {
        let text = Text::decode(b"abcdef".to_vec()).expect("text");
        let fix = |range: Range<usize>, text: &str| Fix {
            title: String::new(),
            file: String::new(),
            range,
            text: text.into(),
            safe: true,
        };
        let (a, b, c) = (fix(1..3, "X"), fix(2..4, "Y"), fix(5..5, "Z"));
        assert_eq!(apply(&text, &[&c, &b, &a, &a]), "aXdeZf");
    }
}
