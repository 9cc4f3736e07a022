use super::ast::{Aggregator, Expr, Grouping, Matching, Node, Operator, Selector, Shape};
use super::functions::Function;
use super::lexer::{Token, duration, error, number, tokens};
use super::matcher::{Matcher, matchers};
use crate::telemetry::{Micros, TelemetryError};

/// Deeper nesting is refused rather than followed into a stack overflow.
const DEEPEST: usize = 64;

/// Reads an expression that evaluates to a scalar or a vector.
pub fn parse(text: &str) -> Result<Expr, TelemetryError> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0 };
    let node = parser.binary(0)?;
    if *parser.peek() != Token::End {
        return Err(parser.error("expected an operator or the end"));
    }
    if node.shape() == Shape::Range {
        return Err(error(text, 0, "a range must be the argument of a function"));
    }
    Ok(Expr(node))
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, TelemetryError>;

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].1
    }

    fn error(&self, message: impl Into<String>) -> TelemetryError {
        error(self.text, self.tokens[self.at].0, message)
    }

    fn take(&mut self, sign: &'static str) -> bool {
        let found = *self.peek() == Token::Sign(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &'static str) -> Parsed<()> {
        if self.take(sign) { Ok(()) } else { Err(self.error(format!("expected {sign:?}"))) }
    }

    fn word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(wanted));
        self.at += usize::from(found);
        found
    }

    fn operator(&self) -> Option<Operator> {
        use Operator::{
            Add, And, Divide, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Modulo, Multiply,
            NotEqual, Or, Power, Subtract, Unless,
        };
        Some(match self.peek() {
            Token::Sign("+") => Add,
            Token::Sign("-") => Subtract,
            Token::Sign("*") => Multiply,
            Token::Sign("/") => Divide,
            Token::Sign("%") => Modulo,
            Token::Sign("^") => Power,
            Token::Sign("==") => Equal,
            Token::Sign("!=") => NotEqual,
            Token::Sign(">") => Greater,
            Token::Sign("<") => Less,
            Token::Sign(">=") => GreaterOrEqual,
            Token::Sign("<=") => LessOrEqual,
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "and" => And,
                "or" => Or,
                "unless" => Unless,
                _ => return None,
            },
            _ => return None,
        })
    }

    fn binary(&mut self, lowest: u8) -> Parsed<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("nested too deeply"));
        }
        let mut left = self.unary()?;
        while let Some(operator) = self.operator().filter(|o| o.precedence() > lowest) {
            let position = self.tokens[self.at].0;
            self.at += 1;
            let to_bool = self.word("bool");
            if to_bool && !operator.compares() {
                return Err(error(self.text, position, "bool belongs to a comparison"));
            }
            let matching = self.matching()?;
            let binding = operator.precedence();
            // The power alone associates to the right.
            let right = self.binary(binding - u8::from(operator == Operator::Power))?;
            left = self.join(position, operator, to_bool, matching, left, right)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn matching(&mut self) -> Parsed<Option<Matching>> {
        if self.word("on") {
            return Ok(Some(Matching::On(self.names()?)));
        }
        if self.word("ignoring") {
            return Ok(Some(Matching::Ignoring(self.names()?)));
        }
        Ok(None)
    }

    fn join(
        &self,
        position: usize,
        operator: Operator,
        to_bool: bool,
        matching: Option<Matching>,
        left: Node,
        right: Node,
    ) -> Parsed<Node> {
        let shapes = [left.shape(), right.shape()];
        let wrong = if shapes.contains(&Shape::Range) {
            "a range must be the argument of a function"
        } else if operator.joins_sets() && shapes.contains(&Shape::Scalar) {
            "and, or and unless join vectors"
        } else if operator.compares() && !to_bool && shapes == [Shape::Scalar; 2] {
            "a comparison of two scalars needs bool"
        } else if matching.is_some() && shapes != [Shape::Vector; 2] {
            "on and ignoring match two vectors"
        } else {
            let matching = matching.unwrap_or(Matching::Ignoring(Vec::new()));
            let (left, right) = (Box::new(left), Box::new(right));
            return Ok(Node::Binary { operator, to_bool, matching, left, right });
        };
        Err(error(self.text, position, wrong))
    }

    fn unary(&mut self) -> Parsed<Node> {
        if self.take("-") {
            let body = self.binary(Operator::Multiply.precedence())?;
            if body.shape() == Shape::Range {
                return Err(self.error("a range must be the argument of a function"));
            }
            return Ok(Node::Negate(Box::new(body)));
        }
        if self.take("+") {
            return self.binary(Operator::Multiply.precedence());
        }
        let node = self.atom()?;
        self.suffixes(node)
    }

    /// `[5m]` and `offset 5m`.
    fn suffixes(&mut self, node: Node) -> Parsed<Node> {
        let Node::Instant(mut selector) = node else { return Ok(node) };
        let mut range = None;
        if self.take("[") {
            range = Some(self.duration()?);
            self.expect("]")?;
        }
        if self.word("offset") {
            let sign = if self.take("-") { -1 } else { 1 };
            selector.offset = sign * self.duration()?;
        }
        Ok(match range {
            Some(range) => Node::Range(selector, range),
            None => Node::Instant(selector),
        })
    }

    fn duration(&mut self) -> Parsed<Micros> {
        if let Token::Digits(text) = self.peek()
            && let Some(duration) = duration(text)
        {
            self.at += 1;
            return Ok(duration);
        }
        Err(self.error("expected a duration such as 5m or 1h30m"))
    }

    fn atom(&mut self) -> Parsed<Node> {
        match self.peek().clone() {
            Token::Digits(text) => {
                let value = number(&text)
                    .ok_or_else(|| self.error(format!("expected a number, got {text:?}")))?;
                self.at += 1;
                Ok(Node::Number(value))
            }
            Token::Sign("(") => {
                self.at += 1;
                let body = self.binary(0)?;
                self.expect(")")?;
                Ok(body)
            }
            Token::Sign("{") => self.selector(String::new()),
            Token::Word(word) => self.named(word),
            _ => Err(self.error("expected a number, a selector, a function or \"(\"")),
        }
    }

    fn named(&mut self, word: String) -> Parsed<Node> {
        let lower = word.to_ascii_lowercase();
        let opens = matches!(self.tokens.get(self.at + 1), Some((_, Token::Sign("("))));
        let groups = matches!(self.tokens.get(self.at + 1), Some((_, Token::Word(next)))
            if ["by", "without"].contains(&next.to_ascii_lowercase().as_str()));
        if let Some(aggregator) = aggregator(&lower).filter(|_| opens || groups) {
            self.at += 1;
            return self.aggregate(aggregator);
        }
        if opens {
            return self.call(&word);
        }
        if let Some(value) = number(&lower).filter(|_| lower == "inf" || lower == "nan") {
            self.at += 1;
            return Ok(Node::Number(value));
        }
        self.at += 1;
        self.selector(word)
    }

    fn selector(&mut self, name: String) -> Parsed<Node> {
        let mut found: Vec<Matcher> = Vec::new();
        let start = self.at;
        if self.take("{") {
            found = matchers(self.text, &self.tokens, &mut self.at, &Token::Sign("}"))?;
        }
        if name.is_empty() && found.iter().all(|matcher| matcher.accepts("")) {
            self.at = start;
            return Err(self.error("a selector must have a name or a matcher that is not empty"));
        }
        if !name.is_empty() && found.iter().any(|matcher| matcher.name() == "__name__") {
            self.at = start;
            return Err(self.error("the name is given twice"));
        }
        Ok(Node::Instant(Selector { name, matchers: found, offset: 0 }))
    }

    fn arguments(&mut self) -> Parsed<Vec<(usize, Node)>> {
        self.expect("(")?;
        let mut found = Vec::new();
        while !self.take(")") {
            if !found.is_empty() {
                self.expect(",")?;
            }
            found.push((self.tokens[self.at].0, self.binary(0)?));
        }
        Ok(found)
    }

    fn call(&mut self, name: &str) -> Parsed<Node> {
        let Some((function, shapes, optional)) = Function::find(name) else {
            return Err(self.error(format!("unknown function {name:?}")));
        };
        let start = self.tokens[self.at].0;
        self.at += 1;
        let arguments = self.arguments()?;
        let few = shapes.len() - optional;
        if !(few..=shapes.len()).contains(&arguments.len()) {
            let most = shapes.len();
            let count = if few == most { few.to_string() } else { format!("{few} to {most}") };
            let got = arguments.len();
            let message = format!("{name} takes {count} arguments, got {got}");
            return Err(error(self.text, start, message));
        }
        for ((position, argument), shape) in arguments.iter().zip(shapes) {
            if argument.shape() != *shape {
                let message =
                    format!("{name} takes {} here, got {}", shape.name(), argument.shape().name());
                return Err(error(self.text, *position, message));
            }
        }
        Ok(Node::Call(function, arguments.into_iter().map(|(_, argument)| argument).collect()))
    }

    fn aggregate(&mut self, aggregator: Aggregator) -> Parsed<Node> {
        let mut grouping = self.grouping()?;
        let start = self.tokens[self.at].0;
        let mut arguments = self.arguments()?;
        if grouping.is_none() {
            grouping = self.grouping()?;
        }
        let wanted = if aggregator == Aggregator::Quantile { 2 } else { 1 };
        let shapes: Vec<Shape> = arguments.iter().map(|(_, node)| node.shape()).collect();
        let expected = [Shape::Scalar, Shape::Vector];
        if shapes[..] != expected[2 - wanted..] {
            let message = if wanted == 2 {
                "quantile takes a scalar and a vector"
            } else {
                "an aggregation takes one vector"
            };
            return Err(error(self.text, start, message));
        }
        let Some((_, body)) = arguments.pop() else { return Err(self.error("no argument")) };
        let parameter = arguments.pop().map(|(_, node)| Box::new(node));
        let grouping = grouping.unwrap_or(Grouping::By(Vec::new()));
        Ok(Node::Aggregate { aggregator, parameter, grouping, body: Box::new(body) })
    }

    fn grouping(&mut self) -> Parsed<Option<Grouping>> {
        if self.word("by") {
            return Ok(Some(Grouping::By(self.names()?)));
        }
        if self.word("without") {
            return Ok(Some(Grouping::Without(self.names()?)));
        }
        Ok(None)
    }

    fn names(&mut self) -> Parsed<Vec<String>> {
        self.expect("(")?;
        let mut found = Vec::new();
        while !self.take(")") {
            if !found.is_empty() {
                self.expect(",")?;
            }
            let Token::Word(name) = self.peek().clone() else {
                return Err(self.error("expected the name of a label"));
            };
            self.at += 1;
            found.push(name);
        }
        Ok(found)
    }
}

fn aggregator(name: &str) -> Option<Aggregator> {
    Some(match name {
        "sum" => Aggregator::Sum,
        "avg" => Aggregator::Avg,
        "min" => Aggregator::Min,
        "max" => Aggregator::Max,
        "count" => Aggregator::Count,
        "stddev" => Aggregator::Stddev,
        "stdvar" => Aggregator::Stdvar,
        "quantile" => Aggregator::Quantile,
        _ => return None,
    })
}
