//! A session with `lockcheck lsp` over standard input and output.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use lockcheck_tests::{binary, folder, lockcheck};
use lsp_server::{Message, Notification, Request, RequestId};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);

/// The client's side.
struct Client {
    child: Child,
    said: Receiver<Message>,
    root: PathBuf,
    requests: i32,
}

impl Client {
    fn start(dir: &Path, encodings: &[&str]) -> (Client, Value) {
        Client::start_with(dir, encodings, |_, _| {})
    }

    /// `more` changes what `initialize` says.
    fn start_with(dir: &Path, encodings: &[&str], more: impl FnOnce(&Client, &mut Value)) -> (Client, Value) {
        let root = dir.canonicalize().expect("a folder");
        let mut command = Command::new(binary("lockcheck"));
        command.arg("lsp").current_dir(&root).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, said) = channel();
        std::thread::spawn(move || {
            while let Ok(Some(message)) = Message::read(&mut reader) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut client = Client { child, said, root, requests: 0 };
        let uri = client.uri("");
        let capabilities = json!({ "general": { "positionEncodings": encodings } });
        let mut params = json!({ "processId": null, "rootUri": uri, "capabilities": capabilities });
        more(&client, &mut params);
        let answer = client.request("initialize", params);
        client.notify("initialized", json!({}));
        (client, answer)
    }

    fn uri(&self, file: &str) -> String {
        format!("file://{}", self.root.join(file).display()).trim_end_matches('/').to_owned()
    }

    fn send(&mut self, message: Message) {
        message.write(self.child.stdin.as_mut().expect("a pipe")).expect("the server reads");
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(Message::Notification(Notification::new(method.into(), params)));
    }

    fn next(&self) -> Message {
        self.said.recv_timeout(LIMIT).expect("the server answers")
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = RequestId::from(self.requests);
        self.send(Message::Request(Request::new(id.clone(), method.into(), params)));
        loop {
            if let Message::Response(response) = self.next()
                && response.id == id
            {
                let value = serde_json::to_value(response).expect("JSON");
                return value.get("result").or(value.get("error")).cloned().unwrap_or_default();
            }
        }
    }

    /// The next diagnostics of a file.
    fn diagnostics(&self, file: &str) -> Vec<Value> {
        loop {
            if let Message::Notification(notification) = self.next()
                && notification.method == "textDocument/publishDiagnostics"
                && notification.params["uri"] == self.uri(file)
            {
                return notification.params["diagnostics"].as_array().expect("a list").clone();
            }
        }
    }

    /// Waits until a scan is done.
    fn scanned(&self) -> String {
        loop {
            if let Message::Notification(notification) = self.next()
                && notification.method == "window/logMessage"
            {
                return notification.params["message"].as_str().expect("a message").to_owned();
            }
        }
    }

    fn end(mut self) {
        assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        self.notify("exit", Value::Null);
        let end = Instant::now() + LIMIT;
        loop {
            match self.child.try_wait().expect("a child") {
                Some(status) => return assert!(status.success(), "{status}"),
                None => assert!(Instant::now() < end, "the server does not end"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const MANIFEST: &str = "[package]\nname = \"bank\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n";

/// `é` and a character of two UTF-16 units stand before the call, to tell the encodings apart.
const LIB: &str = "\
use std::sync::Mutex;
pub struct Bank { accounts: Mutex<Vec<i64>>, log: Mutex<String> }
impl Bank {
    pub fn add(&self, amount: i64) -> i64 {
        let mut accounts = self.accounts.lock().unwrap();
        accounts.push(amount);
        /* é𝄞 */ self.total()
    }
    pub fn total(&self) -> i64 { self.accounts.lock().unwrap().iter().sum() }
    pub fn note(&self) {
        let log = self.log.lock().unwrap();
        println!(\"{log} {}\", self.total());
    }
}
";

#[test]
fn a_session_shows_findings_hover_and_actions_and_ends_in_order() {
    let dir = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", LIB)]);
    let (mut client, answer) = Client::start(dir.path(), &["utf-16"]);
    assert_eq!(answer["capabilities"]["positionEncoding"], "utf-16");
    let found = client.diagnostics("src/lib.rs");
    assert_eq!(found.len(), 1, "{found:?}");
    let double = &found[0];
    assert_eq!(
        (&double["code"], &double["source"], &double["severity"]),
        (&json!("double_lock"), &json!("lockcheck"), &json!(1))
    );
    // `        /* é𝄞 */ self.total()`: 17 characters before the call, 18 units.
    assert_eq!(double["range"]["start"], json!({ "line": 6, "character": 18 }));
    let related = double["relatedInformation"].as_array().expect("related places");
    let lines: Vec<u64> =
        related.iter().filter_map(|each| each["location"]["range"]["start"]["line"].as_u64()).collect();
    assert!(lines.contains(&4) && lines.contains(&8), "{related:?}");

    let at = |line: u32, character: u32, uri: String| json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } });
    let hover = client.request("textDocument/hover", at(10, 25, client.uri("src/lib.rs")));
    let text = hover["contents"]["value"].as_str().expect("a text");
    for part in [
        "**`Bank.log`**",
        "declared at src/lib.rs:2",
        "while it is held, these are taken:",
        "`Bank.accounts` in `Bank::note`",
        "taken at:",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(client.request("textDocument/hover", at(0, 0, client.uri("src/lib.rs"))), Value::Null);

    let range = &double["range"];
    let wanted = json!({ "textDocument": { "uri": client.uri("src/lib.rs") }, "range": range, "context": { "diagnostics": [double] } });
    let actions = client.request("textDocument/codeAction", wanted);
    let titles: Vec<&str> =
        actions.as_array().expect("a list").iter().filter_map(|each| each["title"].as_str()).collect();
    assert_eq!(titles, ["drop `accounts` before this statement", "suppress `double_lock` here, with a reason"]);

    // What is typed counts before it is on disk.
    let edit = &actions[0]["edit"]["changes"][client.uri("src/lib.rs")][0];
    let open =
        json!({ "textDocument": { "uri": client.uri("src/lib.rs"), "languageId": "rust", "version": 1, "text": LIB } });
    client.notify("textDocument/didOpen", open);
    let change = json!({ "range": edit["range"], "text": edit["newText"] });
    let change =
        json!({ "textDocument": { "uri": client.uri("src/lib.rs"), "version": 2 }, "contentChanges": [change] });
    client.notify("textDocument/didChange", change);
    client.notify("textDocument/didSave", json!({ "textDocument": { "uri": client.uri("src/lib.rs") } }));
    assert_eq!(client.diagnostics("src/lib.rs"), Vec::<Value>::new(), "mended by the action");

    let error = client.request("textDocument/definition", at(0, 0, client.uri("src/lib.rs")));
    assert!(error["message"].as_str().is_some_and(|text| text.contains("not supported")), "{error}");
    client.end();
}

#[test]
fn columns_are_bytes_where_the_client_wants_them() {
    let dir = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", LIB)]);
    let (client, answer) = Client::start(dir.path(), &["utf-8", "utf-16"]);
    assert_eq!(answer["capabilities"]["positionEncoding"], "utf-8");
    let found = client.diagnostics("src/lib.rs");
    assert_eq!(found[0]["range"]["start"], json!({ "line": 6, "character": 21 }));
    client.end();
}

#[test]
fn a_broken_configuration_is_told_and_the_session_goes_on() {
    let dir = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", LIB), ("lockcheck.toml", "[ruls]\n")]);
    let (mut client, _) = Client::start(dir.path(), &[]);
    assert!(client.scanned().contains("unknown key `ruls`"));
    std::fs::write(dir.path().join("lockcheck.toml"), "[rules]\ndouble_lock = \"warn\"\n").expect("write");
    client.notify("textDocument/didSave", json!({ "textDocument": { "uri": client.uri("src/lib.rs") } }));
    assert_eq!(client.diagnostics("src/lib.rs")[0]["severity"], 2);
    client.end();
}

#[test]
fn folders_come_and_go_and_each_is_a_workspace_of_its_own() {
    let files = [("one/Cargo.toml", MANIFEST), ("one/src/lib.rs", LIB), ("two/Cargo.toml", MANIFEST)];
    let dir = folder(&[&files[..], &[("two/src/lib.rs", LIB)]].concat());
    let entry = |client: &Client, name: &str| json!({ "uri": client.uri(name), "name": name });
    let (mut client, answer) = Client::start_with(dir.path(), &[], |client, params| {
        params["workspaceFolders"] = json!([entry(client, "one")]);
    });
    assert_eq!(answer["capabilities"]["workspace"]["workspaceFolders"]["changeNotifications"], true);
    let found = client.diagnostics("one/src/lib.rs").len();
    assert!(found > 0);
    client.scanned();
    let event = json!({ "added": [entry(&client, "two")], "removed": [] });
    client.notify("workspace/didChangeWorkspaceFolders", json!({ "event": event }));
    assert_eq!(client.diagnostics("two/src/lib.rs").len(), found);
    assert!(client.scanned().starts_with("scanned 2 files"));
    let position = json!({ "line": 4, "character": 35 });
    for name in ["one/src/lib.rs", "two/src/lib.rs"] {
        let at = json!({ "textDocument": { "uri": client.uri(name) }, "position": position });
        let hover = client.request("textDocument/hover", at);
        assert!(hover["contents"]["value"].as_str().is_some_and(|text| text.contains("Bank.accounts")), "{hover}");
    }
    let event = json!({ "added": [], "removed": [entry(&client, "one")] });
    client.notify("workspace/didChangeWorkspaceFolders", json!({ "event": event }));
    assert_eq!(client.diagnostics("one/src/lib.rs").len(), 0, "what is not open has no findings");
    client.end();
}

#[test]
fn accepted_findings_are_not_shown() {
    let dir = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", LIB)]);
    let done = lockcheck(dir.path(), &["scan", "--write-baseline"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let (mut client, _) = Client::start_with(dir.path(), &[], |_, params| {
        params["initializationOptions"] = json!({ "baseline": "lockcheck-baseline.json" });
    });
    client.scanned();
    let again = "pub fn twice(lock: &Mutex<u8>) -> u8 { *lock.lock().unwrap() + *lock.lock().unwrap() }\n";
    std::fs::write(dir.path().join("src/lib.rs"), format!("{LIB}{again}")).expect("written");
    let saved = json!({ "textDocument": { "uri": client.uri("src/lib.rs") } });
    client.notify("textDocument/didSave", saved.clone());
    let found = client.diagnostics("src/lib.rs");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["code"], "double_lock");
    client.scanned();
    std::fs::write(dir.path().join("lockcheck-baseline.json"), "{").expect("written");
    client.notify("textDocument/didSave", saved);
    let told = client.scanned();
    assert!(told.contains("lockcheck-baseline.json` cannot be used"), "{told}");
    client.end();
}

/// Not an assertion: `cargo test -p lockcheck-tests --test lsp -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn latency_after_a_save_in_a_workspace_of_200_files() {
    let module = |at: usize| LIB.replace("Bank", &format!("Bank{at}"));
    let mut files = vec![("Cargo.toml".to_owned(), MANIFEST.to_owned())];
    let lib: String = (0..200).map(|at| format!("mod m{at};\n")).collect();
    files.push(("src/lib.rs".into(), lib));
    files.extend((0..200).map(|at| (format!("src/m{at}.rs"), module(at))));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let dir = folder(&files);
    let (mut client, _) = Client::start(dir.path(), &[]);
    client.scanned();
    let mut times = Vec::new();
    for turn in 0..21 {
        // Each save brings another body.
        let text = module(7).replace("fn total", &format!("fn turn(&self) -> u8 {{ {turn} }}\n    pub fn total"));
        let text = if turn % 3 == 0 { text } else { module(7).replace(".sum()", &format!(".sum::<i64>() + {turn}")) };
        std::fs::write(dir.path().join("src/m7.rs"), text).expect("written");
        let started = Instant::now();
        client.notify("textDocument/didSave", json!({ "textDocument": { "uri": client.uri("src/m7.rs") } }));
        client.scanned();
        times.push(started.elapsed());
    }
    times.sort();
    println!("after a save, 200 files: median {:?}, worst {:?}", times[10], times[20]);
    client.end();
}
