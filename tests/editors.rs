//! What editors read lockcheck's output with: their own matchers, a real vim, a real rust-analyzer.
//!
//! Guarantees: the patterns are those that the editors ship; where vim or rust-analyzer is not installed, its test says so
//! and passes.
//!
//! Misses: editors that run a language server; `lsp.rs` is one.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use lockcheck_tests::{binary, command, folder, lockcheck};
use lsp_server::{Message, Notification, Request, RequestId};
use regex::Regex;
use serde_json::{Value, json};

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
        self.accounts.lock().unwrap().iter().sum()
    }

    pub fn touch(&self) {
        let _ = self.log.lock().unwrap();
        println!(\"touched\");
    }
}
";

const MANIFEST: &str = "[package]\nname = \"bank\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n";

fn project() -> tempfile::TempDir {
    folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", LIB)])
}

/// Level, file, line and column of every finding, as the document has them.
fn expected(dir: &Path) -> Vec<(String, String, u64, u64)> {
    let done = lockcheck(dir, &["scan", "--message-format", "lockcheck-json"]);
    let document = done.document();
    let findings = document["findings"].as_array().expect("findings").iter();
    let found: Vec<_> = findings
        .map(|finding| {
            let level = if finding["level"] == "deny" { "error" } else { "warning" };
            let place = &finding["primary"];
            let file = place["file"].as_str().expect("a file").to_owned();
            (
                level.to_owned(),
                file,
                place["line"].as_u64().expect("a line"),
                place["column"].as_u64().expect("a column"),
            )
        })
        .collect();
    assert_eq!(found.len(), 2, "{done:?}");
    found
}

#[test]
fn the_rustc_matcher_of_vs_code_finds_every_finding() {
    let dir = project();
    let text = lockcheck(dir.path(), &["scan", "--message-format", "rustc"]).stdout;
    // The problem pattern `$rustc` of the rust-analyzer extension: two lines, one after the other.
    let head = Regex::new(r"^(warning|warn|error)(?:\[(.*?)\])?: (.*)$").expect("a pattern");
    // In JavaScript the hyphen behind `\s` is one; here it has to say so.
    let place = Regex::new(r"^[\s\->=]*(.*?):(\d*):(\d*)\s*$").expect("a pattern");
    let lines: Vec<&str> = text.lines().collect();
    let found: Vec<_> = lines
        .windows(2)
        .filter_map(|pair| {
            let (head, place) = (head.captures(pair[0])?, place.captures(pair[1])?);
            let number = |at: usize| place[at].parse().expect("a number");
            Some((head[1].to_owned(), place[1].to_owned(), number(2), number(3)))
        })
        .collect();
    assert_eq!(found, expected(dir.path()));
}

#[test]
fn bacon_finds_titles_and_places() {
    let dir = project();
    let text = lockcheck(dir.path(), &["scan", "--message-format", "rustc"]).stdout;
    // bacon's analyser of unstyled lines.
    let title = Regex::new(r"^(error|warning)(?:\[E\d+\])?: (.+)$").expect("a pattern");
    let place = Regex::new(r"^\s*-->\s+(.+):(\d+):(\d+)$").expect("a pattern");
    let titles: Vec<_> =
        text.lines().filter_map(|line| title.captures(line)).map(|found| found[1].to_owned()).collect();
    let places: Vec<(String, u64, u64)> = text
        .lines()
        .filter_map(|line| place.captures(line))
        .map(|found| (found[1].to_owned(), found[2].parse().expect("a number"), found[3].parse().expect("a number")))
        .collect();
    let wanted = expected(dir.path());
    assert_eq!(titles, wanted.iter().map(|each| each.0.clone()).collect::<Vec<_>>());
    assert_eq!(places, wanted.into_iter().map(|(_, file, line, column)| (file, line, column)).collect::<Vec<_>>());
}

#[test]
fn a_real_vim_fills_its_quickfix_list() {
    if Command::new("vim").arg("--version").output().is_err() {
        eprintln!("vim is not installed: nothing was tested");
        return;
    }
    let dir = project();
    // rust.vim's format for the text of rustc, which is what vim's own compiler/rustc.vim sets.
    let rustc = r"%-G,%-Gerror:\ aborting\ %.%#,%-Gerror:\ Could\ not\ compile\ %.%#,%Eerror:\ %m,%Eerror[E%n]:\ %m,%Wwarning:\ %m,%Inote:\ %m,%C\ %#-->\ %f:%l:%c";
    for (format, errorformat) in [("rustc", Some(rustc)), ("short", None)] {
        let text = lockcheck(dir.path(), &["scan", "--message-format", format]).stdout;
        std::fs::write(dir.path().join("errors.txt"), text).expect("write");
        let set = errorformat.map_or(String::new(), |errorformat| format!("set errorformat={errorformat}\n"));
        let list = "map(filter(getqflist(), 'v:val.valid'), '[bufname(v:val.bufnr), v:val.lnum, v:val.col]')";
        let script = format!("{set}cgetfile errors.txt\ncall writefile([json_encode({list})], 'list.json')\nqall!\n");
        std::fs::write(dir.path().join("script.vim"), script).expect("write");
        let mut vim = Command::new("vim");
        vim.current_dir(dir.path()).args(["-N", "-u", "NONE", "-i", "NONE", "-n", "-es", "-S", "script.vim"]);
        let done = command(&mut vim);
        let list = std::fs::read_to_string(dir.path().join("list.json"));
        let list = list.unwrap_or_else(|error| panic!("{error}: {done:?}"));
        let list: Vec<(String, u64, u64)> = serde_json::from_str(&list).expect("a list");
        let mut places: Vec<_> =
            expected(dir.path()).into_iter().map(|(_, file, line, column)| (file, line, column)).collect();
        // The notes that say which rule it is have no place of their own and are no entries.
        let mut found = list.clone();
        found.dedup();
        places.sort();
        found.sort();
        assert_eq!(found, places, "{format}: {list:?}");
    }
}

