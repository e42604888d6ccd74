//! The workspace folders of a client, each analysed by itself.
//!
//! Guarantees: a document belongs to the innermost folder that it lies in; where there is a folder, there is always one that
//! answers.
//!
//! Misses: locks that the code of two folders shares.

use std::path::PathBuf;

use gen_lsp_types::{InitializeParams, Uri};
use serde_json::Value;

use super::analysis::{Analysis, path};

/// See the module. Never empty.
pub(super) struct Folders {
    all: Vec<Analysis>,
    baseline: Option<PathBuf>,
}

impl Folders {
    /// Those that the client begins with; the current directory where it names none.
    pub(super) fn of(params: &InitializeParams) -> Self {
        let value = serde_json::to_value(params).unwrap_or_default();
        let baseline = value["initializationOptions"]["baseline"].as_str().map(PathBuf::from);
        let mut folders = Folders { all: Vec::new(), baseline };
        folders.add(&value["workspaceFolders"]);
        if folders.all.is_empty() {
            let root = value["rootUri"].as_str().and_then(folder);
            let root = root.unwrap_or_else(|| std::env::current_dir().unwrap_or_default());
            folders.push(root);
        }
        folders
    }

    fn push(&mut self, root: PathBuf) {
        if self.all.iter().all(|known| known.root() != root) {
            self.all.push(Analysis::new(root, self.baseline.clone()));
        }
    }

    fn add(&mut self, listed: &Value) {
        listed.as_array().into_iter().flatten().filter_map(uri_of).for_each(|root| self.push(root));
    }

    /// The client has other folders now: the `event` of `workspace/didChangeWorkspaceFolders`.
    pub(super) fn change(&mut self, event: &Value) {
        self.add(&event["added"]);
        for gone in event["removed"].as_array().into_iter().flatten().filter_map(uri_of) {
            // One has to answer; what it found last stays until there is another.
            if self.all.len() > 1 {
                self.all.retain(|known| known.root() != gone);
            }
        }
    }

    /// The analysis that a document belongs to.
    pub(super) fn of_document(&mut self, uri: &Uri) -> &mut Analysis {
        let path = path(uri).unwrap_or_default();
        let depth = |analysis: &Analysis| match path.starts_with(analysis.root()) {
            true => analysis.root().components().count(),
            false => 0,
        };
        let depths: Vec<usize> = self.all.iter().map(depth).collect();
        let innermost = (0..depths.len()).rev().max_by_key(|at| depths[*at]).unwrap_or(0);
        &mut self.all[innermost]
    }

    pub(super) fn all(&mut self) -> &mut [Analysis] {
        &mut self.all
    }

    /// Whether something changed since the last scan.
    pub(super) fn are_stale(&self) -> bool {
        self.all.iter().any(|analysis| analysis.stale)
    }
}

fn uri_of(listed: &Value) -> Option<PathBuf> {
    listed["uri"].as_str().and_then(folder)
}

fn folder(uri: &str) -> Option<PathBuf> {
    uri.parse::<Uri>().ok()?.to_file_path().ok()
}
