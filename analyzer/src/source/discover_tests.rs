//! Tests of [`super`].

use super::*;
use crate::source::Edition;
use crate::source::{Package, Root};

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("dir");
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("create");
        std::fs::write(path, text).expect("write");
    }
    dir
}

fn find(dir: &Path, paths: &[&str]) -> Result<Sources, DiscoverError> {
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    discover(&Request { paths: &paths, cwd: dir, metadata: None })
}

/// One line per package, then one per root.
fn shown(sources: &Sources) -> Vec<String> {
    let root = |root: &Root| format!("  {:?} {} {}", root.kind, root.name, sources.files[root.file].display);
    let package = |package: &Package| {
        let head = format!("{} {}", package.name, package.edition.name());
        std::iter::once(head).chain(package.roots.iter().map(root)).collect::<Vec<_>>()
    };
    sources.packages.iter().flat_map(package).collect()
}

#[test]
fn a_package_has_its_targets_and_what_none_of_them_includes() {
    let dir = project(&[
        ("Cargo.toml", "[package]\nname = \"my-bank\"\nedition = \"2024\"\n[dependencies]\nparking_lot = \"0.12\"\n"),
        ("src/lib.rs", "mod account;"),
        ("src/account.rs", "mod audit;"),
        ("src/account/audit.rs", ""),
        ("src/old.rs", "mod tests;"),
        ("src/old/tests.rs", ""),
        ("tests/all.rs", "mod common;"),
        ("tests/common/mod.rs", ""),
    ]);
    let sources = find(dir.path(), &[]).expect("sources");
    assert_eq!(
        shown(&sources),
        ["my_bank 2024", "  Lib my_bank src/lib.rs", "  Test all tests/all.rs", "  Loose old src/old.rs"]
    );
    assert_eq!(sources.files.len(), 7);
    assert_eq!(sources.packages[0].dependencies, [("parking_lot".into(), "parking_lot".into())]);
    assert!(sources.files.is_sorted_by(|a, b| a.path < b.path));
}

#[test]
fn a_file_that_is_named_is_taken_and_is_its_own_root() {
    let dir = project(&[("a.rs", "mod b;"), ("b.rs", ""), ("c.txt", "fn c() {}"), (".ignore", "*\n")]);
    assert_eq!(find(dir.path(), &["."]).expect_err("ignored"), DiscoverError::NoRustFile("`.`".into()));
    let sources = find(dir.path(), &["b.rs", "c.txt", "b.rs"]).expect("sources");
    assert_eq!(shown(&sources)[1..], ["  Loose b b.rs", "  Loose c c.txt"]);
    let sources = find(dir.path(), &["b.rs", "a.rs"]).expect("sources");
    assert_eq!(shown(&sources)[1..], ["  Loose a a.rs"]);
    assert_eq!(sources.packages[0].edition, Edition::E2021);
}

#[test]
fn a_folder_without_a_manifest_is_one_package() {
    let dir = project(&[("x/lib.rs", "mod m;"), ("x/m.rs", ""), ("x/n.rs", "mod o;"), ("x/o.rs", "mod n;")]);
    let sources = find(dir.path(), &["x"]).expect("sources");
    assert_eq!(shown(&sources), ["x 2021", "  Lib x x/lib.rs", "  Loose n x/n.rs"]);
}

#[test]
fn nested_packages_keep_their_own_files_and_a_library_its_own_name() {
    let dir = project(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n[package]\nname = \"top\"\n"),
        ("src/lib.rs", ""),
        ("a/Cargo.toml", "[package]\nname = \"a-pkg\"\n[lib]\nname = \"a_lib\"\n"),
        ("a/src/lib.rs", ""),
        ("b/Cargo.toml", "[package]\nname = \"b\"\n[dependencies]\na-pkg = { path = \"../a\" }\n"),
        ("b/src/lib.rs", ""),
    ]);
    let sources = find(&dir.path().join("b/src"), &[]).expect("sources");
    assert_eq!(
        shown(&sources),
        [
            "top 2015",
            "  Lib top ../../src/lib.rs",
            "a_lib 2015",
            "  Lib a_lib ../../a/src/lib.rs",
            "b 2015",
            "  Lib b lib.rs"
        ]
    );
    assert_eq!(sources.packages[2].dependencies, [("a_lib".into(), "a_lib".into())]);
}

#[test]
fn cargos_own_answer_limits_the_workspace_to_its_members() {
    let dir = project(&[("m/src/lib.rs", ""), ("m/sub/Cargo.toml", "[package]\nname = \"sub\"\n")]);
    std::fs::write(dir.path().join("m/Cargo.toml"), "[package]\nname = \"m\"\n").expect("write");
    std::fs::write(dir.path().join("m/sub/lib.rs"), "").expect("write");
    let root = dir.path().join("m").to_string_lossy().replace('\\', "/");
    let target = format!(
        r#"{{"name":"renamed","kind":["lib"],"crate_types":["lib"],"src_path":"{root}/src/lib.rs","edition":"2018"}}"#
    );
    let package = format!(
        r#"{{"name":"m","version":"0.1.0","id":"m 0.1.0","dependencies":[],"targets":[{target}],"features":{{}},
            "manifest_path":"{root}/Cargo.toml","edition":"2018"}}"#
    );
    let metadata = format!(
        r#"{{"packages":[{package}],"workspace_members":["m 0.1.0"],"resolve":null,"workspace_root":"{root}",
            "target_directory":"{root}/target","version":1}}"#
    );
    let metadata = cargo_metadata::MetadataCommand::parse(metadata).expect("metadata");
    let request = Request { paths: &[], cwd: &dir.path().join("m"), metadata: Some(&metadata) };
    let sources = discover(&request).expect("sources");
    assert_eq!(shown(&sources), ["renamed 2018", "  Lib renamed src/lib.rs"]);
    assert_eq!(sources.files.len(), 1);
}

#[test]
fn what_cannot_be_read_is_a_notice_and_the_rest_goes_on() {
    let dir = project(&[("a.rs", ""), ("Cargo.toml", "[package")]);
    std::fs::write(dir.path().join("b.rs"), b"\xFF").expect("write");
    std::fs::write(dir.path().join("c.rs"), b"\0").expect("write");
    let sources = find(dir.path(), &["."]).expect("sources");
    assert_eq!(sources.files.len(), 1);
    let notices: Vec<_> =
        sources.notices.iter().map(|notice| (notice.kind, notice.file.as_deref().unwrap_or("-"))).collect();
    assert_eq!(
        notices,
        [
            (NoticeKind::UnparsedFile, "Cargo.toml"),
            (NoticeKind::UnreadableFile, "b.rs"),
            (NoticeKind::UnreadableFile, "c.rs")
        ]
    );
}

#[test]
fn nothing_to_look_at_is_an_error() {
    let dir = project(&[("a.txt", "")]);
    assert_eq!(find(dir.path(), &["no"]).expect_err("missing").to_string(), "`no` does not exist");
    assert_eq!(find(dir.path(), &["."]).expect_err("empty").to_string(), "no Rust file under `.`");
    assert_eq!(find(dir.path(), &[]).expect_err("empty").to_string(), "no Rust file under the current directory");
}
