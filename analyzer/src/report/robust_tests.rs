//! Whatever a finding points at, every format renders it.

use proptest::prelude::*;

use super::*;
use crate::finding::*;
use crate::source::Text;

fn location() -> impl Strategy<Value = Location> {
    let file = prop_oneof![8 => Just("a.rs"), 4 => Just("b.rs"), 1 => Just("gone.rs"), 1 => Just("")];
    let number = || prop_oneof![20 => 0u32..12, 1 => Just(u32::MAX), 1 => 300u32..500];
    (file, number(), number(), number(), number(), "[a\u{1b}\n𝄞`]{0,4}").prop_map(
        |(file, line, column, end_line, end_column, label)| Location {
            file: file.into(),
            line,
            column,
            end_line,
            end_column,
            function: None,
            label,
        },
    )
}

fn report() -> impl Strategy<Value = Report> {
    let threads = prop::collection::vec(prop::collection::vec(location(), 0..4), 0..4);
    (location(), prop::collection::vec(location(), 0..4), threads).prop_map(|(primary, related, threads)| {
        let path = |(at, steps)| ThreadPath { name: format!("thread {at}"), steps };
        let mut finding = samples::double_lock().findings.remove(0);
        (finding.primary, finding.related) = (primary, related);
        finding.threads = threads.into_iter().enumerate().map(path).collect();
        Report { findings: vec![finding], ..samples::clean_scan() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_place_in_any_text_is_rendered(
        texts in prop::collection::vec("([ab(). \t\r\n\n\nté𝄞漢\u{301}\u{1b}\u{202e}]|lock\\(){0,60}", 2),
        report in report(),
        width in 0usize..120,
    ) {
        let mut known = Texts::default();
        for (file, text) in ["a.rs", "b.rs"].into_iter().zip(texts) {
            known.insert(file, Text::decode(text.into_bytes()).expect("no NUL in it"));
        }
        let style = Style { width, verbosity: Verbosity::Verbose, ..Style::default() };
        let context = Context { texts: &known, targets: &Targets::default(), style, pictures: None };
        for format in Format::ALL {
            let text = String::from_utf8(render(&report, *format, &context)).expect("UTF-8");
            match format {
                Format::Json => for line in text.lines() {
                    prop_assert!(serde_json::from_str::<cargo_metadata::Message>(line).is_ok(), "{line}");
                    let places = line.matches("\"is_primary\":").count();
                    prop_assert_eq!(line.matches("\"is_primary\":true").count(), places.min(1));
                },
                Format::LockcheckJson => prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok()),
                Format::Human | Format::Rustc => {
                    let forbidden = |c: char| is_unsafe(c) && c != '\n';
                    prop_assert!(!text.contains(forbidden), "{text:?}");
                }
                Format::Sarif => {
                    let read: Result<serde_sarif::sarif::Sarif, _> = serde_json::from_str(&text);
                    prop_assert!(read.is_ok(), "{read:?} {text}");
                }
                Format::Github => prop_assert_eq!(text.lines().filter(|line| line.starts_with("::")).count(), text.lines().count()),
                Format::Html => prop_assert!(text.ends_with("</html>\n") || text.ends_with("</html>")),
                Format::Short => prop_assert_eq!(text.lines().count(), 1),
            }
        }
    }
}
