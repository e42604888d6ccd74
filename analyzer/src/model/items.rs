//! From a file's items to the model's tables.
//!
//! Guarantees: every function with its place (impl, trait, module, body) is found, items inside bodies included;
//! of two items with one name (both sides of a `cfg`) the first one answers to the name and both are analysed.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::modules::{Mounter, Place, add_module};
use super::{
    AdtData, AdtId, AliasData, AliasId, Def, FnData, FnId, ImplData, ImplId, Model, ModuleId, StaticData, StaticId,
    TraitData, TraitId, Ty,
};
use crate::syntax::{AssocItem, BodyHead, Function, Generics, Item, ItemKind, Symbol};

/// Adds `items` to the module of `place`.
pub fn collect<'a>(model: &mut Model<'a>, mounter: &mut Mounter<'_, 'a>, items: &'a [Item], place: &Place) {
    for item in items {
        collect_item(model, mounter, item, place);
    }
}

fn collect_item<'a>(model: &mut Model<'a>, mounter: &mut Mounter<'_, 'a>, item: &'a Item, place: &Place) {
    let test = place.test || item.test;
    let module = place.module;
    match &item.kind {
        ItemKind::Mod { items: Some(items), path } => {
            let inner = match model.module(module).types.get(&item.name) {
                Some(Def::Module(existing)) => *existing,
                _ => {
                    let krate = model.module(module).krate;
                    add_module(model, krate, Some(module), item.name, place.file, false)
                }
            };
            let dir = place.dir.join(path.as_deref().unwrap_or(item.name.as_str()));
            collect(model, mounter, items, &Place { module: inner, file: place.file, dir, test });
        }
        ItemKind::Mod { items: None, path } => {
            if let Some(id) = mounter.mount_named(model, place, item.name, path.as_deref(), test) {
                model.modules[module.0 as usize].types.entry(item.name).or_insert(Def::Module(id));
            }
        }
        ItemKind::Use(imports) => {
            let module = &mut model.modules[module.0 as usize];
            for import in imports {
                match import.alias {
                    Some(alias) => module.imports.entry(alias).or_default().push(import),
                    None => module.globs.push((import, item.public)),
                }
            }
        }
        ItemKind::ExternCrate { krate } => {
            let owner = model.module(module).krate;
            model.crates[owner.0 as usize].dependencies.entry(item.name).or_insert(*krate);
        }
        ItemKind::Struct { generics, fields } => {
            let id = add_adt(model, item, place, generics, vec![(item.name, fields.as_slice())], false);
            name_value(model, module, item.name, Def::Adt(id));
        }
        ItemKind::Enum { generics, variants } => {
            let written = variants.iter().map(|variant| (variant.name, variant.fields.as_slice())).collect();
            add_adt(model, item, place, generics, written, true);
        }
        ItemKind::TypeAlias { generics, ty } => {
            let id = AliasId(model.aliases.len() as u32);
            model.aliases.push(AliasData { module, params: names(generics), ty });
            name_type(model, module, item.name, Def::Alias(id));
        }
        ItemKind::Static { ty, kind, init } => {
            let id = StaticId(model.statics.len() as u32);
            model.statics.push(StaticData {
                name: item.name,
                module,
                file: place.file,
                span: item.span,
                ty_ref: ty,
                ty: Ty::Unknown,
                kind: *kind,
                init: init.as_deref(),
                test,
            });
            name_value(model, module, item.name, Def::Static(id));
            if let Some(body) = init {
                collect_body(model, mounter, body, place, test);
            }
        }
        ItemKind::Impl { generics, trait_, self_ty, items, unsafe_, negative } => {
            if *negative {
                return;
            }
            let id = ImplId(model.impls.len() as u32);
            model.impls.push(ImplData {
                module,
                file: place.file,
                span: item.span,
                generics,
                trait_: None,
                trait_path: trait_.as_ref(),
                self_ref: self_ty,
                self_ty: Ty::Unknown,
                methods: FxHashMap::default(),
                types: FxHashMap::default(),
                unsafe_: *unsafe_,
                test,
            });
            for assoc in items {
                match assoc {
                    AssocItem::Fn(function) => {
                        let method = add_fn(model, mounter, function, place, Some(id), None, test);
                        model.impls[id.0 as usize].methods.entry(function.name).or_insert(method);
                    }
                    AssocItem::Type { name, ty: Some(ty) } => {
                        model.impls[id.0 as usize].types.insert(*name, ty);
                    }
                    _ => {}
                }
            }
        }
        ItemKind::Trait { supertraits, items, .. } => {
            let id = TraitId(model.traits.len() as u32);
            model.traits.push(TraitData {
                name: item.name,
                module,
                supertraits,
                methods: FxHashMap::default(),
                impls: Vec::new(),
            });
            name_type(model, module, item.name, Def::Trait(id));
            for assoc in items {
                if let AssocItem::Fn(function) = assoc {
                    let method = add_fn(model, mounter, function, place, None, Some(id), test);
                    model.traits[id.0 as usize].methods.entry(function.name).or_insert(method);
                }
            }
        }
        ItemKind::Fn(function) => {
            let id = add_fn(model, mounter, function, place, None, None, test);
            name_value(model, module, item.name, Def::Fn(id));
        }
        ItemKind::MacroRules { .. } => {}
    }
}