/// A language server with a thread that reads what it says.
struct Server {
    child: std::process::Child,
    said: mpsc::Receiver<Message>,
}

impl Server {
    fn send(&mut self, message: Message) {
        message.write(self.child.stdin.as_mut().expect("a pipe")).expect("the server reads");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_real_rust_analyzer_shows_the_squiggle_the_related_places_and_the_quick_fix() {
    let installed = Command::new("rust-analyzer").arg("--version").output();
    if !installed.is_ok_and(|done| done.status.success()) {
        eprintln!("rust-analyzer is not installed: nothing was tested");
        return;
    }
    let dir = project();
    let root = dir.path().canonicalize().expect("a folder");
    let mut child = Command::new("rust-analyzer");
    child.current_dir(&root).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = child.spawn().expect("it starts");
    let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
    let (sender, said) = mpsc::channel();
    std::thread::spawn(move || {
        while let Ok(Some(message)) = Message::read(&mut reader) {
            if sender.send(message).is_err() {
                break;
            }
        }
    });
    let mut server = Server { child, said };
    let uri = |path: &Path| format!("file://{}", path.display());
    let file = uri(&root.join("src/lib.rs"));
    let check = [binary("lockcheck").to_string_lossy().into_owned(), "scan".into(), "--message-format=json".into()];
    let options = json!({
        "check": { "overrideCommand": check }, "checkOnSave": true, "cachePriming": { "enable": false },
        "cargo": { "buildScripts": { "enable": false }, "sysroot": null }, "procMacro": { "enable": false },
    });
    let initialize = json!({
        "processId": null, "rootUri": uri(&root), "initializationOptions": options,
        "capabilities": {
            "workspace": { "configuration": false },
            "textDocument": {
                "publishDiagnostics": { "relatedInformation": true, "codeDescriptionSupport": true, "dataSupport": true },
                "codeAction": { "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix"] } } },
            },
        },
    });
    server.send(Message::Request(Request::new(RequestId::from(1), "initialize".into(), initialize)));
    let end = Instant::now() + Duration::from_secs(100);
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    let mut actions = None;
    let mut saved = Instant::now();
    while actions.is_none() {
        assert!(Instant::now() < end, "rust-analyzer said nothing of it: {found:?}");
        let Ok(message) = server.said.recv_timeout(Duration::from_secs(2)) else {
            // It may not have known the workspace yet when the file was saved.
            if found.len() < 2 && saved.elapsed() > Duration::from_secs(8) {
                let saving = json!({ "textDocument": { "uri": file } });
                server.send(Message::Notification(Notification::new("textDocument/didSave".into(), saving)));
                saved = Instant::now();
            }
            continue;
        };
        match message {
            Message::Response(response) if response.id == RequestId::from(1) => {
                server.send(Message::Notification(Notification::new("initialized".into(), json!({}))));
                let open = json!({ "textDocument": { "uri": file, "languageId": "rust", "version": 1, "text": LIB } });
                server.send(Message::Notification(Notification::new("textDocument/didOpen".into(), open)));
                let saving = json!({ "textDocument": { "uri": file } });
                server.send(Message::Notification(Notification::new("textDocument/didSave".into(), saving)));
                saved = Instant::now();
            }
            Message::Response(response) if response.id == RequestId::from(2) => {
                let text = serde_json::to_value(&response).expect("JSON");
                actions = Some(text);
            }
            Message::Request(request) => {
                let answer = lsp_server::Response::new_ok(request.id, Value::Null);
                server.send(Message::Response(answer));
            }
            Message::Notification(notification) if notification.method == "textDocument/publishDiagnostics" => {
                for diagnostic in notification.params["diagnostics"].as_array().into_iter().flatten() {
                    if diagnostic["source"] == "lockcheck" && diagnostic["severity"] != 4 {
                        let code = diagnostic["code"].as_str().expect("a code").to_owned();
                        if found.insert(code, diagnostic.clone()).is_none() && found.len() == 2 {
                            let range = &found["guard_dropped_immediately"]["range"];
                            let wanted = json!({
                                "textDocument": { "uri": file }, "range": range, "context": { "diagnostics": [] },
                            });
                            let request = Request::new(RequestId::from(2), "textDocument/codeAction".into(), wanted);
                            server.send(Message::Request(request));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let double = &found["double_lock"];
    assert_eq!(double["severity"], 1);
    assert_eq!(double["range"]["start"], json!({ "line": 11, "character": 8 }));
    let related = double["relatedInformation"].as_array().expect("related places");
    let lines: Vec<_> = related.iter().map(|place| place["location"]["range"]["start"]["line"].clone()).collect();
    assert!(lines.contains(&json!(9)) && lines.contains(&json!(15)), "{related:?}");
    let actions = actions.expect("an answer").to_string();
    assert!(actions.contains("bind the guard to `_guard`"), "{actions}");
}
