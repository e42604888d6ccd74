//! Items: from syn to the plain tree.
//!
//! Guarantees: both sides of every `#[cfg]` are kept, and what only tests compile is marked. Misses: code in
//! discriminants, array lengths, attribute arguments and the values of associated constants.

use super::lower::{Lowering, MAX_ITEM_DEPTH};
use super::tree::{
    AssocItem, Field, Function, Import, Item, ItemKind, Param, Receiver, Span, StaticKind, Symbol, Variant,
};
use super::{attributes, pats, spans};
use syn::{Attribute, Fields, FnArg, ForeignItem, ImplItem, ReceiverKind, TraitItem, UseTree, Visibility};

impl Lowering {
    pub(super) fn items(&mut self, items: &[syn::Item]) -> Vec<Item> {
        let mut lowered = Vec::with_capacity(items.len());
        for item in items {
            self.item(item, &mut lowered);
        }
        lowered
    }

    /// Lowers an item; a macro call or an `extern` block may give several, or none.
    pub(super) fn item(&mut self, item: &syn::Item, out: &mut Vec<Item>) {
        if self.item_depth >= MAX_ITEM_DEPTH {
            let message = format!("items nested more than {MAX_ITEM_DEPTH} deep: what is deeper is not analysed");
            self.notice(item_extent(item), message);
            return;
        }
        let outside = self.test;
        self.test = outside || attributes::mark_test(attributes::of_item(item));
        self.item_depth += 1;
        self.item_inner(item, out);
        self.item_depth -= 1;
        self.test = outside;
    }

    fn item_inner(&mut self, item: &syn::Item, out: &mut Vec<Item>) {
        match item {
            syn::Item::Fn(item) => {
                let function = self.function(&item.attrs, &item.vis, &item.sig, Some(&item.block));
                out.push(self.named(&item.sig.ident, &item.vis, ItemKind::Fn(Box::new(function))));
            }
            syn::Item::Impl(item) => self.impl_item(item, out),
            syn::Item::Mod(item) => {
                let items = item.content.as_ref().map(|(_, items)| self.items(items));
                let path = attributes::path(&item.attrs);
                out.push(self.named(&item.ident, &item.vis, ItemKind::Mod { items, path }));
            }
            syn::Item::Use(item) => {
                let mut imports = Vec::new();
                self.imports(&item.tree, item.leading_colon.is_some(), &mut Vec::new(), &mut imports);
                let span = spans::of(item.use_token.span);
                out.push(self.unnamed(span, is_public(&item.vis), ItemKind::Use(imports)));
            }
            syn::Item::Struct(item) => {
                let kind =
                    ItemKind::Struct { generics: self.generics(&item.generics), fields: self.fields(&item.fields) };
                out.push(self.named(&item.ident, &item.vis, kind));
            }
            syn::Item::Union(item) => {
                let generics = self.generics(&item.generics);
                let fields = item.fields.named.iter().enumerate().map(|(i, field)| self.field(i, field)).collect();
                out.push(self.named(&item.ident, &item.vis, ItemKind::Struct { generics, fields }));
            }
            syn::Item::Enum(item) => {
                let generics = self.generics(&item.generics);
                let variants = (item.variants.iter())
                    .map(|variant| Variant { name: self.name(&variant.ident), fields: self.fields(&variant.fields) })
                    .collect();
                out.push(self.named(&item.ident, &item.vis, ItemKind::Enum { generics, variants }));
            }
            syn::Item::Type(item) => {
                let kind = ItemKind::TypeAlias { generics: self.generics(&item.generics), ty: self.ty(&item.ty) };
                out.push(self.named(&item.ident, &item.vis, kind));
            }
            syn::Item::Static(item) => {
                let kind = kind_of_static(&item.attrs, &item.mutability);
                let kind = self.static_kind(&item.ty, kind, Some(&item.expr));
                out.push(self.named(&item.ident, &item.vis, kind));
            }
            syn::Item::Const(item) => {
                let kind = self.static_kind(&item.ty, StaticKind::Const, Some(&item.expr));
                out.push(self.named(&item.ident, &item.vis, kind));
            }
            syn::Item::Trait(item) => {
                let generics = self.generics(&item.generics);
                let supertraits = self.bounds(&item.supertraits);
                let mut items = Vec::with_capacity(item.items.len());
                for item in &item.items {
                    self.trait_item(item, &mut items);
                }
                out.push(self.named(&item.ident, &item.vis, ItemKind::Trait { generics, supertraits, items }));
            }
            syn::Item::TraitAlias(item) => {
                let kind = ItemKind::Trait {
                    generics: self.generics(&item.generics),
                    supertraits: self.bounds(&item.bounds),
                    items: Vec::new(),
                };
                out.push(self.named(&item.ident, &item.vis, kind));
            }
            syn::Item::ExternCrate(item) => {
                let kind = ItemKind::ExternCrate { krate: self.name(&item.ident) };
                let alias = item.rename.as_ref().map_or(&item.ident, |(_, alias)| alias);
                out.push(self.named(alias, &item.vis, kind));
            }
            syn::Item::ForeignMod(item) => {
                for item in &item.items {
                    self.foreign_item(item, out);
                }
            }
            syn::Item::Macro(item) => self.item_macro(item, out),
            syn::Item::Verbatim(tokens) => self.unreadable(tokens),
            _ => {}
        }
    }

