//! Parses every `.rs` file under the given folders and prints what was left out, the time against syn alone, and
//! the size of the trees: `cargo run --release --example parse_folder -- FOLDER..`
//!
//! `-v` lists every notice. Files that `syn::parse_file` rejects do not count for the time.

use lockcheck::syntax;
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Counts the bytes that are allocated now.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Default)]
struct Totals {
    files: usize,
    source: usize,
    with_notices: usize,
    rejected_by_syn: usize,
    syn: Duration,
    ours: Duration,
    tree: usize,
    slowest: (Duration, String),
    reasons: BTreeMap<String, usize>,
}

fn main() {
    let mut verbose = false;
    let mut folders = Vec::new();
    for arg in std::env::args().skip(1) {
        if arg == "-v" {
            verbose = true;
        } else {
            folders.push(arg);
        }
    }
    let mut totals = Totals::default();
    for folder in &folders {
        for entry in
            ignore::WalkBuilder::new(folder).standard_filters(false).sort_by_file_path(Path::cmp).build().flatten()
        {
            if entry.path().extension().is_some_and(|extension| extension == "rs")
                && let Ok(text) = std::fs::read_to_string(entry.path())
            {
                file(entry.path(), &text, &mut totals, verbose);
            }
        }
    }
    println!("{} files, {} bytes; {} with notices", totals.files, totals.source, totals.with_notices);
    println!("{} rejected by syn::parse_file", totals.rejected_by_syn);
    println!(
        "syn alone {:.2?}, ours {:.2?}: ratio {:.3}; slowest file {:.2?} {}",
        totals.syn,
        totals.ours,
        totals.ours.as_secs_f64() / totals.syn.as_secs_f64(),
        totals.slowest.0,
        totals.slowest.1
    );
    println!("tree: {:.2} bytes per byte of source", totals.tree as f64 / totals.source as f64);
    println!(
        "size of Expr {}, Pat {}, Item {}",
        size_of::<syntax::Expr>(),
        size_of::<syntax::Pat>(),
        size_of::<syntax::Item>()
    );
    let mut reasons: Vec<_> = totals.reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (reason, count) in reasons.iter().take(40) {
        println!("{count:6} {reason}");
    }
}

fn file(path: &Path, text: &str, totals: &mut Totals, verbose: bool) {
    // Both run once before they are measured: for the caches, and so that the names of the file are interned.
    let edition = 2021;
    drop(syntax::parse(text, edition));
    drop(syn::parse_file(text));
    let start = Instant::now();
    let parsed = syn::parse_file(text);
    let accepted = parsed.is_ok();
    drop(parsed);
    let syn = start.elapsed();
    proc_macro2::extra::invalidate_current_thread_spans();
    let before = LIVE.load(Ordering::Relaxed);
    let start = Instant::now();
    let tree = syntax::parse(text, edition);
    let ours = start.elapsed();
    let after = LIVE.load(Ordering::Relaxed);
    totals.files += 1;
    totals.source += text.len();
    totals.tree += after.saturating_sub(before);
    if accepted {
        totals.syn += syn;
        totals.ours += ours;
    } else {
        totals.rejected_by_syn += 1;
    }
    if ours > totals.slowest.0 {
        totals.slowest = (ours, path.display().to_string());
    }
    if !tree.notices.is_empty() {
        totals.with_notices += 1;
    }
    for notice in &tree.notices {
        *totals.reasons.entry(notice.message.clone()).or_default() += 1;
        if verbose {
            println!("{}:{}:{}: {}", path.display(), notice.span.start.line, notice.span.start.column, notice.message);
        }
    }
}
