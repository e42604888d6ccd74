//! The pages of the `html` format in a real browser, by clicks.
//!
//! Guarantees: what is looked at is the document after the page's own scripts ran, in a headless Chromium without network; where none
//! is installed, the tests say so and pass.
//!
//! Misses: how it looks; other browsers.

use std::path::{Path, PathBuf};
use std::process::Command;

use lockcheck_tests::{command, folder, lockcheck};

/// Clicks what a reader would click, and writes down what the page says then.
const CLICKS: &str = r##"<script>
window.addEventListener("load", () => {
  const say = (key, text) => {
    const line = document.createElement("p");
    line.className = "said"; line.textContent = key + "=" + text + "|";
    document.body.append(line);
  };
  const lock = document.querySelector("#locks button[data-lock]");
  if (lock) {
    lock.click();
    say("lock", document.getElementById("status").textContent);
    document.querySelector("#graph path[data-edge]")?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    say("edge", document.getElementById("details").textContent);
    const search = document.getElementById("search");
    search.value = "number_7"; search.dispatchEvent(new Event("input"));
    say("found", document.querySelectorAll("#locks button[data-lock]").length);
  }
  const canvas = document.querySelector("#timeline canvas"), details = document.getElementById("span-details");
  if (canvas) {
    const box = canvas.getBoundingClientRect(), before = details.textContent;
    for (let y = 2; y < box.height && details.textContent === before; y += 4)
      for (let x = 200; x < box.width && details.textContent === before; x += 8)
        canvas.dispatchEvent(new MouseEvent("click", { clientX: box.left + x, clientY: box.top + y }));
    say("bar", details.textContent);
    const deadlock = [...document.querySelectorAll("#timeline button")].find(button => button.textContent === "deadlock");
    if (deadlock) { deadlock.click(); say("deadlock", details.textContent); }
  }
});
</script></body>"##;

fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|file| file.is_file())
}

/// The page after the clicks; `None` without a browser.
fn clicked(dir: &Path, page: &str) -> Option<Page> {
    let Some(browser) = browser() else {
        println!("skipped: no chromium is installed");
        return None;
    };
    let text = std::fs::read_to_string(dir.join(page)).expect("the page");
    for load in ["<link", "src=", "@import", "fetch(", "XMLHttpRequest"] {
        assert!(!text.contains(load), "a page loads nothing: {load}");
    }
    let copy = dir.join(format!("clicked-{page}"));
    std::fs::write(&copy, text.replace("</body>", CLICKS)).expect("a copy");
    let profile = dir.join("profile");
    let mut run = Command::new(browser);
    run.args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--window-size=1200,900"]);
    run.arg(format!("--user-data-dir={}", profile.display())).arg("--dump-dom").arg(&copy);
    Some(Page(command(&mut run).stdout))
}

struct Page(String);

impl Page {
    /// What it says under this key.
    fn said(&self, key: &str) -> &str {
        let begin = format!("<p class=\"said\">{key}=");
        let text = self.0.split(&begin).nth(1).and_then(|rest| rest.split('|').next());
        text.unwrap_or_else(|| panic!("the page does not say `{key}`: {}", self.0))
    }
}

#[test]
fn clicks_on_the_timeline_and_the_graph_of_a_run_tell_who_held_what_and_since_where() {
    let dir = folder(&[]);
    let done = lockcheck(dir.path(), &["run", "quit-button", "--output", "html=run.html"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let Some(page) = clicked(dir.path(), "run.html") else { return };
    let bar = page.said("bar");
    assert!(bar.contains(" from step ") && bar.contains("quit_button.rs:"), "{bar}");
    let deadlock = page.said("deadlock");
    assert!(deadlock.contains("waits for") && deadlock.contains("part of a deadlock"), "{deadlock}");
}

#[test]
fn two_thousand_locks_can_be_searched_and_clicked() {
    let count = 2000;
    let mut text = String::from("use std::sync::Mutex;\n");
    for at in 0..count {
        text += &format!("static NUMBER_{at}: Mutex<u32> = Mutex::new(0);\n");
    }
    for at in 0..count {
        let (first, second) = (at, (at * 7 + 1) % count);
        text += &format!(
            "pub fn f{at}() -> u32 {{ let g = NUMBER_{first}.lock().unwrap(); *g + *NUMBER_{second}.lock().unwrap() }}\n"
        );
    }
    let dir = folder(&[("many.rs", &text)]);
    let done = lockcheck(dir.path(), &["graph", "many.rs", "--message-format", "html"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    std::fs::write(dir.path().join("graph.html"), &done.stdout).expect("the page");
    let Some(page) = clicked(dir.path(), "graph.html") else { return };
    assert!(page.said("lock").starts_with("around NUMBER_"), "{}", page.said("lock"));
    let edge = page.said("edge");
    assert!(
        edge.contains("NUMBER_") && edge.contains("held since many.rs:") && edge.contains("wanted at many.rs:"),
        "{edge}"
    );
    let wanted = (0..count).filter(|at| at.to_string().starts_with('7')).count();
    assert_eq!(page.said("found"), wanted.min(200).to_string());
}