    /// Syntax that syn passes over without giving it a form: worth a notice where it can hold code.
    fn unreadable(&mut self, tokens: &proc_macro2::TokenStream) {
        let braces = |token: &proc_macro2::TokenTree| {
            matches!(token, proc_macro2::TokenTree::Group(group)
                if group.delimiter() == proc_macro2::Delimiter::Brace && !group.stream().is_empty())
        };
        if tokens.clone().into_iter().any(|token| braces(&token))
            && let Some(span) = spans::tokens(tokens)
        {
            self.notice(span, "unstable syntax: the item is not analysed");
        }
    }

    fn named(&mut self, ident: &syn::Ident, vis: &Visibility, kind: ItemKind) -> Item {
        let name = self.name(ident);
        Item { name, span: spans::of(ident.span()), public: is_public(vis), test: self.test, kind }
    }

    pub(super) fn unnamed(&self, span: Span, public: bool, kind: ItemKind) -> Item {
        Item { name: symbol_table::static_symbol!(""), span, public, test: self.test, kind }
    }

    pub(super) fn static_kind(&mut self, ty: &syn::Type, kind: StaticKind, init: Option<&syn::Expr>) -> ItemKind {
        let ty = self.ty(ty);
        let init = init
            .filter(|init| !matches!(init, syn::Expr::Verbatim(_)))
            .map(|init| self.body(|lowering| lowering.id(init)));
        ItemKind::Static { ty, kind, init }
    }

    pub(super) fn static_item(
        &mut self,
        ident: &syn::Ident,
        vis: &Visibility,
        ty: &syn::Type,
        kind: StaticKind,
        init: Option<&syn::Expr>,
    ) -> Item {
        let kind = self.static_kind(ty, kind, init);
        self.named(ident, vis, kind)
    }

    fn fields(&mut self, fields: &Fields) -> Vec<Field> {
        fields.iter().enumerate().map(|(index, field)| self.field(index, field)).collect()
    }

    fn field(&mut self, index: usize, field: &syn::Field) -> Field {
        let (name, span) = match &field.ident {
            Some(ident) => (self.name(ident), spans::of(ident.span())),
            None => {
                let start = spans::type_start(&field.ty);
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                (pats::index_name(index), Span { start, end: spans::type_end(&field.ty).max(start) })
            }
        };
        Field { name, span, ty: self.ty(&field.ty) }
    }

