//! The last scan, and what open documents hold.
//!
//! Guarantees: this is the one place where the server scans; what is open counts in place of what lies on disk.
//!
//! Misses: documents of other schemes than `file:`, and documents outside of the workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gen_lsp_types::{Range, Uri};

use super::convert::Encoding;
use crate::cache::Cache;
use crate::cli::levels::Levels;
use crate::config::Config;
use crate::finding::{Location, Report};
use crate::graph::picture::Picture;
use crate::source::{Request, Sources, Text, discover_without};
use crate::syntax::Span;

/// An acquisition of a known lock.
#[derive(Clone, Debug)]
pub(super) struct Acquired {
    pub(super) file: u32,
    pub(super) span: Span,
    /// As reports show it.
    pub(super) lock: String,
}

/// What the last scan saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) picture: Picture,
    pub(super) acquired: Vec<Acquired>,
    /// Names of locks with where they are declared.
    pub(super) declared: BTreeMap<String, Location>,
}

/// See the module.
pub(super) struct Analysis {
    root: PathBuf,
    /// Accepted findings, which are not shown.
    baseline: Option<PathBuf>,
    /// Something changed since the last scan.
    pub(super) stale: bool,
    /// By path: the text and how often it changed.
    open: BTreeMap<PathBuf, (String, i32)>,
    /// What need not be read and walked again.
    cache: Cache,
    pub(super) sources: Sources,
    pub(super) report: Option<Report>,
    pub(super) seen: Seen,
    pub(super) config: Config,
}

impl Analysis {
    pub(super) fn new(root: PathBuf, baseline: Option<PathBuf>) -> Self {
        Analysis {
            root,
            baseline,
            stale: true,
            open: BTreeMap::new(),
            cache: Cache::default(),
            sources: Sources::default(),
            report: None,
            seen: Seen::default(),
            config: Config::default(),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Scans. An error says why it cannot be.
    pub(super) fn scan(&mut self) -> Result<(), String> {
        self.stale = false;
        let config = crate::config::load(None, &[], &self.root).map_err(|error| error.to_string())?;
        let levels = Levels::read(&config, None).map_err(|error| error.to_string())?;
        let request = Request { paths: &[], cwd: &self.root, metadata: None };
        let sources = discover_without(&request, &|file| config.exclude.contains(file));
        let mut sources = sources.map_err(|error| error.to_string())?;
        for file in &mut sources.files {
            if let Some((text, _)) = self.open.get(&file.path)
                && let Ok(text) = Text::decode(text.clone().into_bytes())
            {
                file.text = text;
            }
        }
        let (mut report, seen) = crate::scan_and(&sources, &config, Some(&mut self.cache), |graph, regions| {
            let acquired = regions.acquired.iter();
            Seen {
                picture: Picture::new(graph, &|_| None),
                acquired: acquired
                    .clone()
                    .map(|(site, class)| Acquired { file: site.file, span: site.span, lock: class.name.clone() })
                    .collect(),
                declared: acquired
                    .map(|(_, class)| (class.name.clone(), regions.declaration(class.declared)))
                    .filter(|(_, place)| !place.file.is_empty())
                    .collect(),
            }
        });
        levels.apply(&mut report);
        if let Some(path) = &self.baseline {
            crate::cli::known::read(&self.root.join(path)).map_err(|error| error.to_string())?.apply(&mut report);
        }
        (self.sources, self.report, self.seen, self.config) = (sources, Some(report), seen, config);
        Ok(())
    }

    /// Number of files of the last scan.
    pub(super) fn files(&self) -> usize {
        self.sources.files.len()
    }

    /// Takes over a document's whole text. Gives whether that differs from what was scanned.
    pub(super) fn open(&mut self, uri: &Uri, text: String) -> bool {
        let Some(path) = path(uri) else { return false };
        let version = self.open.get(&path).map_or(0, |(_, version)| version + 1);
        let known = self.sources.files.iter().find(|file| file.path == path);
        let differs = known.is_none_or(|file| file.text.raw() != text);
        self.open.insert(path, (text, version));
        differs
    }

    /// Changes a part of a document.
    pub(super) fn edit(&mut self, uri: &Uri, range: Range, new: &str, encoding: Encoding) {
        let Some(open) = path(uri).and_then(|path| self.open.get_mut(&path)) else { return };
        let offset = |position| encoding.offset(&open.0, position);
        let (start, end) = (offset(range.start), offset(range.end));
        open.0.replace_range(start..end.max(start), new);
        open.1 += 1;
    }

    /// What lies on disk counts again. Gives whether the document was open.
    pub(super) fn close(&mut self, uri: &Uri) -> bool {
        path(uri).is_some_and(|path| self.open.remove(&path).is_some())
    }

    /// The text of a file as it was scanned.
    pub(super) fn text(&self, display: &str) -> Option<Text> {
        self.sources.files.iter().find(|file| file.display == display).map(|file| file.text.clone())
    }

    /// The file of a document: its number and its display path.
    pub(super) fn file(&self, uri: &Uri) -> Option<(usize, &str)> {
        let path = path(uri)?;
        let at = self.sources.files.iter().position(|file| file.path == path)?;
        Some((at, self.sources.files[at].display.as_str()))
    }

    /// Where a file lies.
    pub(super) fn path(&self, display: &str) -> PathBuf {
        let known = self.sources.files.iter().find(|file| file.display == display);
        known.map_or_else(|| self.root.join(display), |file| file.path.clone())
    }
}

pub(super) fn path(uri: &Uri) -> Option<PathBuf> {
    uri.to_file_path().ok()
}
