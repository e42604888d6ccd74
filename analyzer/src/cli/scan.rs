//! `lockcheck scan`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ArgMatches;

use super::args::ScanArgs;
use super::cache::CacheFile;
use super::levels::Levels;
use super::progress::Progress;
use super::terminal::{Stream, Terminal};
use super::{Exit, Failure, cargo, known, mend, rescan, sections};
use crate::finding::NoticeKind;
use crate::graph::LockGraph;
use crate::regions::Regions;
use crate::report::Format;
use crate::source::{Request, Sources, Targets, Texts, discover_without};

/// Scans and reports; the report for people goes to standard output.
pub(super) fn scan(args: &ScanArgs, matches: Option<&ArgMatches>, terminal: &Terminal) -> Result<Exit, Failure> {
    let cwd = std::env::current_dir().map_err(|error| Failure(format!("no current directory: {error}")))?;
    if args.watch {
        return rescan::watch(&args.paths, &cwd, terminal, &|folders| compiled(args, matches, terminal, folders));
    }
    compiled(args, matches, terminal, &mut BTreeSet::new())
}

/// Lets cargo check first where that is wanted. `folders` become those whose files decide what is found.
fn compiled(
    args: &ScanArgs,
    matches: Option<&ArgMatches>,
    terminal: &Terminal,
    folders: &mut BTreeSet<PathBuf>,
) -> Result<Exit, Failure> {
    let cwd = std::env::current_dir().map_err(|error| Failure(format!("no current directory: {error}")))?;
    // Cargo's own lines come first: an editor shows errors of the compiler before ours.
    let compiles = match args.with_cargo_check {
        Some(tool) => cargo::check(tool, &cwd, args.report.message_format == Format::Json)?,
        None => true,
    };
    let exit = once(args, matches, terminal, &cwd, folders)?;
    Ok(if exit == Exit::Clean && !compiles { Exit::Unable } else { exit })
}

fn once(
    args: &ScanArgs,
    matches: Option<&ArgMatches>,
    terminal: &Terminal,
    cwd: &Path,
    folders: &mut BTreeSet<PathBuf>,
) -> Result<Exit, Failure> {
    let started = Instant::now();
    let config = super::config(&args.report, &args.paths, cwd)?;
    let levels = Levels::read(&config, matches)?;
    let cargo_lines = args.report.wants(Format::Json);
    let metadata = (args.paths.is_empty() || cargo_lines).then(|| cargo::metadata(cwd, terminal)).flatten();
    let mut paths = args.paths.clone();
    let mut function = args.sections.clone().flatten();
    // `--sections src/lib.rs`: no function is called like that.
    if let Some(path) = function.take_if(|name| name.contains(['/', '.', '\\'])) {
        paths.insert(0, path.into());
    }
    let request = Request { paths: &paths, cwd, metadata: metadata.as_ref() };
    let discover = || {
        let sources = discover_without(&request, &|file| config.exclude.contains(file));
        sources.map_err(|error| Failure(error.to_string()))
    };
    let mut sources = discover()?;
    *folders = looked_into(&sources, metadata.as_ref().map(|metadata| metadata.workspace_root.as_std_path()));
    if args.sections.is_some() {
        return sections::print(&sources, &config, function.as_deref(), args.report.message_format);
    }

    let cache_file = if args.no_cache { None } else { CacheFile::of(&sources, &paths, cwd) };
    let mut cache = cache_file.as_ref().map(CacheFile::read);
    let draw = args.report.wants(Format::Html);
    if args.fix {
        let mut first = crate::scan_with(&sources, &config);
        levels.apply(&mut first);
        let mended = mend::mend(&first, &sources, cwd, args.allow_dirty)?;
        terminal.note(&format!("changes made: {}, in files: {}", mended.changes, mended.files));
        sources = discover()?;
    }
    let progress = Progress::start(terminal, format!("scanning {} files", sources.files.len()));
    let look = |graph: &LockGraph, _: &Regions| draw.then(|| crate::pictures::of_graph(graph));
    let (mut report, pictures) = crate::scan_and(&sources, &config, cache.as_mut(), look);
    drop(progress);
    let unread = |kind| matches!(kind, NoticeKind::UnparsedFile | NoticeKind::UnreadableFile);
    let not_all = report.notices.iter().any(|notice| unread(notice.kind));
    levels.apply(&mut report);
    if let Some(revision) = &args.known.new_since {
        known::new_since(revision, &mut report, &paths, cwd, &config, &levels)?;
    }
    if known::scan(&args.report, &args.known, &mut report, &sources, terminal)? {
        return Ok(Exit::Clean);
    }
    report.summary.elapsed_ms = started.elapsed().as_millis() as u64;
    let targets = Targets::new(&sources, metadata.as_ref());
    let texts = Texts::from_sources(&sources);
    terminal.emit(&report, &args.report, &texts, &targets, Stream::Stdout, pictures.as_ref())?;
    if let (Some(file), Some(cache)) = (&cache_file, &cache) {
        // Without it the next scan takes longer, and that is all.
        file.write(cache).ok();
    }

    if sources.files.is_empty() {
        return Err(Failure("none of the files could be read".into()));
    }
    if args.strict && not_all {
        return Err(Failure("not every file could be read, and --strict is given".into()));
    }
    Ok(Exit::of(&report))
}

/// The folders of the sources, of their manifests, and of the configuration.
fn looked_into(sources: &Sources, workspace: Option<&Path>) -> BTreeSet<PathBuf> {
    let files = sources.files.iter().filter_map(|file| file.path.parent());
    let packages = sources.packages.iter().map(|package| package.dir.as_path());
    files.chain(packages).chain(workspace).map(Path::to_owned).collect()
}