    fn impl_item(&mut self, item: &syn::ItemImpl, out: &mut Vec<Item>) {
        let mut items = Vec::with_capacity(item.items.len());
        for item in &item.items {
            self.impl_member(item, &mut items);
        }
        let kind = ItemKind::Impl {
            generics: self.generics(&item.generics),
            trait_: item.trait_.as_ref().map(|(path, _)| self.path(path)),
            negative: item.modifiers.polarity.is_some(),
            unsafe_: item.unsafety.is_some(),
            self_ty: self.ty(&item.self_ty),
            items,
        };
        let first = item.unsafety.as_ref().map_or(item.impl_token.span, |token| token.span);
        let start = spans::start(first);
        out.push(self.unnamed(Span { start, end: spans::type_end(&item.self_ty).max(start) }, false, kind));
    }

    pub(super) fn impl_member(&mut self, item: &ImplItem, out: &mut Vec<AssocItem>) {
        match item {
            ImplItem::Fn(item) => {
                let function = self.function(&item.attrs, &item.vis, &item.sig, Some(&item.block));
                out.push(AssocItem::Fn(Box::new(function)));
            }
            ImplItem::Type(item) => {
                let name = self.name(&item.ident);
                out.push(AssocItem::Type { name, ty: Some(self.ty(&item.ty)) });
            }
            ImplItem::Const(item) => {
                let name = self.name(&item.ident);
                out.push(AssocItem::Const { name, ty: self.ty(&item.ty) });
            }
            ImplItem::Macro(item) => self.impl_macro(&item.mac, out),
            ImplItem::Verbatim(tokens) => self.unreadable(tokens),
            _ => {}
        }
    }

    pub(super) fn trait_item(&mut self, item: &TraitItem, out: &mut Vec<AssocItem>) {
        match item {
            TraitItem::Fn(item) => {
                let function = self.function(&item.attrs, &Visibility::Inherited, &item.sig, item.default.as_ref());
                out.push(AssocItem::Fn(Box::new(function)));
            }
            TraitItem::Type(item) => {
                let name = self.name(&item.ident);
                let ty = item.default.as_ref().map(|(_, ty)| self.ty(ty));
                out.push(AssocItem::Type { name, ty });
            }
            TraitItem::Const(item) => {
                let name = self.name(&item.ident);
                out.push(AssocItem::Const { name, ty: self.ty(&item.ty) });
            }
            TraitItem::Macro(item) => self.trait_macro(&item.mac, out),
            TraitItem::Verbatim(tokens) => self.unreadable(tokens),
            _ => {}
        }
    }

    fn foreign_item(&mut self, item: &ForeignItem, out: &mut Vec<Item>) {
        match item {
            ForeignItem::Fn(item) => {
                let function = self.function(&item.attrs, &item.vis, &item.sig, None);
                out.push(self.named(&item.sig.ident, &item.vis, ItemKind::Fn(Box::new(function))));
            }
            ForeignItem::Static(item) => {
                let kind = kind_of_static(&item.attrs, &item.mutability);
                let kind = self.static_kind(&item.ty, kind, None);
                out.push(self.named(&item.ident, &item.vis, kind));
            }
            _ => {}
        }
    }

