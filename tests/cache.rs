//! A scan with a cache reports what a scan without one reports, whatever was edited in between. `LOCKCHECK_TEST_RUNS`
//! asks for more edits than [`EDITS`], with others each time.

use std::path::{Path, PathBuf};

use lockcheck::cache::Cache;
use lockcheck::config::Config;
use lockcheck::finding::Report;
use lockcheck::source::{Request, Sources, Text, discover};
use lockcheck_tests::binary;

/// One after the other.
const EDITS: usize = 16;

/// Fixtures as one program.
fn sources(folder: &str) -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf();
    let paths = [root.join(folder)];
    discover(&Request { paths: &paths, cwd: &root, metadata: None }).expect("the fixtures are there")
}

fn shown(mut report: Report) -> String {
    report.summary.elapsed_ms = 0;
    format!("{:#?}\n{:#?}\n{:#?}", report.summary, report.findings, report.notices)
}

fn with_text(sources: &mut Sources, file: usize, text: String) {
    sources.files[file].text = Text::decode(text.into_bytes()).expect("it is text");
}

/// Makes one edit; gives what it was.
fn edit(sources: &mut Sources, random: &mut fastrand::Rng) -> String {
    let file = random.usize(0..sources.files.len());
    let name = sources.files[file].display.clone();
    let text = sources.files[file].text.raw().to_string();
    let mut lines: Vec<&str> = text.lines().collect();
    let line = random.usize(0..lines.len().max(1)).min(lines.len().saturating_sub(1));
    let functions: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains("fn ")).collect();
    let kind = random.u8(0..9);
    let renamed;
    match kind {
        // Positions move, and nothing else.
        0 => lines.insert(0, "// a remark"),
        // Code moves, is lost, is there twice.
        1 if !lines.is_empty() => drop(lines.remove(line)),
        2 if !lines.is_empty() => lines.insert(line, lines[line]),
        3 => lines.push("fn added_here(m: &std::sync::Mutex<u8>) { let _guard = m.lock(); }"),
        // Functions come in front of others, and change their names.
        4 if !functions.is_empty() => {
            let at = functions[random.usize(0..functions.len())];
            lines.insert(at, "fn in_front() {}");
        }
        5 if !functions.is_empty() => {
            let at = functions[random.usize(0..functions.len())];
            renamed = lines[at].replacen("fn ", "fn another_", 1);
            lines[at] = &renamed;
        }
        6 => lines.push("struct Added { first: std::sync::Mutex<u8>, second: std::sync::Mutex<u8> }"),
        _ => {
            let bodies: Vec<usize> =
                (0..lines.len()).filter(|at| lines[*at].contains("fn ") && lines[*at].ends_with('{')).collect();
            if let Some(at) = random.choice(bodies) {
                lines.insert(at + 1, "    let _edited = 0;");
            }
        }
    }
    let text = lines.join("\n");
    with_text(sources, file, text);
    format!("{name}, line {line}, edit {kind}")
}

#[test]
fn edits_are_seen_and_nothing_else_changes() {
    let config = Config::default();
    let mut sources = sources("fixtures/scan/bad");
    let runs = std::env::var("LOCKCHECK_TEST_RUNS").ok().and_then(|runs| runs.parse::<usize>().ok());
    let mut random = match runs {
        Some(_) => fastrand::Rng::new(),
        None => fastrand::Rng::with_seed(7),
    };
    let mut bytes: Vec<u8> = Vec::new();
    let mut done = String::from("the first scan");
    for _ in 0..runs.unwrap_or(EDITS) {
        let mut cache = Cache::from_bytes(bytes, 1).unwrap_or_default();
        let with = shown(lockcheck::scan_after(&sources, &config, &mut cache));
        let without = shown(lockcheck::scan_with(&sources, &config));
        let differ = with.lines().zip(without.lines()).position(|(with, without)| with != without);
        if let Some(at) = differ.or((with.len() != without.len()).then_some(0)) {
            let near = |text: &str| text.lines().skip(at.saturating_sub(12)).take(24).collect::<Vec<_>>().join("\n");
            panic!("after {done}, with the cache\n{}\n\nwithout\n{}", near(&with), near(&without));
        }
        bytes = cache.to_bytes(1);
        done = edit(&mut sources, &mut random);
    }
}

