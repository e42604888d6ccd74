//! Crates that get one of ours in front of them: `lock_api`, over which most locks outside of `std` are built, and
//! `parking_lot`.
//!
//! When cargo compiles such a crate, its real source is compiled under another name (`lock_api_real`), against the real `std`
//! and real crates, and ours under its own name, with all that cargo said. Cargo, renamed dependencies, features and
//! pipelining see nothing of it; no manifest or lock file changes.
//!
//! Guarantees: a crate of a version that is not known here is compiled as any other. So is one that belongs to the user's own
//! workspace, because its own tests look into it.
//!
//! Misses: crates that name a raw lock's type where it makes or takes apart a lock do not compile against ours and get the
//! real one ([`towards_real`]).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What a crate gets in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facade {
    crate_name: &'static str,
    /// The beginnings of the versions that it fits.
    versions: &'static [&'static str],
    /// Its source, in the folder of the unpacked sources.
    source: &'static str,
    /// Features with which the crate is more than ours.
    except: &'static [&'static str],
    /// Whether the real crate stands behind it.
    has_real: bool,
}

const FACADES: [Facade; 5] = [
    Facade { crate_name: "lock_api", versions: &["0.4."], source: "shim/lock_api_0_4.rs", except: &[], has_real: true },
    Facade { crate_name: "lock_api", versions: &["0.5."], source: "shim/lock_api_0_5.rs", except: &[], has_real: true },
    Facade {
        crate_name: "parking_lot",
        versions: &["0.11.", "0.12."],
        source: "shim/parking_lot_0_12.rs",
        except: &[],
        has_real: true,
    },
    Facade {
        crate_name: "parking_lot",
        versions: &["0.13."],
        source: "shim/parking_lot_0_13.rs",
        except: &[],
        has_real: true,
    },
    Facade {
        crate_name: "lockcheck_tracker",
        versions: &["0.1."],
        source: "shim/tracker.rs",
        except: &["parking_lot", "tokio"],
        has_real: false,
    },
];

/// The two compilations that take the place of one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Both {
    /// The real crate under its other name, where there is one.
    pub(super) real: Option<Vec<OsString>>,
    /// Ours under its name.
    pub(super) ours: Vec<OsString>,
}

/// The facade for a crate of this version.
pub(super) fn facade(crate_name: &str, version: &str) -> Option<Facade> {
    let fits = |facade: &Facade| {
        facade.crate_name == crate_name && facade.versions.iter().any(|known| version.starts_with(known))
    };
    FACADES.into_iter().find(fits)
}

impl Facade {
    /// Splits a call of the compiler in two; `None` where it is not as cargo calls it. `sources`: the unpacked ones.
    pub(super) fn split(self, arguments: &[OsString], sources: &Path) -> Option<Both> {
        let has = |feature: &&str| arguments.iter().any(|word| *word == format!("feature=\"{feature}\"").as_str());
        if self.except.iter().any(has) {
            return None;
        }
        let call = Call::read(arguments);
        let name = format!("{}_real", self.crate_name);
        let library = call.out_dir?.join(format!("lib{name}{}.rmeta", call.suffix?));
        let source = call.source?;
        let (mut real, mut ours) = (Vec::new(), Vec::new());
        let mut skip = false;
        for (at, word) in arguments.iter().enumerate() {
            if std::mem::take(&mut skip) {
                continue;
            }
            let text = word.to_string_lossy();
            let is_option =
                |name: &str| text == name || text.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
            if is_option("--edition") {
                // Ours has its own.
                let words = if text.contains('=') { 1 } else { 2 };
                real.extend(arguments[at..arguments.len().min(at + words)].iter().cloned());
                skip = words == 2;
            } else if at == source {
                real.push(word.clone());
                ours.push(sources.join(self.source).into());
            } else if is_option("--json") || is_option("--error-format") || is_option("--diagnostic-width") {
                ours.push(word.clone());
            } else if at > 0 && arguments[at - 1] == "--crate-name" {
                real.push(name.clone().into());
                ours.push(word.clone());
            } else if let Some(kinds) = text.strip_prefix("--emit=") {
                let kinds: Vec<&str> = kinds.split(',').filter(|kind| *kind != "dep-info").collect();
                real.push(format!("--emit={}", kinds.join(",")).into());
                ours.push(word.clone());
            } else {
                real.push(word.clone());
                ours.push(word.clone());
            }
        }
        ours.push("--edition=2021".into());
        if self.crate_name == "lock_api" {
            let lacks = lacking(Path::new(&arguments[source]));
            ours.extend(lacks.flat_map(|setting| ["--cfg".into(), setting.into()]));
        }
        if !self.has_real {
            return Some(Both { real: None, ours });
        }
        let mut of = OsString::from(format!("{name}="));
        of.push(library);
        ours.extend(["--extern".into(), of]);
        Some(Both { real: Some(towards_real(&real).unwrap_or(real)), ours })
    }
}

/// What the first versions of the real `lock_api` do not have, as our source is told. It is looked for in the sources,
/// because the numbers of versions do not tell it apart from the patches that people make.
fn lacking(source: &Path) -> impl Iterator<Item = &'static str> {
    let has = |file: &str, text: &str| {
        std::fs::read_to_string(source.with_file_name(file)).map_or(true, |source| source.contains(text))
    };
    let lacks = [
        (!has("rwlock.rs", "fn is_locked_exclusive"), "lockcheck_lock_api_without_is_locked_exclusive"),
        (!has("lib.rs", "feature = \"atomic_usize\""), "lockcheck_lock_api_without_atomic_usize"),
    ];
    lacks.into_iter().filter(|(lacks, _)| *lacks).map(|(_, setting)| setting)
}

