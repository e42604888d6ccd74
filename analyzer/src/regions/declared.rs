//! Where locks and cells are declared.
//!
//! Guarantees: what walking notes is the item, not its position, which an edit elsewhere in the file may move.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::Regions;
use crate::finding::Location;
use crate::model::{AdtId, Model, StaticId};
use crate::syntax::{Span, Symbol};

/// What declares a lock or cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Declared {
    /// A field of a struct or variant.
    Field(AdtId, Symbol),
    /// A static or thread-local.
    Static(StaticId),
}

/// The positions of all declarations in the sources.
#[derive(Debug, Default)]
pub struct Declarations {
    fields: FxHashMap<(AdtId, Symbol), (u32, Span)>,
    statics: Vec<(u32, Span)>,
}

impl Declarations {
    /// Of the sources; libraries' own are left out.
    pub(super) fn of(model: &Model<'_>) -> Declarations {
        let mut fields = FxHashMap::default();
        for (index, adt) in model.adts.iter().enumerate() {
            if model.crate_of(adt.module).stub {
                continue;
            }
            for field in adt.variants.iter().flatten() {
                fields.entry((AdtId(index as u32), field.name)).or_insert((adt.file, field.span));
            }
        }
        let statics = model.statics.iter().map(|data| (data.file, data.span)).collect();
        Declarations { fields, statics }
    }
}

impl Regions {
    /// The place of a declaration; empty where it is not in the sources.
    pub fn declaration(&self, declared: Option<Declared>) -> Location {
        let found = match declared {
            Some(Declared::Field(adt, name)) => self.declarations.fields.get(&(adt, name)),
            Some(Declared::Static(id)) => self.declarations.statics.get(id.0 as usize),
            None => None,
        };
        let Some((file, span)) = found else { return Location::default() };
        Location {
            file: self.files.get(*file as usize).cloned().unwrap_or_default(),
            line: span.start.line,
            column: span.start.column,
            end_line: span.end.line,
            end_column: span.end.column,
            function: None,
            label: String::new(),
        }
    }
}
