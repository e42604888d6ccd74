//! Findings that are known, and code that is changed: revisions, `--fix`, a documented order, `--with-cargo-check`.
//!
//! Misses: baselines, which `book.rs` walks through; `--watch`, which never ends by itself.

use std::path::Path;
use std::process::Command;

use cargo_metadata::Message;
use lockcheck_tests::{command, folder, lockcheck};

const MANIFEST: &str = "[package]\nname = \"bank\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n";

const LIB: &str = "\
use std::sync::Mutex;
pub struct Bank {
    accounts: Mutex<Vec<i64>>,
    log: Mutex<Vec<String>>,
}
impl Bank {
    pub fn add(&self, amount: i64) -> i64 {
        let mut accounts = self.accounts.lock().unwrap();
        accounts.push(amount);
        self.total()
    }
    pub fn total(&self) -> i64 {
        let accounts = self.accounts.lock().unwrap();
        self.log.lock().unwrap().push(String::new());
        accounts.iter().sum()
    }
}
";

fn git(dir: &Path, args: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(dir).args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]).args(args);
    let done = command(&mut git);
    assert_eq!(done.code, Some(0), "{done:?}");
}

fn committed() -> tempfile::TempDir {
    let dir = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", LIB)]);
    git(dir.path(), &["init", "-q"]);
    git(dir.path(), &["add", "-A"]);
    git(dir.path(), &["commit", "-q", "-m", "a"]);
    dir
}

#[test]
fn what_was_there_at_a_revision_is_not_new_wherever_it_moved() {
    let dir = committed();
    let scan = |dir: &Path| lockcheck(dir, &["scan", "--new-since", "HEAD", "--message-format", "short"]);
    let status = |dir: &Path| command(Command::new("git").current_dir(dir).args(["status", "--porcelain"])).stdout;
    let done = scan(dir.path());
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done:?}");
    assert_eq!(status(dir.path()), "", "neither the index nor the work tree is touched");
    let more = format!("//! A bank.\n\n{LIB}").replace(
        "        accounts.iter().sum()\n",
        "        let again = self.accounts.lock();\n        drop(again);\n        accounts.iter().sum()\n",
    );
    std::fs::write(dir.path().join("src/lib.rs"), more).expect("write");
    let done = scan(dir.path());
    assert_eq!((done.code, done.stdout.lines().count()), (Some(1), 1), "{done:?}");
    assert!(done.stdout.starts_with("src/lib.rs:17:"), "{done:?}");
    let done = lockcheck(dir.path(), &["scan", "--new-since", "no-such-revision"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.starts_with("error: git rev-parse failed: "), "{done:?}");
}

#[test]
fn fixes_are_applied_where_git_can_bring_the_old_text_back() {
    let dir = committed();
    let file = dir.path().join("src/lib.rs");
    let done = lockcheck(dir.path(), &["scan", "--fix", "--message-format", "short"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done:?}");
    let fixed = std::fs::read_to_string(&file).expect("the file");
    assert_eq!(fixed, LIB.replace("        self.total()\n", "        drop(accounts);\n        self.total()\n"));
    // It is changed now, and what is changed is not changed again without asking.
    std::fs::write(&file, format!("{LIB}// mine\n")).expect("write");
    let done = lockcheck(dir.path(), &["scan", "--fix"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains("`src/lib.rs` has changes that are not committed"), "{done:?}");
    let done = lockcheck(dir.path(), &["scan", "--fix", "--allow-dirty", "-q"]);
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[test]
fn the_order_of_today_can_be_documented_and_is_then_checked() {
    let dir = committed();
    let order = lockcheck(dir.path(), &["graph", "--order"]);
    assert!(order.stdout.ends_with("[order]\nchain-1 = [\"Bank.accounts\", \"Bank.log\"]\n"), "{order:?}");
    std::fs::write(dir.path().join("lockcheck.toml"), &order.stdout).expect("write");
    let scan = |dir: &Path| lockcheck(dir, &["scan", "-A", "double_lock", "--message-format", "short"]);
    assert_eq!(scan(dir.path()).code, Some(0));
    let turned = "[order]\nbank = [\"Bank.log\", \"Bank.accounts\"]\n";
    std::fs::write(dir.path().join("lockcheck.toml"), turned).expect("write");
    let done = scan(dir.path());
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stdout.contains("against the documented order `Bank.log` before `Bank.accounts`"), "{done:?}");
    std::fs::write(dir.path().join("lockcheck.toml"), turned.replace(".log", ".lgo")).expect("write");
    assert!(scan(dir.path()).stdout.contains("which nothing here takes; did you mean `Bank.log`?"));
}

#[test]
fn a_run_is_checked_against_the_documented_order_too() {
    let trace = "T1|acq(log)|1\nT1|acq(accounts)|2\nT1|rel(accounts)|3\nT1|rel(log)|4\n";
    let order = "[order]\nbank = [\"lock accounts\", \"lock log\"]\n";
    let dir = folder(&[("lockcheck.toml", order), ("run.std", trace)]);
    let done = lockcheck(dir.path(), &["analyze", "run.std", "--message-format", "lockcheck-json"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let finding = &done.document()["findings"][0];
    assert_eq!((&finding["rule"], &finding["evidence"]), (&"lock_order_inversion".into(), &"possible".into()));
    assert!(finding["message"].to_string().contains("against the documented order"), "{finding}");
}

#[test]
fn cargos_own_lines_come_before_ours() {
    let dir = committed();
    let done = lockcheck(dir.path(), &["scan", "--with-cargo-check", "--message-format", "json"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let messages: Vec<_> =
        Message::parse_stream(done.stdout.as_bytes()).map(|message| message.expect("readable")).collect();
    assert!(messages.iter().any(|message| matches!(message, Message::BuildFinished(_))), "{messages:?}");
    let Some(Message::CompilerMessage(last)) = messages.last() else { panic!("{messages:?}") };
    assert_eq!(last.message.code.as_ref().map(|code| code.code.as_str()), Some("lockcheck::double_lock"));
    std::fs::write(dir.path().join("src/lib.rs"), "pub fn f() -> u32 { \"\" }\n").expect("write");
    let done = lockcheck(dir.path(), &["scan", "--with-cargo-check", "--message-format", "json"]);
    assert_eq!(done.code, Some(2), "what does not compile is no clean scan: {done:?}");
}