/// A program of some files that call each other's functions under locks.
fn program() -> Sources {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    std::fs::create_dir_all(root.join("src")).expect("a folder");
    std::fs::write(root.join("Cargo.toml"), "[package]\nname = \"p\"\nedition = \"2021\"\n").expect("written");
    let library = "pub mod bank;\npub mod audit;\npub mod other;\npub use audit::total as sum;\n";
    let bank = "use std::sync::Mutex;\n\
                pub struct Bank { pub accounts: Mutex<Vec<u64>>, pub log: Mutex<Vec<String>> }\n\
                impl Bank {\n\
                \x20   pub fn deposit(&self, by: u64) {\n\
                \x20       let accounts = self.accounts.lock().unwrap();\n\
                \x20       self.note(by + accounts[0]);\n    }\n\
                \x20   fn note(&self, by: u64) { self.log.lock().unwrap().push(by.to_string()); }\n}\n";
    let audit = "use crate::bank::Bank;\n\
                 pub fn total(bank: &Bank) -> u64 { bank.accounts.lock().unwrap().iter().sum() }\n\
                 pub fn audit(bank: &Bank) {\n    let log = bank.log.lock().unwrap();\n\
                 \x20   let sum = total(bank);\n    drop((log, sum));\n}\n";
    let mut other = String::from("use crate::bank::Bank;\nuse crate::sum;\n");
    for at in 0..200 {
        other +=
            &format!("pub fn check{at}(bank: &Bank) {{ let _log = bank.log.lock(); bank.accounts.clear_poison(); }}\n");
    }
    other += "pub fn late(bank: &Bank) -> u64 { let _log = bank.log.lock(); sum(bank) }\n";
    for (name, text) in [("lib", library), ("bank", bank), ("audit", audit), ("other", &other)] {
        std::fs::write(root.join("src").join(format!("{name}.rs")), text).expect("written");
    }
    discover(&Request { paths: &[root.to_path_buf()], cwd: root, metadata: None }).expect("the files are there")
}

/// What a function that comes, goes or changes costs: only files that say its name.
#[test]
fn functions_that_come_and_go_leave_other_files_alone() {
    let config = Config::default();
    let mut sources = program();
    let mut cache = Cache::default();
    let scan = |sources: &Sources, cache: &mut Cache| {
        let bytes = cache.to_bytes(1);
        *cache = Cache::from_bytes(bytes, 1).unwrap_or_default();
        let with = shown(lockcheck::scan_after(sources, &config, cache));
        assert_eq!(with, shown(lockcheck::scan_with(sources, &config)));
        (with, cache.walked.as_ref().expect("it was walked").anew())
    };
    let (first, all) = scan(&sources, &mut cache);
    assert!(first.contains("lock_order_inversion") && all > 200, "{all} bodies: {first}");
    assert_eq!(scan(&sources, &mut cache).1, 0);
    let mut edit = |name: &str, from: &str, to: &str, at_most: usize| {
        let file = sources.files.iter().position(|file| file.display.ends_with(name)).expect("the file");
        let text = sources.files[file].text.raw().to_string();
        assert!(text.contains(from), "{from}");
        with_text(&mut sources, file, text.replacen(from, to, 1));
        let (found, anew) = scan(&sources, &mut cache);
        assert!(anew <= at_most, "{anew} bodies anew after {from} became {to}");
        found
    };
    // In front of all others, so that each gets another number.
    edit("bank.rs", "impl Bank {", "pub fn first() {}\nimpl Bank {", 5);
    edit(
        "bank.rs",
        "impl Bank {",
        "impl Bank {\n    pub fn empty(&self) { self.accounts.lock().unwrap().clear(); }",
        6,
    );
    edit("audit.rs", "pub fn audit", "pub fn before(bank: &Bank) { bank.empty() }\npub fn audit", 8);
    // What is called by another name is known by it.
    let found = edit("audit.rs", "-> u64 { bank.accounts.lock().unwrap().iter().sum() }", "-> u64 { 0 }", 8);
    assert!(!found.contains("lock_order_inversion"), "{found}");
    edit(
        "audit.rs",
        "total(bank: &Bank) -> u64 { 0 }",
        "total(bank: &Bank) -> u32 { bank.accounts.lock().unwrap()[0] as u32 }",
        300,
    );
    edit("bank.rs", "pub fn first() {}\n", "", 6);
    // Types, and methods that are called without being named, mean everything.
    edit("bank.rs", "pub struct Bank {", "pub struct Bank { pub more: u8,", usize::MAX);
    edit("bank.rs", "impl Bank {", "impl Drop for Bank { fn drop(&mut self) {} }\nimpl Bank {", usize::MAX);
}