/// The same call with the real crates in place of ours; `None` where it has none of ours.
pub(super) fn towards_real(arguments: &[OsString]) -> Option<Vec<OsString>> {
    let mut found = false;
    let swap = |word: &OsString| {
        let swapped = real_extern(word);
        found |= swapped.is_some();
        swapped.unwrap_or_else(|| word.clone())
    };
    let swapped = arguments.iter().map(swap).collect();
    found.then_some(swapped)
}

/// `lock_api=DIR/liblock_api-HASH.rmeta` as that of the real crate, where there is one. Renamed dependencies have another
/// name in front.
fn real_extern(word: &OsString) -> Option<OsString> {
    let (name, path) = word.to_str()?.split_once('=')?;
    let path = Path::new(path);
    let file = path.file_name()?.to_str()?;
    let real = FACADES.iter().find_map(|facade| {
        let suffix = file.strip_prefix(&format!("lib{}-", facade.crate_name))?;
        Some(path.with_file_name(format!("lib{}_real-{suffix}", facade.crate_name)))
    })?;
    real.is_file().then(|| format!("{name}={}", real.display()).into())
}

/// Where the parts of a call are that must be known.
#[derive(Default)]
struct Call {
    source: Option<usize>,
    out_dir: Option<PathBuf>,
    suffix: Option<String>,
}

impl Call {
    fn read(arguments: &[OsString]) -> Self {
        let mut call = Call::default();
        for (at, word) in arguments.iter().enumerate().skip(1) {
            let text = word.to_string_lossy();
            let before = arguments[at - 1].to_string_lossy();
            if before == "--out-dir" {
                call.out_dir = Some(word.into());
            } else if let Some(suffix) = text.strip_prefix("extra-filename=") {
                call.suffix = Some(suffix.to_owned());
            } else if text.ends_with(".rs") && !text.starts_with('-') && before != "--extern" && before != "-o" {
                call.source = Some(at);
            }
        }
        call
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn line(words: &[OsString]) -> String {
        words.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_an_old_lock_api_lacks_is_seen_in_its_sources() {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("lib.rs");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        assert_eq!(lacking(&source).count(), 0, "sources that cannot be read lack nothing");
        write("rwlock.rs", "pub unsafe trait RawRwLock { fn is_locked(&self) -> bool; }");
        write("lib.rs", "mod remutex;");
        assert_eq!(
            lacking(&source).collect::<Vec<_>>(),
            ["lockcheck_lock_api_without_is_locked_exclusive", "lockcheck_lock_api_without_atomic_usize"]
        );
        write("rwlock.rs", "pub unsafe trait RawRwLock { fn is_locked_exclusive(&self) -> bool { true } }");
        write("lib.rs", "#[cfg(feature = \"atomic_usize\")]\nmod remutex;");
        assert_eq!(lacking(&source).count(), 0);
    }

    #[test]
    fn a_call_becomes_one_for_the_real_crate_and_one_for_ours() {
        let call = "rustc --crate-name lock_api --edition=2018 /r/lock_api/src/lib.rs --error-format=json --json=artifacts \
                    --crate-type lib --emit=dep-info,metadata,link -C metadata=1 -C extra-filename=-1f --out-dir /t/deps \
                    --cap-lints allow";
        let both =
            facade("lock_api", "0.4.14").and_then(|facade| facade.split(&words(call), Path::new("/s"))).expect("known");
        assert_eq!(
            line(&both.real.expect("there is one")),
            "rustc --crate-name lock_api_real --edition=2018 /r/lock_api/src/lib.rs --crate-type lib --emit=metadata,link \
             -C metadata=1 -C extra-filename=-1f --out-dir /t/deps --cap-lints allow"
        );
        assert_eq!(
            line(&both.ours),
            "rustc --crate-name lock_api /s/shim/lock_api_0_4.rs --error-format=json --json=artifacts --crate-type lib \
             --emit=dep-info,metadata,link -C metadata=1 -C extra-filename=-1f --out-dir /t/deps --cap-lints allow \
             --edition=2021 --extern lock_api_real=/t/deps/liblock_api_real-1f.rmeta"
        );
    }

    #[test]
    fn other_versions_and_calls_are_left_alone() {
        assert_eq!(facade("lock_api", "0.3.4"), None);
        assert_eq!(facade("lock_apis", "0.4.1"), None);
        let known = facade("parking_lot", "0.12.5").expect("known");
        assert_eq!(known.split(&words("rustc --crate-name parking_lot a.rs"), Path::new("/s")), None);
    }

    #[test]
    fn dependencies_are_the_real_ones_where_these_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("liblock_api_real-1f.rmeta"), "").expect("written");
        let path = folder.path().display();
        let call =
            words(&format!("rustc a.rs --extern api={path}/liblock_api-1f.rmeta --extern b={path}/libb-2.rmeta"));
        let swapped = towards_real(&call).expect("one is ours");
        assert_eq!(
            line(&swapped),
            format!("rustc a.rs --extern api={path}/liblock_api_real-1f.rmeta --extern b={path}/libb-2.rmeta")
        );
        assert_eq!(towards_real(&words("rustc a.rs --extern b=/x/libb-2.rmeta")), None);
    }
}