    pub(super) fn function(
        &mut self,
        attrs: &[Attribute],
        vis: &Visibility,
        sig: &syn::Signature,
        block: Option<&syn::Block>,
    ) -> Function {
        let outside = self.test;
        self.test = outside || attributes::mark_test(attrs);
        let generics = self.generics(&sig.generics);
        let mut receiver = None;
        let mut types = Vec::with_capacity(sig.inputs.len());
        let mut patterns = Vec::with_capacity(sig.inputs.len());
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(input) => receiver = Some(self.receiver(input)),
                FnArg::Typed(input) => {
                    types.push(self.ty(&input.ty));
                    patterns.push(&*input.pat);
                }
            }
        }
        let ret = self.return_type(&sig.output);
        let mut pats = vec![None; types.len()];
        let body = block.map(|block| {
            self.body(|lowering| {
                for (pat, written) in pats.iter_mut().zip(&patterns) {
                    *pat = Some(lowering.pat(written));
                }
                lowering.instrumented(attrs, block)
            })
        });
        let function = Function {
            name: self.name(&sig.ident),
            span: spans::of(sig.ident.span()),
            generics,
            receiver,
            params: pats.into_iter().zip(types).map(|(pat, ty)| Param { pat, ty }).collect(),
            ret,
            async_: sig.asyncness.is_some(),
            unsafe_: matches!(sig.safety, syn::Safety::Unsafe(_)),
            public: is_public(vis),
            test: self.test,
            body,
        };
        self.test = outside;
        function
    }

    fn receiver(&mut self, receiver: &syn::Receiver) -> Receiver {
        match &receiver.kind {
            ReceiverKind::Reference(_, _, mutability) => {
                Receiver { reference: true, mutable: mutability.is_some(), ty: None }
            }
            ReceiverKind::Typed(_, ty) => Receiver { reference: false, mutable: false, ty: Some(self.ty(ty)) },
            _ => Receiver { reference: false, mutable: false, ty: None },
        }
    }

    fn imports(&mut self, tree: &UseTree, absolute: bool, prefix: &mut Vec<Symbol>, out: &mut Vec<Import>) {
        let outer = prefix.len();
        let mut tree = tree;
        while let UseTree::Path(path) = tree {
            prefix.push(self.name(&path.ident));
            tree = &path.tree;
        }
        match tree {
            UseTree::Name(name) => {
                let name = self.name(&name.ident);
                out.push(import(prefix, name, name, absolute));
            }
            UseTree::Rename(rename) => {
                let (name, alias) = (self.name(&rename.ident), self.name(&rename.rename));
                out.push(import(prefix, name, alias, absolute));
            }
            UseTree::Glob(_) => out.push(Import { path: prefix.clone(), absolute, alias: None }),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.imports(tree, absolute, prefix, out);
                }
            }
            UseTree::Path(_) => {}
        }
        prefix.truncate(outer);
    }
}

/// One leaf; `a::{self}` imports `a`.
fn import(prefix: &[Symbol], name: Symbol, alias: Symbol, absolute: bool) -> Import {
    let mut path = prefix.to_vec();
    let this = symbol_table::static_symbol!("self");
    let alias = match prefix.last() {
        Some(&last) if name == this => {
            if alias == this {
                last
            } else {
                alias
            }
        }
        _ => {
            path.push(name);
            alias
        }
    };
    Import { path, absolute, alias: Some(alias) }
}

/// Where an item that is not followed stands, as far as it is known without looking into it.
fn item_extent(item: &syn::Item) -> Span {
    match item {
        syn::Item::Fn(item) => spans::of(item.sig.ident.span()),
        syn::Item::Mod(item) => spans::of(item.ident.span()),
        syn::Item::Impl(item) => spans::of(item.impl_token.span),
        syn::Item::Trait(item) => spans::of(item.ident.span()),
        syn::Item::Const(item) => spans::of(item.ident.span()),
        syn::Item::Static(item) => spans::of(item.ident.span()),
        syn::Item::Macro(item) => spans::path(&item.mac.path),
        syn::Item::Struct(item) => spans::of(item.ident.span()),
        syn::Item::Enum(item) => spans::of(item.ident.span()),
        syn::Item::Union(item) => spans::of(item.ident.span()),
        syn::Item::Type(item) => spans::of(item.ident.span()),
        syn::Item::TraitAlias(item) => spans::of(item.ident.span()),
        syn::Item::Use(item) => spans::of(item.use_token.span),
        syn::Item::ExternCrate(item) => spans::of(item.ident.span()),
        syn::Item::ForeignMod(item) => spans::of(item.abi.extern_token.span),
        syn::Item::Verbatim(tokens) => spans::tokens(tokens).unwrap_or_default(),
        _ => Span::default(),
    }
}

fn is_public(vis: &Visibility) -> bool {
    !matches!(vis, Visibility::Inherited)
}

fn kind_of_static(attrs: &[Attribute], mutability: &syn::StaticMutability) -> StaticKind {
    match mutability {
        _ if attrs.iter().any(|attr| attr.path().is_ident("thread_local")) => StaticKind::PerThread,
        syn::StaticMutability::Mut(_) => StaticKind::StaticMut,
        _ => StaticKind::Static,
    }
}
