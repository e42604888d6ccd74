//! `did you mean`.
//!
//! Guarantees: case does not count; a name that is not like any gives no hint.

/// The name that is most like `written`, if one is like it at all.
pub(crate) fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&written, &name.to_lowercase());
    let close = |name: &&str| {
        let lower = name.to_lowercase();
        let (short, long) = (written.len().min(lower.len()), written.len().max(lower.len()));
        distance(name) * 3 <= long || (short >= 3 && (lower.starts_with(&written) || written.starts_with(&lower)))
    };
    names.into_iter().filter(close).min_by_key(|name| distance(name))
}

/// `; did you mean ...`, or nothing.
pub(crate) fn hint<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, names).map_or(String::new(), |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_anything_else_finds_none() {
        let names = ["double_lock", "deadlock", "bank-locks", "SpinLock"];
        assert_eq!(nearest("doublelock", names), Some("double_lock"));
        assert_eq!(nearest("Deadlok", names), Some("deadlock"));
        assert_eq!(nearest("bank", names), Some("bank-locks"));
        assert_eq!(nearest("SpinLok", names), Some("SpinLock"));
        assert_eq!(nearest("xyz", names), None);
        assert_eq!(nearest("", names), None);
    }
}
