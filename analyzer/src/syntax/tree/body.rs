//! The code of one function: expressions, statements and patterns in arenas, in the order in which they are written.
//!
//! Guarantees: an expression's children have smaller numbers than it has; parentheses and groups are gone.

use serde::{Deserialize, Serialize};
use thin_vec::ThinVec;

use super::{Item, Path, Span, Symbol, TypeRef};

/// Index of an expression in its body's arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExprId(pub u32);

/// Index of a pattern in its body's arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PatId(pub u32);

/// What an item says of its code: which it is, and the items in it. Names can be resolved without the code itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BodyHead {
    /// Its place in [`FileSyntax::bodies`](super::FileSyntax::bodies).
    #[serde(serialize_with = "crate::syntax::keep::index")]
    pub index: u32,
    /// The items that stand inside, at any depth of blocks.
    pub items: Vec<Item>,
    /// The integer literal that it is, where it is one.
    pub integer: Option<u64>,
}

/// The code of one function (or initialiser), closures and async blocks in it included.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Body {
    /// All expressions; children come before their parents.
    pub exprs: Vec<Expr>,
    /// All patterns.
    pub pats: Vec<Pat>,
    /// The outermost expression: a block for functions.
    pub root: ExprId,
}

impl std::ops::Index<ExprId> for Body {
    type Output = Expr;
    fn index(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }
}

impl std::ops::Index<PatId> for Body {
    type Output = Pat;
    fn index(&self, id: PatId) -> &Pat {
        &self.pats[id.0 as usize]
    }
}

/// An expression.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expr {
    /// Its whole extent. For a method call: receiver to closing parenthesis.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// The kinds of expressions. Parentheses and groups are gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ExprKind {
    /// A variable, item, unit struct...
    Path(Box<Path>),
    /// `<T>::name` or `<T as Trait>::name`.
    QualifiedPath {
        /// `T`.
        of: Box<TypeRef>,
        /// The whole path behind it, trait included.
        path: Box<Path>,
    },
    /// A literal; strings tell nothing, integers may be an index.
    Lit(Lit),
    /// `callee(args)`
    Call {
        /// What is called.
        callee: ExprId,
        /// The arguments.
        args: ThinVec<ExprId>,
    },
    /// `receiver.method::<types>(args)`
    MethodCall {
        /// The receiver.
        receiver: ExprId,
        /// The method's name.
        method: Symbol,
        /// The method name's place.
        method_span: Span,
        /// Turbofish.
        types: ThinVec<TypeRef>,
        /// The arguments.
        args: ThinVec<ExprId>,
    },
    /// `base.name`, `base.0`
    Field {
        /// The base.
        base: ExprId,
        /// The field.
        name: Symbol,
    },
    /// `base[index]`
    Index {
        /// The base.
        base: ExprId,
        /// The index.
        index: ExprId,
    },
    /// `*e`
    Deref(ExprId),
    /// `!e`, `-e`
    Unary(ExprId),
    /// `&e`, `&mut e`, `&raw e`
    Ref {
        /// `&mut`.
        mutable: bool,
        /// A pointer is made of it at once: `&raw`, `addr_of!`, `&e as *mut T`. Nothing is read or written by that.
        raw: bool,
        /// The operand.
        expr: ExprId,
    },
    /// `a + b` and other binary operators that evaluate both sides.
    Binary {
        /// Left.
        lhs: ExprId,
        /// Right.
        rhs: ExprId,
        /// A comparison (the result is a bool).
        comparison: bool,
    },
    /// `a && b`, `a || b`
    Logic {
        /// Left.
        lhs: ExprId,
        /// Right, evaluated perhaps.
        rhs: ExprId,
        /// `&&`.
        and: bool,
    },
    /// `place = value`
    Assign {
        /// The place.
        place: ExprId,
        /// The value.
        value: ExprId,
    },
    /// `place += value`
    AssignOp {
        /// The place.
        place: ExprId,
        /// The value.
        value: ExprId,
    },
    /// `{ .. }`
    Block {
        /// Its statements; the value is a last `Stmt::Expr` without semicolon.
        stmts: ThinVec<Stmt>,
        /// `'label: {`
        label: Option<Symbol>,
        /// What kind of block.
        kind: BlockKind,
    },
    /// `if cond { .. } else ..`; the condition may contain [`ExprKind::Let`].
    If {
        /// The condition.
        cond: ExprId,
        /// The block.
        then: ExprId,
        /// The else block or the next `if`.
        els: Option<ExprId>,
    },
    /// `let pat = scrutinee` inside a condition.
    Let {
        /// The pattern.
        pat: PatId,
        /// The scrutinee.
        scrutinee: ExprId,
    },
    /// `match`, also `matches!`.
    Match {
        /// The scrutinee.
        scrutinee: ExprId,
        /// The arms.
        arms: ThinVec<Arm>,
    },
    /// `loop`
    Loop {
        /// Its label.
        label: Option<Symbol>,
        /// Its body.
        body: ExprId,
    },
    /// `while`, `while let`
    While {
        /// Its label.
        label: Option<Symbol>,
        /// The condition.
        cond: ExprId,
        /// Its body.
        body: ExprId,
    },
    /// `for`
    For {
        /// Its label.
        label: Option<Symbol>,
        /// The pattern.
        pat: PatId,
        /// What is iterated.
        iter: ExprId,
        /// Its body.
        body: ExprId,
    },
    /// `break 'label value`
    Break {
        /// The label.
        label: Option<Symbol>,
        /// The value.
        value: Option<ExprId>,
    },
    /// `continue 'label`
    Continue {
        /// The label.
        label: Option<Symbol>,
    },
    /// `return value`
    Return(Option<ExprId>),
    /// `yield value`
    Yield(Option<ExprId>),
    /// `|params| body`
    Closure {
        /// The parameters with their types, where written.
        params: ThinVec<(PatId, Option<TypeRef>)>,
        /// The written return type.
        ret: Option<Box<TypeRef>>,
        /// The body.
        body: ExprId,
        /// `move`.
        move_: bool,
        /// `async`.
        async_: bool,
    },
    /// `async { .. }`
    Async {
        /// The block.
        body: ExprId,
        /// `move`.
        move_: bool,
    },
    /// `e.await`
    Await(ExprId),
    /// `e?`, `try!(e)`
    Try(ExprId),
    /// `Path { field: e, ..rest }`
    Struct {
        /// The type.
        path: Box<Path>,
        /// Fields in the order written.
        fields: ThinVec<(Symbol, ExprId)>,
        /// `..rest`
        rest: Option<ExprId>,
    },
    /// `(a, b)`; `()` is the empty one.
    Tuple(ThinVec<ExprId>),
    /// `[a, b]`, `vec![a, b]`
    Array {
        /// The elements.
        items: ThinVec<ExprId>,
        /// Came from `vec!`.
        vec: bool,
    },
    /// `[e; n]`, `vec![e; n]`
    Repeat {
        /// The element.
        item: ExprId,
        /// The length.
        len: ExprId,
        /// Came from `vec!`.
        vec: bool,
    },
    /// `e as T`
    Cast {
        /// The operand.
        expr: ExprId,
        /// The type.
        ty: Box<TypeRef>,
    },
    /// `a..b`
    Range {
        /// Start.
        from: Option<ExprId>,
        /// End.
        to: Option<ExprId>,
    },
    /// A macro call that no other kind stands for.
    Macro {
        /// The macro's last path segment.
        name: Symbol,
        /// What is known about it.
        kind: MacroKind,
        /// Its arguments as expressions, in order of evaluation.
        args: ThinVec<ExprId>,
    },
    /// `select!`: exactly one arm's body runs, after all futures were polled.
    Select {
        /// The arms.
        arms: ThinVec<SelectArm>,
    },
    /// `_`, or something unreadable.
    Unknown,
}