#[test]
fn bytes_of_other_programs_and_broken_ones_are_no_cache() {
    let config = Config::default();
    let sources = sources("fixtures/scan/bad/double_lock");
    let mut cache = Cache::default();
    lockcheck::scan_after(&sources, &config, &mut cache);
    let bytes = cache.to_bytes(1);
    assert!(Cache::from_bytes(bytes.clone(), 1).is_some_and(|cache| !cache.is_empty()));
    assert!(Cache::from_bytes(bytes.clone(), 2).is_none());
    for cut in [0, 1, 15, 16, 17, bytes.len() / 2, bytes.len() - 1] {
        assert!(Cache::from_bytes(bytes[..cut].to_vec(), 1).is_none(), "cut at {cut}");
    }
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..200 {
        let mut broken = bytes.clone();
        let at = random.usize(0..broken.len());
        broken[at] ^= 1 << random.u8(0..8);
        assert!(Cache::from_bytes(broken, 1).is_none(), "changed at {at}");
    }
}

/// A project with a cache that is worth the while, in a folder for it and one for its user's own files.
struct Project {
    folder: tempfile::TempDir,
    home: tempfile::TempDir,
}

impl Project {
    fn new() -> Project {
        let (folder, home) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let source: String =
            (0..6000).map(|at| format!("pub fn f{at}(m: &std::sync::Mutex<u8>) {{ drop(m.lock()); }}\n")).collect();
        let dependencies: String = (0..40).map(|at| format!("d{at} = \"1\"\n")).collect();
        std::fs::create_dir_all(folder.path().join("src")).expect("a folder");
        let manifest = format!("[package]\nname = \"p\"\nedition = \"2021\"\n[dependencies]\n{dependencies}");
        std::fs::write(folder.path().join("Cargo.toml"), manifest).expect("written");
        std::fs::write(folder.path().join("src/lib.rs"), source).expect("written");
        Project { folder, home }
    }

    fn scan(&self, more: &[&str]) {
        let mut command = std::process::Command::new(binary("lockcheck"));
        command.current_dir(self.folder.path()).env_remove("CARGO_TARGET_DIR");
        let home = self.home.path();
        command.env("XDG_CACHE_HOME", home).env("HOME", home).env("LOCALAPPDATA", home);
        command.args(["scan", "src", "--message-format", "lockcheck-json"]).args(more);
        let done = lockcheck_tests::command(&mut command);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
    }

    fn with_target(self) -> Project {
        let target = self.folder.path().join("target");
        std::fs::create_dir_all(&target).expect("a folder");
        std::fs::write(target.join("CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55").expect("written");
        self
    }
}

fn entries(path: PathBuf) -> Vec<PathBuf> {
    std::fs::read_dir(path).map(|all| all.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

#[test]
fn a_scan_leaves_its_cache_in_the_target_folder_and_nowhere_else() {
    let project = Project::new();
    let (folder, home) = (project.folder.path().to_path_buf(), project.home.path().to_path_buf());
    project.scan(&["--no-cache"]);
    assert_eq!(entries(home.clone()).len(), 0);
    project.scan(&[]);
    assert_eq!((entries(folder.clone()).len(), entries(home).len()), (2, 1));
    let project = project.with_target();
    project.scan(&[]);
    project.scan(&[]);
    assert_eq!(entries(folder.join("target/lockcheck")).len(), 1);
}

#[cfg(unix)]
#[test]
fn a_scan_in_a_new_process_takes_over_all_that_the_last_one_left() {
    use std::os::unix::fs::MetadataExt as _;
    let project = Project::new().with_target();
    let written = || {
        project.scan(&[]);
        let file = entries(project.folder.path().join("target/lockcheck")).remove(0);
        file.metadata().expect("the cache").ino()
    };
    // Written once, and not again while there is nothing to add.
    let first = written();
    assert_eq!([written(), written()], [first, first]);
    let source = project.folder.path().join("src/lib.rs");
    let text = std::fs::read_to_string(&source).expect("the source");
    std::fs::write(&source, text.replacen("drop(m.lock());", "let _guard = m.lock();", 1)).expect("written");
    let second = written();
    assert_ne!(second, first);
    assert_eq!(written(), second);
}
