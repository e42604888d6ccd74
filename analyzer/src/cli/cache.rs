//! Where the cache of a scan lies: `target/lockcheck/` below the folder that holds what is scanned, where a `target`
//! folder is there; else the user's own cache folder.
//!
//! Guarantees: never creates a folder inside the user's sources; a cache that cannot be read is none, one that cannot be
//! written is not written; two scans at once leave the whole cache of one of them.
//!
//! Misses: caches of paths that nobody scans any more; those of the user's folder are removed after [`OLD`].

use std::ffi::OsStr;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use xxhash_rust::xxh3::Xxh3;

use crate::cache::Cache;
use crate::source::Sources;

/// Below this size, in bytes of source, a scan takes less time than anybody notices.
const SMALLEST: usize = 256 << 10;
/// Caches that were not written for so long are removed.
const OLD: Duration = Duration::from_secs(30 * 24 * 3600);

/// The cache of one set of paths.
pub(super) struct CacheFile {
    path: PathBuf,
    program: u64,
}

impl CacheFile {
    /// That of a scan in `cwd`; `None` where a cache is not worth the while or there is no place for it.
    pub(super) fn of(sources: &Sources, paths: &[PathBuf], cwd: &Path) -> Option<CacheFile> {
        let size: usize = sources.files.iter().map(|file| file.text.raw().len()).sum();
        if size < SMALLEST {
            return None;
        }
        let mut name = Xxh3::new();
        // Names of files in reports are relative to the current folder.
        for path in std::iter::once(cwd).chain(paths.iter().map(PathBuf::as_path)) {
            name.update(path.as_os_str().as_encoded_bytes());
            name.update(b"\0");
        }
        let name = format!("scan-{:016x}.cache", name.digest());
        Some(CacheFile { path: folder(sources)?.join(name), program: program()? })
    }

    /// What an earlier scan left.
    pub(super) fn read(&self) -> Cache {
        let bytes = std::fs::read(&self.path).unwrap_or_default();
        Cache::from_bytes(bytes, self.program).unwrap_or_default()
    }

    /// Leaves it for the next scan. One that says what the file says is not written again.
    pub(super) fn write(&self, cache: &Cache) -> std::io::Result<()> {
        if !cache.changed {
            // It is in use, and no old one.
            return std::fs::File::options().append(true).open(&self.path)?.set_modified(SystemTime::now());
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = BufWriter::with_capacity(1 << 16, tempfile::NamedTempFile::new_in(folder)?);
        cache.write_to(&mut file, self.program)?;
        file.into_inner().map_err(|error| error.into_error())?.persist(&self.path)?;
        clear(folder);
        Ok(())
    }
}

/// Removes old caches.
fn clear(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let ours = path.extension() == Some(OsStr::new("cache"));
        let age = entry.metadata().and_then(|data| data.modified()).ok();
        let age = age.and_then(|modified| SystemTime::now().duration_since(modified).ok());
        if ours && age.is_some_and(|age| age > OLD) {
            std::fs::remove_file(path).ok();
        }
    }
}

/// The folder for caches.
fn folder(sources: &Sources) -> Option<PathBuf> {
    let first = sources.files.first()?;
    // cargo marks its target folder.
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).filter(|target| target.is_dir());
    let near = || {
        let targets = first.path.ancestors().skip(1).map(|folder| folder.join("target"));
        targets.into_iter().find(|target| target.join("CACHEDIR.TAG").is_file())
    };
    if let Some(target) = target.or_else(near) {
        return Some(target.join("lockcheck"));
    }
    Some(dirs::cache_dir()?.join("lockcheck"))
}

/// A number for this very build of the program.
fn program() -> Option<u64> {
    let data = std::env::current_exe().ok()?.metadata().ok()?;
    let modified = data.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let mut hash = Xxh3::new();
    hash.update(env!("CARGO_PKG_VERSION").as_bytes());
    hash.update(&data.len().to_le_bytes());
    hash.update(&modified.as_nanos().to_le_bytes());
    Some(hash.digest())
}