/// A literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lit {
    /// An integer that fits.
    Int(u64),
    /// `true` or `false`.
    Bool(bool),
    /// A string, byte string or C string; its text where it is short enough for a name.
    Str(Option<Symbol>),
    /// Anything else.
    Other,
}

/// What kind of block an [`ExprKind::Block`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlockKind {
    /// `{}`
    Plain,
    /// `unsafe {}`
    Unsafe,
    /// `const {}`: runs at compile time.
    Const,
    /// `try {}`
    Try,
}

/// What is known about a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MacroKind {
    /// Evaluates its arguments and drops their temporaries when it is done (`println!`, `assert_eq!`, log macros).
    Statement,
    /// Its value may borrow its arguments, whose temporaries live on (`format!`, `write!`).
    Value,
    /// Evaluates its arguments and never returns (`panic!`, `todo!`, `unreachable!`, `bail!`).
    Diverges,
    /// Awaits its arguments (`join!`, `try_join!`).
    Awaits,
    /// Not known; its arguments happened to parse as expressions or statements.
    Unknown,
    /// Not known and not readable.
    Opaque,
}

/// An arm of `match`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Arm {
    /// The pattern.
    pub pat: PatId,
    /// `if guard`
    pub guard: Option<ExprId>,
    /// The body.
    pub body: ExprId,
}

/// An arm of `select!`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SelectArm {
    /// The pattern; `None` for `default`/`else`/`complete`.
    pub pat: Option<PatId>,
    /// The future.
    pub future: Option<ExprId>,
    /// `, if cond`
    pub guard: Option<ExprId>,
    /// The handler.
    pub body: ExprId,
}

/// A statement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Stmt {
    /// `let pat: ty = init else { els };`
    Let {
        /// The pattern.
        pat: PatId,
        /// The written type.
        ty: Option<Box<TypeRef>>,
        /// The initialiser.
        init: Option<ExprId>,
        /// The else block.
        els: Option<ExprId>,
    },
    /// An expression.
    Expr {
        /// It.
        expr: ExprId,
        /// Ended by a semicolon (or a statement macro with braces): not the block's value.
        semi: bool,
    },
}

/// A pattern.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pat {
    /// Its extent.
    pub span: Span,
    /// What it is.
    pub kind: PatKind,
}

/// The kinds of patterns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum PatKind {
    /// `_`
    Wild,
    /// `..`
    Rest,
    /// `name`, `ref name`, `name @ sub`; may turn out to be a constant or unit struct.
    Ident {
        /// The name.
        name: Symbol,
        /// `ref`.
        by_ref: bool,
        /// Behind `@`.
        sub: Option<PatId>,
    },
    /// `(a, b)`
    Tuple(ThinVec<PatId>),
    /// `Path(a, b)`
    TupleStruct {
        /// The variant or struct.
        path: Box<Path>,
        /// Its fields.
        pats: ThinVec<PatId>,
    },
    /// `Path { field: pat, .. }`
    Struct {
        /// The variant or struct.
        path: Box<Path>,
        /// Its fields.
        fields: ThinVec<(Symbol, PatId)>,
    },
    /// `&pat`
    Ref(PatId),
    /// `a | b`
    Or(ThinVec<PatId>),
    /// `[a, b]`
    Slice(ThinVec<PatId>),
    /// A path with more than one segment: a constant or unit variant.
    Path(Box<Path>),
    /// A literal, range or something unreadable: binds nothing.
    Other,
}