fn add_adt<'a>(
    model: &mut Model<'a>,
    item: &'a Item,
    place: &Place,
    generics: &'a Generics,
    written: Vec<(Symbol, &'a [crate::syntax::Field])>,
    is_enum: bool,
) -> AdtId {
    let id = AdtId(model.adts.len() as u32);
    model.adts.push(AdtData {
        name: item.name,
        module: place.module,
        file: place.file,
        span: item.span,
        params: names(generics),
        written,
        variants: Vec::new(),
        is_enum,
        lock: None,
        path: OnceLock::new(),
    });
    name_type(model, place.module, item.name, Def::Adt(id));
    id
}

fn add_fn<'a>(
    model: &mut Model<'a>,
    mounter: &mut Mounter<'_, 'a>,
    function: &'a Function,
    place: &Place,
    impl_: Option<ImplId>,
    trait_: Option<TraitId>,
    test: bool,
) -> FnId {
    let id = FnId(model.fns.len() as u32);
    let test = test || function.test;
    model.fns.push(FnData { syntax: function, module: place.module, file: place.file, impl_, trait_, test });
    if let Some(body) = &function.body
        && let Some(inner) = collect_body(model, mounter, body, place, test)
    {
        model.fns[id.0 as usize].module = inner;
    }
    id
}

/// Items inside a body live in an anonymous module of their own.
fn collect_body<'a>(
    model: &mut Model<'a>,
    mounter: &mut Mounter<'_, 'a>,
    body: &'a BodyHead,
    place: &Place,
    test: bool,
) -> Option<ModuleId> {
    let mut inner = None;
    for item in &body.items {
        let module = *inner.get_or_insert_with(|| {
            let krate = model.module(place.module).krate;
            add_module(model, krate, Some(place.module), Symbol::from(""), place.file, true)
        });
        collect_item(model, mounter, item, &Place { module, file: place.file, dir: place.dir.clone(), test });
    }
    inner
}

fn names(generics: &Generics) -> Vec<Symbol> {
    generics.params.iter().map(|param| param.name).collect()
}

fn name_type(model: &mut Model<'_>, module: ModuleId, name: Symbol, def: Def) {
    model.modules[module.0 as usize].types.entry(name).or_insert(def);
}

fn name_value(model: &mut Model<'_>, module: ModuleId, name: Symbol, def: Def) {
    model.modules[module.0 as usize].values.entry(name).or_insert(def);
}
