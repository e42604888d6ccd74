//! `lockcheck scan`.

use std::time::Instant;

use clap::ArgMatches;

use super::args::ScanArgs;
use super::cache::CacheFile;
use super::levels::Levels;
use super::terminal::{Stream, Terminal};
use super::{Exit, Failure, cargo, sections};
use crate::finding::NoticeKind;
use crate::report::Format;
use crate::source::{Request, Targets, Texts, discover_without};

/// Scans and reports; the report for people goes to standard output.
pub(super) fn scan(args: &ScanArgs, matches: Option<&ArgMatches>, terminal: &Terminal) -> Result<Exit, Failure> {
    let started = Instant::now();
    let cwd = std::env::current_dir().map_err(|error| Failure(format!("no current directory: {error}")))?;
    let config = super::config(&args.report, &args.paths, &cwd)?;
    let levels = Levels::read(&config, matches)?;
    let cargo_lines = args.report.message_format == Format::Json
        || args.report.output.iter().any(|(format, _)| *format == Format::Json);
    let metadata = (args.paths.is_empty() || cargo_lines).then(|| cargo::metadata(&cwd, terminal)).flatten();
    let mut paths = args.paths.clone();
    let mut function = args.sections.clone().flatten();
    // `--sections src/lib.rs`: no function is called like that.
    if let Some(path) = function.take_if(|name| name.contains(['/', '.', '\\'])) {
        paths.insert(0, path.into());
    }
    let request = Request { paths: &paths, cwd: &cwd, metadata: metadata.as_ref() };
    let sources = discover_without(&request, &|file| config.exclude.contains(file));
    let sources = sources.map_err(|error| Failure(error.to_string()))?;
    if args.sections.is_some() {
        return sections::print(&sources, &config, function.as_deref(), args.report.message_format);
    }

    let cache_file = if args.no_cache { None } else { CacheFile::of(&sources, &paths, &cwd) };
    let mut cache = cache_file.as_ref().map(CacheFile::read);
    let mut report = match &mut cache {
        Some(cache) => crate::scan_after(&sources, &config, cache),
        None => crate::scan_with(&sources, &config),
    };
    let unread = |kind| matches!(kind, NoticeKind::UnparsedFile | NoticeKind::UnreadableFile);
    let not_all = report.notices.iter().any(|notice| unread(notice.kind));
    levels.apply(&mut report);
    report.summary.elapsed_ms = started.elapsed().as_millis() as u64;
    let targets = Targets::new(&sources, metadata.as_ref());
    terminal.emit(&report, &args.report, &Texts::from_sources(&sources), &targets, Stream::Stdout)?;
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
