//! From TOML to a [`Config`], with the place of everything that is not understood.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Config, ConfigError, Exclude};
use crate::documented::Chain;
use crate::finding::Level;
use crate::model::user_locks::UserLock;
use crate::nearest::hint;
use crate::rules::selector::Selector;

/// What can be said at the top.
const KEYS: [&str; 4] = ["exclude", "locks", "order", "rules"];
/// What can be said of a lock.
const LOCK_KEYS: [&str; 5] = ["acquire", "guard", "reentrant", "shared", "try"];
const LEVELS: [(&str, Level); 4] =
    [("allow", Level::Allow), ("note", Level::Note), ("warn", Level::Warn), ("deny", Level::Deny)];

/// A message with the bytes that it is about.
type Wrong = (Range<usize>, String);

/// Which table of a document is the configuration.
pub(super) const WHOLE: &[&str] = &[];

/// Reads the table at `path` of a document; `None` if there is none. `shown` is the document's name for messages,
/// `folder` what patterns are relative to.
pub(super) fn read(text: &str, path: &[&str], shown: &str, folder: &Path) -> Result<Option<Config>, ConfigError> {
    let config = (|| {
        let document = DeTable::parse(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            (span, format!("not TOML: {}", error.message().trim_end_matches('.').replace('\n', ", ")))
        })?;
        let mut table = document.get_ref();
        for key in path {
            match table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value) {
                None => return Ok(None),
                Some(value) => table = self::table(value)?,
            }
        }
        config(table, folder).map(Some)
    })();
    let config = config.map_err(|(span, message): Wrong| {
        let before = text.get(..span.start.min(text.len())).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        ConfigError::Invalid {
            file: shown.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message,
        }
    })?;
    Ok(config.map(|mut config| {
        for chain in &mut config.order {
            let before = text.get(..chain.line as usize).unwrap_or(text);
            chain.line = before.matches('\n').count() as u32 + 1;
            chain.file = shown.to_owned();
        }
        Config { file: Some(shown.to_owned()), ..config }
    }))
}

fn config(table: &DeTable<'_>, folder: &Path) -> Result<Config, Wrong> {
    let mut config = Config::default();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "rules" => config.levels = levels(self::table(value)?)?,
            "locks" => {
                for (path, lock) in self::table(value)? {
                    config.locks.push(self::lock(path, self::table(lock)?)?);
                }
            }
            "order" => {
                for (_, chain) in self::table(value)? {
                    let locks = strings(chain)?;
                    if locks.len() < 2 {
                        return Err((chain.span(), "an order is of two locks or more, outermost first".into()));
                    }
                    let locks = locks.into_iter().map(|(_, name)| name).collect();
                    // The place is known to the caller, who has the text.
                    config.order.push(Chain { locks, file: String::new(), line: chain.span().start as u32 });
                }
            }
            "exclude" => {
                let patterns = strings(value)?;
                let texts: Vec<String> = patterns.iter().map(|(_, text)| text.clone()).collect();
                config.exclude = Exclude::new(folder, &texts).map_err(|(index, reason)| {
                    let span = patterns.get(index).map_or(value.span(), |(span, _)| span.clone());
                    (span, format!("not a pattern: {reason}"))
                })?;
            }
            unknown => return Err(unknown_key(key.span(), unknown, &KEYS)),
        }
    }
    Ok(config)
}

fn levels(table: &DeTable<'_>) -> Result<Vec<(Selector, Level)>, Wrong> {
    let mut levels = Vec::new();
    for (name, value) in table {
        let selector = Selector::parse(name.get_ref(), &[]).map_err(|error| (name.span(), error.to_string()))?;
        let written = string(value)?;
        let level = LEVELS.iter().find(|(level, _)| *level == written).ok_or_else(|| {
            let names = LEVELS.map(|(level, _)| level);
            let hint = hint(&written, names);
            (value.span(), format!("`{written}` is no level; there are {}{hint}", names.join(", ")))
        })?;
        levels.push((selector, level.1));
    }
    levels.sort_by_key(|(selector, _)| selector.narrowness());
    Ok(levels)
}

fn lock(path: &Spanned<std::borrow::Cow<'_, str>>, table: &DeTable<'_>) -> Result<UserLock, Wrong> {
    let written = path.get_ref().as_ref();
    if written.split("::").any(|part| part.is_empty() || !part.chars().all(|c| c.is_alphanumeric() || c == '_')) {
        return Err((path.span(), format!("`{written}` is no path of a type; write it as `krate::module::Type`")));
    }
    let mut lock = UserLock { path: written.to_owned(), ..UserLock::default() };
    let names = |value| strings(value).map(|all| all.into_iter().map(|(_, text)| text).collect::<Vec<_>>());
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "acquire" => lock.acquire = names(value)?,
            "shared" => lock.shared = names(value)?,
            "try" => lock.try_ = names(value)?,
            "guard" => lock.guard = Some(string(value)?),
            "reentrant" => match value.get_ref() {
                DeValue::Boolean(flag) => lock.reentrant = *flag,
                other => return Err(wrong_type(value, "true or false", other)),
            },
            unknown => return Err(unknown_key(key.span(), unknown, &LOCK_KEYS)),
        }
    }
    if lock.acquire.is_empty() && lock.shared.is_empty() && lock.try_.is_empty() {
        let mend = "name the methods that take it, as `acquire = [\"lock\"]`";
        return Err((path.span(), format!("nothing takes `{written}`; {mend}")));
    }
    Ok(lock)
}

fn unknown_key(span: Range<usize>, key: &str, known: &[&str]) -> Wrong {
    let hint = hint(key, known.iter().copied());
    (span, format!("unknown key `{key}`; there are {}{hint}", known.join(", ")))
}

fn table<'t, 'i>(value: &'t Spanned<DeValue<'i>>) -> Result<&'t DeTable<'i>, Wrong> {
    match value.get_ref() {
        DeValue::Table(table) => Ok(table),
        other => Err(wrong_type(value, "a table", other)),
    }
}

fn string(value: &Spanned<DeValue<'_>>) -> Result<String, Wrong> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        other => Err(wrong_type(value, "a string", other)),
    }
}

/// A string or an array of strings.
fn strings(value: &Spanned<DeValue<'_>>) -> Result<Vec<(Range<usize>, String)>, Wrong> {
    match value.get_ref() {
        DeValue::String(text) => Ok(vec![(value.span(), text.to_string())]),
        DeValue::Array(items) => items.iter().map(|item| Ok((item.span(), string(item)?))).collect(),
        other => Err(wrong_type(value, "an array of strings", other)),
    }
}

fn wrong_type(value: &Spanned<DeValue<'_>>, expected: &str, found: &DeValue<'_>) -> Wrong {
    let found = match found {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    (value.span(), format!("expected {expected}, found {found}"))
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
