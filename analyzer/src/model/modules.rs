//! The module tree: which file is which module, and what each module declares.
//!
//! Guarantees: `mod name;` follows rustc's rules for directories and `#[path]`; a file that two crates mount is one
//! module; a file of the package that nothing mounts hangs below the first root, so that its code is analysed too.
//!
//! Misses: modules that a build script or `include!` brings in.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::{Crate, CrateId, CrateInput, Def, Model, ModelFile, Module, ModuleId, items};
use crate::syntax::Symbol;

/// Adds all crates with their modules and items.
pub fn mount<'a>(model: &mut Model<'a>, files: &[ModelFile<'a>], crates: &[CrateInput]) {
    let by_path = files.iter().enumerate().map(|(index, file)| (normal(file.path), index)).collect();
    let mut mounter = Mounter { files, by_path, mounted: FxHashMap::default() };
    // Roots first: a file that is a root of its own is never also somebody's leftover.
    let roots: Vec<(CrateId, ModuleId)> = crates
        .iter()
        .map(|input| {
            let krate = CrateId(model.crates.len() as u32);
            let root = add_module(model, krate, None, Symbol::from(""), input.root as u32, false);
            model.crates.push(Crate {
                name: input.name,
                root,
                edition: input.edition,
                dependencies: input.dependencies.clone(),
                stub: input.stub,
            });
            if input.library {
                model.crates_by_name.entry(input.name).or_insert(krate);
            }
            mounter.mounted.entry(input.root).or_insert(root);
            (krate, root)
        })
        .collect();
    for (input, (_, root)) in crates.iter().zip(&roots) {
        let file = files[input.root];
        let dir = file.path.parent().unwrap_or(Path::new("")).to_path_buf();
        let place = Place { module: *root, file: input.root as u32, dir, test: input.test || file.syntax.test };
        items::collect(model, &mut mounter, &file.syntax.items, &place);
    }
    for (input, (krate, root)) in crates.iter().zip(&roots) {
        for &file in &input.files {
            if !mounter.mounted.contains_key(&file) {
                let name = Symbol::from(files[file].path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("_"));
                mounter.mount(model, *krate, *root, name, file, input.test);
            }
        }
    }
}

/// Where items are collected.
pub struct Place {
    /// The module they belong to.
    pub module: ModuleId,
    /// The file they stand in.
    pub file: u32,
    /// The directory in which `mod name;` looks.
    pub dir: PathBuf,
    /// In test code.
    pub test: bool,
}

/// Files by path, and which are modules already.
pub struct Mounter<'f, 'a> {
    files: &'f [ModelFile<'a>],
    by_path: FxHashMap<PathBuf, usize>,
    mounted: FxHashMap<usize, ModuleId>,
}

impl<'a> Mounter<'_, 'a> {
    /// Mounts what `mod name;` in `place` stands for.
    pub fn mount_named(
        &mut self,
        model: &mut Model<'a>,
        place: &Place,
        name: Symbol,
        path: Option<&str>,
        test: bool,
    ) -> Option<ModuleId> {
        let file = match path {
            Some(path) => {
                let own = self.files[place.file as usize].path.parent().unwrap_or(Path::new(""));
                [own.join(path), place.dir.join(path)].iter().find_map(|path| self.by_path.get(&normal(path)).copied())
            }
            None => [place.dir.join(format!("{name}.rs")), place.dir.join(name.as_str()).join("mod.rs")]
                .iter()
                .find_map(|path| self.by_path.get(&normal(path)).copied()),
        }?;
        if let Some(module) = self.mounted.get(&file) {
            return Some(*module);
        }
        let krate = model.module(place.module).krate;
        Some(self.mount(model, krate, place.module, name, file, test))
    }

    fn mount(
        &mut self,
        model: &mut Model<'a>,
        krate: CrateId,
        parent: ModuleId,
        name: Symbol,
        file: usize,
        test: bool,
    ) -> ModuleId {
        let module = add_module(model, krate, Some(parent), name, file as u32, false);
        self.mounted.insert(file, module);
        let path = self.files[file].path;
        let own = path.parent().unwrap_or(Path::new(""));
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
        let dir = if stem == "mod" { own.to_path_buf() } else { own.join(stem) };
        let syntax = self.files[file].syntax;
        let place = Place { module, file: file as u32, dir, test: test || syntax.test };
        items::collect(model, self, &syntax.items, &place);
        module
    }
}

/// Adds an empty module.
pub fn add_module<'a>(
    model: &mut Model<'a>,
    krate: CrateId,
    parent: Option<ModuleId>,
    name: Symbol,
    file: u32,
    block: bool,
) -> ModuleId {
    let id = ModuleId(model.modules.len() as u32);
    model.modules.push(Module {
        krate,
        parent,
        name,
        file,
        block,
        types: FxHashMap::default(),
        values: FxHashMap::default(),
        imports: FxHashMap::default(),
        globs: Vec::new(),
    });
    if let (Some(parent), false) = (parent, block) {
        model.modules[parent.0 as usize].types.entry(name).or_insert(Def::Module(id));
    }
    id
}

/// A path without `.` and `..`, so that `#[path = "../x.rs"]` meets the file as it was found.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}
