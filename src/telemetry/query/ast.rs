use super::functions::Function;
use super::matcher::Matcher;
use crate::telemetry::Micros;

/// Series by name and labels, at a time before now.
#[derive(Clone, Debug)]
pub(super) struct Selector {
    /// Empty when only the matchers say it.
    pub(super) name: String,
    /// All of them hold.
    pub(super) matchers: Vec<Matcher>,
    pub(super) offset: Micros,
}

/// What an expression evaluates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Scalar,
    Vector,
    Range,
}

impl Shape {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Scalar => "a scalar",
            Self::Vector => "a vector",
            Self::Range => "a range such as x[5m]",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    And,
    Or,
    Unless,
}

impl Operator {
    pub(super) fn compares(self) -> bool {
        use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        matches!(self, Equal | NotEqual | Greater | Less | GreaterOrEqual | LessOrEqual)
    }

    pub(super) fn joins_sets(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }

    /// A higher one binds tighter.
    pub(super) fn precedence(self) -> u8 {
        use Operator::{Add, And, Divide, Modulo, Multiply, Or, Power, Subtract, Unless};
        match self {
            Or => 1,
            And | Unless => 2,
            Add | Subtract => 4,
            Multiply | Divide | Modulo => 5,
            Power => 6,
            _ => 3,
        }
    }
}

/// Which labels two vectors are matched by.
#[derive(Clone, Debug)]
pub(super) enum Matching {
    On(Vec<String>),
    Ignoring(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregator {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Stddev,
    Stdvar,
    Quantile,
}

#[derive(Clone, Debug)]
pub(super) enum Grouping {
    By(Vec<String>),
    Without(Vec<String>),
}

/// An expression whose shapes fit.
#[derive(Clone, Debug)]
pub struct Expr(pub(super) Node);

#[derive(Clone, Debug)]
pub(super) enum Node {
    Number(f64),
    Instant(Selector),
    Range(Selector, Micros),
    Negate(Box<Node>),
    Binary {
        operator: Operator,
        to_bool: bool,
        matching: Matching,
        left: Box<Node>,
        right: Box<Node>,
    },
    Call(Function, Vec<Node>),
    Aggregate {
        aggregator: Aggregator,
        parameter: Option<Box<Node>>,
        grouping: Grouping,
        body: Box<Node>,
    },
}

impl Node {
    pub(super) fn shape(&self) -> Shape {
        match self {
            Self::Number(_) => Shape::Scalar,
            Self::Instant(_) | Self::Aggregate { .. } => Shape::Vector,
            Self::Range(..) => Shape::Range,
            Self::Negate(body) => body.shape(),
            Self::Binary { left, right, .. } => match (left.shape(), right.shape()) {
                (Shape::Scalar, Shape::Scalar) => Shape::Scalar,
                _ => Shape::Vector,
            },
            Self::Call(function, _) => function.result(),
        }
    }

    fn visit<'a>(&'a self, found: &mut Vec<&'a Selector>) {
        match self {
            Self::Number(_) => {}
            Self::Instant(selector) | Self::Range(selector, _) => found.push(selector),
            Self::Negate(body) => body.visit(found),
            Self::Binary { left, right, .. } => {
                left.visit(found);
                right.visit(found);
            }
            Self::Call(_, arguments) => {
                for one in arguments {
                    one.visit(found);
                }
            }
            Self::Aggregate { parameter, body, .. } => {
                if let Some(parameter) = parameter {
                    parameter.visit(found);
                }
                body.visit(found);
            }
        }
    }
}

impl Expr {
    /// The names of the metrics it reads, in the order they stand.
    pub fn metrics(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.0.visit(&mut found);
        found.into_iter().map(|selector| selector.name.as_str()).collect()
    }
}
